"""How often something may be tried: the numbers of a limit, without the counting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """So many within a window."""

    name: str
    allowance: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Pace:
    """From the ``free``-th failure in a row on, each doubles the wait, up to the slowest."""

    name: str
    free: int
    first: timedelta
    slowest: timedelta
