"""Looking units up: by account, by certificate number, by ticket."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.units import rules
from identity.units.model import FormerUnit, Registration, Unit


def find_unit(db: Session, account_id: str) -> Unit:
    """The unit of an account.

    Raises:
        NoUnit: there is none.
    """
    unit = db.get(Unit, account_id)
    if unit is None:
        raise rules.NoUnit
    return unit


def is_taken(db: Session, certificate_number: str) -> bool:
    """Does a unit that is not closed have this number (ID-22)?"""
    same = (Unit.certificate_number == certificate_number, Unit.closed_at.is_(None))
    return db.scalar(select(Unit.account_id).where(*same)) is not None


def list_former(db: Session, account_id: str) -> list[FormerUnit]:
    """What the unit was called before, the newest first; there are never many."""
    wanted = select(FormerUnit).where(FormerUnit.account_id == account_id)
    return list(db.scalars(wanted.order_by(FormerUnit.valid_until.desc()).limit(100)))


def find_registration(
    db: Session, registration_id: str, ticket: str, *, now: datetime, lock: bool = False
) -> Registration:
    """The registration under way that this ticket belongs to.

    Args:
        lock: hold the row, so that two requests with one ticket come one after the other.

    Raises:
        NoTicket: none, expired, or another one's.
    """
    found = db.get(Registration, registration_id, with_for_update=lock or None)
    if found is None or found.secret_hash != rules.hash_ticket(ticket):
        raise rules.NoTicket
    if not rules.is_open(found.expires_at, now=now):
        raise rules.NoTicket
    return found
