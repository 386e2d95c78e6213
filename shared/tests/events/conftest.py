"""A service that hears: its handler writes down what took effect, in the order in which it did."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from marshmallow import Schema, fields
from sqlalchemy import text
from sqlalchemy.orm import Session

from servicekit.bus import Bus, connect
from servicekit.columns import new_id
from servicekit.db import Database
from servicekit.inbox import Envelope, Subscriptions
from servicekit.testing.postgres import TestPostgres
from servicekit.testing.waiting import until

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


class Reading(Schema):
    """What the hearing service wants to know."""

    n = fields.Int(required=True, strict=True)


@dataclass
class Hearing:
    """The hearing service: its subscriptions, its database, and what took effect."""

    database: Database
    # Tests share a RabbitMQ node: a queue of the same name would hold what others were told.
    subscriptions: Subscriptions = field(
        default_factory=lambda: Subscriptions(f"hearing-{new_id()}")
    )
    before: Callable[[Envelope], None] = lambda _: None  # lets a test fail or delay a handler

    def __post_init__(self) -> None:
        with self.database.transaction() as db:
            db.execute(
                text(
                    "CREATE TABLE heard (place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                    " subject text, sequence bigint, event_id text)"
                )
            )

        @self.subscriptions.on("telling.matter.happened.v1", reads=Reading)
        def write_down(db: Session, value: dict[str, int], envelope: Envelope) -> None:
            assert value == {"n": envelope.data["n"]}
            self.before(envelope)
            db.execute(
                text("INSERT INTO heard (subject, sequence, event_id) VALUES (:s, :n, :i)"),
                {"s": envelope.subject, "n": envelope.sequence, "i": envelope.id},
            )

    def event(
        self,
        sequence: int,
        subject: str = "a",
        *,
        fact: str = "happened",
        event_id: str | None = None,
        began: datetime = NOW,
    ) -> Envelope:
        """Number ``sequence`` of a subject, each a second after the one before."""
        return Envelope(
            id=event_id or f"{subject}-{sequence}",
            type=f"telling.matter.{fact}.v1",
            source="telling",
            stream="fact",
            subject=subject,
            time=began + timedelta(seconds=sequence),
            sequence=sequence,
            data={"n": sequence, "unknown": "ignored"},
            preceded_at=began + timedelta(seconds=sequence - 1) if sequence > 1 else None,
        )

    def deliver(self, *envelopes: Envelope, now: datetime = NOW) -> list[str]:
        """One batch in one transaction; the outcomes."""
        with self.database.transaction() as db:
            return [str(o) for o in self.subscriptions.deliver_all(db, envelopes, now)]

    def begin(self, now: datetime) -> None:
        with self.database.transaction() as db:
            self.subscriptions.begin(db, now)

    @property
    def heard(self) -> list[tuple[str, int]]:
        """Subject and number, in the order of taking effect.

        Asked by a connection of its own: tests take the service's away.
        """
        with psycopg.connect(self.database.url) as db:
            return db.execute("SELECT subject, sequence FROM heard ORDER BY place").fetchall()

    def count(self, table: str) -> int:
        with self.database.reading() as db:
            return db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()

    def forget(self) -> None:
        """As if nothing had happened yet."""
        with self.database.transaction() as db:
            db.execute(text("TRUNCATE heard, inbox, event_progress, event_parked, subscription"))


class Running:
    """Something with ``run(stop)`` in a thread."""

    def __init__(self, run: Callable[[threading.Event], None]) -> None:
        self.stop = threading.Event()
        self.thread = threading.Thread(target=run, args=(self.stop,))

    def __enter__(self) -> Running:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive(), "it did not stop"


@pytest.fixture
def running() -> type[Running]:
    return Running


@pytest.fixture
def wait_until() -> Callable[..., None]:
    return until


@pytest.fixture
def bus_url(postgres: TestPostgres) -> Iterator[str]:
    """A local bus of the test's own."""
    with postgres.fresh_database() as url:
        yield f"local://{url}"


@pytest.fixture
def bus(bus_url: str) -> Iterator[Bus]:
    bus = connect(bus_url, service="test")
    yield bus
    bus.close()


@pytest.fixture
def hearing(postgres: TestPostgres, kit_template: str) -> Iterator[Hearing]:
    with postgres.fresh_database(kit_template.removeprefix("template_")) as url:
        database = Database(url, vault=None, application_name="hearing")
        yield Hearing(database)
        database.close()
