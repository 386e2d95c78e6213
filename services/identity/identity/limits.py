"""Counts that must outlive a refusal: how often an address, a phone or a name was tried.

They are written through a small pool of their own and committed at once, so a request that is
rolled back has been counted all the same, and a hundred parallel guesses count a hundred times.
Keys are blind indexes: the table shows nobody's phone or name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import DateTime, LargeBinary, delete, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from identity.pace import Limit, Pace
from identity.tables import Base
from servicekit.db import NOT_PERSONAL, Database
from servicekit.vault import Vault

FORGET_AFTER: Final = timedelta(days=1)


class Window(Base):
    """How much of one allowance is used, and until when it counts."""

    __tablename__ = "limit_window"

    key: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True, info=NOT_PERSONAL)
    used: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)


class Failures(Base):
    """Consecutive failures under one key, and until when it is closed."""

    __tablename__ = "limit_failures"

    key: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True, info=NOT_PERSONAL)
    count: Mapped[int] = mapped_column(info=NOT_PERSONAL)
    last_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    closed_until: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)


_TAKE = text(
    """
    INSERT INTO limit_window AS w (key, used, ends_at) VALUES (:key, 1, :ends)
    ON CONFLICT (key) DO UPDATE SET
        used = CASE WHEN w.ends_at <= :now THEN 1 ELSE w.used + 1 END,
        ends_at = CASE WHEN w.ends_at <= :now THEN :ends ELSE w.ends_at END
    RETURNING used, ends_at
    """
)
# Counted as failed before the password is looked at; a success takes it back.
_ATTEMPT = text(
    """
    INSERT INTO limit_failures AS f (key, count, last_at, closed_until)
    VALUES (:key, 1, :now, :now)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN f.last_at < :forgotten THEN 1 ELSE f.count + 1 END,
        last_at = :now,
        closed_until = CASE WHEN f.last_at < :forgotten OR f.count + 1 < :free THEN :now
            ELSE :now + least(:slowest, :first * power(2, least(f.count + 1 - :free, 30)))
            END
    WHERE f.closed_until <= :now
    RETURNING count
    """
)
_CLOSED = text("SELECT closed_until FROM limit_failures WHERE key = :key")


@dataclass(frozen=True, slots=True)
class Counts:
    """The counters of this service."""

    database: Database
    vault: Vault

    @contextmanager
    def apart(self) -> Iterator[Session]:
        """A transaction beside the request's; what it writes stays whatever the request does."""
        with self.database.transaction() as db:
            yield db

    def take(self, limits: Iterable[Limit], who: str, *, now: datetime) -> int | None:
        """Use one of each allowance.

        Returns: the seconds to wait when one is used up, None when all had room.
        """
        waits = []
        with self.apart() as db:
            for limit in limits:
                values = {"key": self._key(limit.name, who), "now": now, "ends": now + limit.window}
                used, ends_at = db.execute(_TAKE, values).one()
                if used > limit.allowance:
                    waits.append(_seconds(ends_at - now))
                    break
        return max(waits, default=None)

    def give_back(self, limits: Iterable[Limit], who: str) -> None:
        """Undo :meth:`take`, for a request that came to nothing through no fault of the person."""
        with self.apart() as db:
            for limit in limits:
                key = self._key(limit.name, who)
                db.execute(update(Window).where(Window.key == key).values(used=Window.used - 1))

    def attempt(self, pace: Pace, who: str, *, now: datetime) -> int | None:
        """Count an attempt as a failure until :meth:`succeeded` or :meth:`forgive` says otherwise.

        Returns: the seconds to wait when the key is closed, None when the attempt may go on.
        """
        key = self._key(pace.name, who)
        values = {
            "key": key,
            "now": now,
            "forgotten": now - FORGET_AFTER,
            "free": pace.free,
            "first": pace.first,
            "slowest": pace.slowest,
        }
        with self.apart() as db:
            if db.execute(_ATTEMPT, values).one_or_none() is not None:
                return None
            return _seconds(db.execute(_CLOSED, {"key": key}).scalar_one() - now)

    def succeeded(self, pace: Pace, who: str) -> None:
        """Forget the failures under this key."""
        with self.apart() as db:
            db.execute(delete(Failures).where(Failures.key == self._key(pace.name, who)))

    def forgive(self, pace: Pace, who: str, *, now: datetime) -> None:
        """Take one attempt back: it was neither right nor wrong."""
        key = self._key(pace.name, who)
        values = {"count": Failures.count - 1, "closed_until": now}
        with self.apart() as db:
            db.execute(update(Failures).where(Failures.key == key).values(values))

    def _key(self, name: str, who: str) -> bytes:
        return self.vault.index(f"{name}:{who}", "limit.key")


def forget_counts(db: Session, *, now: datetime) -> None:
    """Remove what no longer counts."""
    db.execute(delete(Window).where(Window.ends_at <= now))
    db.execute(delete(Failures).where(Failures.last_at < now - FORGET_AFTER))


def _seconds(wait: timedelta) -> int:
    return max(1, -int(-wait.total_seconds() // 1))
