"""The logins of one account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from identity.login_history.model import LoginEvent
from identity.login_history.rules import Outcome
from servicekit.personal import PersonalText


def logins_of(account_id: str) -> Select[LoginEvent]:
    """Successes and failures; the page decides how many, the newest first."""
    return select(LoginEvent).where(LoginEvent.account_id == account_id)


def latest(db: Session, account_id: str, *, most: int) -> list[LoginEvent]:
    """The newest ones, for a page."""
    wanted = logins_of(account_id).order_by(LoginEvent.at.desc(), LoginEvent.id.desc())
    return list(db.scalars(wanted.limit(most)))


def has_signed_in(db: Session, account_id: str) -> bool:
    """Was there ever a login that succeeded?"""
    return db.scalar(select(LoginEvent.id).where(*_good(account_id)).limit(1)) is not None


def knows_place(db: Session, account_id: str, place: PersonalText, *, since: datetime) -> bool:
    """Did the owner sign in from there of late, and did not disown it?"""
    same = (
        *_good(account_id),
        LoginEvent.place_index == place,
        LoginEvent.at > since,
        LoginEvent.disowned_at.is_(None),
    )
    return db.scalar(select(LoginEvent.id).where(*same).limit(1)) is not None


def _good(account_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return LoginEvent.account_id == account_id, LoginEvent.outcome == Outcome.SIGNED_IN
