"""Nobody learns from step 1 or from a match whether an account exists: same answer, same work."""

import statistics
import time

import pytest
from sqlalchemy import event

from identity.matching import queries


def statements(world, ask):
    """What the database is asked while somebody asks us."""
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(world.app.database.engine, "before_cursor_execute", note)
    try:
        answer = ask()
    finally:
        event.remove(world.app.database.engine, "before_cursor_execute", note)
    return answer, seen


@pytest.mark.req("ID-20", "EA-02")
def test_known_and_unknown_persons_cost_the_same_statements(world, tell):
    agent = world.proves(world.registers())
    other = world.registers()
    nobody = tell.resident_number("44010619900101998")

    def step_one(login_name, number):
        asked = {"login_name": login_name, "document_number": number}
        return lambda: world.browser().api("POST", "/unit-registrations", asked)

    asked = [
        step_one(agent.login_name, nobody),
        step_one(agent.login_name, other.document_number),
        step_one("nobody_here", agent.document_number),
        step_one("nobody_here", nobody),
    ]
    answers = [statements(world, ask) for ask in asked]
    assert {answer.status_code for answer, _ in answers} == {422}
    assert len({answer.content_length for answer, _ in answers}) == 1
    assert len({tuple(seen) for _, seen in answers}) == 1


@pytest.mark.req("ID-20", "EA-02")
def test_known_and_unknown_persons_take_the_same_time(world, tell):
    """Medians of many looks, in our own processor time, which does not hang on who else works."""
    agent = world.registers()
    nobody = tell.resident_number("44010619900101998")
    names = {"known": agent.login_name, "unknown": "nobody_here"}
    times = {kind: [] for kind in names}
    with world.app.database.reading() as db:
        for _ in range(150):
            for kind, name in names.items():
                db.expunge_all()
                begun = time.thread_time()
                assert (
                    queries.find_person(db, login_name=name, number=nobody, name="林小满") is None
                )
                times[kind].append(time.thread_time() - begun)
    known, unknown = (statistics.median(times[kind]) for kind in ("known", "unknown"))
    # A request takes tens of milliseconds with a spread of several; this is far below.
    assert abs(known - unknown) < 0.0005, (known, unknown)
