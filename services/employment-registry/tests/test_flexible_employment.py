"""The life of a flexible-employment registration, told through HTTP (省系统操作指引 1.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from servicekit import numbers
from servicekit.web.openapi import document


@pytest.mark.req("ER-01", "ER-08", "EMP-02", "EMP-03", "EMP-04")
def test_a_person_registers(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106")
    draft = lin.opens()
    assert [part for part in draft if part in {"employment", "person"}] == ["person", "employment"]
    assert draft["state"] == "draft"
    assert draft["number"] is None
    assert draft["person"] == {
        "name": "林**",
        "document_kind": "resident-card",
        "document_number": desk.masked(lin),
        "born_on": "1990-**-**",
        "sex": "male",
    }
    assert draft["employment"]["contact_phone"] == "138****0000"
    assert draft["open_moves"] == ["save", "delete", "submit"]
    assert officer.queue() == []

    saved = lin.saves(draft, **desk.form)
    assert saved["state"] == "draft"
    assert officer.queue() == []

    filed = lin.submits(saved)
    assert filed["state"] == "submitted"
    assert filed["state_label"] == "待审核"
    assert numbers.check(filed["number"])
    assert filed["number"].startswith("440106-01-20260929-000001-")
    assert filed["open_moves"] == ["withdraw", "urge"]
    assert [row["id"] for row in officer.queue()] == [filed["id"]]
    assert lin.record() is None

    approved = officer.approves(filed)
    assert approved["state"] == "approved"
    assert approved["decided_at"] is not None
    record = lin.record()
    assert record is not None
    assert record["number"] == filed["number"]
    assert record["employment"]["occupation"] == desk.form["occupation"]
    assert record["valid_since"] == desk.clock.now().isoformat()
    assert lin.shows(filed)["open_moves"] == ["cancel"]


@pytest.mark.req("EMP-02")
def test_the_persons_own_data_is_never_taken_from_the_request(desk: Any) -> None:
    lin = desk.person()
    body = {"kind": "registration", "person": {"name": "别人"}}
    refused = lin.post("flexible-employment-registrations", body)
    assert refused.status_code == 422
    assert [(e["field"], e["code"]) for e in refused.json["errors"]] == [
        ("/person", "unknown-field")
    ]
    assert desk.counts() == desk.nothing


@pytest.mark.req("AL-01")
def test_a_draft_is_kept_however_incomplete_but_never_malformed(desk: Any) -> None:
    lin = desk.person()
    draft = lin.opens()
    saved = lin.saves(draft, occupation="网约配送员")
    assert saved["employment"]["address"] is None
    assert saved["employment"]["contact_phone"] == "138****0000"
    emptied = lin.saves(saved, occupation=None)
    assert emptied["employment"]["occupation"] is None

    wrong = {
        "employment_type": "retired",
        "started_on": "yesterday",
        "work_place": "110101",
        "monthly_income": "12.345",
        "contact_phone": "12345",
        "address": "",
        "nickname": "小林",
    }
    refused = lin.tries_to_save(emptied, **wrong)
    assert refused.status_code == 422
    assert {e["field"] for e in refused.json["errors"]} == {f"/employment/{name}" for name in wrong}
    broken = lin.tries_to_save(emptied, work_place=f"{desk.form['work_place']}\n")
    assert broken.status_code == 422  # a line break behind it is no sign of a region
    assert lin.shows(draft)["version"] == emptied["version"]


@pytest.mark.req("AL-01", "EMP-11")
def test_submitting_names_everything_that_is_missing_or_wrong(desk: Any) -> None:
    lin = desk.person()
    tomorrow = (desk.today() + timedelta(days=1)).isoformat()
    draft = lin.saves(lin.opens(), started_on=tomorrow, work_place="440106", contact_phone=None)
    before = desk.counts()
    refused = lin.tries_to("submit", draft)
    assert refused.status_code == 422
    assert refused.json["code"] == "application-incomplete"
    assert {(e["field"], e["code"]) for e in refused.json["errors"]} == {
        ("/employment/employment_type", "missing"),
        ("/employment/started_on", "in-the-future"),
        ("/employment/work_place", "too-coarse"),
        ("/employment/address", "missing"),
        ("/employment/occupation", "missing"),
        ("/employment/monthly_income", "missing"),
        ("/employment/contact_phone", "missing"),
    }
    assert desk.counts() == before
    assert lin.shows(draft)["number"] is None


@pytest.mark.req("EMP-11")
@pytest.mark.parametrize(
    ("person", "code"),
    [
        ({"born": "2010-09-30"}, "too-young"),
        ({"born": "1965-01-20"}, "retired"),
        ({"born": "1970-01-20", "sex": "female"}, "retired"),
    ],
)
def test_age_is_checked_before_the_form_opens(desk: Any, person: dict[str, str], code: str) -> None:
    refused = desk.person(**person).post(
        "flexible-employment-registrations", {"kind": "registration"}
    )
    assert refused.status_code == 422
    assert refused.json["code"] == "not-of-working-age"
    assert [(e["field"], e["code"]) for e in refused.json["errors"]] == [("/person/born_on", code)]
    assert desk.counts() == desk.nothing


@pytest.mark.req("EMP-11")
def test_who_reaches_retirement_between_draft_and_submission_is_refused(desk: Any) -> None:
    # Born 1965-01: retires in 2025-02.
    desk.set("2025-01-31T15:59:59+00:00")  # still 31 January in China
    lin = desk.person(born="1965-01-20")
    draft = lin.opens(**(desk.form | {"started_on": "2024-01-01"}))
    desk.set("2025-01-31T16:00:00+00:00")  # 1 February in China
    refused = lin.tries_to("submit", draft)
    assert refused.status_code == 422
    assert [e["code"] for e in refused.json["errors"]] == ["retired"]


@pytest.mark.req("ER-02", "EMP-06")
def test_a_change_takes_effect_only_when_approved(desk: Any) -> None:
    lin, officer, first = desk.registered()
    change = lin.opens(kind="change", occupation="家政服务员")
    assert change["employment"]["address"] == desk.form["address"]
    assert lin.record()["employment"]["occupation"] == desk.form["occupation"]
    filed = lin.submits(change)
    seen = officer.shows(filed)
    assert seen["employment"]["occupation"] == "家政服务员"
    assert seen["in_force"]["occupation"] == desk.form["occupation"]
    assert lin.record()["number"] == first["number"]

    officer.approves(filed)
    record = lin.record()
    assert record["employment"]["occupation"] == "家政服务员"
    assert record["number"] == filed["number"]
    assert record["changed_at"] is not None


@pytest.mark.req("EMP-06")
def test_a_rejected_change_leaves_the_record_untouched(desk: Any) -> None:
    lin, officer, _ = desk.registered()
    before = lin.record()
    filed = lin.submits(lin.opens(kind="change", occupation="家政服务员"))
    officer.rejects(filed, reason="情况不符")
    assert lin.record() == before
    again = lin.opens(kind="registration", copy_of=filed["id"], expect=409)
    assert again["code"] == "already-flexibly-employed"
    copied = lin.opens(kind="change", copy_of=filed["id"])
    assert copied["employment"]["occupation"] == "家政服务员"


@pytest.mark.req("ER-02", "EMP-05")
def test_no_change_without_a_record(desk: Any) -> None:
    refused = desk.person().opens(kind="change", expect=409)
    assert refused["code"] == "not-flexibly-employed"
    assert desk.counts() == desk.nothing


@pytest.mark.req("ER-03", "ER-12", "EMP-07", "EMP-08")
def test_a_registration_is_cancelled_at_once_and_for_ever(desk: Any) -> None:
    lin, _, first = desk.registered()
    refused = lin.tries_to("cancel", first, {})
    assert refused.status_code == 422
    assert [e["field"] for e in refused.json["errors"]] == ["/reason"]
    assert lin.record() is not None

    gone = lin.cancels(first, reason="已入职单位")
    assert gone["state"] == "cancelled"
    assert gone["state_label"] == "无效"
    assert gone["open_moves"] == []
    assert lin.record() is None
    assert [r["is_valid"] for r in lin.records()] == [False]
    assert desk.events()[-2:] == [
        "employment-registry.flexible-employment.cancelled.v1",
        "employment-registry.flexible-employment.record-changed.v1",
    ]
    again = lin.tries_to("cancel", first, {"reason": "再次"})
    assert (again.status_code, again.json["code"]) == (409, "record-invalid")
    assert lin.opens(kind="change", expect=409)["code"] == "record-invalid"
    assert lin.opens()["state"] == "draft"  # a new registration is open to them


@pytest.mark.req("EMP-09")
@pytest.mark.parametrize("state", ["draft", "submitted", "returned", "rejected", "withdrawn"])
def test_only_what_was_approved_can_be_cancelled(desk: Any, state: str) -> None:
    lin, application = desk.brought_to(state)
    before = desk.counts()
    refused = lin.tries_to("cancel", application, {"reason": "停业"})
    assert refused.status_code == 409
    assert refused.json["code"] == "only-approved-can-be-cancelled"
    assert refused.json["detail"] == "只有审核通过的申请可以注销记录。"
    assert desk.counts() == before


@pytest.mark.req("EMP-08", "ER-03")
def test_everything_that_belongs_to_a_record_ends_with_it(desk: Any) -> None:
    lin, officer, first = desk.registered()
    changed = lin.submits(lin.opens(kind="change", occupation="家政服务员"))
    officer.approves(changed)
    waiting = lin.submits(lin.opens(kind="change", occupation="摄影师"))
    lin.cancels(changed, reason="停业")
    assert lin.shows(first)["state"] == "cancelled"
    assert lin.shows(changed)["state"] == "cancelled"
    assert lin.shows(waiting)["state"] == "withdrawn"
    assert officer.queue() == []
    refused = officer.tries_to("approve", waiting)
    assert (refused.status_code, refused.json["code"]) == (409, "wrong-state")


@pytest.mark.req("EMP-08")
def test_the_portal_asks_before_it_ends_a_record(desk: Any) -> None:
    path = "/api/employment-registry/v1/flexible-employment-registrations/{application_id}/cancel"
    asked = document(desk.app)["paths"][path]["post"]["x-confirm"]
    assert "请谨慎操作" in asked
    assert "不可恢复" in asked


@pytest.mark.req("EMP-08")
def test_a_draft_of_a_change_goes_with_the_record(desk: Any) -> None:
    lin, _, first = desk.registered()
    draft = lin.opens(kind="change")
    lin.cancels(first, reason="停业")
    assert lin.get(f"flexible-employment-registrations/{draft['id']}").status_code == 404
    assert lin.opens()["state"] == "draft"


@pytest.mark.req("EMP-10")
def test_one_open_application_and_one_valid_record(desk: Any) -> None:
    lin, _, _ = desk.registered()
    assert lin.opens(expect=409)["code"] == "already-flexibly-employed"
    change = lin.opens(kind="change")
    second = lin.opens(kind="change", expect=409)
    assert second["code"] == "application-open"
    assert second["application_id"] == change["id"]


def test_a_draft_may_be_thrown_away_and_a_filed_one_taken_back(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("44")
    draft = lin.opens()
    gone = lin.deletes(draft)
    assert (gone.status_code, gone.data) == (204, b"")
    assert desk.counts() == desk.nothing | {"keys": 2}

    filed = lin.submits(lin.opens(**desk.form))
    refused = lin.deletes(filed)
    assert (refused.status_code, refused.json["code"]) == (409, "wrong-state")
    taken = lin.withdraws(filed)
    assert taken["state"] == "withdrawn"
    assert officer.queue() == []
    copied = lin.opens(copy_of=taken["id"])
    assert copied["employment"]["occupation"] == desk.form["occupation"]


@pytest.mark.req("AL-07")
def test_saying_it_twice_has_one_effect(desk: Any) -> None:
    lin = desk.person()
    draft = lin.opens(**desk.form)
    path = f"flexible-employment-registrations/{draft['id']}/submit"
    first = lin.post(path, key="double-click")
    again = lin.post(path, key="double-click")
    assert first.status_code == again.status_code == 200
    assert first.json == again.json
    assert desk.counts()["history"] == 1
    other = lin.post("flexible-employment-registrations", {"kind": "change"}, key="double-click")
    assert (other.status_code, other.json["code"]) == (422, "idempotency-key-reused")


@pytest.mark.req("PRT-07", "UNE-05")
def test_what_identity_says_of_somebody_else_is_nobodys(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin, wang = desk.person(), desk.person()
    others = desk.issuer.userinfo(f"Bearer {desk.issuer.token(**wang.claims)}")
    monkeypatch.setattr(desk.issuer, "userinfo", lambda _: others)
    refused = lin.opens(**desk.form, expect=503)
    assert (refused["code"], refused["retryable"]) == ("external-unavailable", True)
    assert wang.opens(**desk.form)["id"]
    assert desk.counts()["applications"] == 1


@pytest.mark.req("PRT-07", "ER-09")
def test_identity_down_loses_nothing(desk: Any) -> None:
    lin = desk.person()
    path, body = (
        "flexible-employment-registrations",
        {"kind": "registration", "employment": desk.form},
    )
    assert lin.lists() == []  # the keys are known from now on
    with desk.identity_down():
        refused = lin.post(path, body, key="try-again")
    assert refused.status_code == 503
    assert refused.json["detail"] == "外厅局接口异常，请联系业务部门!"
    assert refused.json["retryable"] is True
    assert refused.headers["Retry-After"]
    assert desk.counts() == desk.nothing
    made = lin.post(path, body, key="try-again")
    assert made.status_code == 201


@pytest.mark.req("PRT-02")
def test_a_unit_does_no_personal_business(desk: Any) -> None:
    refused = desk.unit().post("flexible-employment-registrations", {"kind": "registration"})
    assert (refused.status_code, refused.json["code"]) == (403, "personal-session-required")


@pytest.mark.req("ID-42")
def test_level_two_is_asked_for(desk: Any) -> None:
    refused = desk.person(level=1).post(
        "flexible-employment-registrations", {"kind": "registration"}
    )
    assert refused.status_code == 401
    challenge = refused.headers["WWW-Authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert 'acr_values="urn:gdhrss:ial:2"' in challenge
    assert refused.json["detail"] == "当前账号实名等级不足，请至少提升至二级实名后重试"


@pytest.mark.req("EMP-01")
def test_nobody_sees_anothers_application(desk: Any) -> None:
    lin, chen = desk.person(), desk.person(born="1985-05-05")
    draft = lin.opens(**desk.form)
    path = f"flexible-employment-registrations/{draft['id']}"
    tries = [
        chen.get(path),
        chen.get(f"{path}/history"),
        chen.tries_to_save(draft, occupation="x"),
        chen.deletes(draft),
        *[chen.tries_to(move, draft, body) for move, body in MOVES],
        chen.get("flexible-employment-registrations/01a1fcb7-0000-7000-8000-000000000000"),
    ]
    assert {t.status_code for t in tries} == {404}
    assert {t.json["code"] for t in tries} == {"application-not-found"}
    assert chen.lists() == []
    assert lin.shows(draft)["version"] == draft["version"]
    copied = chen.opens(copy_of=draft["id"], expect=404)
    assert copied["code"] == "application-not-found"


MOVES = [("submit", None), ("withdraw", {}), ("cancel", {"reason": "停业"})]


def test_an_edit_says_which_version_it_was_made_from(desk: Any) -> None:
    lin = desk.person()
    draft = lin.opens()
    path = f"flexible-employment-registrations/{draft['id']}"
    missing = lin.patch(path, {"employment": {}})
    assert (missing.status_code, missing.json["code"]) == (428, "version-needed")
    lin.saves(draft, occupation="网约配送员")
    stale = lin.tries_to_save(draft, occupation="摄影师")
    assert (stale.status_code, stale.json["code"]) == (412, "changed-meanwhile")
    assert lin.shows(draft)["employment"]["occupation"] == "网约配送员"


@pytest.mark.req("AL-03")
def test_the_history_tells_every_step_to_the_applicant(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106")
    filed = lin.submits(lin.opens(**desk.form))
    officer.returns(filed, reason="请补充地址", fields_to_correct=["/employment/address"])
    returned = lin.shows(filed)
    assert returned["decision_reason"] == "请补充地址"
    assert returned["fields_to_correct"] == ["/employment/address"]
    lin.submits(lin.saves(returned, address="五山路2号"))
    officer.approves(filed)
    story = lin.history(filed)
    assert [(e["move"], e["before"], e["after"], e["role"]) for e in story] == [
        ("submit", "draft", "submitted", "applicant"),
        ("return", "submitted", "returned", "reviewer"),
        ("submit", "returned", "submitted", "applicant"),
        ("approve", "submitted", "approved", "reviewer"),
    ]
    assert story[1]["note"] == "请补充地址"
    assert "actor_id" not in story[1]
    assert desk.history_is_whole()


@pytest.mark.req("ER-12", "EV-02")
def test_events_carry_ids_and_states_and_no_personal_data(desk: Any) -> None:
    lin, _, _ = desk.registered()
    assert desk.events() == [
        "employment-registry.flexible-employment.submitted.v1",
        "employment-registry.flexible-employment.approved.v1",
        "employment-registry.flexible-employment.record-changed.v1",
        "employment-registry.certificate.changed.v1",
    ]
    told = desk.everything_told()
    for secret in ("林小满", lin.number, lin.phone, desk.form["address"]):
        assert secret not in told


@pytest.mark.req("AL-04")
def test_personal_data_is_sealed_at_rest(desk: Any) -> None:
    lin, _, _ = desk.registered()
    stored = desk.everything_stored()
    for secret in ("林小满", lin.number, lin.phone):
        assert secret not in stored


@pytest.mark.req("ER-01", "EMP-01", "AL-06")
def test_ones_own_list_is_narrowed_and_paged(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("44")
    filed = []
    for day in ("2026-09-21", "2026-09-22", "2026-09-23"):
        desk.set(f"{day}T02:00:00+00:00")
        one = lin.submits(lin.opens(**desk.form))
        officer.rejects(one, reason="情况不符")
        filed.append(one)
    draft = lin.opens()
    assert [r["id"] for r in lin.lists()] == [a["id"] for a in [draft, *reversed(filed)]]
    number = filed[1]["number"]
    for typed in (number, number.replace("-", "")):
        assert [r["id"] for r in lin.lists(number=typed)] == [filed[1]["id"]]
    assert [r["state"] for r in lin.lists(state="draft")] == ["draft"]
    ranged = lin.lists(submitted_from="2026-09-22", submitted_to="2026-09-23", state="rejected")
    assert [r["id"] for r in ranged] == [filed[2]["id"], filed[1]["id"]]

    assert len(lin.lists(submitted_from="0001-01-01", submitted_to="9999-12-31")) == len(filed)

    reversed_range = lin.get(
        "flexible-employment-registrations", submitted_from="2026-09-23", submitted_to="2026-09-22"
    )
    assert reversed_range.status_code == 422
    assert [e["field"] for e in reversed_range.json["errors"]] == ["/submitted_to"]

    first = lin.get("flexible-employment-registrations", limit=3).json
    assert first["total"] == 4
    rest = lin.get("flexible-employment-registrations", limit=3, cursor=first["next_cursor"]).json
    assert [r["id"] for r in rest["items"]] == [filed[0]["id"]]
    assert rest["next_cursor"] is None


def test_the_types_of_employment_are_open_to_everybody(desk: Any) -> None:
    answer = desk.visitor().get("flexible-employment-registrations/employment-types")
    assert {"code": "platform", "label": "新就业形态（平台就业）"} in answer.json


def test_a_filing_makes_no_statement_by_sqlalchemys_means(desk: Any) -> None:
    """docs/decisions/0018: a change made before a statement would be flushed, and cost a third."""
    first, lin = desk.person(), desk.person()
    first.submits(first.saves(first.opens(), **desk.form))  # what is kept for others is read now
    draft = lin.opens()
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(desk.app.database.engine, "before_cursor_execute", note)
    try:
        lin.submits(lin.saves(draft, **desk.form))
    finally:
        event.remove(desk.app.database.engine, "before_cursor_execute", note)
    assert said == []
