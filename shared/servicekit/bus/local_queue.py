"""One reader's hold on one queue of the local bus: claim under a lease, then settle."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from servicekit.bus import Delivery, Message, Verdict, pause_after
from servicekit.listening import LEASE_LOCK, Listener

DEAD_SECONDS = 0.5  # how long a dead reader's deliveries may lie

TABLES = """
    CREATE TABLE IF NOT EXISTS queue (
        name text PRIMARY KEY,
        owner integer  -- the lease of a temporary queue's only reader
    );
    CREATE TABLE IF NOT EXISTS binding (
        queue text NOT NULL REFERENCES queue ON DELETE CASCADE,
        key text NOT NULL,
        pattern text NOT NULL,
        PRIMARY KEY (queue, key)
    );
    CREATE TABLE IF NOT EXISTS delivery (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        queue text NOT NULL REFERENCES queue ON DELETE CASCADE,
        id text NOT NULL,
        routing_key text NOT NULL,
        body bytea NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL DEFAULT '-infinity',
        lease integer
    );
    CREATE INDEX IF NOT EXISTS delivery_free ON delivery (queue, position) WHERE lease IS NULL;
    CREATE INDEX IF NOT EXISTS delivery_leased ON delivery (lease) WHERE lease IS NOT NULL;
    CREATE TABLE IF NOT EXISTS dead_letter (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        queue text NOT NULL,
        id text NOT NULL,
        routing_key text NOT NULL,
        body bytea NOT NULL,
        reason text NOT NULL,
        attempts integer NOT NULL,
        died_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX IF NOT EXISTS dead_letter_queue ON dead_letter (queue, position);
    CREATE SEQUENCE IF NOT EXISTS lease_number AS integer CYCLE;
"""

_CLAIM = """
    UPDATE delivery SET lease = %(lease)s, attempts = attempts + 1
    WHERE position IN (
        SELECT position FROM delivery
        WHERE queue = %(queue)s AND lease IS NULL AND due_at <= clock_timestamp()
        ORDER BY position LIMIT %(most)s FOR UPDATE SKIP LOCKED)
    RETURNING position, id, routing_key, body, attempts
"""

_LIVE_LEASES = f"""
    SELECT objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND classid = {LEASE_LOCK} AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 - a number of ours

_BURY = """
    WITH gone AS (
        DELETE FROM delivery WHERE position = %s AND lease = %s RETURNING *)
    INSERT INTO dead_letter (queue, id, routing_key, body, reason, attempts)
    SELECT queue, id, routing_key, body, %s, attempts FROM gone
"""


@dataclass(frozen=True, slots=True)
class Leased(Delivery):
    """A delivery and its row."""

    position: int = 0


class LocalQueue:
    """Reads one queue on one connection, which may die at any moment.

    Args:
        listener: the reader's own connection.
        queue: its name, which is also the channel it is woken on.
    """

    def __init__(self, listener: Listener, queue: str) -> None:
        self.queue = queue
        self._listener = listener
        self._connection = listener.connection
        self._next_due = float("inf")
        row = self._connection.execute("SELECT nextval('lease_number')").fetchone()
        assert row is not None
        self.lease = int(row[0])
        if not listener.elected(LEASE_LOCK, self.lease):
            raise psycopg.OperationalError("the lease number came round to a living reader")
        # A lost lease or receipt only means that something is handed out once more.
        self._connection.execute("SET synchronous_commit = off")
        listener.listen(queue)
        self._free_the_dead()

    def __enter__(self) -> LocalQueue:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._connection.closed:
            self._connection.execute("DELETE FROM queue WHERE owner = %s", (self.lease,))

    def claim(self, most: int) -> list[Leased]:
        """Lease the oldest free deliveries."""
        if time.monotonic() > self._look_for_dead_at:
            self._free_the_dead()
        rows = self._connection.execute(
            _CLAIM, {"lease": self.lease, "queue": self.queue, "most": most}, prepare=True
        ).fetchall()
        return [
            Leased(Message(message_id, routing_key, bytes(body)), attempts, position)
            for position, message_id, routing_key, body, attempts in sorted(rows)
        ]

    def settle(self, judged: Sequence[tuple[Leased, Verdict]]) -> None:
        """Carry out the verdicts, all or none."""
        done = [d.position for d, v in judged if v.kind == "done"]
        with self._connection.transaction():
            self._connection.execute(
                "DELETE FROM delivery WHERE position = ANY(%s) AND lease = %s", (done, self.lease)
            )
            for delivery, verdict in judged:
                if verdict.kind == "dead":
                    self._connection.execute(
                        _BURY, (delivery.position, self.lease, verdict.reason[:500])
                    )
                elif verdict.kind == "retry":
                    self._put_back(delivery.position, pause_after(delivery.attempt))

    def wait(self, seconds: float) -> None:
        """Until something is published or due."""
        pause = min(seconds, max(0.0, self._next_due - time.monotonic()))
        self._listener.wait(pause)
        if self._next_due <= time.monotonic():
            self._next_due = float("inf")

    def _put_back(self, position: int, pause: float) -> None:
        self._connection.execute(
            "UPDATE delivery SET lease = NULL, due_at = clock_timestamp() + %s * interval '1 s'"
            " WHERE position = %s AND lease = %s",
            (pause, position, self.lease),
        )
        self._next_due = min(self._next_due, time.monotonic() + pause)

    def _free_the_dead(self) -> None:
        """Void the leases, and remove the temporary queues, of readers that are gone."""
        self._look_for_dead_at = time.monotonic() + DEAD_SECONDS
        self._connection.execute(
            f"UPDATE delivery SET lease = NULL WHERE lease IS NOT NULL AND queue = %s"  # noqa: S608
            f" AND lease NOT IN ({_LIVE_LEASES})",
            (self.queue,),
        )
        self._connection.execute(
            f"DELETE FROM queue WHERE owner IS NOT NULL AND owner NOT IN ({_LIVE_LEASES})"  # noqa: S608
        )


def create_tables(connection: psycopg.Connection[Any]) -> None:
    """Make the bus's tables where they are missing; two who start at once do it one after other."""
    found = connection.execute("SELECT to_regclass('lease_number') IS NOT NULL").fetchone()
    if found and found[0]:
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", (LEASE_LOCK,))
        connection.execute(TABLES)


def topic_pattern(key: str) -> str:
    """A binding key as a regular expression over a routing key with a dot before each word.

    ``*`` is one word and ``#`` any number, none included, as AMQP's topic exchanges have it.
    """
    words = {"*": r"\.[^.]*", "#": r"(\.[^.]*)*"}
    escaped = (words.get(word, r"\." + _escape(word)) for word in key.split("."))
    return f"^{''.join(escaped)}$"


def _escape(word: str) -> str:
    return "".join(c if c.isalnum() or c == "-" else f"\\{c}" for c in word)
