"""Which sessions and accounts have ended: tokens that name them are worth nothing (ID-43)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import orjson
import structlog

if TYPE_CHECKING:
    from servicekit.bus import Bus, Message

log = structlog.get_logger(__name__)

KEYS: Final = ("fact.identity.session.#", "fact.identity.account.#")
SESSION_ENDED: Final = "fact.identity.session.ended.v1"
ACCOUNT_LOCKED: Final = "fact.identity.account.locked.v1"
REMEMBERED: Final = 900.0  # seconds; three times the life of a token
MOST: Final = 100_000


class Revocations:
    """What this worker has heard. Changed in the event loop only.

    Args:
        now: monotonic seconds.
        wall: seconds since 1970.
    """

    def __init__(self, now: Callable[[], float], wall: Callable[[], float]) -> None:
        self.epoch = 0
        self._now = now
        self._wall = wall
        self._sessions: dict[str, float] = {}
        self._accounts: dict[str, tuple[float, float]] = {}

    def end_session(self, session_id: str) -> None:
        """Tokens of this session are worth nothing."""
        self._sessions[session_id] = self._now() + REMEMBERED
        self._changed()

    def end_account(self, account_id: str) -> None:
        """Tokens issued to this account until now are worth nothing."""
        self._accounts[account_id] = (self._now() + REMEMBERED, self._wall())
        self._changed()

    def is_revoked(self, session_id: str | None, accounts: tuple[str, ...], issued: float) -> bool:
        """Is a token worth nothing?

        Args:
            session_id: its ``sid``.
            accounts: its ``sub`` and, when acting, its ``act.sub``.
            issued: its ``iat``.
        """
        if session_id in self._sessions:
            return True
        ends = [self._accounts[account][1] for account in accounts if account in self._accounts]
        return any(issued <= end for end in ends)

    def hear(self, routing_key: str, body: bytes) -> None:
        """Read one event; what is not about an end is passed over."""
        if routing_key not in (SESSION_ENDED, ACCOUNT_LOCKED):
            return
        try:
            data = orjson.loads(body)["data"]
            if routing_key == SESSION_ENDED:
                self.end_session(str(data["session_id"]))
            else:
                self.end_account(str(data["account_id"]))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            log.warning("an event could not be read", routing_key=routing_key)

    def _changed(self) -> None:
        self.epoch += 1
        now = self._now()
        for ends in (self._sessions, self._accounts):
            if len(ends) > MOST:
                ends.pop(next(iter(ends)))
        self._sessions = {k: v for k, v in self._sessions.items() if v > now}
        self._accounts = {k: v for k, v in self._accounts.items() if v[0] > now}


def listen(
    bus: Bus,
    revocations: Revocations,
    stop: threading.Event,
    *,
    started: Callable[[], None] | None = None,
) -> threading.Thread:
    """Hear events in a thread of their own and hand them to the running loop.

    Args:
        bus: where identity announces.
        revocations: what is told.
        stop: ends the thread.
        started: called when the gateway hears; what was said before it did not hear.
    """
    loop = asyncio.get_running_loop()

    def hear(message: Message) -> None:
        with contextlib.suppress(RuntimeError):  # the loop ended while the message came
            loop.call_soon_threadsafe(revocations.hear, message.routing_key, message.body)

    def run() -> None:
        bus.listen(KEYS, hear, stop, started=started)

    thread = threading.Thread(target=run, name="revocations", daemon=True)
    thread.start()
    return thread
