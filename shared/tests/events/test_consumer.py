"""A failing event stands alone: it is tried, judged and kept, and the others take effect."""

import random
from datetime import UTC, datetime

import psycopg
import pytest

from servicekit.bus import FAILURE_LIMIT, Message
from servicekit.bus.envelope import encode
from servicekit.clock import SystemClock
from servicekit.consumer import Consumer

PREFIX = "cn.gov.test"


@pytest.fixture
def consumer(hearing, bus):
    return Consumer(
        hearing.database, bus, hearing.subscriptions, prefix=PREFIX, clock=SystemClock()
    )


def publish(bus, *envelopes):
    bus.publish([encode(envelope, PREFIX) for envelope in envelopes])


def test_binding_remembers_since_when(hearing, bus, consumer):
    before = datetime.now(UTC)
    consumer.bind()
    consumer.bind()
    with hearing.database.reading() as db:
        assert hearing.subscriptions.former(db) == set()
    assert hearing.count("subscription") == 1
    publish(bus, hearing.event(7))
    assert before <= datetime.now(UTC)


def test_poison_is_dead_with_its_reason_and_everything_else_is_applied(
    hearing, bus, consumer, running, wait_until
):
    good = [hearing.event(n, f"s{s}") for s in range(30) for n in range(1, 6)]
    failing = [hearing.event(1, f"bad{n}") for n in range(5)]
    torn = [Message(f"torn{n}", "fact.telling.matter.happened.v1", b"{") for n in range(5)]
    unreadable = hearing.event(1, "unreadable")
    unreadable.data.clear()

    def fail(envelope):
        if envelope.subject.startswith("bad"):
            raise ConnectionError("never quoted: 13900001111")

    hearing.before = fail
    consumer.bind()
    messages = [encode(e, PREFIX) for e in (*good, *failing, unreadable)] + torn
    random.Random(1).shuffle(messages)
    bus.publish(messages)
    with running(consumer.run):
        wait_until(lambda: len(hearing.heard) == len(good))
        wait_until(lambda: len(bus.list_dead(hearing.subscriptions.service)) == 11)
    reasons = {
        letter.message.id: letter.reason for letter in bus.list_dead(hearing.subscriptions.service)
    }
    assert {reasons[f"torn{n}"] for n in range(5)} == {"not JSON"}
    assert {reasons[e.id] for e in failing} == {"ConnectionError"}
    assert reasons[unreadable.id] == "n wrong or missing"
    for s in range(30):
        assert [n for subject, n in hearing.heard if subject == f"s{s}"] == [1, 2, 3, 4, 5]


def test_after_the_mend_dead_letters_are_driven_back_and_their_successors_follow(
    hearing, bus, consumer, running, wait_until
):
    """Told in the first moments of a subscription, when predecessors may be from before it."""

    def fail(envelope):
        if envelope.sequence == 2:
            raise ZeroDivisionError

    hearing.before = fail
    consumer.bind()
    with running(consumer.run):
        publish(bus, *(hearing.event(n) for n in range(1, 6)))
        wait_until(lambda: bus.list_dead(hearing.subscriptions.service))
        [letter] = bus.list_dead(hearing.subscriptions.service)
        assert (letter.reason, letter.attempts) == ("ZeroDivisionError", FAILURE_LIMIT)
        assert hearing.heard == [("a", 1)], "order is kept: 3 waits for 2"
        hearing.before = lambda _: None
        assert bus.redrive(hearing.subscriptions.service) == 1
        wait_until(lambda: len(hearing.heard) == 5)
    assert hearing.heard == [("a", n) for n in range(1, 6)]


def test_a_database_that_goes_away_costs_no_event_its_attempts(
    hearing, bus, consumer, running, wait_until
):
    consumer.bind()
    with running(consumer.run):
        for n in range(1, 61):
            publish(bus, hearing.event(n))
            if n % 10 == 0:
                with psycopg.connect(hearing.database.url, autocommit=True) as admin:
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'hearing' AND datname = current_database()"
                    )
        wait_until(lambda: len(hearing.heard) == 60)
    assert hearing.heard == [("a", n) for n in range(1, 61)]
    assert bus.list_dead(hearing.subscriptions.service) == []


def test_consumers_side_by_side_keep_the_order_of_each_subject(
    hearing, bus, consumer, running, wait_until
):
    consumer.bind()
    events = [hearing.event(n, f"s{s}") for n in range(1, 41) for s in range(10)]
    with running(consumer.run), running(consumer.run):
        for start in range(0, len(events), 40):
            publish(bus, *events[start : start + 40])
        wait_until(lambda: len(hearing.heard) == len(events))
    for s in range(10):
        assert [n for subject, n in hearing.heard if subject == f"s{s}"] == list(range(1, 41))
    assert hearing.count("event_parked") == 0
