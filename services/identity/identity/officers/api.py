"""HTTP for admins: appoint officers, change what they may do, list them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from identity import admin_examples, examples
from identity.accounts.rules import Standing
from identity.officers import actions, queries, rules
from identity.officers.model import Officer
from identity.parts import parts
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.paging import Page, PageArguments, PageOf, page_of, page_schema
from servicekit.web.parsing import Whole
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


class ColleagueSchema(Schema):
    """An officer as colleagues see them: the name at the door, not the telephone."""

    id = fields.Str(attribute="account_id", required=True)
    name = fields.Function(lambda o: o.name.expose(), required=True)
    region = fields.Str(required=True)


class ColleagueFiltersSchema(PageArguments):
    """For which business, and where the application was filed."""

    business = fields.Str(
        required=True,
        validate=validate.Length(1, 120),
        metadata={"example": "employment-registry.flexible-employment"},
    )
    region = fields.Str(
        required=True,
        validate=Whole(rules.REGION.pattern),
        metadata={"example": "440106003"},
    )

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Any:
        """The page is made of them in the view."""
        return values


_COLLEAGUE = {"id": examples.OFFICER["id"], "name": "陈审核", "region": "440106"}


class DutiesSchema(Schema):
    """Where, for what and as what from now on, and why it changes."""

    region = fields.Str(required=True)
    businesses = fields.List(fields.Str(), required=True, validate=_TEXTS)
    roles = fields.List(fields.Str(), required=True, validate=_TEXTS)
    reason = fields.Str(required=True, validate=validate.Length(1, 200))


class BusinessListSchema(Schema):
    """Codes of businesses."""

    items = fields.List(fields.Str(), required=True)


class AppointedSchema(Schema):
    """The officer with what is shown once: first password and authenticator."""

    officer = fields.Nested(OfficerSchema, required=True)
    password = fields.Str(required=True)
    totp_uri = fields.Str(required=True)


@blueprint.route("/officers", methods=["POST"])
@blueprint.arguments(AppointmentSchema, example=examples.APPOINTMENT)
@blueprint.response(201, AppointedSchema, example=examples.APPOINTED)
@access(Role.ADMIN)
def appoint(appointment: rules.Appointment) -> dict[str, Any]:
    """Appoint an officer (新增经办人员).

    Password and authenticator are shown once; the owner chooses a password at the first login.
    422 `officer-refused` with every wrong field, unknown businesses among them; 403
    `region-not-yours`; 409 `username-taken`.
    """
    with transaction() as db:
        officer, credentials = actions.appoint_by(
            db, appointment, by=actor(), hasher=parts().hasher, now=now()
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
        ours = queries.officers_of(actor().region)
        return page_of(db, ours, page, by=(Officer.created_at, Officer.account_id))


@blueprint.route("/colleagues", methods=["GET"])
@blueprint.arguments(ColleagueFiltersSchema, location="query")
@blueprint.response(200, page_schema(ColleagueSchema), example=examples.page(_COLLEAGUE))
@access(Role.WINDOW, Role.REVIEWER, Role.APPROVER)
def list_colleagues(wanted: dict[str, Any]) -> PageOf[Officer]:
    """Who else reviews a business where something was filed: whom one may ask or hand it to.

    403 `other-business`: not one of the asker's own.
    """
    page = Page(limit=wanted["limit"], cursor=wanted["cursor"])
    rules.check_own_business(actor().businesses, wanted["business"])
    with reading() as db:
        found = queries.colleagues_of(
            actor().id, business=wanted["business"], region=wanted["region"]
        )
        return page_of(db, found, page, by=(Officer.region, Officer.account_id))


@blueprint.route("/officers/<officer_id>", methods=["PATCH"])
@blueprint.arguments(DutiesSchema, example=admin_examples.DUTIES)
@blueprint.response(200, OfficerSchema, example=examples.OFFICER)
@access(Role.ADMIN)
def change_duties(duties: dict[str, Any], officer_id: str) -> Officer:
    """Change an officer's region, businesses and roles; every session of theirs ends (修改职责).

    422 `officer-refused`, `reason-required`; 403 `region-not-yours`; 404 `officer-not-found`.
    """
    with transaction() as db:
        officer = queries.find_officer(db, officer_id, region=actor().region)
        return actions.change_duties(db, officer, **duties, by=actor(), now=now())


@blueprint.route("/businesses", methods=["GET"])
@blueprint.response(200, BusinessListSchema, example=admin_examples.BUSINESSES)
@access(Role.ADMIN)
def list_businesses() -> dict[str, Any]:
    """The businesses an officer may be appointed to (业务目录)."""
    with reading() as db:
        return {"items": sorted(queries.known_businesses(db))}
