"""Which sessions, accounts, bindings and keys have ended: tokens of theirs are void (ID-43)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog

if TYPE_CHECKING:
    from servicekit.bus import Bus, Message

log = structlog.get_logger(__name__)

KEYS: Final = (
    "fact.identity.session.#",
    "fact.identity.account.#",
    "fact.identity.client.#",
    "fact.identity.signing-key.#",
    "fact.employer-auth.binding.#",
)
SESSION_ENDED: Final = "fact.identity.session.ended.v1"
ACCOUNT_LOCKED: Final = "fact.identity.account.locked.v1"
ACCOUNT_CANCELLED: Final = "fact.identity.account.cancelled.v1"
LEVEL_CHANGED: Final = "fact.identity.account.level-changed.v1"
CLIENT_SUSPENDED: Final = "fact.identity.client.suspended.v1"
KEY_WITHDRAWN: Final = "fact.identity.signing-key.withdrawn.v1"
BINDING_REVISED: Final = "fact.employer-auth.binding.revised.v1"
REMEMBERED: Final = 900.0  # seconds; three times the life of a token
MOST: Final = 100_000
SWEEP: Final = 30.0  # seconds between two looks for what may be forgotten


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
        self._swept = now()
        self._sessions: dict[str, float] = {}
        self._accounts: dict[str, tuple[float, float]] = {}
        self._bindings: dict[str, tuple[float, int]] = {}
        self._keys: set[str] = set()  # never forgotten: a forged token lives as long as it says

    def end_session(self, session_id: str) -> None:
        """Tokens of this session are worth nothing."""
        self._sessions[session_id] = self._now() + REMEMBERED
        self._changed()

    def end_account(self, account_id: str, at: float | None = None) -> None:
        """Tokens issued to this account until then are worth nothing.

        Args:
            account_id: whose.
            at: seconds since 1970; now without it.
        """
        until = max(self._wall() if at is None else at, self._accounts.get(account_id, (0, 0.0))[1])
        self._accounts[account_id] = (self._now() + REMEMBERED, until)
        self._changed()

    def revise_binding(self, binding_id: str, version: int) -> None:
        """Tokens that name an older version of the binding are worth nothing."""
        version = max(version, self._bindings.get(binding_id, (0.0, 0))[1])
        self._bindings[binding_id] = (self._now() + REMEMBERED, version)
        self._changed()

    def withdraw_key(self, kid: str) -> None:
        """What names this signing key is worth nothing."""
        self._keys.add(kid)
        self._changed()

    def has_withdrawn(self, kid: object) -> bool:
        """Has the signing key of this id leaked?"""
        return kid in self._keys

    @property
    def withdrawn(self) -> int:
        """How many signing keys have leaked, as far as is known here."""
        return len(self._keys)

    def is_revoked(
        self,
        session_id: str | None,
        accounts: tuple[str, ...],
        issued: float,
        binding: str | None = None,
        version: int = 0,
    ) -> bool:
        """Is a token worth nothing?

        Args:
            session_id: its ``sid``.
            accounts: its ``sub`` and, when acting, every ``act.sub``.
            issued: its ``iat``.
            binding: its ``binding``.
            version: its ``bver``.
        """
        if session_id in self._sessions:
            return True
        if binding is not None and self._bindings.get(binding, (0.0, 0))[1] > version:
            return True
        ends = [self._accounts[account][1] for account in accounts if account in self._accounts]
        return any(issued <= end for end in ends)

    def hear(self, routing_key: str, body: bytes) -> None:
        """Read one event; what is not about an end is passed over."""
        reader = _READERS.get(routing_key)
        if reader is None:
            return
        try:
            event = orjson.loads(body)
            reader(self, event["data"], _seconds(event.get("time"), self._wall()))
        except (ValueError, KeyError, TypeError, AttributeError):
            log.warning("an event could not be read", routing_key=routing_key)

    def learn(self, found: Mapping[str, Any]) -> None:
        """Take over the ends a service lists (``GET …/revocations``).

        Raises:
            ValueError, KeyError, TypeError: it is no such list.
        """
        for session in found.get("sessions", ()):
            self.end_session(str(session["session_id"]))
        for account in found.get("accounts", ()):
            at = datetime.fromisoformat(account["at"]).timestamp()
            self.end_account(str(account["account_id"]), at)
        for key in found.get("keys", ()):
            self.withdraw_key(str(key["kid"]))
        for binding in found.get("bindings", ()):
            _revise(self, binding, 0.0)

    def _changed(self) -> None:
        self.epoch += 1
        now = self._now()
        crowded = max(len(self._sessions), len(self._accounts), len(self._bindings)) > MOST
        if now - self._swept < SWEEP and not crowded:
            return
        self._swept = now
        self._sessions = _young(self._sessions, now, lambda until: until)
        self._accounts = _young(self._accounts, now, lambda end: end[0])
        self._bindings = _young(self._bindings, now, lambda end: end[0])


def _young(known: dict[str, Any], now: float, until: Callable[[Any], float]) -> dict[str, Any]:
    """What is still to be remembered, without the oldest when it is too much."""
    kept = {key: value for key, value in known.items() if until(value) > now}
    for key in list(kept)[: max(len(kept) - MOST, 0)]:
        del kept[key]
    return kept


def _seconds(time: object, otherwise: float) -> float:
    return datetime.fromisoformat(time).timestamp() if isinstance(time, str) else otherwise


def _end_session(known: Revocations, data: Mapping[str, Any], at: float) -> None:
    known.end_session(str(data["session_id"]))


def _end_account(known: Revocations, data: Mapping[str, Any], at: float) -> None:
    known.end_account(str(data["account_id"]), at)


def _change_level(known: Revocations, data: Mapping[str, Any], at: float) -> None:
    if int(data["level"]) < int(data["before"]):
        known.end_account(str(data["account_id"]), at)


def _suspend_client(known: Revocations, data: Mapping[str, Any], at: float) -> None:
    known.end_account(str(data["client_id"]), at)  # its own tokens name it as their `sub`


def _withdraw_key(known: Revocations, data: Mapping[str, Any], at: float) -> None:
    known.withdraw_key(str(data["kid"]))


def _revise(known: Revocations, data: Mapping[str, Any], at: float) -> None:
    """A binding that is not active any more makes its own version's tokens worthless too."""
    version = int(data["version"])
    known.revise_binding(
        str(data["binding_id"]), version if data.get("state", "active") == "active" else version + 1
    )


_READERS: Final[dict[str, Callable[[Revocations, Mapping[str, Any], float], None]]] = {
    SESSION_ENDED: _end_session,
    ACCOUNT_LOCKED: _end_account,
    ACCOUNT_CANCELLED: _end_account,
    LEVEL_CHANGED: _change_level,
    CLIENT_SUSPENDED: _suspend_client,
    KEY_WITHDRAWN: _withdraw_key,
    BINDING_REVISED: _revise,
}


def listen(
    bus: Bus,
    revocations: Revocations,
    stop: threading.Event,
    *,
    started: Callable[[], None] | None = None,
) -> threading.Thread:
    """Hear events in a thread of their own and hand them to the running loop.

    Args:
        bus: where identity and employer-auth announce.
        revocations: what is told.
        stop: ends the thread.
        started: called in the running loop each time the gateway begins to hear; what was said
            before it did not hear.
    """
    loop = asyncio.get_running_loop()

    def tell(what: Callable[..., None], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop ended while the message came
            loop.call_soon_threadsafe(what, *arguments)

    def hear(message: Message) -> None:
        tell(revocations.hear, message.routing_key, message.body)

    def hears() -> None:
        if started is not None:
            tell(started)

    def run() -> None:
        bus.listen(KEYS, hear, stop, started=hears)

    thread = threading.Thread(target=run, name="revocations", daemon=True)
    thread.start()
    return thread
