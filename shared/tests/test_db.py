"""One transaction per request, time limits, and nothing told of what was rolled back."""

import threading
from contextlib import ExitStack

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError, InvalidRequestError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnection

from servicekit.db import Database, after_commit, new_id, sqlalchemy_url, unique_violation
from servicekit.errors import ChangedMeanwhile


def count(database, room):
    with database.reading() as db:
        return db.scalar(select(func.count()).select_from(room.paper))


def test_a_transaction_is_kept_whole_or_not_at_all(database, room):
    def fail():
        with database.transaction() as db:
            db.add(room.draft())
            db.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert count(database, room) == 0
    with database.transaction() as db:
        db.add(room.draft())
    assert count(database, room) == 1


def test_who_commits_second_is_told_that_it_changed_meanwhile(database, room):
    paper = room.draft()
    with database.transaction() as db:
        db.add(paper)

    def write_slowly():
        with database.transaction() as slow:
            mine = slow.get_one(room.paper, paper.id)
            with database.transaction() as fast:
                fast.get_one(room.paper, paper.id).region = "440106"
            mine.region = "440105"

    with pytest.raises(ChangedMeanwhile):
        write_slowly()


def test_reading_leaves_no_transaction_open_and_writes_nothing(database, room):
    with database.reading() as db:
        assert db.scalar(text("SELECT pg_current_xact_id_if_assigned() IS NULL"))
        first = db.scalar(text("SELECT transaction_timestamp()"))
        assert db.scalar(text("SELECT transaction_timestamp()")) != first
        db.add(room.draft())
        with pytest.raises(InvalidRequestError, match="reading"):
            db.flush()
        db.expunge_all()
    assert count(database, room) == 0


def test_the_same_connection_serves_reading_and_writing_in_turn(database_url, room):
    database = Database(database_url, vault=None, pool_size=1, application_name="one")
    for _ in range(3):
        with database.transaction() as db:
            db.execute(
                insert(room.paper).values(
                    id=new_id(), applicant_id="a", state="draft", version=1,
                    created_at=room.now, updated_at=room.now,
                )
            )  # fmt: skip
            pid = db.scalar(text("SELECT pg_backend_pid()"))
        with database.reading() as db:
            assert db.scalar(text("SELECT pg_backend_pid()")) == pid
    assert count(database, room) == 3
    database.close()


def test_sessions_have_time_limits_and_speak_utc(database):
    with database.reading() as db:
        shown = [
            db.scalar(text(f"SHOW {name}"))
            for name in (
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "timezone",
                "application_name",
            )
        ]
    assert shown == ["10s", "5s", "30s", "UTC", "kit-tests"]


def test_a_full_pool_says_so_instead_of_waiting_for_ever(database_url, monkeypatch):
    monkeypatch.setattr("servicekit.db.POOL_SECONDS", 0.05)
    database = Database(database_url, vault=None, pool_size=1, application_name="full")
    with database.reading() as held:
        held.execute(text("SELECT 1"))
        with pytest.raises(NoConnection), database.reading() as db:
            db.execute(text("SELECT 1"))
    database.close()


def test_of_many_connections_few_are_kept(database_url):
    database = Database(database_url, vault=None, pool_size=3, kept=1, application_name="kept")
    with ExitStack() as sessions:
        held = [sessions.enter_context(database.reading()) for _ in range(3)]
        pids = {db.scalar(text("SELECT pg_backend_pid()")) for db in held}
    assert len(pids) == 3
    assert database.engine.pool.checkedin() == 1
    with database.reading() as db:
        assert db.scalar(text("SELECT pg_backend_pid()")) in pids
    database.close()


def test_an_idle_connection_that_died_is_replaced_unnoticed(database_url, monkeypatch):
    monkeypatch.setattr("servicekit.db.IDLE_SECONDS", 0.0)
    database = Database(database_url, vault=None, pool_size=1, application_name="dies")
    other = Database(database_url, vault=None, pool_size=1, application_name="kills")
    with database.reading() as db:
        pid = db.scalar(text("SELECT pg_backend_pid()"))
    with other.reading() as db:
        db.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    with database.reading() as db:
        assert db.scalar(text("SELECT pg_backend_pid()")) != pid
    database.close()
    other.close()


@pytest.mark.req("AL-04")
def test_an_error_does_not_quote_the_parameters(database):
    with pytest.raises(ProgrammingError) as failure, database.reading() as db:
        db.execute(text("SELECT * FROM nowhere WHERE phone = :phone"), {"phone": "13800000000"})
    assert "13800000000" not in str(failure.value)


def test_a_unique_violation_is_known_by_its_constraint(database, room):
    paper = room.draft()
    paper.number = "1"
    twin = room.draft()
    twin.number = "1"
    with pytest.raises(IntegrityError) as refused, database.transaction() as db:
        db.add_all([paper, twin])
    assert unique_violation(refused.value) == "paper_number_key"
    with pytest.raises(IntegrityError) as refused, database.transaction() as db:
        db.execute(text("INSERT INTO serial (name, day, last) VALUES ('x', now(), NULL)"))
    assert unique_violation(refused.value) is None


def test_what_waits_for_the_commit_is_told_after_it(database):
    told = []
    with database.transaction() as db:
        after_commit(db, lambda: told.append(1))
        with db.begin_nested():
            after_commit(db, lambda: told.append(2))
        assert told == []
    assert told == [1, 2]


def test_what_is_rolled_back_is_never_told(database):
    told = []

    def fail():
        with database.transaction() as db:
            after_commit(db, lambda: told.append(1))
            with db.begin_nested():
                db.execute(text("SELECT 1"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert told == []


def test_a_commit_stays_a_commit_when_telling_of_it_fails(database, room, written_log):
    def fail():
        raise RuntimeError

    with database.transaction() as db:
        db.add(room.draft())
        after_commit(db, fail)
    assert count(database, room) == 1
    assert [line["level"] for line in written_log()] == ["error"]


def test_only_postgresql_is_a_database():
    assert sqlalchemy_url("postgresql://h/d").drivername == "postgresql+psycopg"
    with pytest.raises(ValueError, match="PostgreSQL"):
        sqlalchemy_url("sqlite://")


def test_new_ids_come_in_the_order_of_making():
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert all(len(i) == 36 and i[14] == "7" for i in ids)


def test_a_lock_is_not_waited_for_longer_than_the_limit(database):
    locked, finish = threading.Event(), threading.Event()

    def hold():
        with database.transaction() as db:
            db.execute(text("SELECT pg_advisory_xact_lock(1)"))
            locked.set()
            finish.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(10)
    with database.transaction() as db:
        db.execute(text("SET LOCAL lock_timeout = '20ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            db.execute(text("SELECT pg_advisory_xact_lock(1)"))
        db.rollback()
    finish.set()
    holder.join()


def test_a_pool_apart_commits_by_itself_and_closes_with_the_first(database):
    apart = database.apart(1, application_name="kit counters")

    def fail():
        with database.transaction() as db:
            db.execute(text("CREATE TABLE undone (n int)"))
            with apart.transaction() as beside:
                beside.execute(text("CREATE TABLE counted (n int)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.reading() as db:
        row = db.execute(text("SELECT to_regclass('undone'), to_regclass('counted')")).one()
    assert tuple(row) == (None, "counted")
    database.close()
    assert apart.engine.pool.checkedin() == 0
