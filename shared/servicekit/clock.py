"""The time comes from outside and is aware: UTC inside, Asia/Shanghai for people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol

# China has kept one offset since 1991-09-15; a fixed zone needs no tz database in the image.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


class Clock(Protocol):
    """Whoever needs the time at the edge asks one of these; rules are handed the answer."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def to_shanghai(moment: datetime) -> datetime:
    """The same moment on a Chinese wall clock; a naive time is refused with ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(SHANGHAI)


def shanghai_date(moment: datetime) -> date:
    """The calendar day a Chinese law means when it counts from this moment."""
    return to_shanghai(moment).date()
