"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)  # a Monday, half past nine in Guangzhou


class FixedClock:
    """The same moment for everybody who asks."""

    def __init__(self, moment: datetime = START) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """The moment, aware, in UTC."""
        return self._moment

    def advance(self, by: timedelta | None = None, **parts: float) -> datetime:
        """Let time pass: ``clock.advance(days=3)``; gives the new moment."""
        self._moment += timedelta(**parts) if by is None else by
        return self._moment
