"""What happens to a person ends their registration: told before, objected to, carried out."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from employment_registry.checks.rules import System
from employment_registry.life import Standing
from employment_registry.life_events import rules
from employment_registry.life_events.rules import Event, Happening
from servicekit.testing.racing import at_once

POLICE, INSURANCE = System.POPULATION_REGISTER, System.SOCIAL_SECURITY
OWN = "planned-endings"
REVIEWS = "ending-reviews"
BUSINESS = "employment-registry.ending"
ANNOUNCED = "employment-registry.ending.announced.v1"
LATER = "2026-10-21T02:00:00+00:00"  # after ten working days with the holiday between


def in_force(desk: Any) -> list[str]:
    tables = ("unemployment_record", "flexible_employment_record")
    return [table for table in tables for row in desk.rows(table) if row.is_valid]


def endings(lin: Any) -> Any:
    return lin.done(lin.get(OWN))["items"]


def hears(desk: Any) -> None:
    for system in System:
        desk.job(f"hear-{system}")


@pytest.mark.req("ER-07")
def test_a_register_numbers_its_changes_as_far_as_it_likes(checked: Any, outside: Any) -> None:
    lin = checked.person()
    checked.unemployed(lin)
    outside.counts_on(INSURANCE, 3_000_000_000)
    outside.reports(INSURANCE, "enrolled", lin.number, "2026-09-29")
    hears(checked)
    assert [each["happening"] for each in endings(lin)] == ["enrolled"]
    assert 3_000_000_001 in [row.number for row in checked.rows("register_position")]


@pytest.mark.req("ER-07", "UNE-09")
def test_an_enrolment_ends_unemployment_after_it_was_announced(checked: Any, outside: Any) -> None:
    lin = checked.person()
    checked.unemployed(lin)
    outside.reports(INSURANCE, "enrolled", lin.number, "2026-09-29")
    hears(checked)
    hears(checked)
    (ending,) = endings(lin)
    assert (ending["state_label"], ending["takes_effect_on"]) == ("已告知", "2026-10-19")
    assert ending["reason"] == "用人单位已为您办理就业参保登记"
    assert checked.events().count(ANNOUNCED) == 1
    assert lin.number not in checked.everything_told()
    checked.set("2026-10-18T02:00:00+00:00")
    checked.job("end-registrations")
    assert in_force(checked) == ["unemployment_record"]
    checked.set(LATER)
    checked.job("end-registrations")
    checked.job("end-registrations")
    assert in_force(checked) == []
    assert [row.ending for row in checked.rows("unemployment_record")] == ["employed"]
    assert (endings(lin)[0]["took_effect"], endings(lin)[0]["state_label"]) == (True, "已了结")
    late = lin.post(f"{OWN}/{ending['id']}/object", {"explanation": "不是我"})
    assert late.json["code"] == "wrong-state"
    assert checked.history_is_whole()


@pytest.mark.req("ER-07", "UNE-09")
def test_an_enrolment_is_heard_of_who_has_a_permit(checked: Any, outside: Any) -> None:
    chan = checked.person(document="hk-macau-permit", number="H0000000101")
    checked.unemployed(chan)
    for number in ("H0000000201", "H0000000102"):  # another's; one's own, issued anew since
        kind = {"document_kind": "hk-macau-permit"}
        outside.reports(INSURANCE, "enrolled", number, "2026-09-29", **kind)
    hears(checked)
    assert [ending["happening"] for ending in endings(chan)] == ["enrolled"]


@pytest.mark.req("ER-07", "ID-04")
def test_a_passport_that_looks_like_a_permit_is_somebody_elses(checked: Any, outside: Any) -> None:
    kinds = ("hk-macau-permit", "passport")
    chan, kim = (checked.person(document=kind, number="M00000001") for kind in kinds)
    for one in (chan, kim):
        checked.unemployed(one)
    outside.reports(INSURANCE, "enrolled", "M00000001", "2026-09-29", document_kind="passport")
    hears(checked)
    assert [len(endings(one)) for one in (chan, kim)] == [0, 1]


@pytest.mark.req("ER-07")
def test_a_death_ends_everything_and_the_certificate_too(checked: Any, outside: Any) -> None:
    lin = checked.person()
    filed = lin.submits(lin.opens(**checked.form))
    checked.asks_outside()
    checked.officer("440106").approves(filed)
    outside.reports(POLICE, "died", lin.number, "2026-09-20")
    hears(checked)
    checked.set(LATER)
    checked.job("end-registrations")
    assert in_force(checked) == []
    assert [row.validity for row in checked.rows("certificate")] == ["revoked"]
    assert lin.shows(filed)["state_label"] == "无效"
    assert checked.history_is_whole()


@pytest.mark.req("ER-07")
def test_the_retirement_month_closes_a_registration_by_the_table(desk: Any) -> None:
    lin, young = desk.person(born="1966-05-20"), desk.person()
    for one in (lin, young):
        desk.officer("440106").approves(one.submits(one.opens(**desk.form)))
    desk.set("2026-09-30T15:59:59+00:00")  # the last second of September in Shanghai
    desk.job("hear-calendar")
    assert endings(lin) == []
    desk.set("2026-09-30T16:00:00+00:00")
    desk.job("hear-calendar")
    desk.job("hear-calendar")
    (ending,) = endings(lin)
    assert (ending["reason"], ending["happened_on"]) == ("您已达到法定退休年龄", "2026-10-01")
    assert endings(young) == []
    desk.set("2026-10-30T02:00:00+00:00")
    desk.job("end-registrations")
    assert in_force(desk) == ["flexible_employment_record"]  # the young one's


@pytest.mark.req("ER-07", "AL-02")
@pytest.mark.parametrize(("move", "left"), [("approve", ["unemployment_record"]), ("reject", [])])
def test_an_officer_decides_on_an_objection(desk: Any, move: str, left: list[str]) -> None:
    lin, officer = desk.person(), desk.officer("440106", business=BUSINESS)
    desk.unemployed(lin)
    desk.tells("social-security", lin.told(Happening.ENROLLED, date(2026, 9, 29)))
    (ending,) = endings(lin)
    assert officer.get(REVIEWS).json["items"] == []  # nobody's work yet
    body = {"explanation": "本人未入职该单位，系冒名参保。"}
    objected = lin.done(lin.post(f"{OWN}/{ending['id']}/object", body))
    assert objected["number"].startswith("440106-04-20260929-")
    desk.set(LATER)
    desk.job("end-registrations")
    assert in_force(desk) == ["unemployment_record"]  # while an officer has it nothing ends
    (line,) = officer.get(REVIEWS).json["items"]
    assert (line["explanation"], line["happening"]) == (body["explanation"], "enrolled")
    (waiting,) = officer.get("review-counts").json
    assert (waiting["business"], waiting["waiting"], waiting["overdue"]) == (BUSINESS, 1, 1)
    said = {} if move == "approve" else {"reason_code": "confirmed"}
    stranger = desk.officer("4403", business=BUSINESS)
    assert stranger.post(f"{REVIEWS}/{ending['id']}/{move}", said).status_code == 404
    officer.done(officer.post(f"{REVIEWS}/{ending['id']}/{move}", said))
    assert in_force(desk) == left
    desk.tells("social-security", lin.told(Happening.ENROLLED, date(2026, 9, 29)))
    desk.job("end-registrations")
    assert in_force(desk) == left  # the same again says nothing new
    assert len(endings(lin)) == 1
    assert desk.history_is_whole()


@pytest.mark.req("ER-10", "ER-07")
def test_what_is_told_of_an_objection_is_what_it_says(desk: Any) -> None:
    lin = desk.person()

    def refusal() -> Any:
        checked = lin.done(lin.get("guide-checks/ending-objection"))
        unmet = [each["refusal"] for each in checked["conditions"] if not each["met"]]
        assert checked["may_open"] is not bool(unmet)
        return unmet[0] if unmet else None

    assert refusal() == "ending-not-found"
    desk.unemployed(lin)
    desk.tells("social-security", lin.told(Happening.ENROLLED, date(2026, 9, 29)))
    path = f"{OWN}/{endings(lin)[0]['id']}"
    assert refusal() is None
    lin.done(lin.post(f"{path}/object", {"explanation": "系冒名参保"}))
    again = lin.post(f"{path}/object", {"explanation": "系冒名参保"}).json["code"]
    assert refusal() == again == "wrong-state"
    lin.done(lin.post(f"{path}/withdraw"))
    desk.set(LATER)
    late = lin.post(f"{path}/object", {"explanation": "系冒名参保"}).json["code"]
    assert refusal() == late == "objection-too-late"


@pytest.mark.req("UNE-07", "ER-07")
def test_an_objection_goes_with_the_person_to_the_new_office(desk: Any) -> None:
    lin = desk.person()
    old, new = (desk.officer(each, business=BUSINESS) for each in ("440106", "440105"))
    desk.unemployed(lin)
    desk.tells("social-security", lin.told(Happening.ENROLLED, date(2026, 9, 29)))
    path = f"{OWN}/{endings(lin)[0]['id']}"
    lin.done(lin.post(f"{path}/object", {"explanation": "系冒名参保"}))
    review = path.replace(OWN, REVIEWS)
    old.done(old.post(f"{review}/claim"))
    place = {"service_place": "440105001"}
    lin.done(lin.post("unemployment-records/current/change-service-place", place))
    assert old.get(review).status_code == 404
    assert old.get(REVIEWS).json["items"] == []
    (line,) = new.get(REVIEWS).json["items"]
    assert (line["region"], line["claimed_by"]) == ("440105001", None)
    new.done(new.post(f"{review}/approve", {}))
    assert in_force(desk) == ["unemployment_record"]
    assert desk.history_is_whole()


@pytest.mark.req("EMP-06", "ER-07", "AL-02")
def test_an_objection_goes_with_changed_work_to_the_new_office(desk: Any) -> None:
    lin, clerk, _ = desk.registered()
    old, new = (desk.officer(each, business=BUSINESS) for each in ("440106", "440105"))
    desk.tells("social-security", lin.told(Happening.PENSION, date(2026, 9, 29)))
    path = f"{OWN}/{endings(lin)[0]['id']}"
    lin.done(lin.post(f"{path}/object", {"explanation": "未领取养老金"}))
    review = path.replace(OWN, REVIEWS)
    old.done(old.post(f"{review}/claim"))
    clerk.approves(lin.submits(lin.opens("change", address="体育西路2号")))
    (line,) = old.get(REVIEWS).json["items"]
    assert line["claimed_by"] == old.claims["sub"], "the same office goes on with it"
    moved = lin.submits(lin.opens("change", work_place="440105001"))
    assert old.get(review).status_code == 200, "what is not approved moves nothing"
    desk.officer("440105").approves(moved)
    assert (old.get(review).status_code, old.get(REVIEWS).json["items"]) == (404, [])
    (line,) = new.get(REVIEWS).json["items"]
    assert (line["region"], line["claimed_by"]) == ("440105001", None)
    new.done(new.post(f"{review}/approve", {}))
    assert in_force(desk) == ["flexible_employment_record"]
    assert desk.history_is_whole()


@pytest.mark.req("EMP-06", "ER-07")
def test_the_end_and_a_change_at_once_leave_one_of_both(desk: Any) -> None:
    lin, _, _ = desk.registered()
    desk.tells("social-security", lin.told(Happening.PENSION, date(2026, 9, 29)))
    moved = lin.submits(lin.opens("change", work_place="440105001"))
    clerk = desk.officer("440105")
    desk.set(LATER)
    ends = (lambda: desk.job("end-registrations"), lambda: clerk.tries_to("approve", moved, {}))
    ended = at_once(*ends * 5)
    assert set(ended) <= {"done", "wrong-state", "record-invalid", "changed-meanwhile"}
    desk.job("end-registrations")
    assert in_force(desk) == []
    assert endings(lin)[0]["took_effect"] is True
    assert desk.history_is_whole()


@pytest.mark.req("ER-07", "AL-10")
def test_an_ending_that_changed_since_is_looked_at_again(desk: Any) -> None:
    lin = desk.person()
    filed = desk.unemployed(lin)
    desk.tells("social-security", lin.told(Happening.ENROLLED, date(2026, 9, 29)))
    (ending,) = endings(lin)
    said, stale = {"explanation": "系冒名参保"}, ending["version"] - 1
    path = f"{OWN}/{ending['id']}"
    for move, body in (("object", said), ("withdraw", None), ("urge", {})):
        answer = lin.post(f"{path}/{move}", body, version=stale)
        assert (answer.status_code, answer.json["code"]) == (412, "changed-meanwhile")
    lin.done(lin.post(f"{path}/object", said, version=ending["version"]))
    officer = desk.officer("440106", business="employment-registry.unemployment")
    ends = {"ending": "no-contact", "note": None}
    review = f"unemployment-reviews/{filed['id']}"
    version = officer.get(review).json["version"]
    assert officer.post(f"{review}/end", ends, version=version - 1).status_code == 412
    officer.done(officer.post(f"{review}/end", ends, version=version))


@pytest.mark.req("ER-07", "AL-09")
def test_an_objection_is_sent_back_taken_back_or_too_late(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106", business=BUSINESS)
    desk.unemployed(lin)
    desk.tells("social-security", lin.told(Happening.PENSION, date(2026, 9, 29)))
    path = f"{OWN}/{endings(lin)[0]['id']}"
    lin.done(lin.post(f"{path}/object", {"explanation": "未领取"}))
    review = path.replace(OWN, REVIEWS)
    officer.done(officer.post(f"{review}/return", {"reason_code": "more-proof"}))
    returned = lin.get(path)
    assert returned.json["state_label"] == "申诉待补正"
    link = "/guides/ending-objection#material-explanation"
    assert returned.json["decision_rests_on"]["link"] == link
    assert returned.headers["Link"] == '</guides/ending-objection>; rel="help"'
    lin.done(lin.post(f"{path}/object", {"explanation": "附社保查询结果"}))
    lin.done(lin.post(f"{path}/withdraw"))
    desk.set(LATER)
    refused = lin.post(f"{path}/object", {"explanation": "再想想"})
    assert refused.json["code"] == "objection-too-late"
    desk.job("end-registrations")
    assert [row.ending for row in desk.rows("unemployment_record")] == ["pension"]


@pytest.mark.req("ER-07", "AL-10")
def test_officers_work_together_on_an_objection_and_its_owner_urges(desk: Any) -> None:
    lin = desk.person()
    first, second, third = (desk.officer("440106", business=BUSINESS) for _ in range(3))
    desk.unemployed(lin)
    desk.tells("social-security", lin.told(Happening.ENROLLED, date(2026, 9, 29)))
    path = f"{OWN}/{endings(lin)[0]['id']}"
    review = path.replace(OWN, REVIEWS)
    early = lin.post(f"{path}/urge", {})
    assert (early.status_code, early.json["code"]) == (409, "wrong-state")
    lin.done(lin.post(f"{path}/object", {"explanation": "系冒名参保"}))
    lin.done(lin.post(f"{path}/urge", {"note": "请尽快核实"}))
    assert lin.post(f"{path}/urge", {}).json["code"] == "urged-already"
    assert [row["urged_times"] for row in first.get(REVIEWS, urged="true").json["items"]] == [1]
    handed = {"officer_id": second.claims["sub"], "reason": "属地在该街道"}
    first.done(first.post(f"{review}/transfer", handed))
    assert first.post(f"{review}/approve", {}).json["code"] == "assigned-to-other"
    asked = {"kind": "joint", "officers": [third.claims["sub"]], "question": "参保是否属实？"}
    second.done(second.post(f"{review}/opinions", asked))
    assert second.post(f"{review}/approve", {}).json["code"] == "opinion-open"
    told_to_lin = [each["move"] for each in lin.get(f"{path}/history").json]
    assert told_to_lin[-2:] == ["object", "urge"], "her own, and not what officers say"
    lin.done(lin.post(f"{path}/withdraw"))
    lin.done(lin.post(f"{path}/object", {"explanation": "确系冒名参保"}))
    (line,) = first.get(REVIEWS).json["items"]
    assert (line["assigned_to"], line["awaited"]) == (None, 0), "an objection anew begins anew"
    assert "mark-duplicates" not in line["open_moves"]
    rows = {"move": "return", "items": [{"id": line["id"]}], "reason_code": "more-proof"}
    assert third.done(third.post(f"{REVIEWS}/batch", rows))["done"] == 1
    lin.done(lin.post(f"{path}/object", {"explanation": "附单位说明"}))
    first.done(first.post(f"{review}/approve", {}))
    assert in_force(desk) == ["unemployment_record"]
    assert first.done(first.get(f"{REVIEWS}/statistics"))
    assert desk.history_is_whole()


@pytest.mark.req("ER-07", "UNE-05")
def test_an_ending_is_its_owners(desk: Any) -> None:
    lin, other = desk.person(), desk.person()
    desk.unemployed(lin)
    desk.tells("police", lin.told(Happening.DIED, date(2026, 9, 1)))
    path = f"{OWN}/{endings(lin)[0]['id']}"
    assert (endings(other), other.get(path).status_code) == ([], 404)
    assert other.post(f"{path}/object", {"explanation": "x"}).status_code == 404


@pytest.mark.req("ER-07", "UNE-09")
def test_employment_that_is_approved_meanwhile_lays_the_ending_down(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106", business=BUSINESS)
    desk.unemployed(lin)
    desk.tells("social-security", lin.told(Happening.ENROLLED, date(2026, 9, 29)))
    path = f"{OWN}/{endings(lin)[0]['id']}"
    lin.done(lin.post(f"{path}/object", {"explanation": "我是自己做"}))
    desk.officer("440106").approves(lin.submits(lin.opens(**desk.form)))
    decided = officer.post(f"{path.replace(OWN, REVIEWS)}/reject", {"reason": "属实"})
    assert decided.json["code"] == "changed-meanwhile"
    desk.job("end-registrations")
    assert (endings(lin)[0]["took_effect"], in_force(desk)) == (
        False,
        ["flexible_employment_record"],
    )


@pytest.mark.req("ER-07")
def test_what_was_told_before_the_approval_is_planned_afterwards(desk: Any) -> None:
    lin = desk.person()
    desk.tells("social-security", lin.told(Happening.ENROLLED, date(2026, 10, 20)))
    desk.clock.advance(days=10)
    desk.unemployed(lin)
    (ending,) = endings(lin)
    assert (ending["happened_on"], ending["state_label"]) == ("2026-10-20", "已告知")


@pytest.mark.req("ER-07", "UNE-09")
@pytest.mark.parametrize("heard_first", [True, False])
def test_what_begins_between_filing_and_approval_ends_the_registration(
    desk: Any, heard_first: bool
) -> None:
    lin = desk.person()
    early = desk.person().told(Happening.ENROLLED, date(2026, 9, 28), "0")
    enrolled = lin.told(Happening.ENROLLED, date(2026, 10, 1))
    officer = desk.officer("440106", business="employment-registry.unemployment")
    filed = lin.files_unemployment()
    desk.set("2026-10-09T02:00:00+00:00")
    if heard_first:
        desk.tells("social-security", early, enrolled)
    officer.done(officer.post(f"unemployment-reviews/{filed['id']}/approve", {}))
    desk.tells("social-security", early, enrolled)
    assert [ending["happened_on"] for ending in endings(lin)] == ["2026-10-01"]


@pytest.mark.req("ER-07", "EMP-11")
def test_who_retires_between_filing_and_approval_is_not_registered_for_ever(desk: Any) -> None:
    lin = desk.person(born="1966-05-20")
    filed = lin.submits(lin.opens(**desk.form))
    desk.set("2026-10-09T02:00:00+00:00")
    desk.officer("440106").approves(filed)
    desk.job("hear-calendar")
    assert [ending["happened_on"] for ending in endings(lin)] == ["2026-10-01"]


@pytest.mark.req("ER-07")
def test_an_objection_that_is_upheld_says_nothing_of_what_came_meanwhile(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106", business=BUSINESS)
    desk.unemployed(lin)
    same = lin.told(Happening.ENROLLED, date(2026, 9, 30), "2")
    desk.tells("s", lin.told(Happening.ENROLLED, date(2026, 9, 29)), same)
    (ending,) = endings(lin)
    lin.done(lin.post(f"{OWN}/{ending['id']}/object", {"explanation": "系冒名参保"}))
    desk.tells("police", lin.told(Happening.DIED, date(2026, 10, 1)))
    assert len(endings(lin)) == 1
    officer.done(officer.post(f"{REVIEWS}/{ending['id']}/approve", {}))
    newest, upheld = endings(lin)
    assert (upheld["state_label"], newest["state_label"]) == ("申诉成立", "已告知")
    assert (newest["happening"], desk.events().count(ANNOUNCED)) == ("died", 2)
    desk.set(LATER)
    desk.job("end-registrations")
    assert in_force(desk) == []
    assert [row.validity for row in desk.rows("certificate")] == ["revoked"]
    assert desk.history_is_whole()


@pytest.mark.req("ER-07")
def test_who_takes_an_objection_back_is_told_of_the_earliest_cause(desk: Any) -> None:
    lin = desk.person()
    desk.unemployed(lin)
    desk.tells("s", lin.told(Happening.PENSION, date(2026, 10, 2)))
    path = f"{OWN}/{endings(lin)[0]['id']}"
    lin.done(lin.post(f"{path}/object", {"explanation": "未领取"}))
    desk.tells("s", lin.told(Happening.ENROLLED, date(2026, 9, 30), "2"))
    lin.done(lin.post(f"{path}/withdraw"))
    assert [ending["happening"] for ending in endings(lin)] == ["enrolled"]


@pytest.mark.req("ER-07")
@pytest.mark.parametrize("planned", [True, False])
def test_a_death_is_the_certificates_end_though_the_registration_ended_before(
    desk: Any, planned: bool
) -> None:
    lin = desk.person()
    desk.unemployed(lin)
    died = lin.told(Happening.DIED, date(2026, 10, 1))
    if planned:
        desk.tells("police", died)
    lin.done(lin.post("unemployment-records/current/end", {"ending": "own-wish"}))
    desk.tells("police", died)
    desk.job("end-registrations")
    assert [row.validity for row in desk.rows("certificate")] == ["revoked"]
    assert desk.history_is_whole()


@pytest.mark.req("ER-07", "CRT-07")
def test_a_death_that_was_put_right_haunts_nobody(desk: Any) -> None:
    lin = desk.person()
    desk.unemployed(lin)
    desk.tells("police", lin.told(Happening.DIED, date(2026, 9, 1)))
    desk.set(LATER)
    desk.job("end-registrations")  # the mistake was not objected to
    assert [row.validity for row in desk.rows("certificate")] == ["revoked"]
    desk.clock.advance(days=1)
    desk.unemployed(lin)  # the police, who are asked at the filing, have put it right
    desk.clock.advance(days=1)
    desk.tells("s", lin.told(Happening.PENSION, date(2026, 1, 1), "2"))  # before the filing
    assert len(endings(lin)) == 1
    lin.done(lin.post("unemployment-records/current/end", {"ending": "own-wish"}))
    desk.tells("s", lin.told(Happening.PENSION, date(2026, 10, 25), "3"))
    assert [row.validity for row in desk.rows("certificate")] == ["revoked", "valid"]


@pytest.mark.req("ER-07", "AL-02", "AL-06")
def test_what_nobody_objected_to_is_no_officers(desk: Any) -> None:
    people, officer = [desk.person() for _ in range(3)], desk.officer("440106", business=BUSINESS)
    for lin in people:
        desk.unemployed(lin)
        desk.tells(f"of-{lin.number}", lin.told(Happening.ENROLLED, date(2026, 9, 29)))
    path = f"{OWN}/{endings(people[0])[0]['id']}"
    people[0].done(people[0].post(f"{path}/object", {"explanation": "系冒名参保"}))
    people[0].done(people[0].post(f"{path}/withdraw"))
    desk.set(LATER)
    desk.job("end-registrations")
    assert [endings(lin)[0]["state_label"] for lin in people] == ["已了结"] * 3
    listed = officer.done(officer.get(REVIEWS, limit="1"))
    assert (len(listed["items"]), listed["next_cursor"], listed["total"]) == (1, None, 1)
    assert officer.get(f"{REVIEWS}/{endings(people[1])[0]['id']}").status_code == 404


def goes_astray(desk: Any, lin: Any, change: str) -> None:
    """As nothing but a hand in the database would make it."""
    with desk.app.database.transaction() as db:
        db.execute(text(change), {"account": lin.claims["sub"]})


@pytest.mark.req("ER-07")
def test_what_cannot_be_weighed_or_ended_keeps_nobody_else_waiting(
    checked: Any, outside: Any
) -> None:
    people = [checked.person() for _ in range(3)]
    for lin in people:
        checked.unemployed(lin)
        outside.reports(INSURANCE, "enrolled", lin.number, "2026-09-29")
    change = "UPDATE person_standing SET record_id = 'lost' WHERE applicant_id = :account"
    goes_astray(checked, people[0], change)
    hears(checked)
    assert [len(endings(lin)) for lin in people] == [0, 1, 1]
    assert [row.weighed for row in checked.rows("life_event")] == [False, True, True]
    change = "UPDATE unemployment_application SET state = 'draft' WHERE applicant_id = :account"
    goes_astray(checked, people[1], change)
    checked.set(LATER)
    checked.job("end-registrations")
    assert [row.is_valid for row in checked.rows("unemployment_record")] == [True, True, False]


STEPS = [
    (Happening.ENROLLED, date(2026, 10, 1), "1"),
    (Happening.ENROLLED, date(2026, 8, 1), "2"),  # from before the registration: no cause
    (Happening.PENSION, date(2026, 10, 2), "3"),
    (Happening.RETIRED, date(2026, 10, 1), "4"),
    (Happening.DIED, date(2026, 9, 1), "5"),
]


@pytest.mark.req("ER-07", "ID-05")
@settings(max_examples=16)
@given(
    happened=st.sets(st.sampled_from(STEPS)),
    extra=st.lists(st.sampled_from(STEPS), max_size=4),
    standing=st.sampled_from(Standing),
    documents=st.sampled_from([1, 2]),
    chance=st.randoms(use_true_random=False),
)
def test_in_whatever_order_how_often_and_how_late_the_end_is_the_same(
    desk: Any,
    happened: set[Any],
    extra: list[Any],
    standing: Standing,
    documents: int,
    chance: Any,
) -> None:
    """The model: the earliest of those events that end such a registration, or none.

    Some are told of another document, whose account becomes one with the first at any time.
    """
    desk.set("2026-09-29T02:00:00+00:00")
    lin = desk.person()
    if standing is Standing.UNEMPLOYED:
        desk.unemployed(lin)
    else:
        desk.officer("440106").approves(lin.submits(lin.opens(**desk.form)))
    twin = desk.known_by_another() if documents == 2 else lin
    about = {step: chance.choice([lin, twin]) for step in happened}
    calls: list[Any] = [*happened, *(step for step in extra if step in happened)]  # repetitions
    calls += [None] if documents == 2 else []  # the two accounts become one
    chance.shuffle(calls)
    for step in calls:
        if chance.random() < 0.3:
            desk.clock.advance(days=chance.choice([1, 30]))  # also past the window
            desk.job("end-registrations")
        if step is None:
            desk.merges(twin, lin)
        else:
            desk.tells(f"of-{lin.number}", about[step].told(*step))
    desk.job("end-registrations")  # weighs what a merge made known, before the window begins
    desk.clock.advance(days=60)
    desk.job("end-registrations")
    events = [Event(reference, happening, on) for happening, on, reference in happened]
    expected = rules.cause(standing, date(2026, 9, 29), events)
    kind = "unemployment" if standing is Standing.UNEMPLOYED else "flexible-employment"
    found = lin.get(f"{kind}-records/current").status_code
    assert found == (200 if expected is None else 404)
    took = [ending["took_effect"] for ending in endings(lin)]
    assert took == ([] if expected is None else [True])
    worth = "revoked" if rules.has_died(events, date(2026, 9, 29)) else "valid"
    mine = lin.get("certificates").json["items"]
    assert [each["validity"] for each in mine] == [worth]
    assert desk.history_is_whole()


@pytest.mark.req("ER-07")
def test_the_earliest_of_several_events_is_the_cause() -> None:
    events = [Event(reference, happening, on) for happening, on, reference in STEPS]
    since = date(2026, 9, 29)
    found = rules.cause(Standing.UNEMPLOYED, since, events)
    assert found is not None
    assert found.happening is Happening.DIED
    assert rules.cause(Standing.EMPLOYED, since, events[:2]) is None
    refuted = [Event(e.id, e.happening, e.on, refuted=True) for e in events]
    assert rules.cause(Standing.UNEMPLOYED, since, refuted) is None


@pytest.mark.req("ER-07")
@pytest.mark.parametrize("round_", range(2))
def test_forty_at_once_end_a_registration_once(desk: Any, round_: int) -> None:
    lin, officer = desk.person(), desk.officer("440106", business=BUSINESS)
    desk.unemployed(lin)
    same = lin.told(Happening.ENROLLED, date(2026, 9, 29))
    later = lin.told(Happening.PENSION, date(2026, 9, 30), "2")
    said = (lambda: desk.tells("s", same), lambda: desk.tells("s", later))
    at_once(*said * 20)
    (ending,) = endings(lin)
    assert (ending["happening"], desk.events().count(ANNOUNCED)) == ("enrolled", 1)
    lin.done(lin.post(f"{OWN}/{ending['id']}/object", {"explanation": "不是我"}))
    path = f"{REVIEWS}/{ending['id']}"
    employment = lin.submits(lin.opens(**desk.form))
    desk.set(LATER)
    moves = (
        lambda: officer.post(f"{path}/reject", {"reason": "属实"}),
        lambda: desk.job("end-registrations"),
        lambda: desk.officer("440106").tries_to("approve", employment, {}),
        lambda: lin.post(f"{OWN}/{ending['id']}/withdraw"),
    )
    at_once(*moves * 10)
    desk.job("end-registrations")
    assert in_force(desk) == ["flexible_employment_record"]
    assert [row.standing for row in desk.rows("person_standing")] == ["employed"]
    newest, first = endings(lin)
    assert first["state"] in {"rejected", "withdrawn"}
    assert (newest["standing"], newest["happening"]) == ("employed", "pension")
    assert desk.history_is_whole()
