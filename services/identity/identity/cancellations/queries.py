"""What is being cancelled, and what stands against it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.cancellations import rules
from identity.cancellations.model import Cancellation, Tie


def find_open(db: Session, account_id: str) -> Cancellation | None:
    """The cancellation that cools off, if there is one."""
    return db.scalar(select(Cancellation).where(Cancellation.account_id == account_id, *_OPEN))


def list_due(db: Session, *, now: datetime, most: int) -> list[Cancellation]:
    """Those whose cooling-off is over; two workers never take the same one."""
    due = select(Cancellation).where(Cancellation.takes_effect_at <= now, *_OPEN)
    waiting = due.order_by(Cancellation.takes_effect_at).limit(most)
    return list(db.scalars(waiting.with_for_update(skip_locked=True)))


def list_ended(db: Session, *, since: datetime) -> list[str]:
    """The accounts that ended lately."""
    return list(db.scalars(select(Cancellation.account_id).where(Cancellation.done_at > since)))


def list_ties(db: Session, account_id: str) -> list[Tie]:
    """What stands against it, the oldest first."""
    wanted = select(Tie).where(Tie.account_id == account_id).order_by(Tie.since)
    return list(db.scalars(wanted.limit(rules.MOST_TOLD)))


_OPEN = (Cancellation.undone_at.is_(None), Cancellation.done_at.is_(None))
