"""5,000 events and 6 kills of relay, consumer and broker: none lost, none doubled, all in order."""

import random
import threading
import time
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import text

from servicekit.bus import BusUnavailable, connect
from servicekit.bus.envelope import encode
from servicekit.ordering import Envelope
from servicekit.outbox import Event, announce
from servicekit.testing import waiting

EVENTS, SUBJECTS = 5_000, 200
VICTIMS = ["relay", "relay", "consumer", "consumer", "bus", "bus"]
PATIENCE = 90.0
until = partial(waiting.until, seconds=PATIENCE)

pytestmark = [
    pytest.mark.req("EV-01"),
    pytest.mark.xdist_group("rabbitmq"),
    pytest.mark.slow,
    pytest.mark.timeout(180),
]


def tell(database, chance, told=lambda events: None, count=EVENTS):
    """Announce the events, one to five in a transaction, about subjects at random."""
    left = count
    while left:
        events = [
            Event(
                "telling.matter.happened.v1",
                f"s{chance.randrange(SUBJECTS)}",
                datetime.now(UTC),
                {"n": left - i},
            )
            for i in range(min(left, chance.randint(1, 5)))
        ]
        with database.transaction() as db:
            for event in sorted(events, key=lambda e: e.subject):
                announce(db, event)
        told(events)
        left -= len(events)


def test_nothing_is_lost_doubled_or_out_of_order_under_six_kills(stage, seed):
    for name in ("consumer-1", "consumer-2", "relay-1", "relay-2"):
        stage.start(name)
    until(lambda: bound(stage))  # what nobody is bound to is nobody's loss
    teller = threading.Thread(target=tell, args=(stage.telling, random.Random(seed)))
    teller.start()
    victims = VICTIMS[:]
    stage.chance.shuffle(victims)
    for number, victim in enumerate(victims, start=1):
        until(lambda n=number: stage.count() >= n * EVENTS // (len(VICTIMS) + 2))
        stage.kill(victim if victim == "bus" else f"{victim}-{stage.chance.randint(1, 2)}")
    teller.join()
    until(lambda: stage.count() >= EVENTS)
    until(lambda: unpublished(stage.telling) == 0)
    settled(stage)
    found = stage.findings()
    assert found.announced == EVENTS
    assert (found.lost, found.doubled, found.disordered, found.left_parked) == (0, 0, 0, 0), (
        f"{found}, kills {victims}, CHAOS_SEED={seed}"
    )


def unpublished(database):
    with database.reading() as db:
        query = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
        return db.execute(text(query)).scalar_one()


def test_the_checker_finds_what_careless_code_loses_and_doubles(stage, seed):
    """The negative control: publish after the commit and hope; no inbox; acknowledge anything."""
    bus = connect(stage.bus_url, service="telling")
    bus.declare(stage.queue, ["#"])
    numbers = {}
    swallowed = []

    def publish_and_hope(events):
        envelopes = []
        for event in sorted(events, key=lambda e: e.subject):
            numbers[event.subject] = numbers.get(event.subject, 0) + 1
            envelopes.append(
                Envelope(
                    event.id,
                    event.type,
                    "telling",
                    event.stream,
                    event.subject,
                    event.time,
                    numbers[event.subject],
                    event.data,
                )
            )
        try:
            bus.publish([encode(envelope, "cn.gov.test") for envelope in envelopes])
        except BusUnavailable:
            swallowed.append(len(envelopes))

    chance = random.Random(seed)
    tell(stage.telling, chance, publish_and_hope, count=500)
    stage.start("careless-consumer-1")
    until(lambda: stage.count() > 0)  # in the midst of the first batch, which is a big one
    stage.kill("careless-consumer-1")
    breaker = threading.Thread(target=stage.kill, args=("bus",))
    breaker.start()
    while not swallowed:
        tell(stage.telling, chance, publish_and_hope, count=50)
    breaker.join()
    until(lambda: stage.count() > 500)
    settled(stage)
    bus.close()
    found = stage.findings()
    assert found.lost > 0, f"{found}, CHAOS_SEED={seed}"
    assert found.doubled > 0, f"{found}, CHAOS_SEED={seed}"


def bound(stage):
    with stage.hearing.reading() as db:
        return db.execute(text("SELECT count(*) FROM subscription")).scalar_one()


def settled(stage):
    """Nothing has come for a second."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < 1:
        if (now := stage.count()) != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.05)
