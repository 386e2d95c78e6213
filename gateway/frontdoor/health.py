"""Whether the gateway lives, and whether it can check tokens."""

from __future__ import annotations

from typing import Final

from frontdoor.answers import Answer, as_json, refusal
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.verifying import Keys

ALIVE: Final = as_json({"status": "ok"})
_NOT_READY: Final = refusal(503, "not-ready", "网关正在启动，请稍后再试", b"Retry-After: 2")


def health(question: str, keys: Keys) -> Inward:
    """Answers ``live`` or ``ready``."""
    if question == "live":
        return lambda exchange: ALIVE

    def ready(exchange: Exchange) -> Step:
        return readiness(keys)

    return ready


def readiness(keys: Keys) -> Answer:
    """Ready once identity's keys were seen; that identity is away later does not matter."""
    return ALIVE if keys.ready else _NOT_READY
