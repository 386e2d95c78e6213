"""HTTP for admins: appoint officers, list them, lock an account."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from identity import examples
from identity.accounts import actions as accounts
from identity.accounts.rules import Standing
from identity.officers import actions, queries, rules
from identity.officers.model import Officer
from identity.parts import parts
from identity.sign_in import sessions
from identity.sign_in.rules import EndReason
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.paging import Page, PageArguments, PageOf, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "officers", __name__, url_prefix="/api/identity/v1", description="经办人员管理"
)

_TEXTS = validate.Length(max=50)


class AppointmentSchema(Schema):
    """Who, where and for what."""

    name = fields.Str(required=True, validate=validate.Length(max=100))
    login_name = fields.Str(required=True, validate=validate.Length(max=100))
    phone = fields.Str(required=True, validate=validate.Length(max=40))
    region = fields.Str(required=True, metadata={"example": "440106"})
    businesses = fields.List(fields.Str(), required=True, validate=_TEXTS)
    roles = fields.List(fields.Str(), required=True, validate=_TEXTS)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> rules.Appointment:
        businesses, roles = tuple(data.pop("businesses")), tuple(data.pop("roles"))
        return rules.Appointment(businesses=businesses, roles=roles, **data)


class OfficerSchema(Schema):
    """An officer as an admin sees them."""

    id = fields.Str(attribute="account_id", required=True)
    name = fields.Function(lambda o: o.name.expose(), required=True)
    login_name = fields.Function(lambda o: o.account.login_name.expose(), required=True)
    region = fields.Str(required=True)
    businesses = fields.List(fields.Str(), required=True)
    roles = fields.List(fields.Str(), required=True)
    standing = fields.Enum(Standing, by_value=True, attribute="account.standing", required=True)
    created_at = fields.AwareDateTime(required=True)


class AppointedSchema(Schema):
    """The officer with what is shown once: first password and authenticator."""

    officer = fields.Nested(OfficerSchema, required=True)
    password = fields.Str(required=True)
    totp_uri = fields.Str(required=True)


class StandingSchema(Schema):
    """Whether an account may sign in."""

    id = fields.Str(required=True)
    standing = fields.Enum(Standing, by_value=True, required=True)


@blueprint.route("/officers", methods=["POST"])
@blueprint.arguments(AppointmentSchema, example=examples.APPOINTMENT)
@blueprint.response(201, AppointedSchema, example=examples.APPOINTED)
@access(Role.ADMIN)
def appoint(appointment: rules.Appointment) -> dict[str, Any]:
    """Appoint an officer (新增经办人员).

    Password and authenticator are shown once; the owner chooses a password at the first login.
    422 `officer-refused` with every wrong field; 409 `username-taken`.
    """
    with transaction() as db:
        officer, credentials = actions.appoint(
            db, appointment, by=actor().id, hasher=parts().hasher, now=now()
        )
    return {
        "officer": officer,
        "password": credentials.password,
        "totp_uri": credentials.totp_uri,
    }


@blueprint.route("/officers", methods=["GET"])
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, page_schema(OfficerSchema), example=examples.page(examples.OFFICER))
@access(Role.ADMIN)
def list_officers(page: Page) -> PageOf[Officer]:
    """The officers of the admin's region and below (经办人员列表)."""
    with reading() as db:
        ours = queries.officers_of(actor().region or "")
        return page_of(db, ours, page, by=(Officer.created_at, Officer.account_id))


@blueprint.route("/accounts/<account_id>/lock", methods=["POST"])
@blueprint.response(200, StandingSchema, example=examples.STANDING)
@access(Role.ADMIN)
def lock(account_id: str) -> Any:
    """Lock an account: its sessions end everywhere (锁定账号).

    404 `account-not-found`; 409 `account-not-active`.
    """
    with transaction() as db:
        account = accounts.lock(db, account_id, now=now())
        sessions.end_all(db, account_id, EndReason.LOCKED, now=now())
        return account
