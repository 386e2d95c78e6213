"""Any sequence of calls by anybody: nothing leaves the table, nothing is told twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from employment_registry.flexible_employment.model import FlexibleEmploymentApplication
from employment_registry.flexible_employment.rules import WORKFLOW, Kind
from employment_registry.person import BirthDate
from servicekit import history
from servicekit.applications import Actor, advance
from servicekit.db import new_id
from servicekit.errors import Refusal
from servicekit.personal import DocumentNumber, PersonName
from servicekit.testing.workflows import Call, check_calls, sequences
from servicekit.workflow import Role, State


class Walk:
    """One application in the database, moved by whoever is named."""

    def __init__(self, desk: Any) -> None:
        self.database, self.now = desk.app.database, desk.clock.now()
        number = DocumentNumber(new_id())
        self.actor = Actor(new_id(), Role.APPLICANT, "person", 2)
        with self.database.transaction() as db:
            row = FlexibleEmploymentApplication(
                applicant_id=self.actor.id,
                state=WORKFLOW.start,
                kind=Kind.REGISTRATION,
                person_key=number,
                person_name=PersonName("林小满"),
                document_kind="resident-card",
                document_number=number,
                born_on=BirthDate("1990-01-01"),
                sex="male",
                created_at=self.now,
                updated_at=self.now,
            )
            db.add(row)
        self.id = row.id

    def make(self, move: str, role: Role) -> None:
        actor = replace(self.actor, role=role)
        with self.database.transaction() as db:
            row = db.get_one(FlexibleEmploymentApplication, self.id)
            advance(db, WORKFLOW, row, move, actor=actor, now=self.now)

    def state(self) -> State:
        with self.database.reading() as db:
            return db.get_one(FlexibleEmploymentApplication, self.id).state

    def told(self) -> list[tuple[int, str]]:
        query = text("SELECT sequence, data->>'after' FROM outbox WHERE subject = :id ORDER BY 1")
        with self.database.reading() as db:
            return [(row[0], row[1]) for row in db.execute(query, {"id": self.id})]


@pytest.mark.req("AL-03", "ER-12")
@settings(max_examples=50)
@given(calls=sequences(WORKFLOW))
def test_no_sequence_of_calls_leaves_the_table(desk: Any, calls: list[Call]) -> None:
    walk = Walk(desk)
    check_calls(WORKFLOW, calls, make=walk.make, state=walk.state)
    with walk.database.reading() as db:
        steps = history.list_history(db, walk.id)
        assert history.verify(db) == []
    changes = [step.after for step in steps if step.after != step.before]
    assert walk.told() == list(enumerate(changes, 1))


MOVES = {
    "save": {"employment": {"occupation": "摄影师"}},
    "submit": {},
    "withdraw": {},
    "cancel": {"reason": "停业"},
    "claim": {},
    "release": {},
    "approve": {},
    "return": {"reason": "请补充"},
    "reject": {"reason": "不符"},
}
SHOWN = {"save", "submit", "withdraw", "cancel"}


@pytest.mark.req("EMP-08", "EMP-09")
@settings(max_examples=15)
@given(steps=st.lists(st.sampled_from(sorted(MOVES)), max_size=12))
def test_whatever_is_clicked_the_buttons_were_right(desk: Any, steps: list[str]) -> None:
    """Through HTTP: a move succeeds exactly when ``open_moves`` offered it."""
    lin, officer = desk.person(), desk.officer("440106")
    application = lin.opens(**desk.form)
    for move in steps:
        own = lin.shows(application)
        mine = move in SHOWN
        seen = own if mine else officer.get(f"flexible-employment-reviews/{own['id']}").json
        offered = move in seen.get("open_moves", [])
        if move == "release":
            offered = seen.get("claimed_by") == officer.claims["sub"]
        if move == "save":
            answer = lin.tries_to_save(own, **MOVES["save"]["employment"])
        else:
            answer = (lin if mine else officer).tries_to(move, own, MOVES[move])
        assert (answer.status_code == 200) is offered, (move, answer.json)
        states = {r["state"] for r in lin.lists()}
        assert (lin.record() is not None) is (states == {"approved"})


def test_a_refused_move_is_a_refusal(desk: Any) -> None:
    walk = Walk(desk)
    with pytest.raises(Refusal):
        walk.make("approve", Role.APPLICANT)
    assert walk.told() == []
