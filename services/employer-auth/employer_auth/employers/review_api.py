"""HTTP for officers: the units of their region, and the correction of their data."""

from __future__ import annotations

from typing import Any

from employer_auth.employers import actions, queries, rules, schemas
from employer_auth.employers.queries import Profile
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

reviews = Blueprint(
    "unit-reviews", __name__, url_prefix="/unit-reviews", description="单位信息：经办机构更正"
)
officer = access(Role.REVIEWER, business=rules.BUSINESS)


@reviews.route("", methods=["GET"])
@officer
@reviews.arguments(schemas.OfficerNumberSchema, location="query")
@reviews.response(
    200, page_schema(schemas.UnitRowSchema), example=schemas.page(schemas.EXAMPLE_ROW)
)
def list_units(query: tuple[str | None, Page]) -> Any:
    """The units of the officer's region and below, newest first; of one number, if given.

    422 `unit-number-malformed` and what is wrong with the number.
    """
    number, page = query
    with reading() as db:
        found = queries.units_of_region(actor(), number)
        return page_of(db, found, page, by=queries.NEWEST)


@reviews.route("/<unit_id>", methods=["GET"])
@officer
@reviews.response(200, schemas.UnitProfileSchema, example=schemas.EXAMPLE_PROFILE)
def show_unit(unit_id: str) -> Profile:
    """The data of a unit of the officer's region.

    404 `unit-not-found`: there is none, or it is another region's.
    """
    with reading() as db:
        return versions.tag(queries.find_for_officer(db, unit_id, actor()))


@reviews.route("/<unit_id>/values", methods=["GET"])
@officer
@reviews.arguments(PageArguments, location="query")
@reviews.response(
    200,
    page_schema(schemas.OfficerUnitValueSchema),
    example=schemas.page(
        schemas.EXAMPLE_VALUE | {"corrected_by": "01890a5d-ac96-774b-bcce-b302099a8060"}
    ),
)
def list_unit_values(page: Page, unit_id: str) -> Any:
    """Every value the unit's data ever had, with who corrected it and why, newest first."""
    with reading() as db:
        profile = queries.find_for_officer(db, unit_id, actor())
        return page_of(db, queries.values_of(profile.unit.id), page, by=queries.NEWEST_VALUE)


@reviews.route("/<unit_id>/correct", methods=["POST"])
@officer
@reviews.arguments(schemas.UnitCorrectionSchema, example=schemas.EXAMPLE_CORRECTION)
@reviews.response(200, schemas.UnitProfileSchema, example=schemas.EXAMPLE_PROFILE)
def correct(body: dict[str, Any], unit_id: str) -> Profile:
    """Correct what is wrong, with the reason (更正单位信息, EA-10).

    The values before are kept with the days in which they held. 404 `unit-not-found`; 409
    `uscc-cannot-change`; 412 `changed-meanwhile`; 422 `nothing-corrected` or the wrong values.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            actions.correct(db, unit_id, **body, actor=actor(), now=now(), seen=seen)
        )
