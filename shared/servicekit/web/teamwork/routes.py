"""The endpoints of officers who work together: hand over, ask, answer, decide in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from servicekit.errors import Refusal
from servicekit.teamwork import batches, opinions
from servicekit.teamwork.reviews import TeamReviews
from servicekit.web import idempotency, problem, versions
from servicekit.web.access import parted
from servicekit.web.api import Blueprint
from servicekit.web.filing import NothingSchema
from servicekit.web.reviewing import rejection_schema, return_schema
from servicekit.web.session import actor, app, exchange, now, reading, transaction
from servicekit.web.teamwork.duplicate_routes import add_duplicates
from servicekit.web.teamwork.schemas import (
    AnswerSchema,
    AskingSchema,
    Batch,
    BatchAnswerSchema,
    OpinionSchema,
    TransferSchema,
    batch_schema,
)
from servicekit.web.teamwork.statistics_routes import add_statistics

if TYPE_CHECKING:
    from servicekit.web.review_routes import Shown

Mark = Callable[[Any], Any]
_OFFICER = "01890a5d-ac96-774b-bcce-b302099a8059"
_APPLICATION = "01a1fcb7-993f-74cb-be82-b9befbd64970"
_OPINION = {
    "id": "01a1fcb7-9984-75ed-adc5-5ce1f0dc9feb",
    "kind": "advice",
    "asked_by": "01890a5d-ac96-774b-bcce-b302099a8058",
    "asked_of": _OFFICER,
    "asked_at": "2026-09-30T03:00:00+00:00",
    "question": "经营场所在贵辖区，是否属实？",
    "answer": None,
    "words": None,
    "answered_at": None,
    "ended_at": None,
}


def add_team_work(to: Blueprint, reviews: TeamReviews[Any], shown: Shown, officer: Mark) -> None:
    """Write them into a matter's blueprint."""
    _add_transfer(to, reviews, shown, officer)
    _add_opinions(to, reviews, shown, officer)
    _add_answers(to, reviews, shown, officer)
    _add_batch(to, reviews, shown, officer)
    add_duplicates(to, reviews, shown, officer)
    add_statistics(to, reviews, shown, officer)


def _add_transfer(to: Blueprint, reviews: TeamReviews[Any], shown: Shown, officer: Mark) -> None:
    @to.route("/<application_id>/transfer", methods=["POST"])
    @officer
    @to.arguments(TransferSchema, example={"officer_id": _OFFICER, "reason": "属地在该街道"})
    @to.response(200, shown.view, example=shown.example)
    def transfer(body: dict[str, str], application_id: str) -> Any:
        """Hand it to another officer of the region and business, who is told (转办).

        From then on only that officer decides; whoever is to decide instead has it handed over
        again, also to oneself. 422 `officer-unsuitable`; 409 `claimed-by-other`,
        `already-assigned`, `wrong-state`, `changed-meanwhile`.
        """
        seen = versions.expected_version(required=False)
        with transaction() as db:
            handed = reviews.transfer(
                db,
                application_id,
                body["officer_id"],
                actor=actor(),
                now=now(),
                reason=body["reason"],
                seen=seen,
            )
            return versions.tag(handed)


def _add_opinions(to: Blueprint, reviews: TeamReviews[Any], shown: Shown, officer: Mark) -> None:
    @to.route("/<application_id>/opinions", methods=["GET"])
    @officer
    @to.response(200, OpinionSchema(many=True), example=[_OPINION])
    def list_opinions(application_id: str) -> Sequence[Any]:
        """What colleagues were asked about it, and what they said (加签、会签意见)."""
        with reading() as db:
            return opinions.list_of(db, reviews.find(db, application_id, actor()).id)

    asking = {"kind": "advice", "officers": [_OFFICER], "question": _OPINION["question"]}

    @to.route("/<application_id>/opinions", methods=["POST"])
    @officer
    @to.arguments(AskingSchema, example=asking)
    @to.response(200, shown.view, example=shown.example)
    def ask_opinion(body: dict[str, Any], application_id: str) -> Any:
        """Ask colleagues for their opinion (加签), or for their agreement (会签).

        It is not approved before all of them have answered, or agreed. 422 `officer-unsuitable`;
        409 `opinion-already-asked`, `claimed-by-other`, `assigned-to-other`, `wrong-state`,
        `changed-meanwhile`.
        """
        seen = versions.expected_version(required=False)
        with transaction() as db:
            asked = reviews.ask(
                db,
                application_id,
                body["kind"],
                body["officers"],
                actor=actor(),
                now=now(),
                question=body["question"],
                seen=seen,
            )
            return versions.tag(asked)


def _add_answers(to: Blueprint, reviews: TeamReviews[Any], shown: Shown, officer: Mark) -> None:
    @to.route("/<application_id>/opinions/<opinion_id>/answer", methods=["POST"])
    @officer
    @to.arguments(AnswerSchema, example={"answer": "agree", "words": "已实地核实"})
    @to.response(200, shown.view, example=shown.example)
    def answer_opinion(body: dict[str, Any], application_id: str, opinion_id: str) -> Any:
        """Say what one thinks of it; whoever asked is told.

        Who disagreed in a joint review may agree later. 404 `opinion-not-found`: not asked of
        the caller, answered, or withdrawn; 409 `wrong-state`, `changed-meanwhile`.
        """
        with transaction() as db:
            versions.as_seen(reviews.find, db, application_id, actor())
            said, words = body["answer"], body["words"]
            answered = reviews.answer(
                db, application_id, opinion_id, said, actor=actor(), now=now(), words=words
            )
            return versions.tag(answered)

    @to.route("/<application_id>/opinions/<opinion_id>/withdraw", methods=["POST"])
    @officer
    @to.arguments(NothingSchema, example={})
    @to.response(200, shown.view, example=shown.example)
    def withdraw_opinion(_: dict[str, Any], application_id: str, opinion_id: str) -> Any:
        """Ask a colleague no more (撤回加签、会签).

        404 `opinion-not-found`: not the caller's question, answered, or withdrawn already.
        """
        with transaction() as db:
            versions.as_seen(reviews.find, db, application_id, actor())
            ended = reviews.withdraw_opinion(
                db, application_id, opinion_id, actor=actor(), now=now()
            )
            return versions.tag(ended)


def _add_batch(to: Blueprint, reviews: TeamReviews[Any], shown: Shown, officer: Mark) -> None:
    name = reviews.model.__name__
    decisions = {
        "return": return_schema(f"{name}BatchReturn", shown.reasons, shown.correctable)(),
        "reject": rejection_schema(f"{name}BatchRejection", shown.reasons)(),
    }
    one = {"id": _APPLICATION, "done": True, "state": "approved", "version": 4, "problem": None}

    @to.route("/batch", methods=["POST"])
    @parted
    @officer
    @to.arguments(
        batch_schema(f"{name}BatchSchema", decisions),
        example={"move": "approve", "items": [{"id": _APPLICATION, "version": 3}]},
    )
    @to.response(200, BatchAnswerSchema, example={"done": 1, "refused": 0, "results": [one]})
    def decide_batch(batch: Batch) -> dict[str, Any]:
        """Claim, approve, return or reject up to 200 at once; each has its own answer (批量).

        Each is decided by itself: what is refused, or fails, changes nothing of the others.
        Sent again with the same key, what was done is answered as before and the rest is tried
        again. Of the approvals a sample is left to another officer, one by one:
        `second-officer-needed`.
        """
        results = [_decide(reviews, batch, *item) for item in batch.items]
        done = sum(1 for result in results if result["done"])
        return {"done": done, "refused": len(results) - done, "results": results}


def _decide(
    reviews: TeamReviews[Any], batch: Batch, application_id: str, seen: int | None
) -> dict[str, Any]:
    """One application in a transaction of its own."""
    here = exchange()
    try:
        with app().database.transaction() as db:

            def run() -> dict[str, Any]:
                made, left = batches.decide(
                    db,
                    reviews,
                    batch.move,
                    application_id,
                    actor=here.actor,
                    now=here.now,
                    note=batch.note,
                    decision=batch.decision,
                    seen=seen,
                )
                told = None if left is None else problem.written(left)
                return _result(application_id, made.state.value, made.version, told)

            result: dict[str, Any] = idempotency.part(here, db, application_id, run)
            return result
    except idempotency.KEY_REFUSALS:
        raise
    except Exception as error:
        refusal = problem.as_refusal(error)
        if not isinstance(refusal, Refusal):
            raise
        return _result(application_id, None, None, problem.written(refusal))


def _result(
    application_id: str, state: str | None, version: int | None, told: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "id": application_id,
        "done": told is None,
        "state": state,
        "version": version,
        "problem": told,
    }
