"""What a bus does about readers that crash, hang on long, and brokers that go away."""

import threading
import time

import pytest

from servicekit import bus as promises
from servicekit.bus import DONE, BusUnavailable, connect, local, rabbit
from servicekit.bus.rabbit import link
from servicekit.testing.waiting import until

pytestmark = pytest.mark.xdist_group("rabbitmq")


class Crash(Exception):
    """The reader dies without a verdict."""


def test_a_message_that_kills_its_readers_is_a_dead_letter_in_the_end(under_test, monkeypatch):
    for module in (promises, local, rabbit):
        monkeypatch.setattr(module, "DELIVERY_LIMIT", 3)
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    under_test.bus.publish([killer := under_test.message()])
    crashes = 0

    def crash(_):
        raise Crash

    deadline = time.monotonic() + 30
    while not under_test.bus.list_dead(under_test.queue):
        assert time.monotonic() < deadline
        stop = threading.Event()
        timer = threading.Timer(1.5, stop.set)  # nothing comes any more once it is dead
        timer.start()
        try:
            under_test.bus.consume(under_test.queue, crash, stop)
        except Crash:
            crashes += 1
        timer.cancel()
    [letter] = under_test.bus.list_dead(under_test.queue)
    assert letter.message == killer
    assert 3 <= crashes <= 4
    assert letter.reason


@pytest.mark.rabbitmq
def test_a_handler_that_takes_longer_than_the_heartbeat_keeps_its_connection(
    rabbit_node, monkeypatch
):
    monkeypatch.setattr(link, "HEARTBEAT_SECONDS", 1)
    bus = connect(rabbit_node.url, service="slow")
    bus.declare("slow", ["slow.#"])
    bus.publish([promises.Message("1", "slow.a", b"x")])
    handled, stop, never = [], threading.Event(), threading.Event()

    def handle(batch):
        never.wait(4)  # RabbitMQ gives a silent peer up after two heartbeats
        handled.extend(delivery.attempt for delivery in batch)
        return [DONE for _ in batch]

    thread = threading.Thread(target=bus.consume, args=("slow", handle, stop))
    thread.start()
    until(lambda: handled)
    bus.publish([promises.Message("2", "slow.a", b"x")])
    until(lambda: len(handled) == 2)
    stop.set()
    thread.join(20)
    bus.close()
    assert handled == [1, 1]


@pytest.fixture
def patient(rabbit_node):
    """A bus whose listener has begun; with what it heard and how often it began."""
    bus = connect(rabbit_node.url, service="patient")
    heard, starts, stop = [], [], threading.Event()
    thread = threading.Thread(
        target=bus.listen,
        args=(["patient.#"], lambda message: heard.append(message.id), stop),
        kwargs={"started": lambda: starts.append(1)},
    )
    thread.start()
    try:
        until(lambda: starts)
        yield bus, heard, starts
    finally:
        stop.set()
        thread.join(20)
        bus.close()


@pytest.mark.rabbitmq
def test_publisher_and_listener_come_back_after_the_broker(rabbit_node, patient):
    bus, heard, starts = patient
    bus.publish([promises.Message("before", "patient.a", b"x")])
    until(lambda: heard == ["before"])
    rabbit_node.kill()
    with pytest.raises(BusUnavailable):
        bus.publish([promises.Message("lost", "patient.a", b"x")])
    assert not bus.is_up()
    rabbit_node.restart()
    began = time.monotonic()
    until(lambda: len(starts) == 2)
    until(bus.is_up)
    assert time.monotonic() - began < 5
    bus.publish([promises.Message("after", "patient.a", b"x")])
    until(lambda: heard == ["before", "after"])
