"""One application of a batch: decided like any other, but for a sample left to a second officer."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from servicekit.applications import Actor
from servicekit.claims import Decision
from servicekit.errors import Refusal
from servicekit.teamwork import rules
from servicekit.teamwork.reviews import TeamReviewed, TeamReviews

T = TypeVar("T", bound=TeamReviewed)


def decide(
    db: Session,
    reviews: TeamReviews[T],
    move: str,
    application_id: str,
    *,
    actor: Actor,
    now: datetime,
    note: str | None,
    decision: Decision | None,
    seen: int | None,
) -> tuple[T, Refusal | None]:
    """Claim, approve, return or reject it in this transaction, which the caller commits.

    Returns: the application, and the refusal when the sample took it: then it is marked for
        another officer, and that is to be committed too.

    Raises:
        whatever ``Reviews.decide`` and ``Reviews.claim`` refuse.
    """
    if move == "claim":
        reviews.find(db, application_id, actor, seen)
        return reviews.claim(db, application_id, actor=actor, now=now), None
    if move == "approve":
        application = reviews.find(db, application_id, actor, seen)
        if application.sampled_from is not None:
            raise rules.SecondOfficerNeeded  # one by one, whoever comes
        if rules.is_sampled(application.id, reviews.sample_percent):
            reviews.workflow.next_state(move, application.state, actor.role)
            reviews.check(db, application, move, actor=actor, now=now)
            reviews.hold_for_second(db, application, actor=actor, now=now)
            return application, rules.SecondOfficerNeeded()
    made = reviews.decide(
        db, move, application_id, actor=actor, now=now, note=note, decision=decision, seen=seen
    )
    return made, None
