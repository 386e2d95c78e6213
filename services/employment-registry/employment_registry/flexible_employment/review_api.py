"""HTTP for officers: the queue of their region, and what they decide."""

from __future__ import annotations

from typing import Any

from employment_registry.flexible_employment import queries, rules
from employment_registry.flexible_employment import review_actions as actions
from employment_registry.flexible_employment import review_schemas as schemas
from employment_registry.flexible_employment.model import FlexibleEmploymentApplication
from employment_registry.flexible_employment.schemas import NothingSchema, page
from servicekit import history
from servicekit.claims import Decision, Reason
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.paging import Page, page_of, page_schema
from servicekit.web.reviewing import ReasonSchema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

reviews = Blueprint(
    "flexible-employment-reviews",
    __name__,
    url_prefix="/flexible-employment-reviews",
    description="灵活就业登记：审核",
)
officer = access(Role.REVIEWER, business=rules.WORKFLOW.name)


@reviews.route("/reasons", methods=["GET"])
@officer
@reviews.response(
    200,
    ReasonSchema(many=True),
    example=[{"code": r.code, "move": r.move, "text": r.text} for r in rules.REASONS[:1]],
)
def list_reasons() -> list[Reason]:
    """Ready texts for sending back and turning down (常用理由)."""
    return list(rules.REASONS)


@reviews.route("", methods=["GET"])
@officer
@reviews.arguments(schemas.QueueFiltersSchema, location="query")
@reviews.response(
    200,
    page_schema(schemas.ReviewRowSchema),
    example=page(schemas.EXAMPLE_REVIEW_ROW),
)
def list_queue(query: tuple[queries.Filters, Page]) -> Any:
    """What was filed in the officer's region and below, what is due first stands first."""
    filters, page = query
    with reading() as db:
        return page_of(
            db, queries.queue(actor(), filters), page, by=queries.DUE_FIRST, descending=False
        )


@reviews.route("/<application_id>", methods=["GET"])
@officer
@reviews.response(200, schemas.ReviewSchema, example=schemas.EXAMPLE_REVIEW)
def show_review(application_id: str) -> FlexibleEmploymentApplication:
    """What is asked, beside what is in force.

    404 `application-not-found`: none, a draft, or another region's.
    """
    with reading() as db:
        return versions.tag(queries.find_for_officer(db, application_id, actor()))


@reviews.route("/<application_id>/history", methods=["GET"])
@officer
@reviews.response(
    200,
    schemas.ReviewHistoryEntrySchema(many=True),
    example=[schemas.EXAMPLE_REVIEW_ENTRY],
)
def list_review_history(application_id: str) -> list[history.Entry]:
    """What happened to an application, with who did it."""
    with reading() as db:
        return history.list_history(db, queries.find_for_officer(db, application_id, actor()).id)


@reviews.route("/<application_id>/claim", methods=["POST"])
@officer
@reviews.arguments(NothingSchema, example={})
@reviews.response(200, schemas.ReviewSchema, example=schemas.EXAMPLE_REVIEW)
def claim(_: dict[str, Any], application_id: str) -> FlexibleEmploymentApplication:
    """Hold it for fifteen minutes (认领).

    409 `claimed-by-other` (with `claimed_until`), `wrong-state`, `changed-meanwhile`.
    """
    with transaction() as db:
        return versions.tag(actions.claim(db, application_id, actor=actor(), now=now()))


@reviews.route("/<application_id>/release", methods=["POST"])
@officer
@reviews.arguments(NothingSchema, example={})
@reviews.response(200, schemas.ReviewSchema, example=schemas.EXAMPLE_REVIEW)
def release(_: dict[str, Any], application_id: str) -> FlexibleEmploymentApplication:
    """Give it back (取消认领).

    409 `not-claimed`: it is not held by the caller, or not any more.
    """
    with transaction() as db:
        return versions.tag(actions.release(db, application_id, actor=actor(), now=now()))


@reviews.route("/<application_id>/approve", methods=["POST"])
@officer
@reviews.arguments(NoteSchema, example={"note": "电话核实无误"})
@reviews.response(200, schemas.ReviewSchema, example=schemas.EXAMPLE_REVIEW)
def approve(body: dict[str, Any], application_id: str) -> FlexibleEmploymentApplication:
    """审核通过: the record is founded or changed.

    409 `claimed-by-other` (with `claimed_until`), `wrong-state`, `changed-meanwhile`,
    `record-invalid`, `already-flexibly-employed`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            actions.approve(
                db, application_id, actor=actor(), now=now(), note=body["note"], seen=seen
            )
        )


@reviews.route("/<application_id>/return", methods=["POST"])
@officer
@reviews.arguments(
    schemas.ReturnSchema,
    example={
        "reason_code": "work-place-unclear",
        "fields_to_correct": ["/employment/address"],
    },
)
@reviews.response(200, schemas.ReviewSchema, example=schemas.EXAMPLE_REVIEW)
def send_back(decision: Decision, application_id: str) -> FlexibleEmploymentApplication:
    """退回补正, with a reason and the fields to correct.

    409 `claimed-by-other` (with `claimed_until`), `wrong-state`, `changed-meanwhile`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            actions.send_back(db, application_id, decision, actor=actor(), now=now(), seen=seen)
        )


@reviews.route("/<application_id>/reject", methods=["POST"])
@officer
@reviews.arguments(schemas.RejectionSchema, example={"reason_code": "not-working"})
@reviews.response(200, schemas.ReviewSchema, example=schemas.EXAMPLE_REVIEW)
def reject(decision: Decision, application_id: str) -> FlexibleEmploymentApplication:
    """审核不通过, with a reason.

    409 `claimed-by-other` (with `claimed_until`), `wrong-state`, `changed-meanwhile`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            actions.reject(db, application_id, decision, actor=actor(), now=now(), seen=seen)
        )


@reviews.route("/<application_id>/reveal", methods=["POST"])
@officer
@reviews.arguments(
    schemas.RevealSchema, example={"values": ["document_number"], "reason": "电话核实"}
)
@reviews.response(200, schemas.RevealedSchema, example={"document_number": "440106199001010012"})
def reveal(body: dict[str, Any], application_id: str) -> dict[str, str]:
    """See masked values in full; the look is on record (查看完整信息)."""
    with transaction() as db:
        return actions.look_at(
            db, application_id, body["values"], actor=actor(), now=now(), reason=body["reason"]
        )
