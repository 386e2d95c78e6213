"""HTTP for admins: appoint officers, list them, lock an account."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from identity.accounts import actions as accounts
from identity.accounts.rules import Standing
from identity.officers import actions, rules
from identity.parts import parts
from identity.sign_in import sessions
from identity.sign_in.rules import EndReason
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.session import actor, now, transaction
from servicekit.workflow import Role

blueprint = Blueprint(
    "officers", __name__, url_prefix="/api/identity/v1", description="经办人员管理"
)

_TEXTS = validate.Length(max=50)


class AppointmentSchema(Schema):
    """Who, where and for what."""

    name = fields.Str(required=True, validate=validate.Length(1, 100))
    login_name = fields.Str(required=True, validate=validate.Length(1, 100))
    phone = fields.Str(required=True, validate=validate.Length(1, 40))
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
@access(Role.ADMIN)
@blueprint.arguments(AppointmentSchema)
@blueprint.response(201, AppointedSchema)
def appoint(appointment: rules.Appointment) -> dict[str, Any]:
    """Appoint an officer (新增经办人员)."""
    with transaction() as db:
        officer, credentials = actions.appoint(
            db, appointment, by=actor().id, hasher=parts().hasher, now=now()
        )
    return {
        "officer": officer,
        "password": credentials.password,
        "totp_uri": credentials.totp_uri,
    }


@blueprint.route("/accounts/<account_id>/lock", methods=["POST"])
@access(Role.ADMIN)
@blueprint.response(200, StandingSchema)
def lock(account_id: str) -> Any:
    """Lock an account: its sessions end everywhere (锁定账号)."""
    with transaction() as db:
        account = accounts.lock(db, account_id, now=now())
        sessions.end_all(db, account_id, EndReason.LOCKED, now=now())
        return account
