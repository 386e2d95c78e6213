"""What may become of a challenge, and which number stands on both screens?"""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum

from identity.verification.rules import POLL_EVERY
from servicekit.errors import Conflict, NotFound


class Purpose(StrEnum):
    """What a proof is for; one begun for a login raises nobody else's level."""

    LOGIN = "login"
    RAISE = "raise"


class Stage(StrEnum):
    """How far a challenge is."""

    WAITING = "waiting"  # nothing yet
    SCANNED = "scanned"  # the telephone has it
    PROVED = "proved"  # known who it was; not used yet
    FAILED = "failed"
    USED = "used"


class NoChallenge(NotFound):
    """Unknown, another browser's, or forgotten."""

    code = "challenge-not-found"
    default_message = "该认证请求不存在或不是在本浏览器发起的，请重新开始"


class ChallengeOver(Conflict):
    """It failed, ran out or was used."""

    code = "challenge-over"
    default_message = "该认证请求已结束，请重新开始"


OPEN = frozenset({Stage.WAITING, Stage.SCANNED})


def is_open(stage: Stage, expires_at: datetime, *, now: datetime) -> bool:
    """Is it still worth asking?"""
    return stage in OPEN and expires_at > now


def is_usable(stage: Stage, expires_at: datetime, *, now: datetime) -> bool:
    """Is it proved and not used yet? The page may come back a little late."""
    return stage is Stage.PROVED and expires_at + 30 * POLL_EVERY > now


def has_failed(stage: Stage) -> bool:
    """Did the channel say no?"""
    return stage is Stage.FAILED


def is_scanned(stage: Stage) -> bool:
    """Has a telephone read the code?"""
    return stage is Stage.SCANNED


def may_ask(asked_at: datetime | None, *, now: datetime) -> bool:
    """The outside system is not asked more often than every two seconds."""
    return asked_at is None or now - asked_at >= POLL_EVERY


def new_confirm_number() -> str:
    """Two digits that the browser shows and the telephone asks for."""
    return f"{secrets.randbelow(90) + 10}"


def new_browser_secret() -> str:
    """256 bits, for the cookie of the browser that began."""
    return secrets.token_urlsafe(32)
