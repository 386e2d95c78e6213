"""Keep what was being sent while a person raises the level, and hand it back to them alone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from identity.verification import parking_rules
from identity.verification.model import ParkedRequest
from servicekit.db import new_id
from servicekit.personal import PersonalText


def park(db: Session, account_id: str, *, page: str, content: str, now: datetime) -> ParkedRequest:
    """Keep it for half an hour, sealed.

    Args:
        page: our page that goes on with it.
        content: what was typed, in the page's own words.

    Raises:
        NotOurPage: the page is elsewhere.
    """
    parking_rules.check_page(page)
    kept = select(ParkedRequest.id).where(ParkedRequest.account_id == account_id)
    newest = kept.order_by(ParkedRequest.id.desc()).limit(parking_rules.MOST - 1)
    older = (ParkedRequest.account_id == account_id, ParkedRequest.id.not_in(newest))
    db.execute(delete(ParkedRequest).where(*older))
    parked = ParkedRequest(
        id=new_id(),
        account_id=account_id,
        page=page,
        content=PersonalText(content),
        created_at=now,
        expires_at=now + parking_rules.LIFE,
    )
    db.add(parked)
    db.flush()
    return parked


def find(db: Session, account_id: str, parked_id: str, *, now: datetime) -> ParkedRequest:
    """What this account parked.

    Raises:
        NoParkedRequest: nothing of theirs, or too old.
    """
    found = db.get(ParkedRequest, parked_id)
    if found is None or found.account_id != account_id or found.expires_at <= now:
        raise parking_rules.NoParkedRequest
    return found


def drop(db: Session, account_id: str, parked_id: str, *, now: datetime) -> None:
    """Forget it: it was sent."""
    db.delete(find(db, account_id, parked_id, now=now))


def forget_old(db: Session, *, now: datetime) -> None:
    """Delete what nobody came back for."""
    db.execute(delete(ParkedRequest).where(ParkedRequest.expires_at <= now))
