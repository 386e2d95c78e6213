"""HTTP for changing one's password."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from identity import examples
from identity.accounts import actions as accounts
from identity.parts import parts
from identity.passwords import actions
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "passwords", __name__, url_prefix="/api/identity/v1/me/password", description="密码修改"
)

_EVERYBODY = (Role.APPLICANT, Role.WINDOW, Role.REVIEWER, Role.APPROVER, Role.ADMIN)
_TYPED = validate.Length(max=200)


class PasswordChangeSchema(Schema):
    """The present password, and twice the new one."""

    current_password = fields.Str(required=True, validate=_TYPED, attribute="current")
    password = fields.Str(required=True, validate=_TYPED)
    password_again = fields.Str(required=True, validate=_TYPED, attribute="again")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> actions.Change:
        return actions.Change(**data)


@blueprint.route("", methods=["PUT"])
@blueprint.arguments(PasswordChangeSchema, example=examples.PASSWORD_CHANGE)
@blueprint.response(204)
@access(*_EVERYBODY)
def change(change: actions.Change) -> None:
    """Change one's password, a person's or a unit's own; other sessions end (密码修改).

    422 `new-password-refused` with every wrong field; 429 `confirm-slowed-down`.
    """
    own = parts()
    with transaction() as db:
        actions.change_own(
            db,
            accounts.find(db, actor().id),
            change,
            session_id=actor().session_id,
            policy=own.password_policy,
            hasher=own.hasher,
            counts=own.counts,
            now=now(),
        )
