"""A unit asks, a person agrees, either ends it: the life of a binding through HTTP."""

from __future__ import annotations

from typing import Any

import pytest

NOT_FOUND = "未查询到对应用户，请检查用户信息后重新发起绑定"


@pytest.mark.req("EA-02", "EA-03", "REF-04", "F1", "F2")
def test_a_binding_needs_the_unit_and_the_person(desk: Any) -> None:
    unit, lin = desk.unit(), desk.person()
    invited = unit.invites(lin)
    assert (invited["state"], invited["state_label"]) == ("invited", "待确认")
    assert (invited["person_name"], invited["open_moves"]) == ("林**", ["cancel"])
    assert lin.units() == []  # nobody acts before they agreed
    (asked,) = lin.parents(state="invited")
    assert (asked["unit_name"], asked["open_moves"]) == (
        "广州示例科技有限公司",
        ["accept", "decline"],
    )
    bound = lin.accepts(asked)
    assert (bound["state"], bound["open_moves"]) == ("active", ["leave"])
    (choice,) = lin.units()
    assert choice["unit_id"] == unit.id
    assert choice["permissions"] == []  # nothing is granted by itself
    assert [told for told, _ in desk.events("sub-account")] == [
        "sub-account.invited",
        "sub-account.bound",
    ]
    assert desk.history_is_whole()


@pytest.mark.req("EA-02", "F3")
@pytest.mark.parametrize("wrong", ["login_name", "name", "document_number"])
def test_whatever_does_not_match_the_answer_is_the_same(desk: Any, wrong: str) -> None:
    unit, lin = desk.unit(), desk.person()
    answer = desk_answer = unit.asks_for(lin, **{wrong: "440106199001019999"})
    assert (answer.status_code, answer.json["detail"]) == (404, NOT_FOUND)
    assert desk_answer.json["code"] == "bind-user-not-found"
    assert desk.events("sub-account") == []


@pytest.mark.req("EA-02")
def test_a_unit_does_not_find_out_by_trying_who_has_an_account(desk: Any) -> None:
    unit, lin = desk.unit(), desk.person()
    allowed = desk.app.settings.invitations_per_hour
    for _ in range(allowed):
        assert unit.asks_for(lin, name="不是他").status_code == 404
    refused = unit.asks_for(lin)
    unit.refused(refused, 429, "too-many-invitations")
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert desk.identity.asked == allowed
    assert desk.unit().asks_for(lin).status_code == 201  # another unit is not hindered
    desk.clock.advance(hours=1)
    assert unit.asks_for(lin).status_code == 201


@pytest.mark.req("EA-02")
def test_while_identity_is_away_nothing_is_lost(desk: Any) -> None:
    unit, lin = desk.unit(), desk.person()
    desk.identity.down = True
    answer = unit.asks_for(lin)
    assert (answer.status_code, answer.json["retryable"]) == (503, True)
    desk.identity.down = False
    desk.app.extensions["employer-auth"].person_match._client._breaker._failures = 0
    assert unit.asks_for(lin).status_code == 201


def test_a_unit_that_registered_a_moment_ago_waits_for_the_word_of_it(desk: Any) -> None:
    unit, lin = desk.unit(), desk.person()
    unit.claims["sub"] = "01890a5d-ac96-774b-bcce-b302099a8058"
    answer = unit.asks_for(lin)
    unit.refused(answer, 409, "unit-not-known-yet")
    assert (answer.headers["Retry-After"], desk.identity.asked) == ("5", 0)
    assert desk.rows("SELECT * FROM try_window") == []


@pytest.mark.req("EA-02")
def test_a_person_many_ask_for_is_left_in_peace_a_while(desk: Any) -> None:
    unit, lin = desk.unit(), desk.person()
    desk.identity.crowded = True
    unit.refused(unit.asks_for(lin), 429, "too-many-matches")


@pytest.mark.req("EA-06", "F5")
def test_only_verified_persons_are_bound(desk: Any) -> None:
    unit, wang = desk.unit(), desk.person(level=1)
    refused = unit.refused(unit.asks_for(wang), 409, "person-not-verified")
    assert "二级实名" in refused["detail"]


@pytest.mark.req("EA-03")
def test_an_invitation_is_answered_by_its_person_alone(desk: Any) -> None:
    unit, lin, wang = desk.unit(), desk.person(), desk.person()
    invited = unit.invites(lin)
    wang.refused(wang.tries_to("accept", invited), 404, "binding-not-found")
    by_unit = unit.post(f"parent-accounts/{invited['id']}/accept", {})
    unit.refused(by_unit, 403, "personal-session-required")
    assert unit.shows(invited)["state"] == "invited"
    other = desk.unit()
    other.refused(other.tries_to("cancel", invited), 404, "binding-not-found")
    assert other.get(f"sub-accounts/{invited['id']}").status_code == 404


@pytest.mark.req("EA-03")
@pytest.mark.parametrize(
    ("who", "move", "state"),
    [("lin", "decline", "declined"), ("unit", "cancel", "cancelled")],
)
def test_an_invitation_is_refused_or_taken_back(desk: Any, who: str, move: str, state: str) -> None:
    unit, lin = desk.unit(), desk.person()
    invited = unit.invites(lin)
    answer = {"lin": lin, "unit": unit}[who].tries_to(move, invited)
    assert answer.json["state"] == state
    refused = lin.refused(lin.tries_to("accept", invited), 409, "wrong-state")
    assert "刷新" in refused["detail"]
    assert unit.invites(lin)["state"] == "invited"  # asking again is a new binding


@pytest.mark.req("EA-03")
def test_an_invitation_lapses_after_thirty_days(desk: Any) -> None:
    unit, lin, wang = desk.unit(), desk.person(), desk.person()
    first, second = unit.invites(lin), unit.invites(wang)
    desk.clock.advance(days=30)
    lin.refused(lin.tries_to("accept", first), 409, "invitation-lapsed")
    again = unit.invites(wang)  # before the clock's job came round
    assert unit.shows(second)["state"] == "expired"
    desk.works("end-validities")
    assert unit.shows(first)["state"] == "expired"
    assert unit.shows(again)["state"] == "invited"
    assert [told for told, _ in desk.events("sub-account")].count("sub-account.expired") == 2


@pytest.mark.req("EA-04", "EA-05", "F4")
@pytest.mark.parametrize(("who", "move"), [("unit", "release"), ("agent", "leave")])
def test_either_side_ends_the_binding_at_once(desk: Any, who: str, move: str) -> None:
    unit, lin, binding = desk.bound()
    unit.grants(binding, "employer-auth.unit", "view")
    ended = {"unit": unit, "agent": lin}[who].tries_to(move, binding).json
    assert (ended["state"], ended["ended_by"]) == ("released", who)
    assert lin.units() == []
    lin.refused(lin.mandate(binding), 409, "binding-not-active")
    (told,) = [data for kind, data in desk.events() if kind == "sub-account.unbound"]
    assert (told["by"], told["version"]) == (who, ended["version"])
    revised = desk.events("binding")[-1][1]
    assert (revised["state"], revised["permissions"]) == ("released", [])
    assert revised["version"] == ended["version"]
    assert unit.invites(lin)["id"] != binding["id"]


@pytest.mark.req("EA-11")
def test_an_officer_of_the_region_ends_a_binding_with_a_reason(desk: Any) -> None:
    unit, _, binding = desk.bound()
    path = f"binding-reviews/{binding['id']}/remove"
    elsewhere, here = desk.officer("4403"), desk.officer("4401")
    elsewhere.refused(elsewhere.post(path, {"reason": "伪造"}), 404, "binding-not-found")
    other = desk.officer(business="employment-registry.flexible-employment")
    other.refused(other.post(path, {"reason": "伪造"}), 403, "other-business")
    assert here.post(path, {"reason": " "}).status_code == 422
    assert here.done(here.post(path, {"reason": "委托书系伪造"}))["ended_by"] == "officer"
    assert [row["id"] for row in here.done(here.get("binding-reviews"))["items"]] == [binding["id"]]
    assert elsewhere.done(elsewhere.get("binding-reviews"))["items"] == []
    entry = unit.history(binding)[-1]
    assert (entry["move"], entry["role"], entry["note"]) == ("remove", "reviewer", "委托书系伪造")


def test_a_binding_has_a_last_day_if_the_unit_wants_one(desk: Any) -> None:
    unit, lin = desk.unit(), desk.person()
    unit.refused(unit.asks_for(lin, valid_until="2031-11-21"), 422, "bad-validity")
    unit.refused(unit.asks_for(lin, valid_until="2026-11-20"), 422, "bad-validity")
    binding = lin.accepts(unit.invites(lin, valid_until="2031-11-20"))
    path = f"sub-accounts/{binding['id']}"
    assert unit.patch(path, {"valid_until": "2026-11-30"}).status_code == 428
    changed = unit.done(unit.patch(path, {"valid_until": "2026-11-30"}, version=binding["version"]))
    assert changed["version"] == binding["version"] + 1
    desk.clock.advance(days=9, hours=13)  # still the 30th in Guangzhou
    assert len(lin.units()) == 1
    desk.clock.advance(hours=1)
    assert lin.units() == []
    lin.refused(lin.mandate(binding), 409, "binding-not-active")
    desk.works("end-validities")
    assert unit.shows(binding)["state"] == "expired"


@pytest.mark.req("EA-02")
def test_a_unit_finds_its_agents_by_state_and_business_page_by_page(desk: Any) -> None:
    unit, _, binding = desk.bound()
    desk.clock.advance(seconds=1)
    invited = unit.invites(desk.person())
    unit.grants(binding, "employer-auth.unit", "manage")
    assert [row["id"] for row in unit.agents()] == [invited["id"], binding["id"]]
    assert [row["id"] for row in unit.agents(state="invited")] == [invited["id"]]
    assert [row["id"] for row in unit.agents(business="employer-auth.unit")] == [binding["id"]]
    assert unit.agents(business="recruitment.jobs") == []
    first = unit.done(unit.get("sub-accounts", limit=1))
    assert (first["total"], [row["id"] for row in first["items"]]) == (2, [invited["id"]])
    (rest,) = unit.agents(limit=1, cursor=first["next_cursor"])
    assert rest["id"] == binding["id"]
    assert unit.get("sub-accounts", state="gone").status_code == 422


@pytest.mark.req("EA-01", "PRT-10")
def test_an_agent_does_what_the_unit_does_only_with_management(desk: Any) -> None:
    unit, lin, binding = desk.bound()
    agent = desk.agent(unit, lin)
    agent.refused(agent.get("sub-accounts"), 403, "not-granted")
    manager = desk.agent(unit, lin, "employer-auth.unit:manage")
    wang = desk.person()
    invited = manager.invites(wang)
    assert {row["id"] for row in manager.agents()} == {binding["id"], invited["id"]}
    (entry,) = unit.history(invited)
    assert (entry["actor_id"], entry["person_id"]) == (unit.id, lin.id)


def test_nobody_else_reads_or_writes_sub_accounts(desk: Any) -> None:
    unit, lin, binding = desk.bound()
    assert desk.visitor().get("sub-accounts").status_code == 401
    lin.refused(lin.get("sub-accounts"), 403, "unit-session-required")
    assert desk.officer().get("sub-accounts").status_code == 403
    assert desk.unit().agents() == []
    assert unit.get("parent-accounts").status_code == 403
    assert desk.person().parents() == []
    for path in (f"parent-accounts/{binding['id']}", f"parent-accounts/{binding['id']}/history"):
        assert desk.person().get(path).status_code == 404
        assert lin.get(path).status_code == 200


def test_nothing_personal_leaves_in_events_or_rows(desk: Any) -> None:
    _, lin, _ = desk.bound()
    told = str(desk.events())
    kept = str(desk.rows("SELECT * FROM binding"))
    for secret in (lin.name, lin.number, lin.login_name):
        assert secret not in told
        assert secret not in kept
