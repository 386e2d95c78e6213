"""失业登记 through HTTP: the list, the form, the office that serves, and what ends it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from servicekit.numbers import check
from servicekit.web.openapi import document

OWN = "unemployment-registrations"
RECORDS = "unemployment-records"
REVIEWS = "unemployment-reviews"
BUSINESS = "employment-registry.unemployment"
FORM = {
    "cause": "left-employer",
    "unemployed_on": "2026-09-15",
    "former_employer": "广州市明德机械有限公司",
    "service_place": "440106003",
    "address": "五山路1号",
    "wishes": ["job", "training"],
}


def opens(lin: Any, expect: int = 201, **form: Any) -> Any:
    """A draft, or the refusal."""
    return lin.done(lin.post(OWN, {"unemployment": form}), expect)


def submits(lin: Any, draft: Any, expect: int = 200) -> Any:
    """Filed, or the refusal."""
    return lin.done(lin.post(f"{OWN}/{draft['id']}/submit", {}), expect)


def decides(officer: Any, move: str, filed: Any, expect: int = 200, **body: Any) -> Any:
    """What an officer makes of it."""
    return officer.done(officer.post(f"{REVIEWS}/{filed['id']}/{move}", body), expect)


def current(lin: Any) -> Any:
    """The registration in force; None when there is none."""
    answer = lin.get(f"{RECORDS}/current")
    return None if answer.status_code == 404 else lin.done(answer)


def moves_to(lin: Any, place: str, expect: int = 200) -> Any:
    """变更服务地."""
    path = f"{RECORDS}/current/change-service-place"
    return lin.done(lin.post(path, {"service_place": place}), expect)


@pytest.fixture
def lin(desk: Any) -> Any:
    return desk.person()


@pytest.fixture
def officer(desk: Any) -> Any:
    return desk.officer("440106", business=BUSINESS)


@pytest.fixture
def registered(lin: Any, officer: Any) -> Any:
    """Lin's approved application."""
    filed = submits(lin, opens(lin, **FORM))
    return decides(officer, "approve", filed)


@pytest.mark.req("ER-04", "UNE-04", "ER-12", "ER-08")
def test_a_person_registers_and_an_officer_approves(desk: Any, lin: Any, officer: Any) -> None:
    draft = opens(lin, cause="graduated")
    assert draft["unemployment"]["contact_phone"] == "138****0000"
    assert officer.get(REVIEWS).json["items"] == []  # a draft is nobody's but its owner's
    seen = lin.patch(f"{OWN}/{draft['id']}", {"unemployment": FORM}, version=draft["version"])
    filed = submits(lin, lin.done(seen))
    assert filed["number"].startswith("440106-02-20260929-")
    assert (filed["state_label"], filed["due_on"]) == ("待审核", "2026-10-12")  # after the holiday
    assert current(lin) is None
    decides(officer, "approve", filed)
    record = current(lin)
    assert (record["is_valid"], record["service_place"]) == (True, "440106003")
    assert desk.events()[-3:] == [
        f"{BUSINESS}.approved.v1",
        f"{BUSINESS}.record-changed.v1",
        "employment-registry.certificate.changed.v1",
    ]
    assert desk.history_is_whole()
    assert lin.number not in desk.everything_told()


@pytest.mark.req("UNE-04")
def test_a_wish_that_is_said_twice_counts_once(lin: Any) -> None:
    draft = opens(lin, wishes=["training", "job", "training"])
    assert draft["unemployment"]["wishes"] == ["training", "job"]
    again = {"unemployment": {"wishes": ["job", "job"]}}
    saved = lin.done(lin.patch(f"{OWN}/{draft['id']}", again, version=draft["version"]))
    assert saved["unemployment"]["wishes"] == ["job"]


@pytest.mark.req("UNE-04", "AL-01", "AL-02")
def test_a_return_names_fields_and_a_rejection_says_why(lin: Any, officer: Any) -> None:
    filed = submits(lin, opens(lin, **FORM))
    body = {"reason_code": "date-doubtful", "fields_to_correct": ["/unemployment/unemployed_on"]}
    decides(officer, "return", filed, **body)
    back = lin.get(f"{OWN}/{filed['id']}").json
    assert back["state"] == "returned"
    assert back["fields_to_correct"] == ["/unemployment/unemployed_on"]
    assert "失业日期" in back["decision_reason"]
    again = submits(lin, back)
    decides(officer, "reject", again, reason_code="employed")
    assert current(lin) is None
    assert lin.get(f"{OWN}/{filed['id']}").json["state_label"] == "审核不通过"


@pytest.mark.req("UNE-04", "UNE-05")
def test_what_was_turned_down_is_copied_by_its_owner_alone(
    desk: Any, lin: Any, officer: Any
) -> None:
    filed = submits(lin, opens(lin, **FORM | {"contact_phone": "13811112222"}))
    decides(officer, "reject", filed, reason="不符")
    body = {"copy_of": filed["id"], "unemployment": {"address": "五山路2号"}}
    other = desk.person().post(OWN, body)
    assert (other.status_code, other.json["code"]) == (404, "application-not-found")
    copied = lin.done(lin.post(OWN, body), 201)
    assert copied["unemployment"] == filed["unemployment"] | {"address": "五山路2号"}
    assert (copied["state"], copied["number"]) == ("draft", None)
    assert submits(lin, copied)["number"] != filed["number"]


@pytest.mark.req("UNE-01", "AL-06")
def test_the_list_is_narrowed_by_number_result_and_day(desk: Any, lin: Any, officer: Any) -> None:
    first = submits(lin, opens(lin, **FORM))
    decides(officer, "reject", first, reason="不符")
    desk.set("2026-09-30T02:00:00+00:00")
    second = submits(lin, opens(lin, **FORM))

    def found(**filters: str) -> list[str]:
        return [row["id"] for row in lin.get(OWN, **filters).json["items"]]

    assert found() == [second["id"], first["id"]]  # 重置
    assert found(number=first["number"]) == [first["id"]]
    assert found(number=first["number"].replace("-", "")) == [first["id"]]
    assert found(state="rejected") == [first["id"]]
    assert found(submitted_from="2026-09-30") == [second["id"]]
    assert found(submitted_from="2026-09-29", submitted_to="2026-09-29") == [first["id"]]
    assert found(state="rejected", submitted_from="2026-09-30") == []
    newest_first = [second["id"], first["id"]]
    assert found() == found(order="newest") == newest_first
    assert found(order="oldest") == newest_first[::-1]
    assert lin.get(OWN, order="due").status_code == 422, "an officer's"
    reversed_ = lin.get(OWN, submitted_from="2026-09-30", submitted_to="2026-09-29")
    assert reversed_.status_code == 422
    assert reversed_.json["errors"][0]["code"] == "range-reversed"


@pytest.mark.req("ER-04", "UNE-01", "UNE-02")
def test_the_list_is_drawn_as_the_manual_shows_it(lin: Any, desk: Any) -> None:
    base = "/api/employment-registry/v1"
    written = document(desk.app)["paths"]
    listed = written[f"{base}/{OWN}"]["get"]
    drawn = listed["x-list"]
    assert drawn["title"] == "申请列表"
    titles = [column["title"] for column in drawn["columns"]]
    assert titles == ["序号", "受理编号", "申请日期", "审核结果", "操作"]
    assert list(drawn["buttons"]) == ["新增", "变更服务地"]
    assert list(drawn["query"]) == ["查询", "重置"]
    for operation in (*drawn["buttons"].values(), *drawn["query"].values()):
        method, _, path = operation.partition(" ")
        assert method.lower() in written[f"{base}{path}"]
    asked = [each for each in listed["parameters"] if "x-placeholder" in each.get("schema", {})]
    hints = {each["name"]: each["schema"]["x-placeholder"] for each in asked}
    assert hints == {
        "number": "请输入受理编号",
        "state": "请选择审核结果",
        "submitted_from": "开始日期",
        "submitted_to": "结束日期",
    }
    filed = submits(lin, opens(lin, **FORM))
    [row] = lin.get(OWN).json["items"]
    *shown, moves = [row[column["field"]] for column in drawn["columns"][1:]]
    assert shown == [filed["number"], "2026-09-29T02:00:00+00:00", "待审核"]
    assert "withdraw" in moves


@pytest.mark.req("UNE-03", "ER-08")
def test_a_number_is_one_applications_and_found_exactly(desk: Any, lin: Any, officer: Any) -> None:
    first = submits(lin, opens(lin, **FORM))
    decides(officer, "reject", first, reason="不符")
    second = submits(lin, opens(lin, **FORM))
    # Region, business, day, serial, check digit, read over the telephone group by group.
    assert first["number"].rsplit("-", 1)[0] == "440106-02-20260929-000001"
    assert second["number"].rsplit("-", 1)[0] == "440106-02-20260929-000002"
    assert check(first["number"])
    assert check(second["number"])
    for asks, path in ((lin, OWN), (officer, REVIEWS)):
        for typed in (second["number"], second["number"].replace("-", " ")):
            found = asks.get(path, number=typed).json["items"]
            assert [row["id"] for row in found] == [second["id"]]
        for part in (second["number"][:-2], second["number"][:6], "%", "_" * 27):
            assert asks.get(path, number=part).json["items"] == []
    same = "UPDATE unemployment_application SET number = :number"
    with pytest.raises(IntegrityError, match="unique"), desk.app.database.transaction() as db:
        db.execute(text(same), {"number": second["number"]})


@pytest.mark.req("UNE-05")
def test_nobody_sees_anothers_registration(desk: Any, lin: Any, registered: Any) -> None:
    other = desk.person()
    assert other.get(f"{OWN}/{registered['id']}").status_code == 404
    assert other.get(OWN).json["items"] == []
    assert current(other) is None


@pytest.mark.req("ER-05", "UNE-06", "UNE-07", "UNE-08")
def test_the_office_changes_at_once_and_then_rests_for_thirty_days(
    desk: Any, lin: Any, officer: Any, registered: Any
) -> None:
    new_office = desk.officer("440105", business=BUSINESS)
    assert new_office.get(REVIEWS).json["items"] == []
    moved = moves_to(lin, "440105001")
    assert (moved["service_place"], moved["next_change_on"]) == ("440105001", "2026-10-29")
    assert [row["id"] for row in new_office.get(REVIEWS).json["items"]] == [registered["id"]]
    assert officer.get(f"{REVIEWS}/{registered['id']}").status_code == 404
    assert desk.events()[-1] == f"{BUSINESS}.record-changed.v1"
    desk.set("2026-10-28T15:59:59+00:00")  # a second before midnight in Shanghai
    refused = moves_to(lin, "440106007", expect=409)
    assert refused["code"] == "service-place-changed-recently"
    assert refused["next_date"] == "2026-10-29"
    assert refused["detail"] == (
        "只有失业人员能变更服务地,变更后直接生效,无需审核,但30天内只能修改一次。"
        "您可自2026年10月29日起再次变更。"
    )
    desk.set("2026-10-28T16:00:00+00:00")
    assert moves_to(lin, "440106007")["service_place"] == "440106007"
    assert moves_to(lin, "440106007", expect=422)["code"] == "service-place-unchanged"


@pytest.mark.req("UNE-06", "ER-05")
def test_only_the_unemployed_change_the_office(lin: Any) -> None:
    opens(lin, **FORM)
    refused = moves_to(lin, "440105001", expect=409)
    assert refused["code"] == "not-unemployed"
    assert refused["detail"] == (
        "只有失业人员能变更服务地,变更后直接生效,无需审核,但30天内只能修改一次。"
    )


@pytest.mark.req("ER-07", "UNE-09")
def test_approved_employment_ends_unemployment(desk: Any, lin: Any, registered: Any) -> None:
    employed = lin.submits(lin.opens(**desk.form))
    assert current(lin) is not None  # not before it is approved
    desk.officer("440106").approves(employed)
    assert current(lin) is None
    ended = lin.get(RECORDS).json["items"][0]
    assert (ended["is_valid"], ended["ending"]) == (False, "employed")
    shown = lin.get(f"{OWN}/{registered['id']}").json
    assert shown["state_label"] == "无效"
    again = opens(lin, 409, **FORM)
    assert again["code"] == "registered-as-employed"
    lin.cancels(employed, reason="停业")
    assert opens(lin, **FORM)["state"] == "draft"
    assert desk.history_is_whole()


@pytest.mark.req("ER-07")
def test_who_became_employed_meanwhile_is_not_registered_as_unemployed(
    desk: Any, lin: Any, officer: Any
) -> None:
    filed = submits(lin, opens(lin, **FORM))
    desk.officer("440106").approves(lin.submits(lin.opens(**desk.form)))
    before = desk.counts()
    refused = decides(officer, "approve", filed, 409)
    assert refused["code"] == "registered-as-employed"
    assert desk.counts() | {"keys": 0} == before | {"keys": 0}
    assert current(lin) is None


@pytest.mark.req("ER-07")
def test_two_accounts_of_one_person_are_one_person(desk: Any, lin: Any, registered: Any) -> None:
    twin = desk.person(number=lin.number)
    assert opens(twin, 409, **FORM)["code"] == "already-unemployed"
    desk.officer("440106").approves(twin.submits(twin.opens(**desk.form)))
    assert current(lin) is None  # whichever account found the work


def test_a_registration_ends_by_its_owner_or_the_office_with_a_reason(
    desk: Any, lin: Any, officer: Any, registered: Any
) -> None:
    path = f"{RECORDS}/current/end"
    assert lin.post(path, {"ending": "no-contact"}).status_code == 422  # for the office to say
    ended = lin.done(lin.post(path, {"ending": "studying", "note": "九月入学"}))
    assert (ended["is_valid"], ended["ending"]) == (False, "studying")
    assert lin.post(path, {"ending": "studying"}).status_code == 404
    filed = submits(lin, opens(lin, **FORM))
    decides(officer, "approve", filed)
    elsewhere = desk.officer("4403", business=BUSINESS)
    decides(elsewhere, "end", filed, 404, ending="no-contact")
    assert decides(officer, "end", filed, ending="no-contact")["state_label"] == "无效"
    assert decides(officer, "end", filed, 409, ending="no-contact")["code"] == "wrong-state"
    notes = [entry["note"] for entry in lin.get(f"{OWN}/{filed['id']}/history").json]
    assert notes[-1] == "连续六个月未与公共就业服务机构联系"


@pytest.mark.req("EMP-10")
def test_one_open_application_at_a_time(lin: Any) -> None:
    draft = opens(lin, **FORM)
    refused = opens(lin, 409, **FORM)
    assert (refused["code"], refused["application_id"]) == ("application-open", draft["id"])
    deleted = lin.client.delete(f"{OWN}/{draft['id']}")
    assert deleted.status_code == 204
    assert opens(lin, **FORM)["id"] != draft["id"]


@pytest.mark.req("AL-04")
def test_an_officer_looks_at_clear_values_with_a_reason(
    desk: Any, lin: Any, officer: Any, registered: Any
) -> None:
    body = {"values": ["document_number"], "reason": "电话核实"}
    assert decides(officer, "reveal", registered, **body) == {"document_number": lin.number}
    looks = desk.rows("access_record")
    assert [look.column for look in looks] == ["unemployment_application.document_number"]
