"""HTTP for officers: the queue of their region, and two steps by two officers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response

from employer_auth.authorisation_codes import queries, review_actions, rules, schemas
from employer_auth.authorisation_codes import review_schemas as shown
from employer_auth.authorisation_codes.model import AuthorisationCase
from employer_auth.bindings.schemas import NothingSchema
from employer_auth.parts import parts
from servicekit import history
from servicekit.claims import Decision, Reason
from servicekit.queues import QueueFilters, order_of
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.filing import page
from servicekit.web.paging import Page, page_of, page_schema
from servicekit.web.review_routes import EXAMPLE_REVIEW_ENTRY, ReviewHistoryEntrySchema
from servicekit.web.reviewing import QueueFiltersSchema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.web.uploads import file_response, sent
from servicekit.workflow import Role

reviews = Blueprint(
    "authorisation-code-reviews",
    __name__,
    url_prefix="/authorisation-code-reviews",
    description="单位授权码：经办机构审核",
)
first = access(Role.REVIEWER, business=rules.WORKFLOW.name)
second = access(Role.APPROVER, business=rules.WORKFLOW.name)
either = access(Role.REVIEWER, Role.APPROVER, business=rules.WORKFLOW.name)


def _days(number: int) -> timedelta:
    return timedelta(days=number)


@reviews.route("/reasons", methods=["GET"])
@either
@reviews.response(
    200,
    shown.AuthorisationReasonSchema(many=True),
    example=[{"code": r.code, "move": r.move, "text": r.text} for r in rules.REASONS[:1]],
)
def list_authorisation_reasons() -> list[Reason]:
    """Ready texts for sending back and turning down (常用理由)."""
    return list(rules.REASONS)


@reviews.route("", methods=["GET"])
@either
@reviews.arguments(QueueFiltersSchema, location="query")
@reviews.response(200, page_schema(shown.CaseQueueSchema), example=page(shown.EXAMPLE_ROW))
def list_authorisation_queue(query: tuple[QueueFilters, Page]) -> Any:
    """What was filed for units of the officer's region and below, what is due first first."""
    filters, page = query
    order, descending = order_of(AuthorisationCase, filters.order)
    with reading() as db:
        found = queries.queue(actor(), filters, now())
        return page_of(db, found, page, by=order, descending=descending)


@reviews.route("/<case_id>", methods=["GET"])
@either
@reviews.response(200, shown.CaseReviewSchema, example=shown.EXAMPLE)
def show_authorisation_review(case_id: str) -> AuthorisationCase:
    """One unit's part of an application, with its papers.

    404 `application-not-found`: none, a draft, or another region's.
    """
    with reading() as db:
        return versions.tag(queries.find_case(db, case_id, actor()))


@reviews.route("/<case_id>/history", methods=["GET"])
@either
@reviews.response(200, ReviewHistoryEntrySchema(many=True), example=[EXAMPLE_REVIEW_ENTRY])
def list_authorisation_review_history(case_id: str) -> list[history.Entry]:
    """What happened to a case, with who did it."""
    with reading() as db:
        return history.list_history(db, queries.find_case(db, case_id, actor()).id)


@reviews.route("/<case_id>/materials/<upload_id>", methods=["GET"])
@either
@file_response(reviews)
def download_material(case_id: str, upload_id: str) -> Response:
    """One of the papers, as an attachment; the look is on record (AL-04).

    404 `application-not-found`, `upload-not-found`.
    """
    with transaction() as db:
        row, data = review_actions.look_at_file(
            db, case_id, upload_id, uploads=parts().uploads, actor=actor(), now=now()
        )
        return sent(row, data)


@reviews.route("/<case_id>/reveal", methods=["POST"])
@either
@reviews.arguments(shown.AgentRevealSchema, example={"reason": "与单位委托书核对"})
@reviews.response(200, shown.AgentRevealedSchema, example={"person_name": "林小满"})
def reveal_agent(body: dict[str, str], case_id: str) -> dict[str, str]:
    """See the agent's name in full; the look is on record (查看完整信息)."""
    with transaction() as db:
        return review_actions.look_at_agent(
            db, case_id, actor=actor(), now=now(), reason=body["reason"]
        )


@reviews.route("/<case_id>/claim", methods=["POST"])
@either
@reviews.arguments(NothingSchema, example={})
@reviews.response(200, shown.CaseReviewSchema, example=shown.EXAMPLE)
def claim_authorisation(_: dict[str, Any], case_id: str) -> AuthorisationCase:
    """Hold it for fifteen minutes (认领).

    403 `four-eyes`: it waits for another officer than the first; 409 `claimed-by-other`,
    `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(review_actions.claim(db, case_id, actor=actor(), now=now()))


@reviews.route("/<case_id>/release", methods=["POST"])
@either
@reviews.arguments(NothingSchema, example={})
@reviews.response(200, shown.CaseReviewSchema, example=shown.EXAMPLE)
def release_authorisation(_: dict[str, Any], case_id: str) -> AuthorisationCase:
    """Give it back (取消认领).

    409 `not-claimed`.
    """
    with transaction() as db:
        return versions.tag(review_actions.release(db, case_id, actor=actor(), now=now()))


@reviews.route("/<case_id>/accept", methods=["POST"])
@first
@reviews.arguments(NoteSchema, example={"note": "材料齐全，印章清晰"})
@reviews.response(200, shown.CaseReviewSchema, example=shown.EXAMPLE)
def accept_authorisation(body: dict[str, Any], case_id: str) -> AuthorisationCase:
    """The first review is good; another officer decides (初审通过).

    409 `claimed-by-other`, `wrong-state`, `changed-meanwhile`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            review_actions.accept(
                db, case_id, actor=actor(), now=now(), note=body["note"], seen=seen
            )
        )


@reviews.route("/<case_id>/approve", methods=["POST"])
@second
@reviews.arguments(NoteSchema, example={"note": "已电话核实"})
@reviews.response(200, shown.CaseReviewSchema, example=shown.EXAMPLE)
def approve_authorisation(body: dict[str, Any], case_id: str) -> AuthorisationCase:
    """Approve: the code goes to the agent by SMS, nobody here ever sees it (复核通过).

    403 `four-eyes`: the officer of the first review; 409 `claimed-by-other`, `wrong-state`.
    """
    seen, settings = versions.expected_version(required=False), parts().settings
    with transaction() as db:
        return versions.tag(
            review_actions.approve(
                db,
                case_id,
                uploads=parts().uploads,
                actor=actor(),
                now=now(),
                lasts=_days(settings.code_days),
                keep_for=_days(settings.code_materials_days),
                note=body["note"],
                seen=seen,
            )
        )


@reviews.route("/<case_id>/return", methods=["POST"])
@either
@reviews.arguments(
    shown.ReturnAuthorisationSchema,
    example={
        "reason_code": "letter-without-seal",
        "fields_to_correct": ["/materials/unit-letter"],
    },
)
@reviews.response(200, shown.CaseReviewSchema, example=shown.EXAMPLE)
def return_authorisation(decision: Decision, case_id: str) -> AuthorisationCase:
    """Send back, with a reason and the papers to correct (退回补正).

    409 `claimed-by-other`, `wrong-state`, `changed-meanwhile`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            review_actions.send_back(db, case_id, decision, actor=actor(), now=now(), seen=seen)
        )


@reviews.route("/<case_id>/reject", methods=["POST"])
@either
@reviews.arguments(shown.RejectAuthorisationSchema, example={"reason_code": "not-entrusted"})
@reviews.response(200, shown.CaseReviewSchema, example=shown.EXAMPLE)
def reject_authorisation(decision: Decision, case_id: str) -> AuthorisationCase:
    """Turn down, with a reason (审核不通过).

    409 `claimed-by-other`, `wrong-state`, `changed-meanwhile`.
    """
    seen, settings = versions.expected_version(required=False), parts().settings
    with transaction() as db:
        return versions.tag(
            review_actions.reject(
                db,
                case_id,
                decision,
                uploads=parts().uploads,
                actor=actor(),
                now=now(),
                keep_for=_days(settings.code_materials_days),
                seen=seen,
            )
        )


@reviews.route("/<case_id>/revoke", methods=["POST"])
@first
@reviews.arguments(schemas.RevocationSchema, example={"reason": "单位来函否认委托"})
@reviews.response(200, shown.CaseReviewSchema, example=shown.EXAMPLE)
def revoke_code(body: dict[str, str], case_id: str) -> AuthorisationCase:
    """Revoke the code, or what was proved with it: worth nothing from now on (撤销).

    409 `wrong-state`.
    """
    with transaction() as db:
        return versions.tag(
            review_actions.revoke(db, case_id, actor=actor(), now=now(), reason=body["reason"])
        )
