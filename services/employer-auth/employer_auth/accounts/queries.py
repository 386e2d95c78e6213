"""Looks up accounts and units."""

from __future__ import annotations

from sqlalchemy.orm import Session

from employer_auth.accounts import rules
from employer_auth.accounts.model import Account, Unit


def find_unit(db: Session, unit_id: str) -> Unit | None:
    """The unit, if identity has told of it."""
    return db.get(Unit, unit_id)


def level_of(db: Session, account_id: str) -> int:
    """The level that holds, on the scale of the account's kind; the lowest when nobody told."""
    account = db.get(Account, account_id)
    if account is None or account.level is None:
        return rules.lowest_level(None if account is None else account.kind)
    return account.level


def standing_of(db: Session, account_id: str) -> rules.Standing:
    """May the account be used? One nobody has told of is as good as new."""
    account = db.get(Account, account_id)
    return rules.Standing.ACTIVE if account is None else account.standing
