"""A history that was tampered with is found out, whatever was done to it."""

import base64
import random
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text

from servicekit import history
from servicekit.clock import SystemClock
from servicekit.db import OUTBOX
from servicekit.facts import standard_facts
from servicekit.history import LANES, Checkpoint, checkpoint, is_genuine, signing_key, verify
from servicekit.housekeeping import checkpoint_history
from servicekit.jobs import JobContext
from servicekit.vault import new_key

pytestmark = pytest.mark.req("AL-03")

KEY = signing_key(new_key())
ENTRIES = 200
APPLICATIONS = [f"application-{n}" for n in range(24)]


def append(db, room, application_id, note=None):
    history.append(
        db,
        application_id=application_id,
        workflow="kit.paper",
        move="save",
        before="draft",
        after="draft",
        actor_id="applicant-1",
        person_id=None,
        role="applicant",
        at=room.now,
        note=note,
    )


@pytest.fixture
def written(database, room):
    """A history of two hundred entries over all lanes, and who may rewrite it."""
    with database.transaction() as db:
        for n in range(ENTRIES):
            append(db, room, APPLICATIONS[n % len(APPLICATIONS)], note=f"第{n}次")
    return database


def tamper(database, *statements, **values):
    with database.transaction() as db:
        for statement in statements:
            assert db.execute(text(statement), values).rowcount
    with database.reading() as db:
        return verify(db)


def some_entry(database, *, last=False):
    """An entry somewhere inside its lane, with entries before and after it; or the last one."""
    with database.reading() as db:
        lanes = db.execute(text("SELECT lane, position FROM history_head WHERE position > 4"))
        lane, head = random.choice(lanes.all())
        position = head if last else random.randint(2, head - 2)
        found = "SELECT id FROM application_history WHERE lane = :lane AND position = :position"
        identity = db.scalar(text(found), {"lane": lane, "position": position})
    return {"lane": lane, "position": position, "id": identity}


def test_what_was_written_verifies(written):
    with written.reading() as db:
        assert verify(db) == []
        lanes = db.scalars(text("SELECT DISTINCT lane FROM application_history")).all()
    assert len(lanes) > LANES // 2


@pytest.mark.parametrize(
    "change",
    [
        "move = 'approve'",
        "before = 'submitted'",
        "after = 'approved'",
        "actor_id = 'somebody-else'",
        "person_id = 'somebody'",
        "role = 'reviewer'",
        "at = at + interval '1 microsecond'",
        "note = '别的'",
        "note = NULL",
        "application_id = 'application-of-somebody-else'",
        "workflow = 'kit.other'",
        "id = 'another-id'",
        "hash = repeat('a', 64)",
        "previous_hash = repeat('a', 64)",
    ],
)
def test_a_changed_entry_is_found_where_it_is(written, change):
    entry = some_entry(written)
    broken = tamper(written, f"UPDATE application_history SET {change} WHERE id = :id", **entry)
    assert (entry["lane"], entry["position"]) in {(b.lane, b.position) for b in broken}


def test_a_deleted_entry_is_found(written):
    entry = some_entry(written)
    broken = tamper(written, "DELETE FROM application_history WHERE id = :id", **entry)
    assert [(b.lane, b.position) for b in broken] == [(entry["lane"], entry["position"] + 1)]
    assert "missing" in broken[0].what


def test_a_deleted_entry_whose_gap_was_closed_is_found(written):
    entry = some_entry(written)
    broken = tamper(
        written,
        "DELETE FROM application_history WHERE id = :id",
        "UPDATE application_history SET position = -position "
        "WHERE lane = :lane AND position > :position",
        "UPDATE application_history SET position = -position - 1 "
        "WHERE lane = :lane AND position < 0",
        **entry,
    )
    assert entry["lane"] in {b.lane for b in broken}


def test_two_swapped_entries_are_found(written):
    entry = some_entry(written)
    broken = tamper(
        written,
        "UPDATE application_history SET position = -1 WHERE id = :id",
        "UPDATE application_history SET position = :position "
        "WHERE lane = :lane AND position = :position + 1",
        "UPDATE application_history SET position = :position + 1 WHERE id = :id",
        **entry,
    )
    assert {b.position for b in broken if b.lane == entry["lane"]} >= {
        entry["position"],
        entry["position"] + 1,
    }


COPY = (
    "INSERT INTO application_history (id, lane, position, application_id, workflow, move, before, "
    "after, actor_id, role, at, previous_hash, hash) SELECT 'invented', lane, {position}, "
    "application_id, workflow, move, before, after, actor_id, role, at, previous_hash, hash "
    "FROM application_history WHERE id = :id"
)


def test_an_inserted_entry_is_found(written):
    entry = some_entry(written)
    broken = tamper(
        written,
        "UPDATE application_history SET position = -position "
        "WHERE lane = :lane AND position > :position",
        "UPDATE application_history SET position = -position + 1 "
        "WHERE lane = :lane AND position < 0",
        COPY.format(position="position + 1"),
        **entry,
    )
    assert entry["lane"] in {b.lane for b in broken}


def test_an_entry_appended_behind_the_head_is_found(written):
    entry = some_entry(written, last=True)
    broken = tamper(written, COPY.format(position="position + 1"), **entry)
    assert entry["lane"] in {b.lane for b in broken}


def test_a_truncated_lane_is_found(written):
    entry = some_entry(written, last=True)
    broken = tamper(written, "DELETE FROM application_history WHERE id = :id", **entry)
    assert [b.lane for b in broken] == [entry["lane"]]


def test_a_removed_head_is_found(written):
    entry = some_entry(written)
    broken = tamper(written, "DELETE FROM history_head WHERE lane = :lane", **entry)
    assert [(b.lane, b.what) for b in broken] == [(entry["lane"], "the lane has no head")]


def roll_back(written, entry):
    """A clever insider: cut the lane's tail and set its head back, so that all fits again."""
    return tamper(
        written,
        "DELETE FROM application_history WHERE lane = :lane AND position >= :position",
        "UPDATE history_head SET (position, hash) = (SELECT position, hash "
        "FROM application_history WHERE lane = :lane AND position = :position - 1) "
        "WHERE lane = :lane",
        **entry,
    )


def test_a_lane_rolled_back_with_its_head_is_found_by_a_checkpoint(written, room):
    with written.transaction() as db:
        signed = checkpoint(db, KEY, service="kit", now=room.now)
    entry = some_entry(written)
    assert roll_back(written, entry) == []  # the chain alone cannot know
    with written.reading() as db:
        broken = verify(db, [signed])
    assert [(b.lane, b.what) for b in broken] == [(entry["lane"], "a checkpoint says otherwise")]


def test_a_lane_rewritten_to_its_end_is_found_by_a_checkpoint(written, room):
    with written.transaction() as db:
        signed = checkpoint(db, KEY, service="kit", now=room.now)
        lane = history.lane_of(APPLICATIONS[0])
        before = db.scalar(text("SELECT position FROM history_head WHERE lane = :l"), {"l": lane})
    roll_back(written, {"lane": lane, "position": before})
    with written.transaction() as db:
        append(db, room, APPLICATIONS[0], note="没有发生过的事")
    with written.reading() as db:
        assert verify(db) == []
        assert [b.lane for b in verify(db, [signed])] == [lane]


def test_everything_removed_is_found_by_a_checkpoint(written, room):
    with written.transaction() as db:
        signed = checkpoint(db, KEY, service="kit", now=room.now)
    tamper(written, "DELETE FROM application_history", "DELETE FROM history_head")
    with written.reading() as db:
        assert verify(db) == []
        assert len(verify(db, [signed])) == sum(position > 0 for _, position, _ in signed.heads)


def test_a_checkpoint_leaves_as_an_event_that_can_be_checked_outside(written, room):
    with written.transaction() as db:
        signed = checkpoint(db, KEY, service="kit", now=room.now)
    with written.reading() as db:
        event = db.execute(select(OUTBOX)).one()
        assert verify(db, [signed]) == []
    (fact,) = standard_facts("kit")
    assert event.type == fact.type == "kit.history.checkpointed.v1"
    assert not fact.schema().validate(event.data)
    assert not fact.schema().validate(fact.examples[0])
    heads = tuple((h["lane"], h["position"], h["hash"]) for h in event.data["heads"])
    received = Checkpoint(
        event.subject, event.time, heads, event.data["key_id"], event.data["signature"]
    )
    assert received == signed
    assert is_genuine(received, KEY.public_key())


def test_the_worker_lets_checkpoints_leave_once_there_is_a_history(database, room):
    stop, settings = threading.Event(), SimpleNamespace(history_key=new_key())
    context = JobContext("kit", database, SystemClock(), settings, stop)
    checkpoint_history(context)
    with database.transaction() as db:
        assert db.execute(select(OUTBOX)).all() == []
        append(db, room, "an-application")
    checkpoint_history(context)
    with database.reading() as db:
        assert db.execute(select(OUTBOX)).one().type == "kit.history.checkpointed.v1"


def test_a_forged_checkpoint_is_not_genuine(written, room):
    with written.transaction() as db:
        signed = checkpoint(db, KEY, service="kit", now=room.now)
    public = KEY.public_key()
    nobody = base64.b64encode(bytes(64)).decode()
    assert not is_genuine(replace(signed, service="other"), public)
    assert not is_genuine(replace(signed, heads=signed.heads[1:]), public)
    assert not is_genuine(replace(signed, signature=nobody), public)
    assert not is_genuine(replace(signed, signature="x"), public)
    assert not is_genuine(signed, signing_key(new_key()).public_key())


def test_an_entry_in_another_lane_than_its_application_s_is_found(database, room, monkeypatch):
    lane = history.lane_of("an-application")
    monkeypatch.setattr(history, "lane_of", lambda _: (lane + 1) % LANES)
    with database.transaction() as db:
        append(db, room, "an-application")
    monkeypatch.undo()
    with database.reading() as db:
        assert [(b.lane, b.what) for b in verify(db)] == [
            ((lane + 1) % LANES, "in a lane that is not its application's")
        ]


def test_many_writers_of_one_lane_keep_it_whole(database, room):
    def write(times):
        for _ in range(times):
            with database.transaction() as db:
                append(db, room, "one-application")

    writers = [threading.Thread(target=write, args=(25,)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with database.reading() as db:
        assert verify(db) == []
        assert len(history.list_history(db, "one-application")) == 200


def test_verifying_while_others_write_finds_nothing(database, room):
    finish = threading.Event()

    def write():
        while not finish.is_set():
            with database.transaction() as db:
                append(db, room, random.choice(APPLICATIONS))

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(20):
        with database.reading() as db:
            assert verify(db) == []
    finish.set()
    writer.join()


def test_a_lane_longer_than_a_page_verifies_to_its_end(written, room, monkeypatch):
    monkeypatch.setattr(history, "_PAGE_ROWS", 3)
    with written.reading() as db:
        assert verify(db) == []
    entry = some_entry(written, last=True)
    broken = tamper(written, "UPDATE application_history SET note = '' WHERE id = :id", **entry)
    assert [(b.lane, b.position) for b in broken] == [(entry["lane"], entry["position"])]


def test_lanes_open_by_themselves(database, room):
    with database.transaction() as db:
        db.execute(text("DELETE FROM history_head"))
        append(db, room, "first")
        assert verify(db) == []
