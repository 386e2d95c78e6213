"""Whatever the bus does to the deliveries, each event takes effect once and in order."""

import random
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields
from sqlalchemy import text

from servicekit.facts import ApplicationMovedSchema
from servicekit.inbox import Subscriptions, Unreadable
from servicekit.ordering import Key, parked_keys
from servicekit.testing.racing import answers_at_once

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = timedelta(minutes=1)
KEY = Key("telling", "matter", "fact", "a")


def numbers(hearing, subject="a"):
    return [n for s, n in hearing.heard if s == subject]


def test_events_in_order_take_effect_at_once(hearing):
    assert hearing.deliver(hearing.event(1)) == ["applied"]
    assert hearing.deliver(hearing.event(2), hearing.event(3)) == ["applied", "applied"]
    assert numbers(hearing) == [1, 2, 3]


def test_a_repetition_has_no_effect_within_a_batch_and_later(hearing):
    assert hearing.deliver(hearing.event(1), hearing.event(1)) == ["applied", "duplicate"]
    assert hearing.deliver(hearing.event(1)) == ["duplicate"]
    assert numbers(hearing) == [1]


def test_a_repetition_is_known_by_its_number_after_its_id_was_pruned(hearing):
    hearing.deliver(hearing.event(1), hearing.event(2))
    with hearing.database.transaction() as db:
        db.execute(text("DELETE FROM inbox"))
    assert hearing.deliver(hearing.event(1), hearing.event(2)) == ["duplicate", "duplicate"]
    assert numbers(hearing) == [1, 2]


@pytest.mark.req("EV-01")
def test_what_comes_early_waits_for_its_predecessor(hearing):
    assert hearing.deliver(hearing.event(3)) == ["parked"]
    assert hearing.deliver(hearing.event(2)) == ["parked"]
    assert hearing.deliver(hearing.event(3)) == ["duplicate"]
    assert numbers(hearing) == []
    assert hearing.deliver(hearing.event(1)) == ["applied"]
    assert numbers(hearing) == [1, 2, 3]
    assert hearing.count("event_parked") == 0


def test_subjects_do_not_wait_for_each_other(hearing):
    hearing.deliver(hearing.event(2, "a"), hearing.event(1, "b"))
    assert hearing.heard == [("b", 1)]


def test_what_nobody_handles_counts_and_passes(hearing):
    assert hearing.deliver(hearing.event(1, fact="renamed")) == ["ignored"]
    assert hearing.deliver(hearing.event(2)) == ["applied"]
    assert numbers(hearing) == [2]


def test_a_batch_that_fails_leaves_nothing(hearing):
    def fail(envelope):
        if envelope.sequence == 2:
            raise ZeroDivisionError

    hearing.before = fail
    with pytest.raises(ZeroDivisionError):
        hearing.deliver(hearing.event(1), hearing.event(2))
    assert hearing.heard == []
    assert hearing.count("inbox") == hearing.count("event_progress") == 0


def test_an_event_without_what_the_handler_reads_is_unreadable_and_is_not_quoted(hearing):
    event = hearing.event(1)
    bad = type(event)(**{**{f: getattr(event, f) for f in event.__slots__}, "data": {"n": "139"}})
    with pytest.raises(Unreadable) as refused:
        hearing.deliver(bad)
    assert "139" not in str(refused.value)


def release(hearing, now=None):
    with hearing.database.transaction() as db:
        return hearing.subscriptions.release(db, KEY, now or NOW + LATER)


def test_a_new_subscription_begins_in_the_middle_of_a_subject(hearing):
    hearing.begin(hearing.event(7).time)  # 6 was before, 7 at that moment
    assert hearing.deliver(hearing.event(9), hearing.event(7)) == ["parked", "parked"]
    assert release(hearing, NOW) == 0, "6 may still be under way"
    assert release(hearing) == 1
    assert release(hearing) == 0, "8 is ours, and not here yet"
    assert hearing.deliver(hearing.event(8)) == ["applied"]
    assert numbers(hearing) == [7, 8, 9]
    assert hearing.deliver(hearing.event(6)) == ["duplicate"], "from before our time"


def test_a_predecessor_from_before_that_is_still_under_way_is_not_passed_over(hearing):
    hearing.begin(hearing.event(7).time)
    assert hearing.deliver(hearing.event(7)) == ["parked"]
    assert hearing.deliver(hearing.event(6)) == ["parked"]
    assert release(hearing) == 2
    assert numbers(hearing) == [6, 7]


def test_without_a_beginning_no_gap_is_believed(hearing):
    assert hearing.deliver(hearing.event(7)) == ["parked"]
    assert release(hearing) == 0


def test_a_gap_in_what_we_hear_is_waited_for_however_old_it_is(hearing):
    hearing.begin(hearing.event(9).time)
    assert hearing.deliver(hearing.event(1)) == ["applied"]
    assert hearing.deliver(hearing.event(3)) == ["parked"]
    assert release(hearing) == 0, "2 is a dead letter perhaps, and will be driven back"


def test_a_subscription_that_was_given_up_and_taken_up_again_begins_anew(hearing):
    hearing.begin(hearing.event(1).time)
    hearing.deliver(hearing.event(1), hearing.event(2), hearing.event(4))
    hearing.begin(hearing.event(9).time)  # the same binding: nothing begins
    assert hearing.count("event_parked") == 1
    with hearing.database.transaction() as db:
        none = Subscriptions("hearing")
        assert none.former(db) == hearing.subscriptions.bindings
        none.begin(db, hearing.event(5).time)  # a release that hears nothing
    assert hearing.count("event_parked") == hearing.count("event_progress") == 0
    hearing.begin(hearing.event(9).time)
    assert hearing.deliver(hearing.event(9)) == ["parked"]
    assert release(hearing) == 1
    assert numbers(hearing) == [1, 2, 9]


def test_a_parked_event_that_fails_on_being_taken_up_stays_parked_and_is_released_later(hearing):
    hearing.deliver(hearing.event(2), hearing.event(3))

    def fail(envelope):
        if envelope.sequence == 2:
            raise ZeroDivisionError

    hearing.before = fail
    assert hearing.deliver(hearing.event(1)) == ["applied"]
    assert numbers(hearing) == [1], "the predecessor's effect is kept"
    with hearing.database.reading() as db:
        assert parked_keys(db) == [KEY]
    hearing.before = lambda _: None
    assert release(hearing) == 2
    assert numbers(hearing) == [1, 2, 3]
    assert hearing.count("event_parked") == 0


@pytest.mark.req("EV-01")
@settings(max_examples=60)
@given(data=st.data())
def test_any_order_repetition_and_delay_comes_to_the_same_end(hearing, data):
    hearing.forget()
    counts = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4), label="events each")
    events = [hearing.event(n, f"s{i}") for i, c in enumerate(counts) for n in range(1, c + 1)]
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=8), label="repeated")
    queue = data.draw(st.permutations([*events, *repeated]), label="order")
    failing = data.draw(
        st.dictionaries(st.sampled_from([e.id for e in events]), st.integers(1, 3), max_size=3),
        label="fails this often",
    )
    attempts = dict.fromkeys(failing, 0)

    def sometimes_fail(envelope):
        if attempts.get(envelope.id, 99) < failing.get(envelope.id, 0):
            attempts[envelope.id] += 1
            raise ConnectionError

    hearing.before = sometimes_fail
    while queue:
        size = data.draw(st.integers(1, len(queue)), label="batch")
        batch, queue = queue[:size], queue[size:]
        try:
            hearing.deliver(*batch)
        except ConnectionError:
            queue += batch  # delayed: it comes again after all the others
    while attempts_left(hearing, events):
        pass
    assert sorted(hearing.heard) == sorted((e.subject, e.sequence) for e in events)
    for i, count in enumerate(counts):
        assert numbers(hearing, f"s{i}") == list(range(1, count + 1))
    assert hearing.count("event_parked") == 0


def attempts_left(hearing, events):
    """What the housekeeping job does; a parked event that failed is tried again."""
    with hearing.database.reading() as db:
        keys = parked_keys(db)
    for key in keys:
        try:
            with hearing.database.transaction() as db:
                hearing.subscriptions.release(db, key, events[-1].time)
        except ConnectionError:
            continue
    return bool(keys)


@pytest.mark.req("EV-01")
def test_racing_consumers_apply_each_event_once_and_in_order(hearing):
    events = [hearing.event(n, f"s{s}") for s in range(8) for n in range(1, 31)]
    failures = []

    def run(seed):
        chance = random.Random(seed)
        mine = events[:]
        chance.shuffle(mine)
        while mine:
            batch, mine = mine[:25], mine[25:]
            try:
                hearing.deliver(*batch)
            except Exception as error:
                failures.append(error)

    answers_at_once(*[partial(run, seed) for seed in range(4)])
    assert failures == [], "keys are locked in one order, so nobody waits in a ring"
    assert len(hearing.heard) == len(events)
    for s in range(8):
        assert numbers(hearing, f"s{s}") == list(range(1, 31))
    assert hearing.count("event_parked") == 0


def test_a_subscription_binds_the_whole_stream_of_a_matter():
    subscriptions = Subscriptions("recruitment")

    class Any(Schema):
        n = fields.Int()

    @subscriptions.on("identity.account.verified.v1", reads=Any)
    def one(db, value, envelope): ...

    @subscriptions.on("identity.account.locked.v1", reads=Any)
    def two(db, value, envelope): ...

    @subscriptions.on_application("talent-card.card", reads=ApplicationMovedSchema)
    def three(db, value, envelope): ...

    assert subscriptions.bindings == {"fact.identity.account.#", "application.talent-card.card.#"}
    with pytest.raises(ValueError, match="already handles"):
        subscriptions.on("identity.account.verified.v1", reads=Any)(one)
    with pytest.raises(ValueError, match="already handles"):
        subscriptions.on_application("talent-card.card", reads=Any)(one)


def test_applications_of_one_matter_and_of_all_reach_both_handlers(hearing, room):
    said = []
    subscriptions = Subscriptions("identity")

    @subscriptions.on_application("*", reads=ApplicationMovedSchema)
    def every(db, value, envelope):
        said.append(("every", value["after"], envelope.type))

    @subscriptions.on_application("kit.paper", reads=ApplicationMovedSchema)
    def one(db, value, envelope):
        said.append(("paper", value["after"], envelope.type))

    moved = {
        "applicant_id": "p",
        "number": None,
        "business": "kit.paper",
        "region": None,
        "move": "submit",
        "before": "draft",
        "after": "submitted",
    }
    event = hearing.event(1)
    fields_of = {f: getattr(event, f) for f in event.__slots__}
    paper = type(event)(
        **{**fields_of, "type": "kit.paper.submitted.v1", "stream": "application", "data": moved}
    )
    with hearing.database.transaction() as db:
        assert subscriptions.deliver(db, paper, room.now) == "applied"
    assert said == [
        ("every", "submitted", "kit.paper.submitted.v1"),
        ("paper", "submitted", "kit.paper.submitted.v1"),
    ]
