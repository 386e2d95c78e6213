"""HTTP for ending one's own account."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from identity import unit_examples
from identity.accounts import actions as accounts
from identity.cancellations import actions, queries, rules
from identity.cancellations.model import Cancellation
from identity.parts import parts
from identity.passwords import actions as passwords
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "cancellations", __name__, url_prefix="/api/identity/v1/me/cancellation", description="注销账号"
)


class ConfirmedSchema(Schema):
    """The present password: whoever found an open browser cancels nothing."""

    current_password = fields.Str(required=True, validate=validate.Length(max=200))


class CancellationSchema(Schema):
    """Since when it cools off, and when it takes effect."""

    asked_at = fields.AwareDateTime(required=True)
    takes_effect_at = fields.AwareDateTime(required=True)
    undone_at = fields.AwareDateTime(required=True, allow_none=True)


@blueprint.route("", methods=["POST"])
@blueprint.arguments(ConfirmedSchema, example=unit_examples.CONFIRMED)
@blueprint.response(201, CancellationSchema, example=unit_examples.CANCELLATION)
@access(Role.APPLICANT)
def ask(given: dict[str, str]) -> Cancellation:
    """Ask for the end of the account; seven days to think it over (注销账号).

    422 `new-password-refused` when the password is wrong; 409 `account-still-tied` naming what is
    open, `cancellation-under-way`; 429 `confirm-slowed-down`.
    """
    own = parts()
    with transaction() as db:
        account = accounts.find(db, actor().id)
        passwords.confirm(
            account, given["current_password"], hasher=own.hasher, counts=own.counts, now=now()
        )
        return actions.ask(db, account, session_id=actor().session_id, now=now())


@blueprint.route("", methods=["GET"])
@blueprint.response(200, CancellationSchema, example=unit_examples.CANCELLATION)
@access(Role.APPLICANT)
def show() -> Cancellation:
    """The cancellation that cools off; 404 `cancellation-not-found`."""
    with reading() as db:
        found = queries.find_open(db, actor().id)
        if found is None:
            raise rules.NoCancellation
        return found


@blueprint.route("", methods=["DELETE"])
@blueprint.response(200, CancellationSchema, example=unit_examples.CANCELLATION)
@access(Role.APPLICANT)
def undo() -> Cancellation:
    """Keep the account after all (撤销注销); 404 `cancellation-not-found`."""
    with transaction() as db:
        return actions.undo(db, accounts.find(db, actor().id), now=now())
