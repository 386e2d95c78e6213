"""Other services hear which officers there are: where, for what, and whether still in office."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.accounts.rules import may_act
from identity.events import FACTS, OfficerChanged
from identity.officers.model import Officer
from servicekit.outbox import announce

_AT_ONCE = 200


def announce_officer(db: Session, account_id: str, *, now: datetime) -> None:
    """Tell of an officer as they are now; an account that is no officer's is no news."""
    officer = db.get(Officer, account_id)
    if officer is not None:
        _tell(db, officer, now)


def announce_former(db: Session, *, now: datetime) -> int:
    """Tell of officers nobody was told of yet, those from before there was this news.

    Returns: how many.
    """
    unknown = select(Officer).where(Officer.announced_at.is_(None)).order_by(Officer.account_id)
    found = list(db.scalars(unknown.limit(_AT_ONCE).with_for_update(of=Officer)))
    for officer in found:
        _tell(db, officer, now)
    return len(found)


def _tell(db: Session, officer: Officer, now: datetime) -> None:
    officer.announced_at = now
    announce(
        db,
        FACTS.of(
            OfficerChanged,
            subject=officer.account_id,
            now=now,
            officer_id=officer.account_id,
            region=officer.region,
            businesses=sorted(officer.businesses),
            roles=sorted(officer.roles),
            is_active=may_act(officer.account.standing),
        ),
    )
