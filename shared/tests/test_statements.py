"""Statements straight to libpq: in the transaction, prepared once, refused in the same words."""

import threading
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from servicekit.db import new_id
from servicekit.personal import MobileNumber
from servicekit.statements import run

PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'kit%'")
ECHO = """
    SELECT %(text)s::text, %(number)s::int, %(day)s::date, %(moment)s::timestamptz,
        %(bytes)s::bytea, %(nothing)s::text, %(number)s::int + 1, '100%%'
"""
VALUES = {
    "text": "粤'\"\\",
    "number": 7,
    "day": date(2026, 9, 1),
    "moment": datetime(2026, 9, 1, 2, 0, tzinfo=UTC),
    "bytes": b"\x00\xff",
    "nothing": None,
}


def test_values_come_back_as_they_went(database):
    with database.transaction() as db:
        for _ in range(3):
            assert run(db, ECHO, VALUES) == [(*VALUES.values(), 8, "100%")]
        assert run(db, "SELECT 1 WHERE %(no)s::bool", {"no": False}) == []
        assert run(db, "SELECT 1 WHERE %(no)s::bool", {"no": True}) == [(1,)]
        assert db.scalar(PREPARED) == 2


def test_a_personal_value_goes_masked_as_to_every_statement(database):
    with database.transaction() as db:
        phone = {"phone": MobileNumber("13800000001")}
        assert run(db, "SELECT %(phone)s::text", phone) == [("138****0001",)]


def test_it_is_part_of_the_transaction(database, room):
    paper = room.draft()
    paper.id = new_id()
    with database.transaction() as db:
        db.add(paper)
        written = run(db, "SELECT version FROM paper WHERE id = %(id)s", {"id": paper.id})
        assert written == [(1,)]
        run(db, "UPDATE paper SET region = '44' WHERE id = %(id)s", {"id": paper.id})
        db.rollback()
    with database.reading() as db:
        assert run(db, "SELECT 1 FROM paper WHERE id = %(id)s", {"id": paper.id}) == []


def test_a_statement_lives_on_after_a_rollback_and_after_psycopgs_own_are_dropped(database):
    for _ in range(8):
        with database.transaction() as db:
            db.execute(text("SELECT 1"))
            assert run(db, "SELECT %(a)s::int", {"a": 1}) == [(1,)]
            db.rollback()


def test_what_the_database_refuses_is_refused_without_the_values(database):
    with pytest.raises(DBAPIError) as refused, database.transaction() as db:
        run(db, "SELECT %(a)s::int", {"a": "secret"})
    assert refused.value.orig.sqlstate == "22P02"
    with pytest.raises(IntegrityError), database.transaction() as db:
        run(db, "INSERT INTO paper (id) VALUES (%(id)s)", {"id": "1"})
    with pytest.raises(DBAPIError), database.transaction() as db:
        run(db, "SELECT %(a)s::text", {"a": "nul \x00"})


def test_a_lost_connection_is_replaced(database):
    def lose():
        with database.transaction() as db, database.transaction() as other:
            ((pid,),) = run(db, "SELECT pg_backend_pid()", {})
            run(other, "SELECT pg_terminate_backend(%(pid)s)", {"pid": pid})
            run(db, "SELECT 1", {})

    with pytest.raises(OperationalError):
        lose()
    with database.transaction() as db:
        assert run(db, "SELECT 1", {}) == [(1,)]


def test_others_go_on_while_one_waits_for_a_lock(database, room):
    paper, held = room.draft(), threading.Event()
    with database.transaction() as db:
        db.add(paper)
    lock = "SELECT id FROM paper WHERE id = %(id)s FOR UPDATE"

    def wait():
        with database.transaction() as db:
            held.set()
            run(db, lock, {"id": paper.id})

    waiting = threading.Thread(target=wait)
    with database.transaction() as db:
        run(db, lock, {"id": paper.id})
        waiting.start()
        assert held.wait(10)
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with database.reading() as watcher:
            while not run(watcher, waits, {}):
                assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()


def test_what_goes_to_libpq_and_what_the_orm_does_are_one_transaction(database, room):
    paper = room.draft()
    with database.transaction() as db:
        run(db, "SELECT pg_advisory_xact_lock(%(key)s::int)", {"key": 7})  # begins it
        db.add(paper)
        db.flush()
        found = run(db, "SELECT applicant_id FROM paper WHERE id = %(id)s", {"id": paper.id})
        assert found == [(paper.applicant_id,)]
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7"
        assert db.scalar(text(held)) == 1
        db.rollback()
    with database.reading() as db:
        assert db.get(room.paper, paper.id) is None


def test_a_savepoint_takes_back_what_went_to_libpq_within_it(database):
    wanted = "INSERT INTO serial (name, day, last) VALUES (%(name)s, '2026-01-01', 1)"

    def fail(db):
        with db.begin_nested():
            run(db, wanted, {"name": "within"})
            run(db, wanted, {"name": "within"})

    with database.transaction() as db:
        run(db, wanted, {"name": "before"})
        with pytest.raises(IntegrityError):
            fail(db)
        run(db, wanted, {"name": "after"})
    with database.reading() as db:
        assert set(db.scalars(text("SELECT name FROM serial"))) == {"before", "after"}


def test_a_refused_commit_is_sqlalchemys_error_and_keeps_nothing(database):
    def write():
        with database.transaction() as db:
            run(db, "CREATE TABLE late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)", {})
            for _ in range(2):
                run(db, "INSERT INTO late VALUES (1)", {})

    with pytest.raises(IntegrityError):
        write()
    with database.reading() as db:
        assert db.scalar(text("SELECT to_regclass('late')")) is None
