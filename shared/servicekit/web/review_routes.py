"""The officers' side of a matter: one declaration gives its queue, claims, decisions and looks.

A matter says what its decisions do (``servicekit.reviewing.Reviews``) and what officers are shown,
and ``add_reviews`` writes the endpoints, so that every queue of the suite is used alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from servicekit import history
from servicekit.access_records import reveal
from servicekit.claims import Decision, Reason
from servicekit.personal import Personal
from servicekit.queues import Counts, QueueFilters, order_of
from servicekit.reviewing import Reviewed, Reviews
from servicekit.teamwork.reviews import TeamReviews
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import AnySchema, Blueprint, NoteSchema
from servicekit.web.filing import EXAMPLE_ENTRY, HistoryEntrySchema, NothingSchema
from servicekit.web.filing import page as one_page
from servicekit.web.paging import Page, page_of, page_schema
from servicekit.web.parsing import NOT_BLANK
from servicekit.web.reviewing import (
    MAX_REASON,
    CountsSchema,
    QueueFiltersSchema,
    ReasonSchema,
    rejection_schema,
    return_schema,
)
from servicekit.web.session import actor, now, reading, transaction
from servicekit.web.teamwork.routes import add_team_work
from servicekit.web.teamwork.schemas import TeamFiltersSchema
from servicekit.workflow import Role

ACCOUNT = "01890a5d-ac96-774b-bcce-b302099a8058"
EXAMPLE_REVIEW_ENTRY = EXAMPLE_ENTRY | {"actor_id": ACCOUNT, "person_id": ACCOUNT}


class ReviewHistoryEntrySchema(HistoryEntrySchema):
    """The history for officers, with the accounts that acted."""

    actor_id = fields.Str(required=True)
    person_id = fields.Str(allow_none=True, required=True)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the reviews of one matter show, and what an officer may say.

    Args:
        row, view: schemas of a line of the queue and of what an officer decides on.
        example_row, example: of both.
        reasons: ready texts for sending back and turning down.
        correctable: JSON pointers an officer may name when sending back.
        revealable: personal columns an officer may look at, with a reason.
        party, example_party: what is shown of a possible duplicate, where the matter finds them.
        reason, example_reason: a ready text as officers choose it, and what the matter adds to it.
    """

    row: type[Schema]
    view: type[Schema]
    example_row: dict[str, Any]
    example: dict[str, Any]
    reasons: tuple[Reason, ...]
    correctable: tuple[str, ...]
    revealable: tuple[str, ...]
    party: type[Schema] | None = None
    example_party: dict[str, Any] | None = None
    reason: type[Schema] = ReasonSchema
    example_reason: dict[str, Any] = field(default_factory=dict)


def add_reviews(to: Blueprint, reviews: Reviews[Any], shown: Shown) -> None:
    """Write the endpoints of a matter's reviews into its blueprint."""
    officer = access(Role.REVIEWER, business=reviews.workflow.name)
    _add_queue(to, reviews, shown, officer)
    _add_reading(to, reviews, shown, officer)
    _add_claims(to, reviews, shown, officer)
    _add_decisions(to, reviews, shown, officer)
    _add_reveal(to, reviews, shown, officer)
    if isinstance(reviews, TeamReviews):
        add_team_work(to, reviews, shown, officer)


def add_counts(to: Blueprint, *matters: Reviews[Any]) -> None:
    """Write the start page's numbers of a service into a blueprint: one line per business."""
    example = {"waiting": 12, "overdue": 1, "red": 2, "yellow": 4, "green": 5}
    shown = {"business": matters[0].workflow.name, **example, "mine": 1, "free": 10}

    @to.route("", methods=["GET"])
    @access(Role.REVIEWER)
    @to.response(200, CountsSchema(many=True), example=[shown])
    def count_reviews() -> list[Counts]:
        """What waits in the officer's region and below, by business and colour (待办统计)."""
        own = [each for each in matters if each.workflow.name in actor().businesses]
        with reading() as db:
            return [each.count(db, actor(), now()) for each in own]


Mark = Callable[[Any], Any]


def _add_queue(to: Blueprint, reviews: Reviews[Any], shown: Shown, officer: Mark) -> None:
    filters = TeamFiltersSchema if isinstance(reviews, TeamReviews) else QueueFiltersSchema
    ready = _written(shown.reasons[0]) | shown.example_reason

    @to.route("/reasons", methods=["GET"])
    @officer
    @to.response(200, shown.reason(many=True), example=[ready])
    def list_reasons() -> list[Reason]:
        """Ready texts for sending back and turning down (常用理由)."""
        return list(shown.reasons)

    @to.route("", methods=["GET"])
    @officer
    @to.arguments(filters, location="query")
    @to.response(200, page_schema(shown.row), example=one_page(shown.example_row))
    def list_queue(query: tuple[QueueFilters, Page]) -> Any:
        """What was filed in the officer's region and below, what is due first stands first.

        `due_colour` counts working days: red is due by the next one, yellow within three.
        """
        filters, page = query
        order, descending = order_of(reviews.model, filters.order)
        with reading() as db:
            wanted = reviews.queue(actor(), filters, now())
            return page_of(db, wanted, page, by=order, descending=descending, shown=shown.row)


def _add_reading(to: Blueprint, reviews: Reviews[Any], shown: Shown, officer: Mark) -> None:
    @to.route("/<application_id>", methods=["GET"])
    @officer
    @to.response(200, shown.view, example=shown.example)
    def show_review(application_id: str) -> Any:
        """What is asked, beside what is in force.

        404 `application-not-found`: none, a draft, or another region's.
        """
        with reading() as db:
            return versions.tag(reviews.find(db, application_id, actor()))

    @to.route("/<application_id>/history", methods=["GET"])
    @officer
    @to.response(200, ReviewHistoryEntrySchema(many=True), example=[EXAMPLE_REVIEW_ENTRY])
    def list_review_history(application_id: str) -> list[history.Entry]:
        """What happened to an application, with who did it."""
        with reading() as db:
            return history.list_history(db, reviews.find(db, application_id, actor()).id)


def _add_claims(to: Blueprint, reviews: Reviews[Any], shown: Shown, officer: Mark) -> None:
    @to.route("/<application_id>/claim", methods=["POST"])
    @officer
    @to.arguments(NothingSchema, example={})
    @to.response(200, shown.view, example=shown.example)
    def claim(_: dict[str, Any], application_id: str) -> Any:
        """Hold it for fifteen minutes (认领).

        409 `claimed-by-other` (with `claimed_until`), `wrong-state`, `changed-meanwhile`.
        """
        with transaction() as db:
            versions.as_seen(reviews.find, db, application_id, actor())
            claimed = reviews.claim(db, application_id, actor=actor(), now=now())
            return versions.tag(claimed)

    @to.route("/<application_id>/release", methods=["POST"])
    @officer
    @to.arguments(NothingSchema, example={})
    @to.response(200, shown.view, example=shown.example)
    def release(_: dict[str, Any], application_id: str) -> Any:
        """Give it back (取消认领).

        409 `not-claimed`: it is not held by the caller, or not any more.
        """
        with transaction() as db:
            versions.as_seen(reviews.find, db, application_id, actor())
            released = reviews.release(db, application_id, actor=actor(), now=now())
            return versions.tag(released)


def _add_decisions(to: Blueprint, reviews: Reviews[Any], shown: Shown, officer: Mark) -> None:
    answers = to.response(200, shown.view, example=shown.example)
    words = "409 `claimed-by-other` (with `claimed_until`), `wrong-state`, `changed-meanwhile`"

    def decide(move: str, application_id: str, **said: Any) -> Any:
        seen = versions.expected_version(required=False)
        with transaction() as db:
            made = reviews.decide(
                db, move, application_id, actor=actor(), now=now(), seen=seen, **said
            )
            return versions.tag(made)

    @to.route("/<application_id>/approve", methods=["POST"])
    @officer
    @to.arguments(NoteSchema, example={"note": "电话核实无误"})
    @answers
    @_said(f"Approve (审核通过).\n\n{words}, and what the matter's own rules refuse.")
    def approve(body: dict[str, Any], application_id: str) -> Any:
        return decide("approve", application_id, note=body["note"])

    @to.route("/<application_id>/return", methods=["POST"])
    @officer
    @to.arguments(
        return_schema(_name(reviews, "Return"), shown.reasons, shown.correctable),
        example={"reason": "请补充", "fields_to_correct": list(shown.correctable[:1])},
    )
    @answers
    @_said(f"Send back, with a reason and the fields to correct (退回补正).\n\n{words}.")
    def send_back(decision: Decision, application_id: str) -> Any:
        return decide("return", application_id, decision=decision)

    @to.route("/<application_id>/reject", methods=["POST"])
    @officer
    @to.arguments(
        rejection_schema(_name(reviews, "Rejection"), shown.reasons), example={"reason": "不符"}
    )
    @answers
    @_said(f"Turn down, with a reason (审核不通过).\n\n{words}.")
    def reject(decision: Decision, application_id: str) -> Any:
        return decide("reject", application_id, decision=decision)


def _add_reveal(to: Blueprint, reviews: Reviews[Any], shown: Shown, officer: Mark) -> None:
    known = shown.revealable
    asked: AnySchema = Schema.from_dict(
        {
            "values": fields.List(
                fields.Str(validate=validate.OneOf(known)),
                required=True,
                validate=validate.Length(1, len(known)),
            ),
            "reason": fields.Str(
                required=True, validate=[validate.Length(1, MAX_REASON), NOT_BLANK]
            ),
        },
        name=_name(reviews, "Reveal"),
    )
    told: AnySchema = Schema.from_dict(
        {name: fields.Str() for name in known}, name=_name(reviews, "Revealed")
    )

    @to.route("/<application_id>/reveal", methods=["POST"])
    @officer
    @to.arguments(asked, example={"values": [known[0]], "reason": "电话核实"})
    @to.response(200, told, example={known[0]: "…"})
    def reveal_values(body: dict[str, Any], application_id: str) -> dict[str, str]:
        """See masked values in full; the look is on record (查看完整信息)."""
        with transaction() as db:
            application = reviews.find(db, application_id, actor())
            return _clear(db, application, body["values"], body["reason"])


def _clear(db: Session, application: Reviewed, names: list[str], reason: str) -> dict[str, str]:
    return {
        name: reveal(
            db,
            value,
            column=f"{application.__tablename__}.{name}",
            record_id=application.id,
            owner_id=application.applicant_id,
            actor=actor(),
            reason=reason,
            now=now(),
        )
        for name in names
        if isinstance(value := getattr(application, name), Personal)
    }


def _said(text: str) -> Callable[[Any], Any]:
    def put(view: Any) -> Any:
        view.__doc__ = text
        return view

    return put


def _written(reason: Reason) -> dict[str, str]:
    return {"code": reason.code, "move": reason.move, "text": reason.text}


def _name(reviews: Reviews[Any], what: str) -> str:
    return f"{reviews.model.__name__}{what}Schema"
