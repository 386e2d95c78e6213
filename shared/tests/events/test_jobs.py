"""Jobs run when they are due, on one worker at a time, and survive their own failures."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text

from servicekit.clock import SystemClock
from servicekit.housekeeping import housekeeping, prune_events
from servicekit.jobs import JobContext, Jobs
from servicekit.outbox import Event, announce
from servicekit.scheduler import Scheduler

SOON = timedelta(milliseconds=30)
NEVER = timedelta(days=1)


@pytest.fixture
def context(database):
    return JobContext("kit", database, SystemClock(), None, threading.Event())


def test_a_job_runs_at_once_and_then_every_period(context, running, wait_until):
    jobs, ran = Jobs(), []

    @jobs.every(SOON, name="often")
    def often(given):
        ran.append(given)

    @jobs.every(NEVER, name="once")
    def once(given):
        ran.append("once")

    with running(Scheduler(jobs, context).run):
        wait_until(lambda: len(ran) > 4)
    assert ran.count("once") == 1
    assert ran.count(context) >= 3


def test_a_notification_wakes_its_job_and_a_running_job_looks_again(
    database, context, running, wait_until
):
    jobs, looked, go_on = Jobs(), [], threading.Event()

    @jobs.on_notify("letters", period=NEVER)
    def send(given):
        looked.append(1)
        if len(looked) == 2:
            go_on.wait(20)

    def notify():
        with database.transaction() as db:
            db.execute(text("SELECT pg_notify('letters', '')"))

    with running(Scheduler(jobs, context).run):
        wait_until(lambda: len(looked) == 1)
        notify()
        wait_until(lambda: len(looked) == 2)
        notify()  # while it runs: it may have looked too early
        go_on.set()
        wait_until(lambda: len(looked) == 3)


def test_a_job_that_fails_is_run_again(context, running, wait_until):
    jobs, ran = Jobs(), []

    @jobs.every(SOON, name="flaky")
    def flaky(_):
        ran.append(1)
        if len(ran) < 3:
            raise ZeroDivisionError

    with running(Scheduler(jobs, context).run):
        wait_until(lambda: len(ran) >= 4)


def test_of_two_workers_one_runs_the_job_and_the_other_takes_over(
    database, context, running, wait_until
):
    ran = []

    def worker(name):
        jobs = Jobs()

        @jobs.every(SOON, name="elected")
        def work(_):
            ran.append(name)

        return Scheduler(jobs, context)

    with running(worker("second").run) as second:
        wait_until(lambda: len(ran) > 2)
        with running(worker("first").run):
            n = len(ran)
            wait_until(lambda: len(ran) > n + 5)
            assert set(ran) == {"second"}, "two ran the same job"
            second.stop.set()
            wait_until(lambda: "first" in ran)
            m = len(ran)
            end_connections(database.url)
            wait_until(lambda: len(ran) > m + 3)
    assert set(Counter(ran)) == {"first", "second"}


def end_connections(url):
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'kit jobs' AND datname = current_database()"
        )


def test_jobs_are_declared_with_care():
    jobs = Jobs()
    jobs.every(SOON, name="one")(print)
    with pytest.raises(ValueError, match="twice"):
        jobs.on_notify("one")(print)
    with pytest.raises(ValueError, match="period"):
        jobs.every(timedelta(0), name="never")
    with pytest.raises(ValueError, match="nothing"):
        jobs.on_notify()


def test_old_events_are_forgotten_and_unpublished_ones_never(database, context):
    long_ago = datetime.now(UTC) - timedelta(days=31)
    with database.transaction() as db:
        for subject in ("old", "fresh", "waiting"):
            announce(db, Event("kit.paper.moved.v1", subject, long_ago, {}))
        db.execute(text("UPDATE outbox SET published_at = time WHERE subject = 'old'"))
        db.execute(text("UPDATE outbox SET published_at = now() WHERE subject = 'fresh'"))
        rows = [{"i": "old", "at": long_ago}, {"i": "fresh", "at": datetime.now(UTC)}]
        db.execute(text("INSERT INTO inbox VALUES (:i, 'kit.paper.moved.v1', :at)"), rows)
    prune_events(context)
    with database.reading() as db:
        left = set(db.scalars(text("SELECT subject FROM outbox")))
        handled = set(db.scalars(text("SELECT event_id FROM inbox")))
    assert left == {"fresh", "waiting"}
    assert handled == {"fresh"}


def test_housekeeping_takes_up_what_is_parked(hearing, context, running, wait_until):
    def fail(envelope):
        if envelope.sequence == 2:
            raise ZeroDivisionError

    hearing.before = fail
    hearing.deliver(hearing.event(2))
    hearing.deliver(hearing.event(1))
    hearing.before = lambda _: None
    mine = JobContext("hearing", hearing.database, SystemClock(), None, threading.Event())
    with running(Scheduler(housekeeping(hearing.subscriptions), mine).run):
        wait_until(lambda: hearing.heard == [("a", 1), ("a", 2)])
