"""The bus of one machine: queues and deliveries are rows in a PostgreSQL database of their own.

It keeps RabbitMQ's promises as the suite uses them and serves what one PostgreSQL carries; what
outgrows that takes ``amqp://``. A consumer leases deliveries under a number it holds as a session
lock: when its connection ends, by ``kill -9`` or otherwise, the lock is free, the lease is void and
the next reader gets them. ``bus.local_queue`` holds the SQL.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from servicekit import logs
from servicekit.bus import (
    DELIVERY_LIMIT,
    DONE,
    BusUnavailable,
    DeadLetter,
    Delivery,
    Handle,
    Hear,
    Message,
    Verdict,
    dead,
    pause_after,
    retry,
)
from servicekit.bus.local_queue import Leased, LocalQueue, create_tables, topic_pattern
from servicekit.db import new_id
from servicekit.listening import Listener

POLL_SECONDS = 0.25  # for stop, for leases of the dead, and for a notification that was lost

log = logs.get_logger()

_PUBLISH = """
    WITH message AS (
        SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[])
            WITH ORDINALITY AS m (id, routing_key, body, place)),
    put AS (
        INSERT INTO delivery (queue, id, routing_key, body)
        SELECT q.name, m.id, m.routing_key, m.body FROM message m CROSS JOIN queue q
        WHERE EXISTS (
            SELECT FROM binding b WHERE b.queue = q.name AND '.' || m.routing_key ~ b.pattern)
        ORDER BY m.place
        RETURNING queue)
    SELECT pg_notify(name, '') FROM (SELECT DISTINCT queue AS name FROM put) AS woken
"""


class LocalBus:
    """See ``servicekit.bus.Bus``.

    Args:
        url: the bus's own PostgreSQL database.
        service: who is asking.
    """

    def __init__(self, url: str, *, service: str) -> None:
        self._url = url
        self._name = f"{service} bus"
        self._publishing: Listener | None = None
        self._one_publisher = threading.Lock()
        self._up = False

    def declare(
        self, queue: str, binding_keys: Sequence[str], *, former: Sequence[str] = ()
    ) -> None:
        with self._asking() as connection, connection.transaction():
            _bind(connection, queue, binding_keys, owner=None)
            connection.execute(
                "DELETE FROM binding WHERE queue = %s AND key = ANY(%s)", (queue, list(former))
            )

    def publish(self, messages: Sequence[Message]) -> None:
        columns = (
            [m.id for m in messages],
            [m.routing_key for m in messages],
            [m.body for m in messages],
        )
        with self._one_publisher:
            try:
                if self._publishing is None:
                    self._publishing = self._connect()
                self._publishing.connection.execute(_PUBLISH, columns, prepare=True)
            except psycopg.Error as error:
                self._up = False
                if self._publishing is not None:
                    self._publishing.close()
                    self._publishing = None
                raise BusUnavailable(f"local bus: {type(error).__name__}") from error

    def consume(
        self, queue: str, handle: Handle, stop: threading.Event, *, prefetch: int = 400
    ) -> None:
        def serve(listener: Listener) -> None:
            with LocalQueue(listener, queue) as leased:
                while not stop.is_set():
                    if batch := leased.claim(prefetch // 2):
                        leased.settle(_judge(batch, handle))
                    else:
                        leased.wait(POLL_SECONDS)

        self._keep(serve, stop)

    def listen(
        self,
        binding_keys: Sequence[str],
        hear: Hear,
        stop: threading.Event,
        *,
        queue: str | None = None,
        started: Callable[[], None] | None = None,
    ) -> None:
        def hear_each(batch: Sequence[Delivery]) -> list[Verdict]:
            return [_tell(hear, delivery, again=queue is not None) for delivery in batch]

        def serve(listener: Listener) -> None:
            with LocalQueue(listener, queue or f"listener-{new_id()}") as leased:
                with listener.connection.transaction():
                    owner = None if queue else leased.lease
                    _bind(listener.connection, leased.queue, binding_keys, owner=owner)
                if started is not None:
                    started()
                while not stop.is_set():
                    if batch := leased.claim(1 if queue else 100):
                        leased.settle(_judge(batch, hear_each))
                    else:
                        leased.wait(POLL_SECONDS)

        self._keep(serve, stop)

    def list_dead(self, queue: str, limit: int = 100) -> list[DeadLetter]:
        with self._asking() as connection:
            rows = connection.execute(
                "SELECT id, routing_key, body, reason, attempts FROM dead_letter"
                " WHERE queue = %s ORDER BY position LIMIT %s",
                (queue, limit),
            ).fetchall()
        return [DeadLetter(Message(i, key, bytes(body)), why, n) for i, key, body, why, n in rows]

    def redrive(self, queue: str, limit: int = 1000) -> int:
        with self._asking() as connection, connection.transaction():
            moved = connection.execute(
                """
                WITH gone AS (
                    DELETE FROM dead_letter WHERE position IN (
                        SELECT position FROM dead_letter WHERE queue = %s
                        ORDER BY position LIMIT %s FOR UPDATE SKIP LOCKED)
                    RETURNING *)
                INSERT INTO delivery (queue, id, routing_key, body)
                SELECT queue, id, routing_key, body FROM gone ORDER BY position
                """,
                (queue, limit),
            ).rowcount
            connection.execute("SELECT pg_notify(%s, '')", (queue,))
        return moved

    def is_up(self) -> bool:
        return self._up

    def close(self) -> None:
        with self._one_publisher:
            if self._publishing is not None:
                self._publishing.close()
                self._publishing = None

    def _connect(self) -> Listener:
        listener = Listener(self._url, name=self._name)
        try:
            create_tables(listener.connection)
        except psycopg.Error:
            listener.close()
            raise
        self._up = True
        return listener

    def _asking(self) -> _Asking:
        return _Asking(self._connect)

    def _keep(self, serve: Callable[[Listener], None], stop: threading.Event) -> None:
        """Serve on one connection after another until ``stop``."""
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                with self._connect() as listener:
                    serve(listener)
            except psycopg.Error as error:
                self._up = False
                failures = 1 if time.monotonic() - began > POLL_SECONDS else failures + 1
                log.warning("bus connection lost", bus="local", error=type(error).__name__)
                stop.wait(pause_after(failures))


class _Asking:
    """One connection for one question; PostgreSQL's errors become the bus's."""

    def __init__(self, connect: Callable[[], Listener]) -> None:
        self._connect = connect

    def __enter__(self) -> psycopg.Connection[Any]:
        try:
            self._listener = self._connect()
        except psycopg.Error as error:
            raise BusUnavailable(f"local bus: {type(error).__name__}") from error
        return self._listener.connection

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._listener.close()
        if isinstance(error, psycopg.Error):
            raise BusUnavailable(f"local bus: {type(error).__name__}") from error


def _bind(
    connection: psycopg.Connection[Any], queue: str, keys: Sequence[str], *, owner: int | None
) -> None:
    connection.execute(
        "INSERT INTO queue (name, owner) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING",
        (queue, owner),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO binding (queue, key, pattern) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [(queue, key, topic_pattern(key)) for key in sorted(keys)],
        )


def _judge(batch: Sequence[Leased], handle: Handle) -> list[tuple[Leased, Verdict]]:
    """Ask the reader about what was not handed out too often already."""
    judged = [(d, dead("handed out too often without an answer")) for d in batch if _worn(d)]
    fresh = [d for d in batch if not _worn(d)]
    if fresh:
        verdicts = handle(fresh)
        judged += [(d, v.at(d.attempt)) for d, v in zip(fresh, verdicts, strict=True)]
    return judged


def _worn(delivery: Delivery) -> bool:
    return delivery.attempt > DELIVERY_LIMIT


def _tell(hear: Hear, delivery: Delivery, *, again: bool) -> Verdict:
    try:
        hear(delivery.message)
    except Exception as error:
        log.exception("a listener failed", event_id=delivery.message.id)
        return retry(type(error).__name__) if again else DONE
    return DONE
