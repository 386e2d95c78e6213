"""Two accounts of a person are put together, under one document or under two (ID-05)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from employment_registry import handlers
from employment_registry.life_events import actions as life_events
from employment_registry.life_events.actions import Told
from employment_registry.life_events.rules import Happening
from servicekit.db import new_id
from servicekit.inbox import Envelope
from servicekit.personal import DocumentNumber

UNEMPLOYMENT = {
    "cause": "graduated",
    "unemployed_on": "2026-09-15",
    "service_place": "440106003",
    "address": "五山路1号",
    "wishes": ["job"],
}
LOST = {"cause": "lost", "service_place": "440106003"}


def merges(desk: Any, ended: Any, stays: Any) -> None:
    """As identity tells it, twice."""
    account = ended.claims["sub"]
    heard = Envelope(
        id=new_id(),
        source="identity",
        type="identity.account.cancelled.v1",
        stream="fact",
        subject=account,
        time=desk.clock.now(),
        sequence=1,
        data={"account_id": account, "kind": "person", "merged_into": stays.claims["sub"]},
    )
    for _ in range(2):
        with desk.app.database.transaction() as db:
            handlers.SUBSCRIPTIONS.begin(db, desk.clock.now())
            handlers.SUBSCRIPTIONS.deliver(db, heard, desk.clock.now())


def unemployed(desk: Any, lin: Any) -> None:
    """An approved registration."""
    draft = lin.done(lin.post("unemployment-registrations", {"unemployment": UNEMPLOYMENT}), 201)
    lin.done(lin.post(f"unemployment-registrations/{draft['id']}/submit", {}))
    officer = desk.officer("440106", business="employment-registry.unemployment")
    officer.done(officer.post(f"unemployment-reviews/{draft['id']}/approve", {}))


@pytest.mark.req("ID-05", "ER-07")
def test_a_merged_accounts_filings_go_on_with_the_account_that_stays(desk: Any) -> None:
    lin = desk.person()
    twin = desk.person(number=lin.number)
    unemployed(desk, lin)
    merges(desk, lin, twin)
    assert twin.get("unemployment-records/current").status_code == 200
    assert twin.get("certificates/current").status_code == 200


@pytest.mark.req("ID-05", "CRT-02", "CRT-04", "CRT-06")
def test_a_certificate_of_the_other_document_is_replaced_and_not_doubled(desk: Any) -> None:
    lin, twin = desk.registered()[0], desk.person()
    merges(desk, lin, twin)
    shown = twin.done(twin.get("certificates/current"))
    assert shown["can_be_replaced"] is True
    check = twin.done(twin.get("guide-checks/certificate-replacement"))
    assert check["may_open"] is True
    asked = {"kind": "first", "certificate": LOST}
    refused = twin.post("certificate-applications", asked)
    assert refused.json["code"] == "already-certified"
    asked = {"kind": "replacement", "replaces": shown["id"], "certificate": LOST}
    draft = twin.done(twin.post("certificate-applications", asked), 201)
    twin.done(twin.post(f"certificate-applications/{draft['id']}/submit", {}))
    officer = desk.officer("440106", business="employment-registry.certificate")
    told = officer.done(officer.get(f"certificate-reviews/{draft['id']}"))["comparison"]
    changed = {each["field"]: each["before"] for each in told if each["changed"]}
    assert changed["/certificate/document_number"] == shown["person"]["document_number"]
    officer.done(officer.post(f"certificate-reviews/{draft['id']}/approve", {}))
    rows = desk.rows("certificate")
    assert [row.validity for row in rows] == ["replaced", "valid"]
    assert rows[0].number == rows[1].number


@pytest.mark.req("ID-05", "ER-07")
def test_who_was_employed_under_the_other_document_is_not_unemployed_too(desk: Any) -> None:
    lin, twin = desk.registered()[0], desk.person()
    draft = twin.done(twin.post("unemployment-registrations", {"unemployment": UNEMPLOYMENT}), 201)
    merges(desk, lin, twin)
    late = twin.post(f"unemployment-registrations/{draft['id']}/submit", {})
    assert late.json["code"] == "registered-as-employed"
    check = twin.done(twin.get("guide-checks/unemployment"))
    unmet = [each["refusal"] for each in check["conditions"] if not each["met"]]
    assert unmet == ["registered-as-employed", "application-open"]
    assert [row.standing for row in desk.rows("person_standing")] == ["employed"]


@pytest.mark.req("ID-05", "ER-07")
def test_an_approval_that_was_under_way_finds_the_other_registration(desk: Any) -> None:
    lin, twin = desk.registered()[0], desk.person()
    draft = twin.done(twin.post("unemployment-registrations", {"unemployment": UNEMPLOYMENT}), 201)
    twin.done(twin.post(f"unemployment-registrations/{draft['id']}/submit", {}))
    merges(desk, lin, twin)
    officer = desk.officer("440106", business="employment-registry.unemployment")
    refused = officer.post(f"unemployment-reviews/{draft['id']}/approve", {})
    assert refused.json["code"] == "registered-as-employed"
    assert desk.rows("unemployment_record") == []


@pytest.mark.req("ID-05", "ER-07", "UNE-09")
def test_employment_ends_unemployment_of_the_other_document(desk: Any) -> None:
    lin, twin = desk.person(), desk.person()
    unemployed(desk, lin)
    merges(desk, lin, twin)
    desk.officer("440106").approves(twin.submits(twin.opens(**desk.form)))
    assert [row.standing for row in desk.rows("person_standing")] == ["employed"]
    assert [row.ending for row in desk.rows("unemployment_record")] == ["employed"]
    assert [row.validity for row in desk.rows("certificate")] == ["valid"]
    assert desk.history_is_whole()


@pytest.mark.req("ID-05", "ER-07")
def test_a_death_ends_the_certificate_of_the_other_document_too(desk: Any) -> None:
    lin, twin = desk.registered()[0], desk.person()
    merges(desk, lin, twin)
    twin.cancels(twin.lists()[0], reason="已入职单位")
    unemployed(desk, twin)
    died = Told("1", DocumentNumber(twin.number), Happening.DIED, date(2026, 10, 1))
    with desk.app.database.transaction() as db:
        for person in life_events.hear(db, "police", [died], now=desk.clock.now()):
            life_events.plan(db, person, now=desk.clock.now())
    desk.set("2026-10-29T02:00:00+00:00")
    desk.job("end-registrations")
    assert [row.ending for row in desk.rows("unemployment_record")] == ["died"]
    assert [row.validity for row in desk.rows("certificate")] == ["revoked"]
