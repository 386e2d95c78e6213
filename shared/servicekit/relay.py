"""Carries the outbox to the bus: publish, wait for the confirm, mark; again after any crash.

It reads what is *not marked*, never "what is newer than": positions commit out of order, and a
high-water mark would pass over the late ones. Of several relays one works, elected by a session
lock; when it dies the next takes over within a second, and what was published but not marked goes
out once more, which the inboxes of the readers absorb.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import psycopg
from psycopg.rows import namedtuple_row

from servicekit import logs, metrics
from servicekit.bus import Bus, BusUnavailable, Message, Refused, pause_after
from servicekit.bus.envelope import encode
from servicekit.clock import Clock
from servicekit.db import Database
from servicekit.listening import RELAY_LOCK, Listener
from servicekit.ordering import Envelope
from servicekit.outbox import CHANNEL

BATCH = 500
POLL_SECONDS = 0.5  # the fallback for a notification that was lost, and how soon a stop is noticed
REFUSAL_LIMIT = 10  # then the event is parked for a person to look at, with the bus's reason
MEASURE_SECONDS = 5.0

_WAITING = """
    SELECT position, id, type, stream, subject, sequence, preceded_at, time, traceparent, attempts,
        data::text AS data
    FROM outbox
    WHERE published_at IS NULL AND parked_at IS NULL AND position <> ALL(%s)
    ORDER BY position LIMIT %s
"""
# The condition names the small index of what waits; without it the whole table would be read.
_MARK = """
    UPDATE outbox SET published_at = %s
    WHERE position = ANY(%s) AND published_at IS NULL AND parked_at IS NULL
"""
_REFUSED = """
    UPDATE outbox SET attempts = attempts + 1, last_error = %s,
        parked_at = CASE WHEN attempts + 1 >= %s THEN %s::timestamptz END
    WHERE id = %s
"""
_BACKLOG = """
    SELECT count(*) FILTER (WHERE parked_at IS NULL) AS waiting,
        count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked,
        min(time) FILTER (WHERE parked_at IS NULL) AS oldest
    FROM outbox WHERE published_at IS NULL
"""

log = logs.get_logger()


@dataclass(slots=True)
class _Batch:
    """Rows of the outbox on their way, and what became of them."""

    rows: list[Any]
    messages: list[Message]
    refused: dict[str, str] = field(default_factory=dict)
    marked: bool = False


class Relay:
    """The relay of one service.

    Args:
        database: the service's; the relay has one connection of its own to it.
        bus: where the events go.
        source: the service's folder name, CloudEvents ``source``.
        prefix: reverse domain name before the types.
        clock: for the marks.
        refusal_limit: an event refused this often by a bus that answers is parked.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        *,
        source: str,
        prefix: str,
        clock: Clock,
        refusal_limit: int = REFUSAL_LIMIT,
    ) -> None:
        self._database = database
        self._bus = bus
        self._source = source
        self._prefix = prefix
        self._clock = clock
        self._refusal_limit = refusal_limit
        self._failures = 0
        self._resting: dict[int, float] = {}  # refused events, and when they are tried again
        self._measure_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Until ``stop``; outlives the database and the bus going away."""
        failures = 0
        with ThreadPoolExecutor(1, thread_name_prefix=f"{self._source} relay") as pool:
            while not stop.is_set():
                try:
                    self._serve(pool, stop)
                    failures = 0
                except psycopg.Error as error:
                    failures += 1
                    log.warning("relay lost its database", error=type(error).__name__)
                    stop.wait(pause_after(failures))

    def _serve(self, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        name = f"{self._source} relay"
        with Listener(self._database.url, name=name, channels=[CHANNEL]) as listener:
            while not listener.elected(RELAY_LOCK, 0):
                if stop.wait(POLL_SECONDS):
                    return
            # A mark that is lost with the power only means that something is published once more.
            listener.connection.execute("SET synchronous_commit = off")
            while not stop.is_set():
                carried = self._carry(listener.connection, pool, stop)
                self._measure(listener.connection)
                if not carried:
                    listener.wait(POLL_SECONDS)

    def _carry(
        self, connection: psycopg.Connection[Any], pool: ThreadPoolExecutor, stop: threading.Event
    ) -> int:
        """Publish what waits; how many events the bus was given.

        While a full batch is with the bus, the one before it is marked and the next one is read.
        """
        carried = 0
        before: _Batch | None = None
        batch = self._read(connection, besides=[])
        while batch is not None and not stop.is_set():
            following = None
            try:
                if len(batch.rows) < BATCH:
                    self._publish(batch)
                    self._mark(connection, before)
                else:
                    publishing = pool.submit(self._publish, batch)
                    self._mark(connection, before)
                    following = self._read(connection, besides=[r.position for r in batch.rows])
                    publishing.result()
                self._failures = 0
            except BusUnavailable as error:
                self._failures += 1
                log.warning("bus unavailable", reason=str(error), waiting=len(batch.rows))
                self._mark(connection, before)
                stop.wait(pause_after(self._failures))
                return 0
            carried += len(batch.rows)
            before, batch = batch, following
        self._mark(connection, before)
        return carried

    def _read(self, connection: psycopg.Connection[Any], besides: list[int]) -> _Batch | None:
        """The next events in the order of their positions, but for those in hand or resting."""
        self._resting = {p: at for p, at in self._resting.items() if at > time.monotonic()}
        with connection.cursor(row_factory=namedtuple_row) as cursor:
            cursor.execute(_WAITING, ([*besides, *self._resting], BATCH), prepare=True)
            rows: list[Any] = cursor.fetchall()
        if not rows:
            return None
        return _Batch(rows, [encode(self._envelope(row), self._prefix) for row in rows])

    def _publish(self, batch: _Batch) -> None:
        try:
            self._bus.publish(batch.messages)
        except Refused as error:
            batch.refused = error.reasons

    def _mark(self, connection: psycopg.Connection[Any], batch: _Batch | None) -> None:
        """What is confirmed is done; what is refused is tried again later, but not for ever."""
        if batch is None or batch.marked:
            return
        taken = [row.position for row in batch.rows if row.id not in batch.refused]
        connection.execute(_MARK, (self._clock.now(), taken), prepare=True)
        metrics.EVENTS_PUBLISHED.labels(self._source).inc(len(taken))
        for row in batch.rows:
            if row.id in batch.refused:
                self._refuse(connection, row, batch.refused[row.id])
        batch.marked = True

    def _envelope(self, row: Any) -> Envelope:
        return Envelope(
            id=row.id,
            type=row.type,
            source=self._source,
            stream=row.stream,
            subject=row.subject,
            time=row.time,
            sequence=row.sequence,
            data=cast(Any, orjson.Fragment(row.data)),  # written as it is stored
            preceded_at=row.preceded_at,
            traceparent=row.traceparent,
        )

    def _refuse(self, connection: psycopg.Connection[Any], row: Any, reason: str) -> None:
        """Try again after a pause; after the limit a person has to look at it."""
        connection.execute(_REFUSED, (reason, self._refusal_limit, self._clock.now(), row.id))
        self._resting[row.position] = time.monotonic() + pause_after(row.attempts + 1)
        log.error("bus refused an event", event_id=row.id, type=row.type, reason=reason)

    def _measure(self, connection: psycopg.Connection[Any]) -> None:
        """What waits, what is parked, and how old the oldest is."""
        if time.monotonic() < self._measure_at:
            return
        self._measure_at = time.monotonic() + MEASURE_SECONDS
        waiting, parked, oldest = connection.execute(_BACKLOG).fetchone() or (0, 0, None)
        lag = 0.0 if oldest is None else (self._clock.now() - oldest).total_seconds()
        metrics.OUTBOX_WAITING.labels(self._source).set(waiting)
        metrics.OUTBOX_PARKED.labels(self._source).set(parked)
        metrics.OUTBOX_LAG_SECONDS.labels(self._source).set(max(lag, 0.0))
