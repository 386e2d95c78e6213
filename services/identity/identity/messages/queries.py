"""The messages of one account, and who is told for it."""

from __future__ import annotations

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.accounts.rules import Standing
from identity.messages import rules
from identity.messages.model import Message, Notice
from identity.messages.rules import To
from identity.units.model import Unit
from servicekit.personal import MobileNumber


def messages_of(account_id: str) -> Select[Message]:
    """All of them; the page decides how many, the newest first."""
    return select(Message).where(Message.account_id == account_id)


def count_unread(db: Session, account_id: str) -> int:
    """How many nobody has looked at."""
    unread = select(func.count()).where(Message.account_id == account_id, Message.read_at.is_(None))
    return db.scalar(unread) or 0


def find_recipient(db: Session, account_id: str, to: To) -> tuple[Account, MobileNumber]:
    """The account and the telephone a notice goes to.

    Raises:
        NoRecipient: no such account, given up, or no unit where a unit's representative is asked.
    """
    account = db.get(Account, account_id)
    if account is None or account.standing is Standing.CANCELLED:
        raise rules.NoRecipient
    if to is To.OWNER:
        return account, account.phone
    unit = db.get(Unit, account_id)
    if unit is None:
        raise rules.NoRecipient
    return account, unit.legal_phone


def find_notice(db: Session, notice_id: str, *, client_id: str) -> Notice:
    """A client's own notice.

    Raises:
        NoMessage: not there, or another client's.
    """
    notice = db.get(Notice, notice_id)
    if notice is None or notice.client_id != client_id:
        raise rules.NoMessage
    return notice
