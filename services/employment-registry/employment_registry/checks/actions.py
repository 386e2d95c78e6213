"""Holds an application until the registers have answered (ER-09); the person's side of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from employment_registry.checks import queries, rules
from employment_registry.checks.model import OutsideCheck
from employment_registry.checks.rules import Progress
from employment_registry.person_columns import PersonApplication, indexes_of
from employment_registry.policies import POLICIES
from employment_registry.policy_kinds import Patience, ReviewLimit
from servicekit import reviewing
from servicekit.applications import Actor, advance
from servicekit.clock import shanghai_date
from servicekit.filing import Filings
from servicekit.workflow import Role, Workflow

CHANNEL: Final = "employment_registry_checks"
A = TypeVar("A", bound=PersonApplication)


@dataclass(frozen=True, kw_only=True)
class Checked(Generic[A]):
    """A matter whose applications are checked before officers see them.

    Args:
        digits: of the matter in a 受理编号.
        days: of the policy, the working days an officer has in this matter.
    """

    workflow: Workflow[Any]
    model: type[A]
    digits: str
    asked: rules.Asked
    days: Callable[[ReviewLimit], int]

    def begin(self, db: Session, application: A, now: datetime) -> None:
        """The officer's time begins, by the policy of the day."""
        limit = POLICIES.in_force(db, ReviewLimit, shanghai_date(now))
        reviewing.begin(application, days=self.days(limit), now=now)


def file(
    db: Session,
    matter: Checked[A],
    application: A,
    *,
    off: Collection[str],
    actor: Actor,
    now: datetime,
    note: str | None,
) -> None:
    """File a complete application: to the registers first, or to review where none is asked.

    Args:
        off: the registers that this installation is without.
    """
    for column, value in indexes_of(application).items():
        setattr(application, column, value)
    systems = rules.systems_for(matter.asked, application.document_kind, off)
    if not systems:
        matter.begin(db, application, now)
        advance(db, matter.workflow, application, "submit", actor=actor, now=now, note=note)
        return
    application.decision_reason, application.fields_to_correct = None, []
    itself = replace(actor, role=Role.SYSTEM)
    advance(db, matter.workflow, application, "check", actor=itself, now=now, note=note)
    longest = _patience(db, now).longest
    db.execute(delete(OutsideCheck).where(OutsideCheck.application_id == application.id))
    db.add_all(
        OutsideCheck(
            application_id=application.id,
            business=matter.workflow.name,
            system=system,
            progress=Progress.WAITING,
            attempts=0,
            next_attempt_at=now,
            give_up_at=now + longest,
            findings=[],
        )
        for system in systems
    )
    _wake(db)


def check_again(
    db: Session,
    matter: Checked[A],
    filings: Filings[A],
    application_id: str,
    *,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
) -> A:
    """Ask again those registers that did not answer: the person's one press (PRT-07).

    Raises:
        NotChecking, StillChecking: there is nothing to press.
        StillFailing: a register that is needed is known to be down.
    """
    application = filings.find(db, application_id, actor, seen)
    if not rules.is_checking(application.state):
        raise rules.NotChecking
    failed = [c for c in queries.list_checks(db, application.id) if c.progress is Progress.FAILED]
    if not failed:
        raise rules.StillChecking
    until = queries.broken_until(db, [check.system for check in failed], now)
    if until is not None:
        seconds = int((until - now).total_seconds()) + 1
        raise rules.StillFailing(extra={"retryable": True}, retry_after=seconds)
    longest = _patience(db, now).longest
    for check in failed:
        check.progress, check.attempts = Progress.WAITING, 0
        check.next_attempt_at, check.give_up_at = now, now + longest
    advance(db, matter.workflow, application, "check-again", actor=actor, now=now)
    _wake(db)
    return application


def _patience(db: Session, now: datetime) -> Patience:
    return POLICIES.in_force(db, Patience, shanghai_date(now))


def _wake(db: Session) -> None:
    db.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
