"""The messages of one person."""

from __future__ import annotations

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from identity.messages.model import Message


def messages_of(account_id: str) -> Select[Message]:
    """All of them; the page decides how many, the newest first."""
    return select(Message).where(Message.account_id == account_id)


def count_unread(db: Session, account_id: str) -> int:
    """How many nobody has looked at."""
    unread = select(func.count()).where(Message.account_id == account_id, Message.read_at.is_(None))
    return db.scalar(unread) or 0
