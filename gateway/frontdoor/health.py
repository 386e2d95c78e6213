"""Whether the gateway lives, and whether it can check tokens."""

from __future__ import annotations

from typing import Final

from frontdoor.answers import READ_ONLY, Answer, as_json, refusal
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.verifying import Keys

ALIVE: Final = as_json({"status": "ok"})
_NOT_READY: Final = refusal(503, "not-ready", "网关正在启动，请稍后再试", b"Retry-After: 2")


def health(question: str, keys: Keys) -> Inward:
    """Answers ``live`` or ``ready`` to those who only look."""

    def answer(exchange: Exchange) -> Step:
        if exchange.method not in (b"GET", b"HEAD"):
            return READ_ONLY
        return ALIVE if question == "live" else readiness(keys)

    return answer


def readiness(keys: Keys) -> Answer:
    """Ready once identity's keys were seen; that identity is away later does not matter."""
    return ALIVE if keys.ready else _NOT_READY
