"""Everybody takes locks in one order (standing.py says which), so that nobody waits in a ring.

A test holds one row, lets somebody run into it, and looks what they hold while they wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from employment_registry import merging
from employment_registry.life_events.rules import Happening
from servicekit.history import lane_of
from servicekit.testing.waiting import until

LATER = "2026-10-21T02:00:00+00:00"
ENDINGS = "employment-registry.ending"
_WAITING = text(
    "SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN "
    "(SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
)


@contextmanager
def waiting_for(desk: Any, table: str, row_id: Any, act: Callable[[], Any]) -> Iterator[Any]:
    """Somebody acts and waits for a row that is held until the block ends."""
    with ThreadPoolExecutor(1) as pool:
        with desk.app.database.transaction() as db:
            column = "lane" if table == "history_head" else "id"
            held = f"SELECT 1 FROM {table} WHERE {column} = :id FOR UPDATE"
            assert db.execute(text(held), {"id": row_id}).first()
            acting = pool.submit(act)
            with desk.app.database.reading() as looking:
                until(lambda: looking.execute(_WAITING).first())
            yield
        answer = acting.result()
    assert answer is None or answer.status_code == 200, answer.text


def is_free(desk: Any, table: str, row_id: Any, column: str = "id") -> bool:
    with desk.app.database.transaction() as db:
        found = text(f"SELECT 1 FROM {table} WHERE {column} = :id FOR UPDATE NOWAIT")
        try:
            assert db.execute(found, {"id": row_id}).first()
        except OperationalError:
            return False
        finally:
            db.rollback()
        return True


def are_free(desk: Any, *application_ids: str) -> bool:
    """Does nobody write the histories of these?"""
    lanes = [lane_of(each) for each in application_ids]
    return all(is_free(desk, "history_head", lane, "lane") for lane in lanes)


def announced(desk: Any, lin: Any, happening: Happening) -> Any:
    """An ending that is announced to somebody."""
    desk.tells("social-security", lin.told(happening, date(2026, 9, 29)))
    (ending,) = lin.done(lin.get("planned-endings"))["items"]
    return ending


def unemployed(desk: Any) -> tuple[Any, Any]:
    lin = desk.person()
    return lin, desk.unemployed(lin)


@pytest.mark.req("AL-03", "ER-07", "AL-10")
@pytest.mark.parametrize("move", ["approve", "reject"])
def test_who_decides_on_an_objection_waits_before_writing_histories(desk: Any, move: str) -> None:
    lin, registration = unemployed(desk)
    ending = announced(desk, lin, Happening.ENROLLED)["id"]
    lin.done(lin.post(f"planned-endings/{ending}/object", {"explanation": "不是我"}))
    officer = desk.officer("440106", business=ENDINGS)
    said = {"reason": "属实"} if move == "reject" else {}
    decides = lambda: officer.post(f"ending-reviews/{ending}/{move}", said)  # noqa: E731
    with waiting_for(desk, "planned_ending", ending, decides):  # as its owner who urges
        assert are_free(desk, ending, registration["id"])
    assert desk.history_is_whole()


@pytest.mark.req("AL-03", "ER-07")
@pytest.mark.parametrize("table", ["flexible_employment_application", "flexible_employment_record"])
def test_what_takes_effect_waits_before_writing_histories(desk: Any, table: str) -> None:
    lin, _, first = desk.registered()
    change = lin.submits(lin.opens("change", address="体育西路2号"))
    ending = announced(desk, lin, Happening.PENSION)["id"]
    desk.set(LATER)
    held = change["id"] if table.endswith("application") else desk.rows(table)[0].id
    with waiting_for(desk, table, held, lambda: desk.job("end-registrations")):
        assert are_free(desk, ending, first["id"], change["id"])
    assert [row.is_valid for row in desk.rows("flexible_employment_record")] == [False]
    assert lin.shows(change)["state"] == "withdrawn"
    assert desk.history_is_whole()


@pytest.mark.req("AL-03", "ER-07", "UNE-09")
@pytest.mark.parametrize("matter", ["flexible_employment", "unemployment"])
def test_who_ends_unemployment_by_employment_waits_before_writing_histories(
    desk: Any, matter: str
) -> None:
    lin, registration = unemployed(desk)
    filed = lin.submits(lin.opens(**desk.form))
    officer = desk.officer("440106")
    held = filed if matter == "flexible_employment" else registration
    approves = lambda: officer.tries_to("approve", filed, {})  # noqa: E731
    with waiting_for(desk, f"{matter}_application", held["id"], approves):
        assert are_free(desk, filed["id"], registration["id"])
    assert [row.standing for row in desk.rows("person_standing")] == ["employed"]
    assert desk.history_is_whole()


@pytest.mark.req("AL-03", "EMP-07")
def test_who_cancels_waits_before_writing_histories(desk: Any) -> None:
    lin, _, first = desk.registered()
    change = lin.submits(lin.opens("change", address="体育西路2号"))
    cancels = lambda: lin.tries_to("cancel", first, {"reason": "已入职"})  # noqa: E731
    with waiting_for(desk, "flexible_employment_application", change["id"], cancels):
        assert are_free(desk, first["id"], change["id"])
    assert lin.shows(change)["state"] == "withdrawn"
    assert desk.history_is_whole()


@pytest.mark.req("ID-05", "EMP-06")
def test_a_merge_waits_for_a_registration_before_it_takes_applications(desk: Any) -> None:
    lin, _, first = desk.registered()
    (record,) = desk.rows("flexible_employment_record")
    ended, stays = lin.claims["sub"], desk.person().claims["sub"]

    def merges() -> None:
        with desk.app.database.transaction() as db:
            merging.follow(db, ended=ended, stays=stays)

    with waiting_for(desk, "flexible_employment_record", record.id, merges):
        assert is_free(desk, "flexible_employment_application", first["id"])
    assert [row.applicant_id for row in desk.rows("flexible_employment_record")] == [stays]


@pytest.mark.req("AL-03", "CRT-06")
def test_who_revokes_a_certificate_writes_its_history_first(desk: Any) -> None:
    desk.registered()
    (certificate,) = desk.rows("certificate")
    officer = desk.officer("440106", business="employment-registry.certificate")
    path = f"issued-certificates/{certificate.id}/revoke"
    revokes = lambda: officer.post(path, {"reason": "冒用他人身份办理"})  # noqa: E731
    with waiting_for(desk, "history_head", lane_of(certificate.id), revokes):
        assert is_free(desk, "certificate", certificate.id)
    assert [row.validity for row in desk.rows("certificate")] == ["revoked"]
    assert desk.history_is_whole()


@pytest.mark.req("AL-03", "ER-11")
@pytest.mark.parametrize("registered", [True, False])
def test_a_certificate_that_ends_with_a_death_has_its_history(desk: Any, registered: bool) -> None:
    lin, _, first = desk.registered()
    if not registered:
        lin.cancels(first, reason="已入职")
    (certificate,) = desk.rows("certificate")
    desk.tells("population-register", lin.told(Happening.DIED, date(2026, 9, 29)))
    desk.job("end-registrations")
    desk.set(LATER)
    desk.job("end-registrations")
    assert [row.validity for row in desk.rows("certificate")] == ["revoked"]
    (kept,) = [e for e in desk.rows("application_history") if e.application_id == certificate.id]
    assert (kept.move, kept.before, kept.after) == ("revoke", "valid", "revoked")
    assert (kept.actor_id, kept.role) == ("system:employment-registry", "system")
    assert kept.note == "公安机关已登记死亡"
    assert desk.history_is_whole()
