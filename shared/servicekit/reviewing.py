"""What every reviewed application shares: the queue of a region, claims, time limits, decisions.

A matter mixes ``Reviewed`` into its application's table and declares its ``Reviews``; which moves
there are stays in its rules, and what an approval does in its actions. Matters with more than one
step call the functions below from actions of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Computed, Date, DateTime, Select, String, false, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from servicekit import claims, working_days
from servicekit.applications import Actor, Application, advance
from servicekit.claims import Claim, Decision
from servicekit.clock import shanghai_date
from servicekit.columns import NOT_PERSONAL, PERSONAL
from servicekit.errors import ChangedMeanwhile, NotFound
from servicekit.queues import LAST_DAY, Counts, QueueFilters, count_waiting, narrowed_queue, within
from servicekit.rows import store
from servicekit.workflow import State, Workflow

# The order of the officers' queue: what waits for a decision by its due date, the rest behind it.
DUE_ORDER = (
    "CASE WHEN state IN ('submitted', 'accepted') "
    f"THEN coalesce(due_on, DATE '{LAST_DAY}') ELSE DATE '{LAST_DAY}' END"
)


class Reviewed(Application):
    """Columns of an application that officers decide on; mix in where ``Application`` would be."""

    __tablename__: str

    due_on: Mapped[date | None] = mapped_column(Date, info=NOT_PERSONAL)
    due_order: Mapped[date] = mapped_column(
        Date, Computed(DUE_ORDER, persisted=True), info=NOT_PERSONAL
    )
    days_left: Mapped[int | None] = mapped_column(info=NOT_PERSONAL)
    claimed_by: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    claimed_until: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), info=NOT_PERSONAL
    )
    decision_reason: Mapped[str | None] = mapped_column(String(1000), info=PERSONAL)
    fields_to_correct: Mapped[list[str]] = mapped_column(JSONB, default=list, info=NOT_PERSONAL)


R = TypeVar("R", bound=Reviewed)


@dataclass(frozen=True, kw_only=True)
class Reviews(Generic[R]):
    """How officers decide on the applications of one matter.

    Args:
        workflow: has the moves claim, approve, return and reject.
        filed: the states officers may see; never drafts.
        not_found: refused with, whether there is none or it is another region's.
        hold: takes the locks a decision needs, before anything is decided.
        approved: what an approval does beside moving the application.
    """

    workflow: Workflow[Any]
    model: type[R]
    filed: Sequence[State]
    not_found: type[NotFound]
    hold: Callable[[Session, R], None] = lambda db, application: None
    approved: Callable[..., None] = lambda db, application, *, actor, now: None

    def find(self, db: Session, application_id: str, actor: Actor, seen: int | None = None) -> R:
        """An application that has been filed in the officer's region or below.

        Raises:
            NotFound: the matter's own; there is none, it is a draft, or another region's.
            ChangedMeanwhile: it is not as the officer saw it.
        """
        conditions = visible(self.model, actor, self.filed)
        found = find_for_officer(db, self.model, application_id, *conditions, seen=seen)
        if found is None:
            raise self.not_found
        return found

    def queue(self, actor: Actor, filters: QueueFilters, now: datetime) -> Select[R]:
        """What has been filed in the officer's region and below (AL-02)."""
        narrowed = narrowed_queue(self.model, filters, actor, now)
        # One state is asked for as one state, or PostgreSQL takes it for rarer than it is; only
        # what waits has a colour, and the index of the states knows who holds it.
        filed = [state for state in self.filed if filters.state in (None, state)]
        if filters.due is not None:
            filed = [state for state in filed if state in claims.WAITING]
        return select(self.model).where(*visible(self.model, actor, filed), *narrowed)

    def count(self, db: Session, actor: Actor, now: datetime) -> Counts:
        """How much of it waits for a decision."""
        conditions = visible(self.model, actor, self.filed)
        return count_waiting(db, self.workflow.name, self.model, conditions, actor, now)

    def claim(self, db: Session, application_id: str, *, actor: Actor, now: datetime) -> R:
        """Hold it for fifteen minutes; see ``claim`` below."""
        application = self.find(db, application_id, actor)
        self.check(db, application, "claim", actor=actor, now=now)
        claim(db, self.workflow, application, actor=actor, now=now)
        return application

    def release(self, db: Session, application_id: str, *, actor: Actor, now: datetime) -> R:
        """Give it back before the fifteen minutes are over; see ``release`` below."""
        application = self.find(db, application_id, actor)
        release(db, application, actor=actor, now=now)
        return application

    def check(self, db: Session, application: R, move: str, *, actor: Actor, now: datetime) -> None:
        """May this officer make the move now?

        Raises:
            ClaimedByOther: somebody else holds it.
        """
        check_free(application, actor, now)

    def prepare(
        self,
        db: Session,
        application: R,
        move: str,
        decision: Decision | None,
        *,
        actor: Actor,
        now: datetime,
    ) -> None:
        """What a decision does beside the move itself, while the application is as it was."""

    def decide(
        self,
        db: Session,
        move: str,
        application_id: str,
        *,
        actor: Actor,
        now: datetime,
        note: str | None = None,
        decision: Decision | None = None,
        seen: int | None = None,
    ) -> R:
        """Approve, return or reject; a return lets the time limit stand still (AL-09).

        Raises:
            ClaimedByOther, WrongState, ChangedMeanwhile, and what ``approved`` refuses.
        """
        application = self.find(db, application_id, actor, seen)
        self.check(db, application, move, actor=actor, now=now)
        self.hold(db, application)
        self.prepare(db, application, move, decision, actor=actor, now=now)
        if move == "return":
            pause(application, now=now)
        settle(application, decision)
        said = decision.reason if decision else note
        advance(db, self.workflow, application, move, actor=actor, now=now, note=said)
        if move == "approve":
            self.approved(db, application, actor=actor, now=now)
        return application


def visible(model: type[Reviewed], actor: Actor, filed: Collection[State]) -> list[Any]:
    """The conditions under which an officer sees an application: filed, own region or below.

    Args:
        filed: the states officers may see; never drafts.
    """
    if not actor.region:
        return [false()]
    return [model.state.in_(filed), *within(model, actor.region)]


def find_for_officer(
    db: Session,
    model: type[R],
    application_id: str,
    *conditions: ColumnElement[bool],
    seen: int | None = None,
) -> R | None:
    """An application under the conditions of ``visible``; None when there is none.

    Args:
        seen: the version the officer was looking at, when they said so.

    Raises:
        ChangedMeanwhile: it is not as the officer saw it.
    """
    found = db.scalar(select(model).where(model.id == application_id, *conditions))
    if found is not None and seen is not None and seen != found.version:
        raise ChangedMeanwhile
    return found


def claim(
    db: Session, workflow: Workflow[Any], application: Reviewed, *, actor: Actor, now: datetime
) -> None:
    """Hold it for fifteen minutes; claiming again begins them anew (AL-10).

    Raises:
        ClaimedByOther, WrongState, WrongRole
    """
    check_free(application, actor, now)
    workflow.next_state("claim", application.state, actor.role)
    application.claimed_by, application.claimed_until = actor.id, now + claims.CLAIM_LASTS
    store(db, application)


def release(db: Session, application: Reviewed, *, actor: Actor, now: datetime) -> None:
    """Give it back before the fifteen minutes are over.

    Raises:
        NotClaimed
    """
    claims.check_held(claim_on(application), actor.id, now)
    application.claimed_by = application.claimed_until = None
    store(db, application)


def check_free(application: Reviewed, actor: Actor, now: datetime) -> None:
    """May this officer decide now?

    Raises:
        ClaimedByOther: somebody else holds it.
    """
    claims.check_free(claim_on(application), actor.id, now)


def begin(application: Reviewed, *, days: int, now: datetime) -> None:
    """The time limit begins, or goes on with what was left of it after a correction (AL-09).

    Args:
        days: working days an officer has.
    """
    left = application.days_left or days
    application.due_on = working_days.add_working_days(shanghai_date(now), left)
    application.decision_reason, application.fields_to_correct = None, []


def pause(application: Reviewed, *, now: datetime) -> None:
    """The time limit stands still while the applicant corrects (AL-09)."""
    left = 0
    if application.due_on is not None:
        left = working_days.working_days_until(shanghai_date(now), application.due_on)
    application.days_left, application.due_on = max(left, claims.SHORTEST_DAYS), None


def settle(application: Reviewed, decision: Decision | None = None) -> None:
    """Nobody holds it any more; what was decided is told."""
    application.claimed_by = application.claimed_until = None
    application.decision_reason = decision.reason if decision else None
    application.fields_to_correct = list(decision.fields_to_correct) if decision else []


def close(application: Reviewed) -> None:
    """Nobody waits for a decision any more: it was withdrawn or lapsed."""
    application.claimed_by = application.claimed_until = application.due_on = None


def holder(application: Reviewed, now: datetime) -> Claim | None:
    """Who holds the application; a claim that ran out is nobody's (AL-10)."""
    claim = claim_on(application)
    return claim if claim is not None and claim.until > now else None


def claim_on(application: Reviewed) -> Claim | None:
    """Who holds the application, living or run out; None when nobody ever did."""
    if application.claimed_by is None or application.claimed_until is None:
        return None
    return Claim(application.claimed_by, application.claimed_until)
