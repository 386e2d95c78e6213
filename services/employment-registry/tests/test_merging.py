"""Two accounts of a person are put together, under one document or under two (ID-05)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from employment_registry.life_events.rules import Happening

BEGAN = date(2026, 9, 30)
LATER = "2026-10-29T02:00:00+00:00"
LOST = {"cause": "lost", "service_place": "440106003"}


@pytest.mark.req("ID-05", "ER-07")
def test_a_merged_accounts_filings_go_on_with_the_account_that_stays(desk: Any) -> None:
    lin = desk.person()
    twin = desk.person(number=lin.number)
    desk.unemployed(lin)
    desk.merges(lin, twin)
    assert twin.get("unemployment-records/current").status_code == 200
    assert twin.get("certificates/current").status_code == 200


@pytest.mark.req("ID-05", "CRT-02", "CRT-04", "CRT-06")
def test_a_certificate_of_the_other_document_is_replaced_and_not_doubled(desk: Any) -> None:
    lin, twin = desk.registered()[0], desk.person()
    desk.merges(lin, twin)
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
    draft = twin.opens_unemployment()
    desk.merges(lin, twin)
    late = twin.post(f"unemployment-registrations/{draft['id']}/submit", {})
    assert late.json["code"] == "registered-as-employed"
    check = twin.done(twin.get("guide-checks/unemployment"))
    unmet = [each["refusal"] for each in check["conditions"] if not each["met"]]
    assert unmet == ["registered-as-employed", "application-open"]
    assert [row.standing for row in desk.rows("person_standing")] == ["employed"]


@pytest.mark.req("ID-05", "ER-07")
def test_an_approval_that_was_under_way_finds_the_other_registration(desk: Any) -> None:
    lin, twin = desk.registered()[0], desk.person()
    draft = twin.opens_unemployment()
    twin.done(twin.post(f"unemployment-registrations/{draft['id']}/submit", {}))
    desk.merges(lin, twin)
    officer = desk.officer("440106", business="employment-registry.unemployment")
    refused = officer.post(f"unemployment-reviews/{draft['id']}/approve", {})
    assert refused.json["code"] == "registered-as-employed"
    assert desk.rows("unemployment_record") == []


@pytest.mark.req("ID-05", "ER-07", "UNE-09")
def test_employment_ends_unemployment_of_the_other_document(desk: Any) -> None:
    lin, twin = desk.person(), desk.person()
    desk.unemployed(lin)
    desk.merges(lin, twin)
    desk.officer("440106").approves(twin.submits(twin.opens(**desk.form)))
    assert [row.standing for row in desk.rows("person_standing")] == ["employed"]
    assert [row.ending for row in desk.rows("unemployment_record")] == ["employed"]
    assert [row.validity for row in desk.rows("certificate")] == ["valid"]
    assert desk.history_is_whole()


@pytest.mark.req("ID-05", "ER-07")
def test_a_death_ends_the_certificate_of_the_other_document_too(desk: Any) -> None:
    lin, twin = desk.registered()[0], desk.person()
    desk.merges(lin, twin)
    twin.cancels(twin.lists()[0], reason="已入职单位")
    desk.unemployed(twin)
    desk.tells("police", twin.told(Happening.DIED, date(2026, 10, 1)))
    desk.set(LATER)
    desk.job("end-registrations")
    assert [row.ending for row in desk.rows("unemployment_record")] == ["died"]
    assert [row.validity for row in desk.rows("certificate")] == ["revoked"]


@pytest.mark.parametrize("merges_first", [True, False])
@pytest.mark.req("ID-05", "ER-07", "UNE-09")
def test_what_is_told_of_the_other_document_ends_a_registration(
    desk: Any, merges_first: bool
) -> None:
    lin = desk.person()
    desk.unemployed(lin)
    twin = desk.known_by_another()
    if merges_first:
        desk.merges(lin, twin)
    desk.tells("social-security", twin.told(Happening.ENROLLED, BEGAN))
    if not merges_first:
        assert desk.rows("planned_ending") == []
        desk.merges(lin, twin)
    desk.job("end-registrations")
    assert [row.state for row in desk.rows("planned_ending")] == ["draft"]
    desk.set(LATER)
    desk.job("end-registrations")
    assert [row.ending for row in desk.rows("unemployment_record")] == ["employed"]
    assert desk.rows("person_standing") == []
    assert desk.history_is_whole()


@pytest.mark.req("ID-05", "ER-07", "EMP-06")
def test_what_was_announced_after_a_change_under_the_other_document_takes_effect(desk: Any) -> None:
    lin, officer, _ = desk.registered()
    twin = desk.person()
    desk.merges(lin, twin)
    desk.tells("social-security", twin.told(Happening.PENSION, BEGAN))
    assert desk.rows("planned_ending") == []  # nothing is filed under it yet
    officer.approves(twin.submits(twin.opens("change", occupation="家政服务员")))
    (ending,), (record,) = desk.rows("planned_ending"), desk.rows("flexible_employment_record")
    assert ending.person_key != record.person_key
    desk.set(LATER)
    desk.job("end-registrations")
    assert [row.is_valid for row in desk.rows("flexible_employment_record")] == [False]
    assert twin.done(twin.get("planned-endings"))["items"][0]["took_effect"] is True


@pytest.mark.req("ID-05", "ER-07", "CRT-06")
def test_a_certificate_filed_under_the_other_document_makes_it_known(desk: Any) -> None:
    lin = desk.person()
    desk.unemployed(lin)
    twin = desk.person()
    desk.merges(lin, twin)
    desk.tells("social-security", twin.told(Happening.ENROLLED, BEGAN))
    held = twin.done(twin.get("certificates/current"))
    asked = {"kind": "replacement", "replaces": held["id"], "certificate": LOST}
    draft = twin.done(twin.post("certificate-applications", asked), 201)
    twin.done(twin.post(f"certificate-applications/{draft['id']}/submit", {}))
    officer = desk.officer("440106", business="employment-registry.certificate")
    officer.done(officer.post(f"certificate-reviews/{draft['id']}/approve", {}))
    desk.job("end-registrations")
    assert [row.state for row in desk.rows("planned_ending")] == ["draft"]


@pytest.mark.req("ID-05", "ER-07")
def test_an_objection_upheld_counts_for_both_documents(desk: Any) -> None:
    lin = desk.person()
    desk.unemployed(lin)
    twin = desk.known_by_another()
    desk.merges(lin, twin)
    for reference, one in enumerate((lin, twin)):
        desk.tells("social-security", one.told(Happening.ENROLLED, BEGAN, str(reference)))
    (ending,) = twin.done(twin.get("planned-endings"))["items"]
    twin.done(twin.post(f"planned-endings/{ending['id']}/object", {"explanation": "不是我"}))
    officer = desk.officer("440106", business="employment-registry.ending")
    officer.done(officer.post(f"ending-reviews/{ending['id']}/approve", {}))
    desk.set(LATER)
    desk.job("end-registrations")
    assert [row.state for row in desk.rows("planned_ending")] == ["approved"]
    assert [row.is_valid for row in desk.rows("unemployment_record")] == [True]


@pytest.mark.req("ID-05", "ER-07")
def test_a_death_ends_both_registrations_that_a_merge_left(desk: Any) -> None:
    lin, twin = desk.registered()[0], desk.person()
    desk.unemployed(twin)
    desk.merges(lin, twin)
    assert len(desk.rows("person_standing")) == 2  # which of the two holds an officer says
    desk.tells("police", twin.told(Happening.DIED, BEGAN))
    desk.set(LATER)
    desk.job("end-registrations")
    assert desk.rows("person_standing") == []
    assert [row.validity for row in desk.rows("certificate")] == ["revoked", "revoked"]
    assert desk.history_is_whole()


@pytest.mark.req("ID-05", "ER-07")
def test_the_registration_that_a_merge_left_counts_once_the_other_has_ended(desk: Any) -> None:
    lin, twin = desk.registered()[0], desk.person()
    desk.unemployed(twin)
    desk.merges(lin, twin)
    desk.job("know-owners")
    assert owners(desk) == {"employed": None, "unemployed": twin.claims["sub"]}
    twin.done(twin.post("unemployment-records/current/end", {"ending": "employed"}))
    desk.job("know-owners")
    assert owners(desk) == {"employed": twin.claims["sub"]}
    again = twin.opens_unemployment(expect=409)
    assert again["code"] == "registered-as-employed"


@pytest.mark.req("ER-07")
def test_a_registration_that_the_version_before_wrote_gets_its_account(desk: Any) -> None:
    lin, twin = desk.registered()[0], desk.person()
    with desk.app.database.transaction() as db:
        db.execute(text("UPDATE person_standing SET applicant_id = NULL"))
    desk.merges(lin, twin)
    for _ in range(2):
        desk.job("know-owners")
        assert owners(desk) == {"employed": twin.claims["sub"]}


def owners(desk: Any) -> dict[str, str | None]:
    """Whose every registration in force is."""
    return {row.standing: row.applicant_id for row in desk.rows("person_standing")}
