"""HTTP for units: who acted for us, when, in what (EA-11)."""

from __future__ import annotations

from typing import Any

from employer_auth.bindings.rules import MANAGE
from employer_auth.deeds import queries, schemas
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.paging import Page, page_of, page_schema
from servicekit.web.session import actor, reading
from servicekit.workflow import Role

deeds = Blueprint(
    "deeds", __name__, url_prefix="/deeds", description="代办记录：谁为本单位办了什么"
)


@deeds.route("", methods=["GET"])
@access(Role.APPLICANT, kinds=("unit",), grants=MANAGE, unit_account=True)
@deeds.arguments(schemas.DeedFiltersSchema, location="query")
@deeds.response(
    200,
    page_schema(schemas.DeedSchema),
    example={"items": [schemas.EXAMPLE_DEED], "next_cursor": None, "total": 1},
)
def list_deeds(query: tuple[queries.Filters, Page]) -> Any:
    """Everything people did for the unit in all services, newest first (代办记录)."""
    filters, page = query
    with reading() as db:
        return page_of(db, queries.of_unit(actor(), filters), page, by=queries.NEWEST)
