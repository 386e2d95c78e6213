"""Counts how often something was tried; kept when the request is refused, if the caller says so."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import DateTime, String, delete, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from employer_auth.tables import Base
from servicekit.db import NOT_PERSONAL


class TryWindow(Base):
    """How much of one allowance is used, and until when it counts."""

    __tablename__ = "try_window"

    key: Mapped[str] = mapped_column(String(120), primary_key=True, info=NOT_PERSONAL)
    used: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)


_TAKE = text(
    """
    INSERT INTO try_window AS w (key, used, ends_at) VALUES (:key, 1, :ends)
    ON CONFLICT (key) DO UPDATE SET
        used = CASE WHEN w.ends_at <= :now THEN 1 ELSE w.used + 1 END,
        ends_at = CASE WHEN w.ends_at <= :now THEN :ends ELSE w.ends_at END
    RETURNING used, ends_at
    """
)


def take(db: Session, key: str, *, allowance: int, window: timedelta, now: datetime) -> int | None:
    """Use one of an allowance; others who count under this key wait for the transaction's end.

    Args:
        key: what and who, by ids: no personal data.

    Returns: the seconds to wait when it is used up, None when there was room.
    """
    values = {"key": key, "now": now, "ends": now + window}
    used, ends_at = db.execute(_TAKE, values).one()
    return None if used <= allowance else max(1, -int(-(ends_at - now).total_seconds() // 1))


def forget(db: Session, *, now: datetime) -> None:
    """Remove what no longer counts."""
    db.execute(delete(TryWindow).where(TryWindow.ends_at <= now))
