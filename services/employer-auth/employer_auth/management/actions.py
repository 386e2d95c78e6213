"""Warns a unit that nobody manages, lets its agents rest, and relieves it again."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from employer_auth.accounts.model import Unit
from employer_auth.bindings import moves
from employer_auth.events import FACTS, UnitManaged, UnitRestricted, UnitUnmanaged
from employer_auth.management import queries, rules
from employer_auth.management.rules import Step
from servicekit.clock import shanghai_date
from servicekit.outbox import announce

CHANNEL: Final = "employer_auth_management"
_CALL: Final = text("SELECT pg_notify(:channel, '')")
_FACTS: Final = {
    Step.WARN: UnitUnmanaged,
    Step.RESTRICT: UnitRestricted,
    Step.RELIEVE: UnitManaged,
}


def call(db: Session) -> None:
    """Have the worker look at once when this transaction has committed.

    It looks in a transaction of its own: relieving a unit touches all of its bindings, and
    whoever grants holds one of them.
    """
    db.execute(_CALL, {"channel": CHANNEL})


def look(db: Session, unit_id: str, *, now: datetime, days: int) -> Step:
    """Do what is to be done about a unit's management now; gives back what was done."""
    unit = db.get_one(Unit, unit_id, with_for_update=True, populate_existing=True)
    step = rules.next_step(
        needed=queries.needs_manager(db, unit_id, today=shanghai_date(now)),
        unmanaged_since=unit.unmanaged_since,
        restricted=unit.restricted_at is not None,
        now=now,
        days=days,
    )
    fact = _FACTS.get(step)
    if fact is None:
        return step
    was_restricted = unit.restricted_at is not None
    unit.unmanaged_since, unit.restricted_at = _marks(step, unit, now)
    db.flush()
    announce(
        db,
        FACTS.of(fact, subject=unit.id, now=now, unit_id=unit.id, unit_name=unit.name, days=days),
    )
    if was_restricted or step is Step.RESTRICT:
        moves.settle_account(db, unit.id, now=now)
    return step


def _marks(step: Step, unit: Unit, now: datetime) -> tuple[datetime | None, datetime | None]:
    if step is Step.RELIEVE:
        return None, None
    return unit.unmanaged_since or now, now if step is Step.RESTRICT else None
