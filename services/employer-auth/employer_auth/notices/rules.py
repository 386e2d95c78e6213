"""How long a notice is tried, and what identity's refusals mean."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

RETRY_AFTER: Final = (  # back-off; after the last one it is given up
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
LEASE: Final = timedelta(seconds=60)  # after a crash in the middle of asking


class To(StrEnum):
    """Whose telephone identity sends it to."""

    OWNER = "owner"
    LEGAL_REPRESENTATIVE = "legal-representative"


class NoticeState(StrEnum):
    """Where a notice is."""

    WAITING = "waiting"
    TAKEN = "taken"  # identity has it, and delivers it with retries of its own
    FAILED = "failed"


def wait_after(tries: int) -> timedelta | None:
    """How long to wait after so many tries that failed; None when it is given up."""
    return RETRY_AFTER[tries - 1] if tries <= len(RETRY_AFTER) else None
