"""The relay loses nothing, whatever goes away under it, and keeps each subject's order."""

import threading
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text

from servicekit import metrics
from servicekit.bus import DONE, connect
from servicekit.bus.envelope import decode
from servicekit.clock import SystemClock
from servicekit.outbox import Event, announce
from servicekit.relay import Relay

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
PREFIX = "cn.gov.test"


def tell(db, subject="a", n=0):
    event = Event("telling.matter.happened.v1", subject, NOW + timedelta(seconds=n), {"n": n})
    announce(db, event)
    return event


def relay(database, bus, **more):
    return Relay(database, bus, source="telling", prefix=PREFIX, clock=SystemClock(), **more)


@pytest.fixture
def came(bus, running):
    """What arrives on a queue bound to everything."""
    bus.declare("test", ["#"])
    envelopes = []

    def handle(batch):
        envelopes.extend(decode(delivery.message.body, PREFIX) for delivery in batch)
        return [DONE for _ in batch]

    with running(lambda stop: bus.consume("test", handle, stop)):
        yield envelopes


def unpublished(database):
    with database.reading() as db:
        query = "SELECT count(*) FROM outbox WHERE published_at IS NULL AND parked_at IS NULL"
        return db.execute(text(query)).scalar_one()


def first_times(envelopes):
    """Numbers per subject in the order in which each was first seen."""
    order = defaultdict(dict)
    for envelope in envelopes:
        order[envelope.subject].setdefault(envelope.sequence)
    return {subject: list(numbers) for subject, numbers in order.items()}


def test_what_is_announced_arrives_whole_and_is_marked(database, bus, came, running, wait_until):
    with running(relay(database, bus).run):
        with database.transaction() as db:
            first, second = tell(db, "a", 1), tell(db, "a", 2)
        wait_until(lambda: len(came) == 2 and unpublished(database) == 0)
    one, two = came
    assert (one.id, two.id) == (first.id, second.id)
    assert (one.source, one.stream, one.subject) == ("telling", "fact", "a")
    assert one.type == "telling.matter.happened.v1"
    assert one.data == {"n": 1}
    assert (one.sequence, one.preceded_at) == (1, None)
    assert (two.sequence, two.preceded_at, two.time) == (2, first.time, second.time)


def test_what_commits_late_is_not_passed_over(database, bus, came, running, wait_until):
    with running(relay(database, bus).run):
        with database.transaction() as slow:
            early = tell(slow, "a")  # the lower position, still uncommitted
            with database.transaction() as quick:
                tell(quick, "b")
            wait_until(lambda: [e.subject for e in came] == ["b"])
        wait_until(lambda: [e.subject for e in came] == ["b", "a"])
    assert came[-1].id == early.id


def test_what_was_announced_while_no_relay_ran_is_carried(database, bus, came, running, wait_until):
    with database.transaction() as db:
        for n in range(1234):
            tell(db, f"s{n % 7}", n)
    with running(relay(database, bus).run):
        wait_until(lambda: len(came) == 1234)
    assert all(numbers == sorted(numbers) for numbers in first_times(came).values())


def test_relays_side_by_side_publish_once_and_one_takes_over_from_another(
    database, database_url, bus, came, running, wait_until
):
    with running(relay(database, bus).run), running(relay(database, bus).run):
        for n in range(300):
            with database.transaction() as db:
                tell(db, f"s{n % 5}", n)
        wait_until(lambda: unpublished(database) == 0)
        assert max(Counter(e.id for e in came).values()) == 1, "two worked at once"
        kills = 0
        for n in range(300, 600):
            with database.transaction() as db:
                tell(db, f"s{n % 5}", n)
            if n % 100 == 50:  # a relay that was just ended may not be back yet
                wait_until(lambda: end_connections(database_url, "telling relay"))
                kills += 1
        wait_until(lambda: unpublished(database) == 0)
        wait_until(lambda: len({e.id for e in came}) == 600)
    assert kills == 3
    for numbers in first_times(came).values():
        assert numbers == list(range(1, 121))


def end_connections(url, name):
    """What a killed process leaves behind: nothing; its connections are gone."""
    with psycopg.connect(url, autocommit=True) as admin:
        query = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()"
        )
        return len(admin.execute(query, (name,)).fetchall())


def allow_connections(postgres, url, allowed):
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {str(allowed).lower()}")
        if not allowed:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )


def test_while_the_bus_is_away_nothing_is_lost_and_everything_goes_out_after(
    database, bus, bus_url, came, postgres, running, wait_until
):
    with running(relay(database, bus).run):
        with database.transaction() as db:
            tell(db, "a", 1)
        wait_until(lambda: len(came) == 1)
        allow_connections(postgres, bus_url, False)
        with database.transaction() as db:
            for n in range(2, 50):
                tell(db, "a", n)
        wait_until(lambda: not bus.is_up())
        assert unpublished(database) == 48
        allow_connections(postgres, bus_url, True)
        wait_until(lambda: len({e.id for e in came}) == 49)
        wait_until(lambda: unpublished(database) == 0)
    assert first_times(came) == {"a": list(range(1, 50))}


def test_the_relay_outlives_its_own_database(
    database, database_url, bus, came, postgres, running, wait_until
):
    with running(relay(database, bus).run) as one:
        with database.transaction() as db:
            tell(db, "a", 1)
        wait_until(lambda: came)
        database.close()
        allow_connections(postgres, database_url, False)
        one.thread.join(0.3)
        assert one.thread.is_alive()
        allow_connections(postgres, database_url, True)
        with database.transaction() as db:
            tell(db, "a", 2)
        wait_until(lambda: first_times(came) == {"a": [1, 2]})


@pytest.mark.rabbitmq
@pytest.mark.xdist_group("rabbitmq")
def test_an_event_the_bus_will_not_take_is_parked_with_the_reason_and_holds_up_nobody(
    database, rabbit_node, running, wait_until
):
    with database.transaction() as db:
        for n in range(30):
            tell(db, f"s{n}", n)
        # Too big for the broker; announce would have refused it, a plain INSERT does not.
        db.execute(
            text("UPDATE outbox SET data = jsonb_build_object('x', repeat('x', 2000000))"
                 " WHERE subject = 's7'")
        )  # fmt: skip
    bus = connect(rabbit_node.url, service="test")
    with running(relay(database, bus, refusal_limit=3).run):
        wait_until(lambda: unpublished(database) == 0)
    bus.close()
    with database.reading() as db:
        rows = db.execute(
            text("SELECT subject, attempts, last_error FROM outbox WHERE parked_at IS NOT NULL")
        ).all()
    [(subject, attempts, reason)] = rows
    assert (subject, attempts) == ("s7", 3)
    assert "message size" in reason


def test_the_backlog_is_measured(database, bus, running, wait_until):
    with database.transaction() as db:
        tell(db, "a")
        tell(db, "b")
        db.execute(text("UPDATE outbox SET parked_at = now() WHERE subject = 'b'"))
    stop = threading.Event()
    stop.set()
    one = relay(database, bus)
    with psycopg.connect(database.url, autocommit=True) as connection:
        one._measure(connection)
    body = metrics.render()[0].decode()
    assert 'jiuye_outbox_waiting{service="telling"} 1.0' in body
    assert 'jiuye_outbox_parked{service="telling"} 1.0' in body
    assert 'jiuye_outbox_lag_seconds{service="telling"}' in body
