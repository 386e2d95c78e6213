"""Whoever begins to hear late ends where whoever heard everything ended, over both buses."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields
from sqlalchemy import select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from servicekit.catching_up import AGAIN, CatchUpColumns, Snapshots, last_told
from servicekit.clock import SystemClock
from servicekit.columns import new_id
from servicekit.errors import OutsideFailed
from servicekit.facts import Facts
from servicekit.inbox import State, Subscriptions
from servicekit.jobs import JobContext, Jobs
from servicekit.ordering import Key
from servicekit.outbox import announce
from servicekit.worker import run_worker

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
LATER = timedelta(minutes=1)
SUBJECTS = 250  # three pages


class Base(DeclarativeBase):
    """Parent of what both services keep here."""


class CatchUp(CatchUpColumns, Base):
    """How far the past has been read."""

    __tablename__ = "catch_up"


class Balance(Base):
    """What a subject's numbers add up to; the teller writes it, the hearer rebuilds it."""

    __tablename__ = "balance"

    subject: Mapped[str] = mapped_column(primary_key=True)
    total: Mapped[int]


class Added(Schema):
    """A number was added."""

    n = fields.Int(required=True, strict=True)


class Total(Schema):
    """What all numbers until now add up to."""

    subject = fields.Str(required=True)
    total = fields.Int(required=True, strict=True)


TELLING = Facts("telling")
TELLING.fact("matter.added", v=1)(Added)


def add(db, subject, n):
    """Not the same twice: an event that takes effect twice, or never, is seen in the sum."""
    change = (
        "INSERT INTO balance VALUES (:s, :n) "
        "ON CONFLICT (subject) DO UPDATE SET total = balance.total + :n"
    )
    db.execute(text(change), {"s": subject, "n": n})


def put(db, subject, total):
    change = "INSERT INTO balance VALUES (:s, :t) ON CONFLICT (subject) DO UPDATE SET total = :t"
    db.execute(text(change), {"s": subject, "t": total})


def balances(database):
    with database.reading() as db:
        return dict(db.execute(text("SELECT subject, total FROM balance")).all())


class Teller:
    """The other service: tells every change, and lists what is."""

    def __init__(self, database):
        self.database = database
        self.asked = 0
        self.down = False
        self.meanwhile = lambda: None  # happens between a page's reading and its taking over

    def adds(self, subject, n):
        with self.database.transaction() as db:
            add(db, subject, n)
            announce(db, TELLING.of(Added, subject=subject, now=SystemClock().now(), n=n))

    def ask(self, path, query):
        assert path == "/balances"
        self.asked += 1
        if self.down:
            raise OutsideFailed
        limit = int(query["limit"])
        listed = select(Balance.subject, Balance.total, last_told("matter", Balance.subject))
        listed = listed.where(Balance.subject > query.get("after", "")).order_by(Balance.subject)
        with self.database.reading() as db:
            rows = db.execute(listed.limit(limit + 1)).all()
        self.meanwhile()
        items = [
            {
                "subject": subject,
                "sequence": sequence,
                "state": {"subject": subject, "total": total},
            }
            for subject, total, sequence in rows[:limit]
        ]
        return {"items": items, "next": rows[limit - 1][0] if len(rows) > limit else None}


class Late:
    """The service that comes later."""

    def __init__(self, database, teller):
        self.database, self.teller = database, teller
        self.subscriptions = Subscriptions(f"late-{new_id()}")
        self.snapshots = Snapshots(self.subscriptions)

        @self.subscriptions.on("telling.matter.added.v1", reads=Added)
        def hear(db, said, envelope):
            add(db, envelope.subject, said["n"])

        @self.snapshots.of("telling.matter", path="/balances", reads=Total)
        def take(db, said, now):
            put(db, said["subject"], said["total"])

        self.take = take

    def catches_up(self):
        self.snapshots.catch_up(self.context, self.teller.ask)

    @property
    def context(self):
        return JobContext("hearing", self.database, SystemClock(), None, threading.Event())

    def begins(self, now=NOW):
        with self.database.transaction() as db:
            self.subscriptions.begin(db, now)

    def is_done(self):
        with self.database.reading() as db:
            finished = db.execute(text("SELECT finished_at FROM catch_up")).scalar_one_or_none()
        return finished is not None


@pytest.fixture
def teller(database):
    Base.metadata.create_all(database.engine)
    return Teller(database)


@pytest.fixture
def late(hearing, teller):
    Base.metadata.create_all(hearing.database.engine)
    return Late(hearing.database, teller)


@pytest.mark.req("EV-01")
@pytest.mark.parametrize("kind", ["local", pytest.param("amqp", marks=pytest.mark.rabbitmq)])
@pytest.mark.xdist_group("rabbitmq")
def test_a_service_that_comes_late_ends_where_the_teller_is(
    kind, request, teller, late, running, wait_until
):
    """While it reads, the teller goes on; its events come by the bus before and after the pages."""
    url = request.getfixturevalue("bus_url") if kind == "local" else None
    url = url or request.getfixturevalue("rabbit_node").url
    for number in range(SUBJECTS):
        teller.adds(f"s{number:03}", number)
    with teller.database.transaction() as db:  # published when nobody listened, and forgotten
        db.execute(text("DELETE FROM outbox"))
    moving = iter(range(1_000))
    teller.meanwhile = lambda: teller.adds(f"s{next(moving) * 83 % SUBJECTS:03}", 1000)
    jobs = Jobs()
    jobs.every(timedelta(seconds=1), name="catch-up")(
        lambda context: late.snapshots.catch_up(context, teller.ask)
    )
    apps = [
        app("telling", teller.database, url, Subscriptions("telling"), Jobs()),
        app("hearing", late.database, url, late.subscriptions, jobs),
    ]
    with running(lambda stop: run_worker(apps, stop)):
        wait_until(late.is_done)
        teller.adds("s007", 5)
        teller.adds("new", 8)
        wait_until(lambda: balances(late.database) == balances(teller.database))
    assert balances(late.database)["new"] == 8
    assert len(balances(late.database)) == SUBJECTS + 1


def app(name, database, bus_url, subscriptions, jobs):
    return SimpleNamespace(
        service=SimpleNamespace(name=name, subscriptions=subscriptions, jobs=jobs, facts=TELLING),
        settings=SimpleNamespace(bus_url=bus_url, event_prefix="cn.gov.test"),
        database=database,
        clock=SystemClock(),
    )


@pytest.mark.req("EV-01")
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whenever_the_state_is_read_and_taken_over_the_end_is_the_same(hearing, late, data):
    """Some numbers are from before the binding; the state is read among the others, in any order.

    Now and then the housekeeping believes that a subject begins in the middle, as it may.
    """
    with late.database.transaction() as db:
        db.execute(text("TRUNCATE balance, inbox, event_progress, event_parked, subscription"))
    last = data.draw(st.integers(1, 8), label="numbers")
    before = data.draw(st.integers(0, last), label="from before the binding")
    late.begins(hearing.event(before + 1, fact="added").time)
    told = [hearing.event(n, fact="added") for n in range(before + 1, last + 1)]
    queue = data.draw(st.permutations(told), label="order")
    read_at = data.draw(st.integers(before, last), label="read at")
    place = data.draw(st.integers(0, len(queue)), label="taken over after so many deliveries")
    for number in range(len(queue) + 1):
        if number == place and takes_over(late, read_at):
            assert not takes_over(late, last), "asked again, it is the newest"
        if number < len(queue):
            with late.database.transaction() as db:
                late.subscriptions.deliver(db, queue[number], NOW)
            if data.draw(st.booleans(), label="housekeeping"):
                release(late)
    release(late)
    assert balances(late.database) == {"a": last * (last + 1) // 2}
    assert hearing.count("event_parked") == 0


def takes_over(late, number):
    key = Key("telling", "matter", "fact", "a")
    state = State(key, number, {"subject": "a", "total": number * (number + 1) // 2})
    with late.database.transaction() as db:
        return late.subscriptions.take_over(db, [state], late.take, NOW)


def release(late):
    with late.database.transaction() as db:
        late.subscriptions.release(db, Key("telling", "matter", "fact", "a"), NOW + LATER)


def test_nothing_is_read_before_the_queue_is_bound_and_nothing_twice(teller, late):
    teller.adds("a", 3)
    late.catches_up()
    assert (teller.asked, balances(late.database)) == (0, {})
    late.begins()
    late.catches_up()
    assert (teller.asked, balances(late.database)) == (1, {"a": 3})
    late.catches_up()
    assert teller.asked == 1


def test_a_teller_that_is_away_is_asked_again_where_the_reading_stopped(teller, late):
    for number in range(SUBJECTS):
        teller.adds(f"s{number:03}", number)
    late.begins()
    teller.meanwhile = lambda: setattr(teller, "down", True)
    late.catches_up()
    assert len(balances(late.database)) == 100
    assert not late.is_done()
    teller.down, teller.meanwhile = False, lambda: None
    late.catches_up()
    assert balances(late.database) == balances(teller.database)
    assert teller.asked == 4  # the second question was in vain


def test_a_page_that_is_always_older_is_left_for_the_next_run(hearing, teller, late):
    teller.adds("a", 3)
    late.begins()
    with late.database.transaction() as db:  # heard by a consumer that is always faster
        db.execute(
            text("INSERT INTO event_progress VALUES ('telling', 'matter', 'fact', 'a', 1000)")
        )
    late.catches_up()
    assert teller.asked == AGAIN
    assert not late.is_done()


def test_a_binding_that_was_given_up_is_read_anew_when_it_is_taken_up_again(teller, late):
    teller.adds("a", 3)
    late.begins()
    late.catches_up()
    with late.database.transaction() as db:
        Subscriptions("hearing").begin(db, NOW)  # a release that hears nothing
    teller.adds("a", 4)
    late.begins(NOW + LATER)
    late.catches_up()
    assert balances(late.database) == {"a": 7}


def test_a_past_without_a_future_is_refused():
    with pytest.raises(ValueError, match="does not hear telling"):
        Snapshots(Subscriptions("deaf")).of("telling.matter", path="/", reads=Total)(print)
