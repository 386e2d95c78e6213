"""HTTP for one's own logins, and for "this wasn't me"."""

from __future__ import annotations

from marshmallow import Schema, fields

from identity import examples
from identity.accounts import actions as accounts
from identity.login_history import actions, queries
from identity.login_history.model import LoginEvent
from identity.login_history.rules import Outcome, Way
from servicekit.web.access import access, while_frozen
from servicekit.web.api import Blueprint
from servicekit.web.paging import Page, PageArguments, PageOf, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "logins", __name__, url_prefix="/api/identity/v1/me/logins", description="登录记录"
)

_EVERYBODY = (Role.APPLICANT, Role.WINDOW, Role.REVIEWER, Role.APPROVER, Role.ADMIN)


class LoginSchema(Schema):
    """One login or try, as the account's owner sees it."""

    id = fields.Str(required=True)
    at = fields.AwareDateTime(required=True)
    way = fields.Enum(Way, by_value=True, required=True)
    outcome = fields.Enum(Outcome, by_value=True, required=True)
    device = fields.Function(lambda e: e.device.expose(), required=True)
    address = fields.Function(lambda e: e.address.expose(), required=True)
    elsewhere = fields.Bool(required=True)
    session_id = fields.Str(required=True, allow_none=True)
    current = fields.Function(lambda e: e.session_id == actor().session_id, required=True)
    disowned_at = fields.AwareDateTime(required=True, allow_none=True)


@blueprint.route("", methods=["GET"])
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, page_schema(LoginSchema), example=examples.page(examples.LOGIN))
@access(*_EVERYBODY)
def list_logins(page: Page) -> PageOf[LoginEvent]:
    """One's logins and the tries that failed, the newest first (登录记录)."""
    with reading() as db:
        return page_of(db, queries.logins_of(_owner()), page, by=(LoginEvent.at, LoginEvent.id))


@blueprint.route("/<login_id>/disown", methods=["POST"])
@blueprint.response(200, LoginSchema, example=examples.LOGIN)
@access(*_EVERYBODY)
@while_frozen
def disown(login_id: str) -> LoginEvent:
    """“This wasn't me” (不是我): every other session ends and the password must be changed.

    404 `login-not-found`; 409 `login-not-disownable`.
    """
    with transaction() as db:
        account = accounts.find(db, _owner())
        return actions.disown(db, account, login_id, session_id=actor().session_id, now=now())


def _owner() -> str:
    # The human, also when acting for a unit: logins are people's.
    return actor().person_id or actor().id
