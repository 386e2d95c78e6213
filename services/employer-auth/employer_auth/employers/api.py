"""HTTP for people and units: finding a unit by its number, a unit's own data, the agencies."""

from __future__ import annotations

from typing import Any

from employer_auth.agencies import Agency, agency_of
from employer_auth.employers import actions, queries, schemas
from employer_auth.employers.queries import Profile
from employer_auth.parties import human
from employer_auth.parts import parts
from servicekit.web import versions
from servicekit.web.access import access, public
from servicekit.web.api import Blueprint
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, keep_on_refusal, now, reading, transaction
from servicekit.workflow import Role

units = Blueprint("units", __name__, description="单位信息：查询单位、本单位信息、经办机构")
agent = access(Role.APPLICANT, level=2, kinds=("person", "unit"), acting=True)
of_unit = access(Role.APPLICANT, kinds=("unit",), acting=True)


@units.route("/agencies", methods=["GET"])
@public
@units.arguments(schemas.RegionSchema, location="query")
@units.response(200, schemas.SocialInsuranceAgencySchema, example=schemas.EXAMPLE_AGENCY)
def show_agency(query: dict[str, str]) -> Agency:
    """The social-insurance agency that serves a region, with its telephone (经办机构)."""
    return agency_of(query["region"])


@units.route("/units", methods=["GET"])
@agent
@units.arguments(schemas.NumberSchema, location="query")
@units.response(200, schemas.FoundUnitsSchema, example={"items": [schemas.EXAMPLE_FOUND]})
def search_units(query: dict[str, str]) -> dict[str, Any]:
    """Find a unit by its number, USCC or organisation code, exactly (单位管理码, EA-07).

    404 `unit-not-found`; 422 `unit-number-malformed`, `uscc-without-spaces`,
    `identifier-check-digit`; 429 `too-many-searches`. Searches that find nothing count too.
    """
    person, allowance = human(actor()), parts().settings.unit_searches_per_day
    with transaction() as db:
        keep_on_refusal()
        found = actions.search(db, query["number"], actor=actor(), allowance=allowance, now=now())
        return {"items": [queries.as_found(db, unit, person) for unit in found]}


@units.route("/unit-profile", methods=["GET"])
@of_unit
@units.response(200, schemas.UnitProfileSchema, example=schemas.EXAMPLE_PROFILE)
def show_profile() -> Profile:
    """The data held of one's own unit, and whom to call when they are wrong (PRT-08).

    404 `unit-not-found`: identity's word of the unit has not arrived yet.
    """
    with reading() as db:
        return versions.tag(queries.find_profile(db, actor().id))


@units.route("/unit-profile/history", methods=["GET"])
@of_unit
@units.arguments(PageArguments, location="query")
@units.response(
    200, page_schema(schemas.UnitValueSchema), example=schemas.page(schemas.EXAMPLE_VALUE)
)
def list_profile_history(page: Page) -> Any:
    """Every value the data of one's own unit ever had, with its days, newest first (EA-11)."""
    with reading() as db:
        return page_of(db, queries.values_of(actor().id), page, by=queries.NEWEST_VALUE)
