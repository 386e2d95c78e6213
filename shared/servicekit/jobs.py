"""Work a service does by the clock or when its database calls, not when a person asks.

Declared beside the matter it serves and run by the events worker (``servicekit.scheduler``)::

    JOBS = Jobs()

    @JOBS.every(timedelta(minutes=1), name="expire-postings")
    def expire(context: JobContext) -> None: ...

Of several workers one runs a job at a time, elected by an advisory lock. After a crash a job
may start again elsewhere, so it is written to be repeated.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from servicekit.clock import Clock
from servicekit.db import Database


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a job may use; it opens its own, short transactions."""

    service: str
    database: Database
    clock: Clock
    settings: Any
    stop: threading.Event


Work = Callable[[JobContext], None]


@dataclass(frozen=True, slots=True)
class Job:
    """Work with a name, its longest pause, and the channels that wake it earlier."""

    name: str
    work: Work
    period: timedelta
    channels: frozenset[str] = frozenset()


class Jobs:
    """The jobs of one service."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def every(self, period: timedelta, *, name: str) -> Callable[[Work], Work]:
        """Run when the worker starts and then once a period, counted from start to start."""
        if period <= timedelta(0):
            raise ValueError(f"{name}: a period is longer than nothing")
        return self._register(name, period, frozenset())

    def on_notify(
        self, *channels: str, name: str | None = None, period: timedelta = timedelta(seconds=30)
    ) -> Callable[[Work], Work]:
        """Run when a transaction that said ``pg_notify(channel, …)`` commits.

        Args:
            channels: PostgreSQL's channel names.
            name: the first channel when not given.
            period: runs at least this often, for calls made while nobody listened.
        """
        if not channels:
            raise ValueError("a job woken by nothing")
        return self._register(name or channels[0], period, frozenset(channels))

    def _register(
        self, name: str, period: timedelta, channels: frozenset[str]
    ) -> Callable[[Work], Work]:
        def register(work: Work) -> Work:
            if name in self._jobs:
                raise ValueError(f"job {name} is declared twice")
            self._jobs[name] = Job(name, work, period, channels)
            return work

        return register

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())
