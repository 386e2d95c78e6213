"""A service's businesses are announced when they are new or changed, and now and then again."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from servicekit.businesses import SAY_AGAIN, SAY_TWICE, Business, declare
from servicekit.db import OUTBOX
from servicekit.facts import Facts
from servicekit.jobs import JobContext, Jobs
from servicekit.testing.clock import FixedClock

PAPERS = Business("kit.papers", "纸张管理", unit_level=5)


class Publisher:
    """The worker of a release of the service, with its declarations."""

    def __init__(self, database, clock, *businesses):
        facts, jobs = Facts("kit"), Jobs()
        self.declared = declare(facts, jobs, *businesses)
        (self.fact,) = facts
        (self.job,) = jobs
        self.context = JobContext("kit", database, clock, None, threading.Event())

    def works(self):
        self.job.work(self.context)


@pytest.fixture
def clock():
    return FixedClock()


def told(database):
    with database.reading() as db:
        rows = db.execute(select(OUTBOX.c.type, OUTBOX.c.data).order_by(OUTBOX.c.position))
        return [(row.type, row.data["title"]) for row in rows]


@pytest.mark.req("EA-06")
def test_a_declaration_is_announced_twice_at_first_then_daily(database, clock):
    service = Publisher(database, clock, PAPERS)
    service.works()
    service.works()
    assert told(database) == [("kit.business.published.v1", "纸张管理")]
    clock.advance(SAY_TWICE)  # whoever started with us listens by now
    service.works()
    service.works()
    assert len(told(database)) == 2
    clock.advance(SAY_AGAIN - timedelta(seconds=1))
    service.works()
    assert len(told(database)) == 2
    clock.advance(seconds=1)
    service.works()
    assert len(told(database)) == 3


@pytest.mark.req("EA-06")
def test_a_changed_declaration_is_announced_at_the_next_start(database, clock):
    Publisher(database, clock, PAPERS).works()
    Publisher(database, clock, replace(PAPERS, title="纸张")).works()
    Publisher(database, clock, PAPERS).works()  # and back again
    assert [title for _, title in told(database)] == ["纸张管理", "纸张", "纸张管理"]


def test_what_is_announced_fits_its_contract(database, clock):
    service = Publisher(database, clock, PAPERS)
    service.works()
    with database.reading() as db:
        (said,) = db.scalars(select(OUTBOX.c.data))
    assert service.fact.schema().validate(said) == {}
    assert said == service.fact.examples[0]


@pytest.mark.parametrize(
    "businesses",
    [(PAPERS, PAPERS), (Business("other.papers", "别人的"),)],
)
def test_a_service_declares_its_own_businesses_each_once(businesses):
    with pytest.raises(ValueError, match="each once"):
        declare(Facts("kit"), Jobs(), *businesses)
