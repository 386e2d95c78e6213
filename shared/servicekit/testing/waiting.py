"""Waits for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE = 0.01  # seconds between two looks


def until(happened: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until it has happened.

    Raises:
        AssertionError: it has not within so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(PAUSE)
