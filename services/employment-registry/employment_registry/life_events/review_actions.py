"""What officers do with objections: uphold, and the registration stays; dismiss, and it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from employment_registry import standing
from employment_registry.events import TELLER
from employment_registry.life_events import actions, planning, rules
from employment_registry.life_events.model import PlannedEnding
from employment_registry.people import known_by
from servicekit import working_days
from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.errors import ChangedMeanwhile
from servicekit.queues import QueueFilters
from servicekit.teamwork.reviews import TeamReviews


def hold(db: Session, ending: PlannedEnding) -> None:
    """Lock the person's standing and the histories the decision may move.

    Raises:
        ChangedMeanwhile: the registration has ended in another way.
    """
    if standing.hold(db, ending.record_id) is None:
        raise ChangedMeanwhile
    actions.hold_histories(db, ending)


def upheld(db: Session, ending: PlannedEnding, *, actor: Actor, now: datetime) -> None:
    """申诉成立: nothing ends for this cause, neither now nor later.

    What else was told meanwhile nobody has objected to: it is announced by itself.
    """
    planning.refute(db, known_by(db, ending.person_key), ending.event.happening)
    planning.plan(db, ending.person_key, now=now)


@dataclass(frozen=True, kw_only=True)
class Objections(TeamReviews[PlannedEnding]):
    """Reviews whose no ends a registration, and whose return gives time anew."""

    def find(
        self, db: Session, application_id: str, actor: Actor, seen: int | None = None
    ) -> PlannedEnding:
        """One that was objected to; what was announced and no more is its owner's."""
        ending = super().find(db, application_id, actor, seen)
        if ending.submitted_at is None:
            raise self.not_found
        return ending

    def queue(self, actor: Actor, filters: QueueFilters, now: datetime) -> Select[PlannedEnding]:
        """The objections of the officer's region and below."""
        wanted = super().queue(actor, filters, now)
        return wanted.where(PlannedEnding.submitted_at.is_not(None))

    def decide(
        self, db: Session, move: str, application_id: str, *, now: datetime, **how: Any
    ) -> PlannedEnding:
        """Uphold, send back or dismiss; see ``Reviews.decide``."""
        ending = super().decide(db, move, application_id, now=now, **how)
        if move == "return":
            today = shanghai_date(now)
            days = planning.terms(db, today).correction
            corrected_by = working_days.add_working_days(today, days)
            ending.takes_effect_on = rules.ends_after_return(ending.takes_effect_on, corrected_by)
            db.flush()
        elif move == "reject":
            actions.end_registration(db, ending, now=now)
        return ending


REVIEWS = Objections(
    workflow=rules.WORKFLOW,
    model=PlannedEnding,
    filed=rules.FILED,
    not_found=rules.EndingNotFound,
    teller=TELLER,
    hold=hold,
    approved=upheld,
)
