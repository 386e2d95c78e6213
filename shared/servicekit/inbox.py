"""Hearing: each event of another service takes effect once, in the order of its subject.

``Subscriptions`` declares what a service hears and what it does then; ``deliver`` is the one
way in. It inserts the event's id first (the unique key decides who handles it), applies number
n of a subject only after n−1, parks what came early and takes it up when its turn comes. All of
it is the caller's one transaction: effect, inbox row and progress commit together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from servicekit.outbox import APPLICATION, FACT, check_type, matter_of

if TYPE_CHECKING:
    from marshmallow import Schema


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event as it was told: what it says, and its place among its subject's events."""

    id: str
    type: str
    source: str
    stream: str
    subject: str
    time: datetime
    sequence: int
    data: Mapping[str, Any]
    preceded_at: datetime | None = None
    traceparent: str | None = None

    @property
    def matter(self) -> str:
        """The second word of the type."""
        return matter_of(self.type)


Handler = Callable[[Session, Any, Envelope], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One handler, the queue binding that brings its events, and what it reads of them."""

    binding: str
    reads: type[Schema]
    handler: Handler
    stream: str
    event_type: str | None = None  # a subscription to one type
    business: str | None = None  # or to a matter's applications; "*" is all of them

    def hears(self, envelope: Envelope) -> bool:
        """Is this event one of ours?"""
        if envelope.stream != self.stream:
            return False
        if self.event_type is not None:
            return envelope.type == self.event_type
        return self.business in ("*", envelope.type.rsplit(".", 2)[0])


class Subscriptions:
    """The events one service listens to."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._subscriptions: list[Subscription] = []

    def on(
        self, event_type: str, *, reads: type[Schema], stream: str = FACT
    ) -> Callable[[Handler], Handler]:
        """Declare a handler of one type and the part of the event it reads.

        The queue is bound to the whole stream of the matter, because order is counted per
        stream: what has no handler is counted and passed over.

        Args:
            event_type: ``<service>.<matter>.<fact>.v<N>``, without the reverse-domain prefix.
            reads: a schema of the reader's own with the fields it needs; unknown ones are ignored.
        """
        service, matter, _, _ = check_type(event_type).split(".")
        binding = f"{stream}.{service}.{matter}.#"
        return self._register(binding, reads, stream, event_type=event_type)

    def on_application(self, business: str, *, reads: type[Schema]) -> Callable[[Handler], Handler]:
        """Declare a handler of every state fact of a matter, ``*`` for all matters.

        Args:
            business: ``employment-registry.flexible-employment``, or ``*``.
            reads: mostly ``servicekit.facts.ApplicationMovedSchema``.
        """
        binding = f"{APPLICATION}.#" if business == "*" else f"{APPLICATION}.{business}.#"
        return self._register(binding, reads, APPLICATION, business=business)

    @property
    def bindings(self) -> frozenset[str]:
        """What the service's queue is bound to; a binding inside a wider one is left out."""
        keys = {s.binding for s in self._subscriptions}
        wide = f"{APPLICATION}.#"
        return frozenset(k for k in keys if k == wide or wide not in keys or k.startswith(FACT))

    def __iter__(self) -> Any:
        return iter(self._subscriptions)

    def __len__(self) -> int:
        return len(self._subscriptions)

    def _register(
        self, binding: str, reads: type[Schema], stream: str, **which: str
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            for known in self._subscriptions:
                if known.stream == stream and which in (
                    {"event_type": known.event_type},
                    {"business": known.business},
                ):
                    raise ValueError(f"{self.service} already handles {next(iter(which.values()))}")
            self._subscriptions.append(Subscription(binding, reads, handler, stream, **which))
            return handler

        return register
