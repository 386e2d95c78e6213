"""What both buses promise, told once and asked of each."""

import subprocess
import sys
import threading
from collections import Counter
from functools import partial

import pytest

from servicekit.bus import (
    DONE,
    FAILURE_LIMIT,
    BusUnavailable,
    Delivery,
    Message,
    Verdict,
    connect,
    dead,
    retry,
)
from servicekit.testing import waiting

until = partial(waiting.until, seconds=20.0)
pytestmark = pytest.mark.xdist_group("rabbitmq")


def test_what_is_published_is_handed_out_once_and_whole(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    sent = [under_test.message(f"n{i}") for i in range(300)]
    with under_test.reading() as reading:
        under_test.bus.publish(sent)
        until(lambda: len(reading.deliveries) >= 300)
    assert [delivery.message for delivery in reading.deliveries] == sent
    assert {delivery.attempt for delivery in reading.deliveries} == {1}
    with under_test.reading() as later:
        under_test.bus.publish([last := under_test.message("last")])
        until(lambda: later.deliveries)
    assert later.ids == [last.id], "acknowledged deliveries came again"


def test_publishing_waits_for_a_queue_that_exists_before_its_reader(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    under_test.bus.publish([first := under_test.message()])
    under_test.bus.close()
    again = under_test.another()
    with under_test.reading(bus=again) as reading:
        until(lambda: reading.deliveries)
    assert reading.ids == [first.id]


def test_a_message_nobody_is_bound_to_is_no_error(under_test):
    under_test.bus.publish([under_test.message("nobody")])


@pytest.mark.parametrize(
    ("pattern", "heard"),
    [
        ("#", {"a", "a.b", "a.b.c", "x.b"}),
        ("a.#", {"a", "a.b", "a.b.c"}),
        ("a.*", {"a.b"}),
        ("*.b", {"a.b", "x.b"}),
        ("*.b.#", {"a.b", "a.b.c", "x.b"}),
        ("#.c", {"a.b.c"}),
        ("a", {"a"}),
        ("a.#.c", {"a.b.c"}),
        ("a.c", set()),
    ],
)
def test_binding_patterns_choose_words(under_test, pattern, heard):
    end = under_test.message("a.b", "end")
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.{pattern}", "end.#"])
    sent = [under_test.message(rest, rest) for rest in ("a", "a.b", "a.b.c", "x.b")]
    with under_test.reading() as reading:
        under_test.bus.publish([*sent, Message("end", "end.of.test", end.body)])
        until(lambda: "end" in reading.ids)
    assert set(reading.ids) - {"end"} == heard


def test_a_queue_bound_twice_gets_a_message_once(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#", f"{under_test.word}.a"])
    with under_test.reading() as reading:
        under_test.bus.publish([under_test.message("a", "one"), under_test.message("b", "two")])
        until(lambda: "two" in reading.ids)
    assert reading.ids == ["one", "two"]


def test_a_former_binding_brings_nothing_any_more(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.a", f"{under_test.word}.b"])
    under_test.bus.declare(
        under_test.queue, [f"{under_test.word}.b"], former=[f"{under_test.word}.a"]
    )
    with under_test.reading() as reading:
        under_test.bus.publish([under_test.message("a", "one"), under_test.message("b", "two")])
        until(lambda: "two" in reading.ids)
    assert reading.ids == ["two"]


def test_two_queues_each_get_their_copy(under_test):
    other = f"{under_test.queue}-other"
    for queue in (under_test.queue, other):
        under_test.bus.declare(queue, [f"{under_test.word}.#"])
    with under_test.reading() as mine, under_test.reading(queue=other) as theirs:
        under_test.bus.publish([one := under_test.message()])
        until(lambda: mine.deliveries and theirs.deliveries)
    assert mine.ids == theirs.ids == [one.id]


def test_two_consumers_share_the_work_and_nothing_is_handled_twice(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    sent = [under_test.message() for _ in range(2000)]
    both_work = threading.Barrier(2)
    met = threading.local()

    def judge(_: Delivery) -> Verdict:
        if not getattr(met, "before", False):
            met.before = True
            both_work.wait(20)  # neither goes on before the other has something too
        return DONE

    with (
        under_test.reading(judge) as one,
        under_test.reading(judge, bus=under_test.another()) as two,
    ):
        under_test.bus.publish(sent)
        until(lambda: len(one.ids) + len(two.ids) >= len(sent))
    assert Counter(one.ids + two.ids) == Counter(message.id for message in sent)


def test_a_message_that_fails_is_tried_again_and_the_others_go_on(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    good = [under_test.message() for _ in range(50)]
    bad = under_test.message("bad")

    def judge(delivery: Delivery) -> Verdict:
        return retry("not yet") if delivery.message.id == bad.id and delivery.attempt < 3 else DONE

    with under_test.reading(judge) as reading:
        under_test.bus.publish([bad, *good])
        until(lambda: reading.ids.count(bad.id) == 3)
    assert [d.attempt for d in reading.deliveries if d.message.id == bad.id] == [1, 2, 3]
    assert Counter(reading.ids)[bad.id] == 3
    assert all(Counter(reading.ids)[message.id] == 1 for message in good)
    assert under_test.bus.list_dead(under_test.queue) == []


def test_a_message_that_always_fails_becomes_a_dead_letter_with_its_reason(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    with under_test.reading(lambda _: retry("the roof is on fire")) as reading:
        under_test.bus.publish([bad := under_test.message("bad")])
        until(lambda: under_test.bus.list_dead(under_test.queue))
    [letter] = under_test.bus.list_dead(under_test.queue)
    assert letter.message == bad
    assert letter.reason == "the roof is on fire"
    assert letter.attempts == len(reading.ids) == FAILURE_LIMIT


def test_a_message_declared_dead_is_not_tried_again_and_can_be_driven_back(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    with under_test.reading(lambda _: dead("not an event")) as reading:
        under_test.bus.publish([bad := under_test.message("bad")])
        until(lambda: under_test.bus.list_dead(under_test.queue))
    assert reading.ids == [bad.id]
    assert under_test.bus.redrive(under_test.queue) == 1
    assert under_test.bus.list_dead(under_test.queue) == []
    with under_test.reading() as mended:
        until(lambda: mended.deliveries)
    assert mended.deliveries[0].message == bad
    assert mended.deliveries[0].attempt == 1
    assert under_test.bus.redrive(under_test.queue) == 0


CONSUMER_THAT_HANGS = """
import sys, threading
from servicekit.bus import connect
def handle(batch):
    print(len(batch), flush=True)
    threading.Event().wait()
connect(sys.argv[1], service="victim").consume(sys.argv[2], handle, threading.Event())
"""


def test_deliveries_of_a_killed_consumer_are_handed_out_again(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    under_test.bus.publish(sent := [under_test.message() for _ in range(20)])
    command = [sys.executable, "-c", CONSUMER_THAT_HANGS, under_test.url, under_test.queue]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert int(victim.stdout.readline()) > 0
        victim.kill()
    with under_test.reading() as reading:
        until(lambda: len(set(reading.ids)) == 20)
    assert sorted(reading.ids) == sorted(message.id for message in sent)
    assert max(delivery.attempt for delivery in reading.deliveries) == 2


def test_a_consumer_that_stops_gives_back_what_it_did_not_handle(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    entered, go_on = threading.Event(), threading.Event()

    def judge(_: Delivery) -> Verdict:
        entered.set()
        go_on.wait(20)
        return DONE

    with under_test.reading(judge) as first:
        under_test.bus.publish([one := under_test.message()])
        assert entered.wait(20)
        under_test.bus.publish([two := under_test.message()])
        first.stop.set()
        go_on.set()
    with under_test.reading() as second:
        until(lambda: two.id in second.ids)
    assert first.ids == [one.id]
    assert second.ids == [two.id]


def test_a_quiet_consumer_gets_a_single_message_soon(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    with under_test.reading() as reading:
        for number in range(20):
            under_test.bus.publish([under_test.message()])
            until(lambda n=number: len(reading.ids) > n, seconds=2)
    assert {len(batch) for batch in reading.batches} == {1}


def test_order_of_publishing_is_the_order_of_handling(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    with under_test.reading() as reading:
        for batch in range(20):
            under_test.bus.publish(
                [under_test.message("n", f"{batch:02}-{i:02}") for i in range(50)]
            )
        until(lambda: len(reading.ids) == 1000)
    assert reading.ids == sorted(reading.ids)


def test_many_threads_may_publish_at_once(under_test):
    under_test.bus.declare(under_test.queue, [f"{under_test.word}.#"])
    sent = [[under_test.message() for _ in range(100)] for _ in range(8)]
    threads = [threading.Thread(target=under_test.bus.publish, args=(part,)) for part in sent]
    with under_test.reading() as reading:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        until(lambda: len(reading.ids) >= 800)
    assert Counter(reading.ids) == Counter(message.id for part in sent for message in part)
    by_thread = [[i for i in reading.ids if i in {m.id for m in part}] for part in sent]
    assert by_thread == [[message.id for message in part] for part in sent]


def test_a_temporary_listener_hears_only_while_it_listens(under_test):
    heard: list[Message] = []
    for round_number in range(2):
        stop, started = threading.Event(), threading.Event()
        thread = threading.Thread(
            target=under_test.bus.listen,
            args=([f"{under_test.word}.x.#"], heard.append, stop),
            kwargs={"started": started.set},
            daemon=True,
        )
        thread.start()
        assert started.wait(60)
        mine = [under_test.message("x.1"), under_test.message("y"), under_test.message("x.2")]
        under_test.bus.publish(mine)
        until(lambda n=round_number: len(heard) == 2 * (n + 1))
        stop.set()
        thread.join(20)
        under_test.bus.publish([under_test.message("x.unheard")])
    assert [message.body for message in heard] == [b"x.1", b"x.2", b"x.1", b"x.2"]


def test_a_listener_that_fails_once_goes_on(under_test):
    heard: list[bytes] = []

    def hear(message: Message) -> None:
        heard.append(message.body)
        if message.body == b"bad":
            raise ValueError("no")

    stop, started = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=under_test.bus.listen,
        args=([f"{under_test.word}.#"], hear, stop),
        kwargs={"started": started.set},
    )
    thread.start()
    assert started.wait(60)
    under_test.bus.publish([under_test.message("bad"), under_test.message("good")])
    until(lambda: b"good" in heard)
    stop.set()
    thread.join(20)
    assert heard == [b"bad", b"good"]


def test_another_system_keeps_its_place_under_a_name(under_test):
    heard: list[str] = []
    failed: list[str] = []

    def hear(message: Message) -> None:
        if not failed:
            failed.append(message.id)
            raise ConnectionError("its own database is away")
        heard.append(message.id)

    def listen(stop: threading.Event) -> threading.Thread:
        started = threading.Event()
        thread = threading.Thread(
            target=under_test.bus.listen,
            args=([f"{under_test.word}.#"], hear, stop),
            kwargs={"started": started.set, "queue": under_test.queue},
        )
        thread.start()
        assert started.wait(60)
        return thread

    stop = threading.Event()
    thread = listen(stop)
    under_test.bus.publish([under_test.message("n", "first")])
    until(lambda: heard == ["first"])
    stop.set()
    thread.join(20)
    under_test.bus.publish([under_test.message("n", "while away")])
    stop = threading.Event()
    thread = listen(stop)
    until(lambda: heard == ["first", "while away"])
    stop.set()
    thread.join(20)


def test_the_bus_knows_whether_it_is_up(under_test):
    under_test.bus.publish([under_test.message()])
    assert under_test.bus.is_up()


@pytest.mark.parametrize(
    "url", ["amqp://guest:guest@127.0.0.1:1/", "local://postgresql://nobody@127.0.0.1:1/none"]
)
def test_a_bus_that_is_away_says_so_and_keeps_no_caller(url):
    bus = connect(url, service="test")
    for question in (
        lambda: bus.publish([Message("1", "a.b", b"")]),
        lambda: bus.declare("q", ["a.#"]),
        lambda: bus.list_dead("q"),
    ):
        with pytest.raises(BusUnavailable):
            question()
    stop = threading.Event()
    thread = threading.Thread(target=bus.consume, args=("q", lambda _: [], stop))
    thread.start()
    assert not bus.is_up()
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    bus.close()


def test_a_url_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="amqp"):
        connect("kafka://localhost", service="test")
