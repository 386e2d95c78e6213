"""Hearing: each event of another service takes effect once, in the order of its subject.

``Subscriptions`` declares what a service hears and what it does then; ``deliver`` is the one
way in. It inserts the event's id first (the unique key decides who handles it), applies number
n of a subject only after n−1, parks what came early and takes it up when its turn comes. All of
it is the caller's one transaction: effect, inbox row and progress commit together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from servicekit import logs, tracing
from servicekit.facts import Unreadable, reader
from servicekit.ordering import Envelope, Key, Order, list_subscriptions, record_subscriptions
from servicekit.outbox import APPLICATION, FACT, check_type, routing_key

if TYPE_CHECKING:
    from marshmallow import Schema

__all__ = ["Envelope", "Handler", "Outcome", "State", "Subscriptions", "Unreadable"]

UNDER_WAY = timedelta(seconds=5)  # an event may be delivered this much later than its successor

log = logs.get_logger()


class Outcome(StrEnum):
    """What became of a delivery."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    PARKED = "parked"  # its predecessor has not come yet
    IGNORED = "ignored"  # of a stream we hear, but nobody here handles it


Handler = Callable[[Session, Any, Envelope], None]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One handler, the queue binding that brings its events, and what it reads of them."""

    binding: str
    reads: type[Schema]
    read: Callable[[Mapping[str, Any]], Any]
    handler: Handler
    stream: str
    event_type: str | None = None  # a subscription to one type
    beside: bool = False  # the kit's own
    business: str | None = None  # or to a matter's applications; "*" is all of them

    def hears(self, envelope: Envelope) -> bool:
        """Is this event one of ours?"""
        if envelope.stream != self.stream:
            return False
        if self.event_type is not None:
            return envelope.type == self.event_type
        return self.business in ("*", envelope.type.rsplit(".", 2)[0])


@dataclass(frozen=True, slots=True)
class State:
    """A subject as it was when its event of this number had been told (``catching_up``)."""

    key: Key
    sequence: int
    value: Any


class Subscriptions:
    """The events one service listens to."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._subscriptions: list[Subscription] = []

    def on(
        self, event_type: str, *, reads: type[Schema], stream: str = FACT, beside: bool = False
    ) -> Callable[[Handler], Handler]:
        """Declare a handler of one type and the part of the event it reads.

        The queue is bound to the whole stream of the matter, because order is counted per
        stream: what has no handler is counted and passed over.

        Args:
            event_type: ``<service>.<matter>.<fact>.v<N>``, without the reverse-domain prefix.
            reads: a schema of the reader's own with the fields it needs; unknown ones are ignored.
            beside: the kit's own handlers stand beside the service's handler of the same type.
        """
        service, matter, _, _ = check_type(event_type).split(".")
        binding = f"{stream}.{service}.{matter}.#"
        return self._register(binding, reads, stream, beside=beside, event_type=event_type)

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
        """What the service's queue is bound to."""
        return frozenset(s.binding for s in self._subscriptions)

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._subscriptions)

    def __len__(self) -> int:
        return len(self._subscriptions)

    def begin(self, db: Session, now: datetime) -> None:
        """Record since when each binding exists; called once the queue is bound."""
        record_subscriptions(db, self.bindings, now)

    def former(self, db: Session) -> frozenset[str]:
        """Bindings of an earlier release, which the queue is to lose."""
        return frozenset(list_subscriptions(db)) - self.bindings

    def deliver(self, db: Session, envelope: Envelope, now: datetime) -> Outcome:
        """Let one event take effect in the caller's transaction; whatever it raises, roll back.

        Raises:
            Unreadable: a handler's schema does not fit the event; trying again will not help.
        """
        return self.deliver_all(db, [envelope], now)[0]

    def deliver_all(
        self, db: Session, envelopes: Sequence[Envelope], now: datetime
    ) -> list[Outcome]:
        """The same for a batch, in a handful of round trips; all take effect or none."""
        order = Order(db, now)
        fresh = order.open(envelopes)
        outcomes = []
        for envelope in envelopes:
            new = envelope.id in fresh
            fresh.discard(envelope.id)  # a batch may hold an event twice
            if not new or envelope.sequence <= order.last(envelope.key):
                outcomes.append(Outcome.DUPLICATE)
            elif envelope.sequence != order.last(envelope.key) + 1:
                order.park(envelope)
                outcomes.append(Outcome.PARKED)
            else:
                outcomes.append(self._apply(db, envelope))
                order.advance(envelope)
        self._follow_up(db, order)
        return outcomes

    def take_over(
        self,
        db: Session,
        states: Sequence[State],
        handler: Callable[[Session, Any, datetime], None],
        now: datetime,
    ) -> int:
        """Let whole states take effect, each standing for all its subject's events until then.

        Returns: how many were older than what has been heard; ask for those anew.
        """
        order = Order(db, now)
        order.lock(*(state.key for state in states))
        older = 0
        for state in states:
            if state.sequence < order.last(state.key):
                older += 1
                continue
            handler(db, state.value, now)
            db.flush()
            order.jump(state.key, state.sequence)
        self._follow_up(db, order)
        return older

    def _follow_up(self, db: Session, order: Order) -> None:
        while keys := order.save():
            for key in keys:
                self._take_up(db, order, key)

    def release(self, db: Session, key: Key, now: datetime) -> int:
        """Take up what is parked under a key although no delivery will: how many took effect.

        For an event whose handler failed when its turn had come, and for the first one that
        concerns us of a subject that is older than our subscription.
        """
        order = Order(db, now)
        order.lock(key)
        first = order.first_parked(key)
        if first is None or not self._may_begin(order, *first, now):
            return 0
        envelope, _ = first
        order.remove_parked(envelope)
        self._apply(db, envelope)
        order.advance(envelope)
        taken = 1 + self._take_up(db, order, key)
        order.save()
        return taken

    def _may_begin(
        self, order: Order, envelope: Envelope, parked_at: datetime, now: datetime
    ) -> bool:
        """Is it the next one, or the first of all that concern us?

        A gap is no gap when the predecessor is from before the subscription; and even then it may
        be under way, in the hands of another consumer, so it is given a while.
        """
        last, before = order.last(envelope.key), envelope.preceded_at
        if envelope.sequence == last + 1:
            return True
        if last > 0 or before is None or now - parked_at < UNDER_WAY:
            return False
        word = routing_key(envelope.stream, envelope.type)
        since = [at for binding, at in order.subscribed().items() if _covers(binding, word)]
        return bool(since) and before < min(since)

    def _take_up(self, db: Session, order: Order, key: Key) -> int:
        """Apply what was parked and has its turn now; stop at one that fails, it stays parked."""
        taken = 0
        while (envelope := order.next_parked(key)) is not None:
            try:
                with db.begin_nested():
                    self._apply(db, envelope)
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise
                log.warning("parked event failed", event_id=envelope.id, error="database")
                break
            except Exception as error:
                log.warning("parked event failed", event_id=envelope.id, error=type(error).__name__)
                break
            order.remove_parked(envelope)
            order.advance(envelope)
            taken += 1
        return taken

    def _apply(self, db: Session, envelope: Envelope) -> Outcome:
        handlers = [s for s in self._subscriptions if s.hears(envelope)]
        with tracing.continued(envelope.traceparent):
            for subscription in handlers:
                subscription.handler(db, subscription.read(envelope.data), envelope)
                db.flush()  # so that what is wrong is found under the event that caused it
        return Outcome.APPLIED if handlers else Outcome.IGNORED

    def _register(
        self,
        binding: str,
        reads: type[Schema],
        stream: str,
        *,
        beside: bool = False,
        **which: str,
    ) -> Callable[[Handler], Handler]:
        read = reader(reads)

        def register(handler: Handler) -> Handler:
            for known in self._subscriptions:
                same = {"event_type": known.event_type}, {"business": known.business}
                if known.stream == stream and known.beside == beside and which in same:
                    raise ValueError(f"{self.service} already handles {next(iter(which.values()))}")
            made = Subscription(binding, reads, read, handler, stream, beside=beside, **which)
            self._subscriptions.append(made)
            return handler

        return register


def _covers(binding: str, word: str) -> bool:
    """All our bindings are a prefix and ``#``."""
    return word.startswith(binding.removesuffix("#"))
