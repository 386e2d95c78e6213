"""HTTP for officers: the objections about units of their region, and what they decide."""

from __future__ import annotations

from typing import Any

from employer_auth.objections import freezing, queries, rules, schemas
from employer_auth.objections.model import Objection
from servicekit import history
from servicekit.claims import Reason
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.filing import page as one_page
from servicekit.web.paging import Page, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

reviews = Blueprint(
    "objection-reviews",
    __name__,
    url_prefix="/objection-reviews",
    description="法定代表人异议：经办机构核实",
)
officer = access(Role.REVIEWER, business=rules.WORKFLOW.name)


@reviews.route("/reasons", methods=["GET"])
@officer
@reviews.response(
    200,
    schemas.ObjectionReasonSchema(many=True),
    example=[{"code": r.code, "move": r.move, "text": r.text} for r in rules.REASONS[:1]],
)
def list_objection_reasons() -> list[Reason]:
    """Ready texts (常用理由)."""
    return list(rules.REASONS)


@reviews.route("", methods=["GET"])
@officer
@reviews.arguments(schemas.ObjectionFiltersSchema, location="query")
@reviews.response(
    200, page_schema(schemas.ObjectionSchema), example=one_page(schemas.EXAMPLE_OBJECTION)
)
def list_objections(query: tuple[rules.ObjectionState | None, Page]) -> Any:
    """The objections about units of the officer's region and below, due first first."""
    state, page = query
    with reading() as db:
        found = queries.queue(actor(), state)
        return page_of(db, found, page, by=queries.DUE_FIRST, descending=False)


@reviews.route("/<objection_id>", methods=["GET"])
@officer
@reviews.response(200, schemas.ObjectionSchema, example=schemas.EXAMPLE_OBJECTION)
def show_objection(objection_id: str) -> Objection:
    """One objection.

    404 `objection-not-found`.
    """
    with reading() as db:
        return versions.tag(queries.find_for_officer(db, objection_id, actor()))


@reviews.route("/<objection_id>/history", methods=["GET"])
@officer
@reviews.response(200, schemas.ObjectionEntrySchema(many=True), example=[schemas.EXAMPLE_ENTRY])
def list_objection_history(objection_id: str) -> list[history.Entry]:
    """What happened to an objection, with who decided."""
    with reading() as db:
        found = queries.find_for_officer(db, objection_id, actor())
        return history.list_history(db, found.id)


@reviews.route("/<objection_id>/uphold", methods=["POST"])
@officer
@reviews.arguments(schemas.ObjectionDecisionSchema, example={"reason_code": "not-by-unit"})
@reviews.response(200, schemas.ObjectionSchema, example=schemas.EXAMPLE_OBJECTION)
def uphold(reason: str, objection_id: str) -> Objection:
    """Uphold it: every agent is released, the unit stays frozen (异议成立).

    409 `wrong-state`; 412 `changed-meanwhile`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            freezing.uphold(db, objection_id, actor=actor(), now=now(), reason=reason, seen=seen)
        )


@reviews.route("/<objection_id>/lift", methods=["POST"])
@officer
@reviews.arguments(schemas.ObjectionDecisionSchema, example={"reason_code": "by-unit"})
@reviews.response(200, schemas.ObjectionSchema, example=schemas.EXAMPLE_OBJECTION)
def lift(reason: str, objection_id: str) -> Objection:
    """Unfreeze the unit: what rested for it works again (解除冻结).

    409 `wrong-state`; 412 `changed-meanwhile`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            freezing.lift(db, objection_id, actor=actor(), now=now(), reason=reason, seen=seen)
        )
