"""HTTP for officers: the bindings of the units in their region, and ending one."""

from __future__ import annotations

from typing import Any

from employer_auth.bindings import actions, queries, rules, schemas
from employer_auth.bindings.model import Binding
from servicekit import history
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.paging import Page, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

reviews = Blueprint(
    "binding-reviews",
    __name__,
    url_prefix="/binding-reviews",
    description="单位与经办人的绑定：经办机构",
)
officer = access(Role.REVIEWER, business=rules.WORKFLOW.name)


@reviews.route("", methods=["GET"])
@officer
@reviews.arguments(schemas.OfficerFiltersSchema, location="query")
@reviews.response(
    200,
    page_schema(schemas.OfficerBindingSchema),
    example=schemas.page(schemas.EXAMPLE_SUB_ACCOUNT | {"open_moves": ["remove"]}),
)
def list_bindings(query: tuple[queries.Filters, Page]) -> Any:
    """The bindings of the units in the officer's region and below, newest first."""
    filters, page = query
    with reading() as db:
        return page_of(db, queries.of_region(actor(), filters), page, by=queries.NEWEST)


@reviews.route("/<binding_id>/history", methods=["GET"])
@officer
@reviews.response(200, schemas.HistoryEntrySchema(many=True), example=[schemas.EXAMPLE_ENTRY])
def list_reviewed_history(binding_id: str) -> list[history.Entry]:
    """What happened to a binding, oldest first.

    404 `binding-not-found`: there is none, or it is another region's.
    """
    with reading() as db:
        return history.list_history(db, queries.find_for_officer(db, binding_id, actor()).id)


@reviews.route("/<binding_id>/remove", methods=["POST"])
@officer
@reviews.arguments(schemas.ReasonGivenSchema, example={"reason": "经核实，单位委托书系伪造。"})
@reviews.response(
    200,
    schemas.OfficerBindingSchema,
    example=schemas.EXAMPLE_SUB_ACCOUNT | {"state": "released", "open_moves": []},
)
def remove(body: dict[str, str], binding_id: str) -> Binding:
    """End a binding, with the reason (解除绑定).

    409 `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(
            actions.remove(db, binding_id, actor=actor(), now=now(), reason=body["reason"])
        )
