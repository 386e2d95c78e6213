"""Nobody sees a clear personal value without leaving a record."""

import pytest
from sqlalchemy import select

from servicekit import tracing
from servicekit.access_records import ReasonMissing, reveal
from servicekit.db import ACCESS_RECORD
from servicekit.personal import ResidentNumber
from servicekit.workflow import Role

pytestmark = pytest.mark.req("AL-04")

NUMBER = "440106199001010013"


def look(db, room, reason="核对身份"):
    return reveal(
        db,
        ResidentNumber(NUMBER),
        column="paper.resident_number",
        record_id="paper-1",
        owner_id="applicant-1",
        actor=room.actor(Role.REVIEWER),
        reason=reason,
        now=room.now,
    )


def records(database):
    with database.reading() as db:
        return db.execute(select(ACCESS_RECORD)).all()


def test_a_look_is_recorded_with_who_whose_what_when_and_why(database, room):
    with tracing.continued(None) as here, database.transaction() as db:
        assert look(db, room) == NUMBER
    (record,) = records(database)
    assert (record.actor_id, record.person_id, record.role) == (
        "reviewer-1",
        "reviewer-1",
        "reviewer",
    )
    assert (record.owner_id, record.record_id, record.column) == (
        "applicant-1",
        "paper-1",
        "paper.resident_number",
    )
    assert (record.at, record.reason, record.session_id) == (room.now, "核对身份", "s-1")
    assert record.trace_id == here.trace_id
    assert NUMBER not in str(record)


@pytest.mark.parametrize("reason", ["", "  "])
def test_without_a_reason_nothing_is_shown(database, room, reason):
    with database.transaction() as db, pytest.raises(ReasonMissing):
        look(db, room, reason)
    assert records(database) == []


def test_every_look_is_one_record(database, room):
    for _ in range(3):
        with database.transaction() as db:
            look(db, room)
    assert len(records(database)) == 3
