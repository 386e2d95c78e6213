"""Takes a service's queue to its handlers: batches in one transaction, a failing event alone.

A batch is what has come, so a single event is handled at once and a storm two hundred at a time.
When a batch fails it is halved until the failing event stands alone; the others take effect.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from servicekit import logs, metrics
from servicekit.bus import (
    DONE,
    Bus,
    BusUnavailable,
    Delivery,
    Verdict,
    dead,
    pause_after,
    retry,
)
from servicekit.bus.envelope import NotAnEvent, decode
from servicekit.clock import Clock
from servicekit.db import Database
from servicekit.errors import Refusal
from servicekit.inbox import Envelope, Subscriptions, Unreadable

# SQLSTATE classes that tell of the server, not of the statement (PostgreSQL's appendix A).
_SERVER_TROUBLE: Final = ("08", "53", "58", "57P")

log = logs.get_logger()


class Stopped(Exception):
    """The worker ends while the database is away: the deliveries go back without a verdict."""


class Consumer:
    """The consumer of one service; several share its queue.

    Args:
        database: the service's.
        bus: where the events come from.
        subscriptions: what the service hears.
        prefix: reverse domain name before the types.
        clock: for the inbox rows.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        subscriptions: Subscriptions,
        *,
        prefix: str,
        clock: Clock,
    ) -> None:
        self._database = database
        self._bus = bus
        self._subscriptions = subscriptions
        self._prefix = prefix
        self._clock = clock

    def bind(self) -> None:
        """Make the queue and remember since when it is bound.

        Raises:
            BusUnavailable: try again; so with the database's errors.
        """
        with self._database.transaction() as db:
            former = self._subscriptions.former(db)
        bindings = sorted(self._subscriptions.bindings)
        self._bus.declare(self._subscriptions.service, bindings, former=sorted(former))
        with self._database.transaction() as db:
            self._subscriptions.begin(db, self._clock.now())

    def run(self, stop: threading.Event) -> None:
        """Until ``stop``; outlives the database and the bus going away."""
        failures = 0
        while not stop.is_set():
            try:
                self.bind()
                break
            except (BusUnavailable, DBAPIError) as error:
                failures += 1
                log.warning("queue cannot be bound yet", error=type(error).__name__)
                stop.wait(pause_after(failures))

        def handle(batch: Sequence[Delivery]) -> list[Verdict]:
            return self.handle(batch, stop)

        try:
            self._bus.consume(self._subscriptions.service, handle, stop)
        except Stopped:
            log.info("stopped while the database was away")

    def handle(self, batch: Sequence[Delivery], stop: threading.Event) -> list[Verdict]:
        """What became of each delivery.

        Raises:
            Stopped: the database is away and the worker ends.
        """
        verdicts: dict[int, Verdict] = {}
        events: list[tuple[int, Envelope]] = []
        for place, delivery in enumerate(batch):
            try:
                events.append((place, decode(delivery.message.body, self._prefix)))
            except NotAnEvent as error:
                verdicts[place] = dead(str(error))
        self._apply(events, verdicts, stop)
        for place, verdict in verdicts.items():
            if verdict.kind != "done":
                self._tell(batch[place], verdict)
        return [verdicts[place] for place in range(len(batch))]

    def _apply(
        self,
        events: Sequence[tuple[int, Envelope]],
        verdicts: dict[int, Verdict],
        stop: threading.Event,
    ) -> None:
        """All in one transaction, or each half by itself."""
        if not events:
            return
        failures = 0
        while True:
            try:
                with self._database.transaction() as db:
                    envelopes = [envelope for _, envelope in events]
                    outcomes = self._subscriptions.deliver_all(db, envelopes, self._clock.now())
                break
            except Exception as error:
                if _is_outage(error):
                    failures += 1
                    log.warning("database unavailable", error=type(error).__name__)
                    if stop.wait(pause_after(failures)):
                        raise Stopped from error
                elif len(events) == 1:
                    verdicts[events[0][0]] = _judge(error)
                    return
                else:
                    middle = len(events) // 2
                    self._apply(events[:middle], verdicts, stop)
                    self._apply(events[middle:], verdicts, stop)
                    return
        for (place, _), outcome in zip(events, outcomes, strict=True):
            verdicts[place] = DONE
            metrics.EVENTS_HANDLED.labels(self._subscriptions.service, outcome).inc()

    def _tell(self, delivery: Delivery, verdict: Verdict) -> None:
        verdict = verdict.at(delivery.attempt)
        metrics.EVENTS_HANDLED.labels(self._subscriptions.service, verdict.kind).inc()
        log.error(
            "event not handled",
            event_id=delivery.message.id,
            routing_key=delivery.message.routing_key,
            attempt=delivery.attempt,
            verdict=verdict.kind,
            reason=verdict.reason,
        )


def _judge(error: Exception) -> Verdict:
    """Names of classes and codes only: a message may quote a person's data."""
    if isinstance(error, Unreadable):
        return dead(str(error))
    if isinstance(error, Refusal):
        return retry(f"{type(error).__name__}: {error.code}")
    if isinstance(error, DBAPIError):
        return retry(f"{type(error).__name__}: {type(error.orig).__name__}")
    return retry(type(error).__name__)


def _is_outage(error: Exception) -> bool:
    """Is it the database that is away, and not the event that is wrong?"""
    if isinstance(error, NoFreeConnection):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return error.connection_invalidated or isinstance(error, OperationalError)
    return str(state).startswith(_SERVER_TROUBLE)
