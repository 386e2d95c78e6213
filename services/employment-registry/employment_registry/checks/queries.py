"""Which questions stand for an application, and which system is left alone at the moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from employment_registry.checks.model import OutsideBreaker, OutsideCheck
from employment_registry.checks.rules import Progress, System


def list_checks(db: Session, application_id: str) -> list[OutsideCheck]:
    """The questions about an application, as they are in the database now."""
    of_application = select(OutsideCheck).where(OutsideCheck.application_id == application_id)
    fresh = of_application.order_by(OutsideCheck.system).execution_options(populate_existing=True)
    return list(db.scalars(fresh))


def list_late(db: Session, system: System, now: datetime, *, most: int) -> Sequence[OutsideCheck]:
    """Questions that have waited for an answer too long, the longest first."""
    waiting = (OutsideCheck.system == system, OutsideCheck.progress == Progress.WAITING)
    late = select(OutsideCheck).where(*waiting, OutsideCheck.give_up_at <= now)
    return db.scalars(late.order_by(OutsideCheck.give_up_at, OutsideCheck.id).limit(most)).all()


def broken_until(db: Session, systems: Collection[System], now: datetime) -> datetime | None:
    """Until when one of the systems is left alone; None when all may be asked."""
    broken = select(OutsideBreaker.open_until).where(
        OutsideBreaker.system.in_(systems), OutsideBreaker.open_until > now
    )
    return db.scalar(broken.order_by(OutsideBreaker.open_until.desc()).limit(1))


def find_breaker(db: Session, system: System) -> OutsideBreaker | None:
    """How the system stands; None when it never failed."""
    return db.get(OutsideBreaker, system, populate_existing=True)
