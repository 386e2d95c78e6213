"""HTTP for what guards one's login; adding a factor needs a browser of our own pages."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from identity import examples
from identity.accounts import actions as accounts
from identity.second_factors import actions, passkeys
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "second-factors",
    __name__,
    url_prefix="/api/identity/v1/me/second-factors",
    description="第二验证因素",
)

_EVERYBODY = (Role.APPLICANT, Role.WINDOW, Role.REVIEWER, Role.APPROVER, Role.ADMIN)


class PasskeySchema(Schema):
    """One passkey, as its owner named it."""

    id = fields.Str(required=True)
    label = fields.Function(lambda p: p.label.expose(), required=True)
    backed_up = fields.Bool(required=True)
    created_at = fields.AwareDateTime(required=True)
    last_used_at = fields.AwareDateTime(required=True, allow_none=True)


class SecondFactorsSchema(Schema):
    """What is on, and how many recovery codes are left."""

    authenticator = fields.Bool(required=True)
    recovery_codes = fields.Int(required=True)
    passkeys = fields.List(fields.Nested(PasskeySchema), required=True)


@blueprint.route("", methods=["GET"])
@blueprint.response(200, SecondFactorsSchema, example=examples.SECOND_FACTORS)
@access(*_EVERYBODY)
def show() -> dict[str, Any]:
    """One's second factors (第二验证因素); they are added at `/identity/security`."""
    with reading() as db:
        return {
            "authenticator": actions.is_on(db, actor().id),
            "recovery_codes": actions.count_recovery_codes(db, actor().id),
            "passkeys": passkeys.passkeys_of(db, actor().id),
        }


@blueprint.route("/passkeys/<passkey_id>", methods=["DELETE"])
@blueprint.response(204)
@access(*_EVERYBODY)
def remove_passkey(passkey_id: str) -> None:
    """Forget a passkey of one's own (移除通行密钥).

    404 `passkey-not-found`.
    """
    with transaction() as db:
        passkeys.remove(db, accounts.find(db, actor().id), passkey_id, now=now())
