"""Asking twice has one effect, whoever asks, whenever, and however many ask at once."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.event import listens_for

from servicekit.columns import IDEMPOTENCY_KEY
from servicekit.housekeeping import prune_events
from servicekit.jobs import JobContext
from servicekit.testing.racing import answers_at_once

GOOD = {"title": "论就业", "pages": 12}
RIVALS = 40


def code_of(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, json.loads(answer.data)["code"]


def wait_briefly(connection: Any) -> None:
    """Milliseconds in place of the usual seconds for a lock."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = '50ms'")


@pytest.mark.req("AL-07")
def test_the_same_key_and_body_get_the_same_answer(paper_room: Any) -> None:
    person = paper_room.person()
    first = person.post("/papers", GOOD, key="k-1")
    again = person.post("/papers", GOOD, key="k-1")
    assert first.status_code == again.status_code == 201
    assert again.data == first.data
    assert again.headers["ETag"] == first.headers["ETag"] == '"1"'
    assert again.content_type == first.content_type
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (
        None,
        "true",
    )
    assert paper_room.titles() == ["论就业"]


@pytest.mark.req("AL-07")
def test_the_same_key_with_another_request_is_refused(paper_room: Any) -> None:
    person = paper_room.person()
    person.post("/papers", GOOD, key="k-1")
    other = person.post("/papers", {**GOOD, "title": "再论就业"}, key="k-1")
    assert code_of(other) == (422, "idempotency-key-reused")
    elsewhere = person.post("/papers/refused", GOOD, key="k-1")
    assert code_of(elsewhere) == (422, "idempotency-key-reused")
    assert paper_room.titles() == ["论就业"]


@pytest.mark.req("AL-07")
def test_every_unsafe_request_needs_a_key(paper_room: Any) -> None:
    person = paper_room.person()
    assert code_of(person.post("/papers", GOOD, key=None)) == (400, "idempotency-key-missing")
    for bad in ("with space", "ключ", "k" * 256):
        answer = person.post("/papers", GOOD, key=None, headers={"Idempotency-Key": bad})
        assert code_of(answer) == (400, "idempotency-key-malformed")
    assert paper_room.titles() == []


@pytest.mark.req("AL-07")
def test_another_person_may_use_the_same_key(paper_room: Any) -> None:
    first = paper_room.person().post("/papers", GOOD, key="k-1")
    second = paper_room.person().post("/papers", {**GOOD, "title": "再论就业"}, key="k-1")
    assert first.status_code == second.status_code == 201


@pytest.mark.req("AL-07")
def test_a_key_is_kept_for_a_day(paper_room: Any) -> None:
    claims = {"sub": "p-1", "expires_in": 1_000_000}
    person = paper_room.person(**claims)
    first = person.post("/papers", GOOD, key="k-1")
    paper_room.clock.advance(hours=23, minutes=59)
    assert person.post("/papers", GOOD, key="k-1").data == first.data
    paper_room.clock.advance(minutes=2)
    later = person.post("/papers", {**GOOD, "title": "再论就业"}, key="k-1")
    assert later.status_code == 201
    assert person.post("/papers", {**GOOD, "title": "再论就业"}, key="k-1").data == later.data


@pytest.mark.req("AL-07")
def test_housekeeping_forgets_keys_that_are_free_again(paper_room: Any) -> None:
    app = paper_room.app
    person = paper_room.person(expires_in=1_000_000)
    person.post("/papers", GOOD, key="old")
    paper_room.clock.advance(hours=25)
    person.post("/papers", {**GOOD, "title": "再论就业"}, key="new")
    stop = threading.Event()
    prune_events(JobContext("paper-room", app.database, paper_room.clock, app.settings, stop))
    with app.database.reading() as db:
        assert db.scalars(select(IDEMPOTENCY_KEY.c.key)).all() == ["new"]


@pytest.mark.req("AL-07")
def test_after_a_refusal_the_key_is_free(paper_room: Any) -> None:
    person = paper_room.person()
    assert code_of(person.post("/papers", {"pages": 1}, key="k-1")) == (422, "invalid-input")
    assert code_of(person.post("/papers/refused", key="k-1")) == (422, "paper-refused")
    assert person.post("/papers", GOOD, key="k-1").status_code == 201


@pytest.mark.req("AL-07")
def test_a_refusal_that_keeps_its_effect_keeps_its_answer(paper_room: Any) -> None:
    person = paper_room.person()
    first = person.post("/papers/counted", key="k-1")
    assert code_of(first) == (429, "too-many")
    again = person.post("/papers/counted", key="k-1")
    assert again.data == first.data
    assert again.headers["Retry-After"] == first.headers["Retry-After"] == "7"
    assert paper_room.titles() == ["try 0"]
    person.post("/papers/counted", key="k-2")
    assert paper_room.titles() == ["try 0", "try 1"]


@pytest.mark.req("AL-07", "AL-04")
def test_what_is_kept_says_nothing_to_a_reader_of_the_database(paper_room: Any) -> None:
    paper_room.person().post("/papers", {**GOOD, "title": "secret title"}, key="k-1")
    with paper_room.app.database.reading() as db:
        row = db.execute(text("SELECT * FROM idempotency_key")).mappings().one()
    assert b"secret title" not in bytes(row["body"])
    assert len(row["fingerprint"]) == 32
    same = paper_room.app.vault.index("x", "idempotency_key.fingerprint").hex()
    assert row["fingerprint"] != same


@pytest.mark.req("AL-07")
@pytest.mark.slow
def test_forty_at_once_with_one_key_have_one_effect(paper_room: Any) -> None:
    person = paper_room.person()
    answers = answers_at_once(*[lambda: person.post("/papers", GOOD, key="one")] * RIVALS)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert paper_room.titles() == ["论就业"]


@pytest.mark.req("AL-07")
@pytest.mark.slow
def test_forty_at_once_with_keys_of_their_own_and_one_title(paper_room: Any) -> None:
    person = paper_room.person()
    answers = answers_at_once(*[lambda: person.post("/papers", GOOD)] * RIVALS)
    statuses = [answer.status_code for answer in answers]
    assert sorted(set(statuses)) == [201, 409]
    assert statuses.count(201) == 1
    assert paper_room.titles() == ["论就业"]


@pytest.mark.req("AL-07")
def test_while_the_first_is_still_answered_the_second_is_told_so(paper_room: Any) -> None:
    person = paper_room.person(sub="p-1")
    database = paper_room.app.database
    with database.transaction() as first:  # the first request, for as long as we like
        first.execute(
            IDEMPOTENCY_KEY.insert().values(
                actor_key="p-1", key="k-1", fingerprint="", created_at=paper_room.clock.now()
            )
        )
        listens_for(database.engine, "begin")(wait_briefly)
        answer = person.post("/papers", GOOD, key="k-1")
    assert code_of(answer) == (409, "request-in-progress")
    assert answer.headers["Retry-After"] == "1"
