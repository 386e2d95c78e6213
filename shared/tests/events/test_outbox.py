"""Announcing is part of the change it tells of, and numbers each subject without gap."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text

from servicekit import tracing
from servicekit.listening import Listener
from servicekit.outbox import CHANNEL, Event, announce
from servicekit.testing.racing import answers_at_once

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


def event(subject="a", *, after=0, stream="fact", **changes):
    values = {
        "type": "telling.matter.happened.v1",
        "subject": subject,
        "time": NOW + timedelta(seconds=after),
        "data": {"n": after},
        "stream": stream,
    }
    return Event(**{**values, **changes})


def rows(database, columns="subject, stream, sequence"):
    with database.reading() as db:
        return [
            tuple(r) for r in db.execute(text(f"SELECT {columns} FROM outbox ORDER BY position"))
        ]


def announce_in_vain(database):
    with database.transaction() as db:
        announce(db, event())
        raise ZeroDivisionError


def test_numbers_count_per_subject_and_stream(database):
    with database.transaction() as db:
        for subject, stream in [("a", "fact"), ("b", "fact"), ("a", "application"), ("a", "fact")]:
            announce(db, event(subject, stream=stream))
    assert rows(database) == [
        ("a", "fact", 1),
        ("b", "fact", 1),
        ("a", "application", 1),
        ("a", "fact", 2),
    ]


def test_each_event_names_the_time_of_its_predecessor(database):
    for after in (0, 5, 3, 9):  # the third clock was behind
        with database.transaction() as db:
            announce(db, event(after=after))
    seconds = [
        None if before is None else (before - NOW).total_seconds()
        for (before,) in rows(database, "preceded_at")
    ]
    assert seconds == [None, 0, 5, 5], "the predecessor's time never goes back"


def test_what_is_rolled_back_was_never_announced_and_leaves_no_gap(database):
    with database.transaction() as db:
        announce(db, event())
    with pytest.raises(ZeroDivisionError):
        announce_in_vain(database)
    with database.transaction() as db:
        announce(db, event())
    assert [row[2] for row in rows(database)] == [1, 2]


def test_the_commit_wakes_the_relay_and_a_rollback_does_not(database, database_url):
    with Listener(database_url, name="test", channels=[CHANNEL]) as listener:
        with pytest.raises(ZeroDivisionError):
            announce_in_vain(database)
        assert listener.wait(0.05) == set()
        with database.transaction() as db:
            announce(db, event())
        assert listener.wait(5) == {CHANNEL}


def test_the_trace_goes_with_the_event(database):
    with tracing.continued(None) as trace, database.transaction() as db:
        announce(db, event())
    assert rows(database, "traceparent") == [(trace.header,)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "happened"},
        {"type": "Telling.matter.happened.v1"},
        {"time": NOW.replace(tzinfo=None)},
        {"data": {"document": "x" * 70_000}},
    ],
)
def test_what_is_no_event_is_refused_before_it_is_written(database, wrong):
    with pytest.raises(ValueError, match=r"."), database.transaction() as db:
        announce(db, event(**wrong))
    assert rows(database) == []


def test_racing_transactions_number_every_subject_without_gap_in_the_order_of_commits(database):
    threads, each, subjects = 6, 40, ["a", "b", "c"]

    def run(number):
        for i in range(each):
            with database.transaction() as db:
                announce(db, event(subjects[(number + i) % 3]))

    answers_at_once(*[partial(run, number) for number in range(threads)])
    numbers = defaultdict(list)
    for subject, _, sequence in rows(database):
        numbers[subject].append(sequence)
    assert {s: len(n) for s, n in numbers.items()} == dict.fromkeys(subjects, threads * each // 3)
    for found in numbers.values():
        assert found == list(range(1, len(found) + 1)), "positions and numbers disagree"
