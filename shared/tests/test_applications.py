"""Moving an application: state, history and event in one transaction, or none of them."""

import json
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from servicekit.applications import RegionNotGranted, advance, system_actor, take_number
from servicekit.db import HISTORY, OUTBOX
from servicekit.errors import ChangedMeanwhile
from servicekit.facts import ApplicationMovedSchema
from servicekit.history import list_history
from servicekit.numbers import check
from servicekit.testing.workflows import check_calls, sequences
from servicekit.workflow import Role, WrongRole, WrongState


def open_draft(database, room):
    paper = room.draft()
    with database.transaction() as db:
        db.add(paper)
    return paper.id


def make(database, room, paper_id, move, role=Role.APPLICANT, note=None, now=None):
    with database.transaction() as db:
        paper = db.get_one(room.paper, paper_id)
        moment = room.now if now is None else now
        advance(db, room.workflow, paper, move, actor=room.actor(role), now=moment, note=note)
        return paper.state


def rows(database, table):
    with database.reading() as db:
        return db.execute(select(table)).all()


@pytest.mark.req("AL-03")
def test_every_move_is_kept_with_who_when_from_to_and_why(database, room):
    paper_id = open_draft(database, room)
    make(database, room, paper_id, "submit")
    make(database, room, paper_id, "return", Role.REVIEWER, note="请补充就业证明")
    with database.reading() as db:
        first, second = list_history(db, paper_id)
    assert (first.move, first.before, first.after) == ("submit", "draft", "submitted")
    assert (first.actor_id, first.person_id, first.role) == (
        "applicant-1",
        "applicant-1",
        "applicant",
    )
    assert second.note == "请补充就业证明"
    assert second.at == room.now


@pytest.mark.req("ER-12")
def test_a_move_is_announced_with_the_payload_all_matters_share(database, room):
    paper_id = open_draft(database, room)
    make(database, room, paper_id, "submit")
    make(database, room, paper_id, "approve", Role.REVIEWER, note="同意")
    submitted, approved = rows(database, OUTBOX)
    assert approved.type == "kit.paper.approved.v1"
    assert (approved.stream, approved.matter, approved.subject) == (
        "application",
        "paper",
        paper_id,
    )
    assert (submitted.sequence, approved.sequence) == (1, 2)
    assert approved.data == {
        "applicant_id": "applicant-1",
        "number": None,
        "business": "kit.paper",
        "region": None,
        "move": "approve",
        "before": "submitted",
        "after": "approved",
    }
    assert not ApplicationMovedSchema().validate(approved.data)
    assert "同意" not in json.dumps(approved.data, ensure_ascii=False)


@pytest.mark.req("EA-13")
@pytest.mark.parametrize(
    ("granted", "refused"),
    [
        ((), False),
        ((("kit.paper", "4401"),), False),
        ((("kit.other", "4403"),), False),
        ((("kit.paper", "4403"),), True),
    ],
)
def test_who_acts_for_a_unit_moves_what_is_in_the_region_that_was_granted(
    database, room, granted, refused
):
    paper_id = open_draft(database, room)
    with database.transaction() as db:
        db.get_one(room.paper, paper_id).region = "440106"
    agent = replace(room.actor(Role.APPLICANT), regions=frozenset(granted), binding="b-1")

    def submit():
        with database.transaction() as db:
            paper = db.get_one(room.paper, paper_id)
            advance(db, room.workflow, paper, "submit", actor=agent, now=room.now)

    if not refused:
        submit()
        return
    with pytest.raises(RegionNotGranted):
        submit()
    assert rows(database, HISTORY) == rows(database, OUTBOX) == []


def test_saving_a_draft_again_is_history_but_no_news(database, room):
    paper_id = open_draft(database, room)
    make(database, room, paper_id, "save")
    assert len(rows(database, HISTORY)) == 1
    assert rows(database, OUTBOX) == []


def test_the_times_of_submission_and_decision_are_kept(database, room):
    paper_id = open_draft(database, room)
    later = room.now + timedelta(hours=1)
    make(database, room, paper_id, "submit")
    make(database, room, paper_id, "approve", Role.REVIEWER, now=later)
    with database.reading() as db:
        paper = db.get_one(room.paper, paper_id)
    assert (paper.submitted_at, paper.decided_at) == (room.now, later)
    assert paper.updated_at == later
    assert paper.version == 3


@pytest.mark.parametrize(
    ("move", "role", "refusal"),
    [("approve", Role.REVIEWER, WrongState), ("submit", Role.REVIEWER, WrongRole)],
)
def test_a_refused_move_leaves_nothing_behind(database, room, move, role, refusal):
    paper_id = open_draft(database, room)
    with pytest.raises(refusal):
        make(database, room, paper_id, move, role)
    assert rows(database, HISTORY) == rows(database, OUTBOX) == []


@pytest.mark.req("AL-10")
def test_of_two_officers_at_once_one_wins_and_the_other_is_told(database, room):
    paper_id = open_draft(database, room)
    make(database, room, paper_id, "submit")
    both_have_read = threading.Barrier(2, timeout=30)
    outcomes = []

    def decide(move):
        try:
            with database.transaction() as db:
                paper = db.get_one(room.paper, paper_id)
                both_have_read.wait()
                actor = room.actor(Role.REVIEWER)
                advance(db, room.workflow, paper, move, actor=actor, now=room.now)
            outcomes.append(move)
        except ChangedMeanwhile as refused:
            outcomes.append(refused.code)

    officers = [threading.Thread(target=decide, args=(move,)) for move in ("approve", "reject")]
    for officer in officers:
        officer.start()
    for officer in officers:
        officer.join()
    assert sorted(outcomes) in (["approve", "changed-meanwhile"], ["changed-meanwhile", "reject"])
    assert len(rows(database, HISTORY)) == 2


@hypothesis_settings(max_examples=25)
@given(data=st.data())
def test_no_sequence_of_calls_leaves_the_table(database, room, data):
    calls = data.draw(sequences(room.workflow, max_size=8))
    paper_id = open_draft(database, room)

    def state():
        with database.reading() as db:
            return db.get_one(room.paper, paper_id).state

    check_calls(
        room.workflow,
        calls,
        make=lambda move, role: make(database, room, paper_id, move, role),
        state=state,
    )
    with database.reading() as db:
        history = list_history(db, paper_id)
    assert [entry.before for entry in history[1:]] == [entry.after for entry in history[:-1]]


def test_the_log_tells_of_a_move_once_it_is_committed(database, room, written_log):
    paper_id = open_draft(database, room)
    make(database, room, paper_id, "submit", note="林小满的说明")
    lines = written_log()
    moved = [line for line in lines if line["event"] == "application moved"]
    assert [(m["move"], m["after"], m["application_id"]) for m in moved] == [
        ("submit", "submitted", paper_id)
    ]
    assert "林小满" not in json.dumps(lines, ensure_ascii=False)


@pytest.mark.req("ER-08")
def test_numbers_are_right_unique_and_counted_per_region_and_day(database, room):
    numbers = []

    def take(times):
        for _ in range(times):
            with database.transaction() as db:
                numbers.append(take_number(db, region="440106001", business="01", now=room.now))

    takers = [threading.Thread(target=take, args=(10,)) for _ in range(4)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert all(check(number) for number in numbers)
    assert len(set(numbers)) == 40
    assert {number[19:25] for number in numbers} == {f"{n:06d}" for n in range(1, 41)}
    with database.transaction() as db:
        evening = room.now + timedelta(hours=15)  # 00:30 of the next day in China
        assert "-20260303-000001-" in take_number(db, region="440106", business="01", now=evening)
        assert take_number(db, region="4401", business="01", now=room.now).startswith("440100-")


def test_a_number_not_committed_is_given_to_the_next(database, room):
    with database.transaction() as db:
        first = take_number(db, region="440106", business="02", now=room.now)
        db.rollback()
    with database.transaction() as db:
        assert take_number(db, region="440106", business="02", now=room.now) == first


def test_the_states_stand_as_words_in_the_table(database, room):
    open_draft(database, room)
    with database.reading() as db:
        assert db.scalar(text("SELECT state FROM paper")) == "draft"


def test_the_service_itself_is_an_actor():
    actor = system_actor("kit")
    assert (actor.id, actor.role, actor.kind) == ("system:kit", Role.SYSTEM, "system")


@pytest.mark.req("EA-11")
def test_an_event_says_who_acted_for_the_unit_and_nothing_of_others(database, room):
    paper_id = open_draft(database, room)
    agent = replace(
        room.actor(Role.APPLICANT), id="unit-1", person_id="agent-1", binding="b-1", agency_id="a-1"
    )
    with database.transaction() as db:
        paper = db.get_one(room.paper, paper_id)
        advance(db, room.workflow, paper, "submit", actor=agent, now=room.now)
    make(database, room, paper_id, "return", Role.REVIEWER)
    filed, returned = (row.data for row in rows(database, OUTBOX))
    assert (filed["acted_by"], filed["acted_via"]) == ("agent-1", "a-1")
    assert not {"acted_by", "acted_via"} & set(returned)
    assert not ApplicationMovedSchema().validate(filed)
