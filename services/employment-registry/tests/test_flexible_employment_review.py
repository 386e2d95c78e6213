"""What officers see and decide: their region, their queue, their claim, their reasons."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


@pytest.mark.req("AL-02")
@pytest.mark.parametrize(
    ("region", "sees"),
    [
        ("44", True),
        ("4401", True),
        ("440106", True),
        ("440106003", True),
        ("440105", False),
        ("4403", False),
        ("440106004", False),
    ],
)
def test_an_officer_sees_their_region_and_below(desk: Any, region: str, sees: bool) -> None:
    lin, officer = desk.person(), desk.officer(region)
    filed = lin.submits(lin.opens(**desk.form))
    assert [row["id"] for row in officer.queue()] == ([filed["id"]] if sees else [])
    path = f"flexible-employment-reviews/{filed['id']}"
    before = desk.counts()
    tries = [officer.get(path), officer.get(f"{path}/history")]
    if not sees:
        tries += [officer.tries_to(move, filed, body) for move, body in DECISIONS]
    assert {t.status_code for t in tries} == ({200} if sees else {404})
    if not sees:
        assert {t.json["code"] for t in tries} == {"application-not-found"}
        assert desk.counts() == before


DECISIONS = [
    ("claim", None),
    ("release", None),
    ("approve", {}),
    ("return", {"reason": "请补充"}),
    ("reject", {"reason": "不符"}),
    ("reveal", {"values": ["document_number"], "reason": "核对"}),
]


@pytest.mark.req("AL-02", "EMP-03")
def test_drafts_and_other_businesses_are_out_of_reach(desk: Any) -> None:
    lin = desk.person()
    draft = lin.opens(**desk.form)
    answer = desk.officer("44").get(f"flexible-employment-reviews/{draft['id']}")
    assert answer.status_code == 404
    elsewhere = desk.officer("44", business="stability-refund.confirmation")
    refused = elsewhere.get("flexible-employment-reviews")
    assert (refused.status_code, refused.json["code"]) == (403, "other-business")
    for caller, code in ((lin, "wrong-role"), (desk.visitor(), "login-needed")):
        assert caller.get("flexible-employment-reviews").json["code"] == code


@pytest.mark.req("AL-09", "AL-02")
def test_what_is_due_first_stands_first_and_overdue_is_told(desk: Any) -> None:
    officer, filed = desk.officer("44"), []
    for day in ("2026-09-29", "2026-09-23", "2026-09-28"):
        desk.set(f"{day}T02:00:00+00:00")
        lin = desk.person()
        filed.append(lin.submits(lin.opens(**desk.form)))
    # Five working days over National Day; 10 October is a working Saturday, 25 September a holiday.
    assert [a["due_on"] for a in filed] == ["2026-10-12", "2026-10-08", "2026-10-10"]
    order = [filed[1]["id"], filed[2]["id"], filed[0]["id"]]
    assert [row["id"] for row in officer.queue()] == order
    desk.set("2026-10-08T15:59:00+00:00")  # the last minute of 8 October in China
    assert [row["is_overdue"] for row in officer.queue()] == [False, False, False]
    desk.set("2026-10-08T16:00:00+00:00")
    assert [row["is_overdue"] for row in officer.queue()] == [True, False, False]


@pytest.mark.req("AL-09")
def test_the_time_limit_stands_still_while_the_applicant_corrects(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106")
    filed = lin.submits(lin.opens(**desk.form))  # 29 September, due 12 October
    desk.set("2026-09-30T02:00:00+00:00")
    returned = officer.returns(filed, reason="请补充")  # one working day used, four left
    assert returned["due_on"] is None
    assert returned["is_overdue"] is False
    desk.set("2026-10-20T02:00:00+00:00")
    again = lin.submits(lin.shows(filed))
    assert again["due_on"] == "2026-10-26"
    assert again["number"] == filed["number"]
    desk.set("2026-11-20T02:00:00+00:00")
    assert officer.shows(filed)["is_overdue"] is True
    officer.returns(filed, reason="请补充")  # overdue: nothing left, but never less than a day
    desk.set("2026-11-20T03:00:00+00:00")
    assert lin.submits(lin.shows(filed))["due_on"] == "2026-11-23"


@pytest.mark.req("AL-10")
def test_a_claim_is_seen_keeps_others_out_and_runs_out_by_itself(desk: Any) -> None:
    lin, first, second = desk.person(), desk.officer("440106"), desk.officer("4401")
    filed = lin.submits(lin.opens(**desk.form))
    claimed = first.claims_it(filed)
    assert claimed["claimed_by"] == first.claims["sub"]
    assert claimed["claimed_until"] == (desk.clock.now() + timedelta(minutes=15)).isoformat()
    assert second.queue()[0]["claimed_by"] == first.claims["sub"]
    for move, body in (("claim", None), ("approve", {}), ("reject", {"reason": "不符"})):
        refused = second.tries_to(move, filed, body)
        assert (refused.status_code, refused.json["code"]) == (409, "claimed-by-other")
        assert refused.json["claimed_until"] == claimed["claimed_until"]
    assert second.tries_to("release", filed).json["code"] == "not-claimed"

    desk.clock.advance(minutes=15)
    assert second.claims_it(filed)["claimed_by"] == second.claims["sub"]
    assert second.tries_to("release", filed).status_code == 200
    assert first.queue()[0]["claimed_by"] is None
    assert first.approves(filed)["state"] == "approved"


@pytest.mark.req("AL-10")
def test_of_two_officers_the_second_is_told(desk: Any) -> None:
    lin, first, second = desk.person(), desk.officer("440106"), desk.officer("440106")
    filed = lin.submits(lin.opens(**desk.form))
    seen = second.shows(filed)
    first.approves(filed)
    before = desk.counts()
    late = second.tries_to("reject", filed, {"reason": "不符"})
    assert (late.status_code, late.json["code"]) == (409, "wrong-state")
    stale = second.tries_to("reject", filed, {"reason": "不符"}, version=seen["version"])
    assert (stale.status_code, stale.json["code"]) == (412, "changed-meanwhile")
    assert desk.counts() == before


@pytest.mark.req("AL-02")
def test_sending_back_and_turning_down_need_a_reason(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106")
    filed = lin.submits(lin.opens(**desk.form))
    before = desk.counts()
    for move, body, field in (
        ("return", {}, "/reason"),
        ("reject", {}, "/reason"),
        ("reject", {"reason_code": "work-place-unclear"}, "/reason_code"),
        ("return", {"reason": "x", "fields_to_correct": ["/person/name"]}, "/fields_to_correct/0"),
    ):
        refused = officer.tries_to(move, filed, body)
        assert refused.status_code == 422
        assert field in [e["field"] for e in refused.json["errors"]]
    assert desk.counts() == before
    library = officer.get("flexible-employment-reviews/reasons").json
    ready = next(r for r in library if r["code"] == "not-working")
    officer.rejects(filed, reason_code="not-working", reason="详见电话记录。")
    told = lin.shows(filed)
    assert told["state"] == "rejected"
    assert told["decision_reason"] == f"{ready['text']}详见电话记录。"


@pytest.mark.req("AL-04")
def test_a_look_at_the_clear_number_is_on_record(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106")
    filed = lin.submits(lin.opens(**desk.form))
    for page in (officer.queue()[0], officer.shows(filed)):
        assert page["person"]["name"] == "林**"
        assert page["person"]["document_number"] == desk.masked(lin)
    assert "employment" not in officer.queue()[0]
    assert officer.shows(filed)["employment"]["contact_phone"] == "138****0000"
    assert desk.counts()["looks"] == 0

    wish = {"values": ["document_number", "contact_phone"], "reason": "电话核实"}
    clear = officer.tries_to("reveal", filed, wish)
    assert clear.json == {"document_number": lin.number, "contact_phone": lin.phone}
    looks = desk.rows("access_record")
    assert {(look.column, look.owner_id, look.actor_id, look.reason) for look in looks} == {
        (
            f"flexible_employment_application.{name}",
            lin.claims["sub"],
            officer.claims["sub"],
            "电话核实",
        )
        for name in wish["values"]
    }
    refused = officer.tries_to("reveal", filed, {"values": ["document_number"], "reason": ""})
    assert refused.status_code == 422
    assert desk.counts()["looks"] == 2


@pytest.mark.req("AL-06", "AL-02")
def test_the_queue_is_narrowed_and_paged(desk: Any) -> None:
    officer, people = desk.officer("44"), [desk.person() for _ in range(5)]
    filed = [lin.submits(lin.opens(**desk.form)) for lin in people]
    officer.approves(filed[0])
    by_number = officer.queue(number=filed[1]["number"])
    assert [row["id"] for row in by_number] == [filed[1]["id"]]
    by_person = officer.queue(applicant_id=people[2].claims["sub"])
    assert [row["id"] for row in by_person] == [filed[2]["id"]]
    assert [row["id"] for row in officer.queue(state="approved")] == [filed[0]["id"]]
    assert officer.queue(submitted_to="2026-09-28") == []
    for query in (
        {"submitted_from": "2026-09-30", "submitted_to": "2026-09-29"},
        {"limit": 101},
        {"colour": "red"},
    ):
        assert officer.get("flexible-employment-reviews", **query).status_code == 422

    seen, cursor, more = [], None, True
    while more:
        page = officer.get("flexible-employment-reviews", limit=2, cursor=cursor).json
        assert page["total"] == 5
        seen += [row["id"] for row in page["items"]]
        more = (cursor := page["next_cursor"]) is not None
    assert sorted(seen) == sorted(a["id"] for a in filed)


@pytest.mark.req("AL-03")
def test_officers_see_who_did_what(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106")
    filed = lin.submits(lin.opens(**desk.form))
    officer.approves(filed)
    story = officer.get(f"flexible-employment-reviews/{filed['id']}/history").json
    assert [(e["move"], e["actor_id"]) for e in story] == [
        ("submit", lin.claims["sub"]),
        ("approve", officer.claims["sub"]),
    ]
    assert desk.history_is_whole()


@pytest.mark.req("EMP-10")
def test_one_person_with_two_accounts_gets_one_record(desk: Any) -> None:
    first = desk.person()
    second = desk.person(number=first.number)
    officer = desk.officer("440106")
    filed = first.submits(first.opens(**desk.form))
    blocked = second.opens(expect=409)
    assert blocked["code"] == "application-open"
    assert blocked["application_id"] is None  # it is another account's
    officer.approves(filed)
    assert second.opens(expect=409)["code"] == "already-flexibly-employed"


@pytest.mark.req("EMP-06", "AL-02")
def test_a_change_is_shown_beside_what_is_in_force(desk: Any) -> None:
    lin, officer, first = desk.registered()
    assert officer.shows(first)["comparison"] is None  # it is what is in force
    phone = {"contact_phone": "13811110000"}  # the same mask as before
    change = lin.submits(lin.opens("change", address="体育西路2号", **phone))
    told = {each["field"]: each for each in officer.shows(change)["comparison"]}
    assert told["/employment/address"] == {
        "field": "/employment/address",
        "before": "五山路1号",
        "after": "体育西路2号",
        "changed": True,
    }
    same = told["/employment/contact_phone"]
    assert (same["before"], same["after"], same["changed"]) == ("138****0000", "138****0000", True)
    assert [f for f, each in told.items() if each["changed"]] == [
        "/employment/address",
        "/employment/contact_phone",
    ]
