"""EA-12: the legal representative is told, may object; the unit rests until it is decided."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY

from employer_auth.objections import rules

USCC = "914403001922038216"


def codes(desk: Any) -> list[dict[str, Any]]:
    """The objection codes identity was asked to send, oldest first."""
    desk.works("handle-objections")
    desk.works("send-notices")
    told = desk.identity.notices.values()
    return [n for n in told if n["template"] == "unit-objection-code"]


def objects(desk: Any, code: str, uscc: str = USCC, expect: int = 202) -> Any:
    visitor = desk.visitor()
    answer = visitor.done(visitor.post("objections", {"uscc": uscc, "code": code}), expect)
    desk.works("handle-objections")
    return answer


def freezing(desk: Any) -> list[str]:
    """What was told of the unit's freezing."""
    return [kind for kind, _ in desk.events("unit.") if kind.endswith("frozen")]


def counted(move: str, after: str) -> float:
    """How often objections made the move in this process."""
    labels = {"workflow": rules.WORKFLOW.name, "move": move, "after": after}
    return REGISTRY.get_sample_value("jiuye_application_moves_total", labels) or 0.0


def test_moves_of_what_is_no_application_are_counted_like_theirs(desk: Any) -> None:
    before = counted("object", "waiting")
    desk.bound()
    objects(desk, codes(desk)[1]["words"]["code"])
    assert counted("object", "waiting") == before + 1


def officer(desk: Any, region: str = "440106") -> Any:
    return desk.officer(region, business=rules.WORKFLOW.name)


@pytest.mark.req("EA-12")
def test_registration_first_binding_and_recovery_are_told_to_the_legal_representative(
    desk: Any,
) -> None:
    unit, lin, binding = desk.bound()
    second = desk.person()
    second.accepts(unit.invites(second))
    unit.done(unit.tries_to("release", binding))
    lin.accepts(unit.invites(lin))  # neither is the first any more
    desk.hears("identity.unit.recovered.v1", unit.id, unit_id=unit.id)
    told = codes(desk)
    assert [n["words"]["cause"] for n in told] == [
        "注册了单位账号",
        "绑定了首位经办人",
        "找回了单位账号",
    ]
    assert {(n["account_id"], n["to"], n["sms"]) for n in told} == {
        (unit.id, "legal-representative", True)
    }
    assert told[0]["words"]["until"] == "2026-11-28"
    assert len({n["words"]["code"] for n in told}) == 3
    assert len(codes(desk)) == 3  # each is sent once
    kept = str(desk.rows("SELECT * FROM objection_code")) + str(desk.rows("SELECT * FROM outbox"))
    assert not any(n["words"]["code"].replace("-", "") in kept for n in told)


@pytest.mark.req("EA-12")
def test_a_right_code_freezes_the_unit_and_an_officer_lifts_it(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    told = codes(desk)
    answer = objects(desk, told[1]["words"]["code"].lower())
    assert answer == {"message": rules.ANSWER}
    (agent,) = unit.agents()
    assert (agent["state"], agent["reasons"][0]["code"]) == ("suspended", "unit-frozen")
    assert lin.units() == []
    assert freezing(desk) == ["unit.frozen"]
    assert desk.events("binding.")[-1][1]["state"] == "suspended"
    desk.works("send-notices")
    frozen = [n for n in desk.identity.notices.values() if n["template"] == "unit-frozen"]
    assert {n["to"] for n in frozen} == {"owner", "legal-representative"}
    assert "000-440106" in frozen[0]["words"]["agency"]
    assert unit.done(unit.get("unit-profile"))["is_frozen"]

    who = officer(desk)
    (row,) = who.done(who.get("objection-reviews", state="waiting"))["items"]
    assert (row["cause"], row["due_on"], row["open_moves"]) == (
        "first-binding",
        "2026-11-25",
        ["uphold", "lift"],
    )
    path = f"objection-reviews/{row['id']}"
    refused = who.post(f"{path}/lift", {})
    assert who.refused(refused, 422, "invalid-input")["errors"][0]["field"] == "/reason"
    lifted = who.done(who.post(f"{path}/lift", {"reason_code": "by-unit"}))
    assert (lifted["state"], lifted["reason"]) == ("lifted", rules.REASONS[1].text)
    assert [a["state"] for a in unit.agents()] == ["active"]
    assert freezing(desk) == ["unit.frozen", "unit.unfrozen"]
    assert [e["move"] for e in who.done(who.get(f"{path}/history"))] == ["object", "lift"]
    assert desk.history_is_whole()
    objects(desk, told[1]["words"]["code"])  # a code is used once
    assert not unit.done(unit.get("unit-profile"))["is_frozen"]


@pytest.mark.req("EA-12")
def test_an_objection_that_is_upheld_releases_everybody(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    second = desk.person()
    second.accepts(unit.invites(second))
    objects(desk, codes(desk)[0]["words"]["code"])
    who = officer(desk, "4401")
    (row,) = who.done(who.get("objection-reviews"))["items"]
    path = f"objection-reviews/{row['id']}"
    upheld = who.done(who.post(f"{path}/uphold", {"reason": "法定代表人否认"}, version=1))
    assert (upheld["state"], upheld["open_moves"]) == ("upheld", ["lift"])
    assert {a["state"] for a in unit.agents()} == {"released"}
    assert [kind for kind, _ in desk.events("objection.")] == ["objection.upheld"]
    assert unit.done(unit.get("unit-profile"))["is_frozen"]
    told = unit.refused(unit.asks_for(lin), 409, "unit-frozen")
    assert "人社部门" in told["detail"]
    assert who.post(f"{path}/uphold", {"reason": "再次"}).json["code"] == "wrong-state"
    assert who.post(f"{path}/lift", {"reason": "x"}, version=1).status_code == 412
    who.done(who.post(f"{path}/lift", {"reason_code": "put-right"}))
    assert not unit.done(unit.get("unit-profile"))["is_frozen"]


@pytest.mark.req("EA-12")
def test_a_guesser_learns_nothing_and_not_for_long(desk: Any) -> None:
    unit = desk.unit()
    other = desk.unit(uscc="91350100M000100Y43")
    mine, theirs = (n["words"]["code"] for n in codes(desk))
    assert objects(desk, theirs) == objects(desk, mine, uscc="91350100M000100Y43")
    for each in (unit, other):
        assert not each.done(each.get("unit-profile"))["is_frozen"]
    visitor = desk.visitor()
    wrong = visitor.post("objections", {"uscc": "9144", "code": f"{mine[:-1]}*"})
    fields = [e["field"] for e in visitor.refused(wrong, 422, "invalid-input")["errors"]]
    assert fields == ["/uscc", "/code"]
    for _ in range(desk.app.settings.objections_per_address_hour - 2):
        objects(desk, theirs)
    refused = visitor.post("objections", {"uscc": USCC, "code": mine})
    told = visitor.refused(refused, 429, "too-many-objections")
    assert "12345" in told["detail"]
    desk.clock.advance(days=7)
    objects(desk, mine)  # its window is over
    assert not unit.done(unit.get("unit-profile"))["is_frozen"]
    assert desk.rows("SELECT * FROM objection_attempt") == []
    assert desk.rows("SELECT * FROM objection") == []


@pytest.mark.req("EA-12")
def test_the_page_does_the_same_without_scripts(desk: Any) -> None:
    unit = desk.unit()
    (told,) = codes(desk)
    browser = desk.app.test_client()
    form = browser.get("/employer-auth/objection")
    assert form.status_code == 200
    assert "default-src 'none'" in form.headers["Content-Security-Policy"]
    assert "<script" not in form.text
    wrong = browser.post("/employer-auth/objection", data={"uscc": "<b>", "code": "1"})
    assert wrong.status_code == 422
    assert "&lt;b&gt;" in wrong.text
    assert 'href="#uscc"' in wrong.text
    sent = browser.post(
        "/employer-auth/objection", data={"uscc": USCC, "code": told["words"]["code"]}
    )
    assert (sent.status_code, rules.ANSWER in sent.text) == (200, True)
    assert told["words"]["code"] not in sent.text
    desk.works("handle-objections")
    assert unit.done(unit.get("unit-profile"))["is_frozen"]


@pytest.mark.req("EA-12", "AL-02")
def test_objections_are_decided_by_officers_of_the_units_region(desk: Any) -> None:
    desk.unit()
    objects(desk, codes(desk)[0]["words"]["code"])
    elsewhere, here = officer(desk, "4403"), officer(desk, "44")
    (row,) = here.done(here.get("objection-reviews"))["items"]
    assert elsewhere.done(elsewhere.get("objection-reviews"))["items"] == []
    path = f"objection-reviews/{row['id']}"
    answers = [
        elsewhere.get(path),
        elsewhere.get(f"{path}/history"),
        elsewhere.post(f"{path}/lift", {"reason": "x"}),
        elsewhere.post(f"{path}/uphold", {"reason": "x"}),
    ]
    assert {(a.status_code, a.json["code"]) for a in answers} == {(404, "objection-not-found")}
    lone = desk.officer("44", business="employer-auth.binding")
    lone.refused(lone.get("objection-reviews"), 403, "other-business")


def test_a_notice_identity_cannot_take_now_is_tried_again_and_sent_once(desk: Any) -> None:
    desk.unit()
    desk.works("handle-objections")
    desk.identity.down = True
    desk.works("send-notices")
    assert desk.identity.notices == {}
    desk.identity.down = False
    desk.works("send-notices")  # not due yet
    assert desk.identity.notices == {}
    desk.clock.advance(seconds=5)
    desk.works("send-notices")
    desk.works("send-notices")
    assert len(desk.identity.notices) == 1
    (row,) = desk.rows("SELECT state, words, tries FROM pending_notice")
    assert tuple(row) == ("taken", None, 2)
    desk.clock.advance(days=31)
    desk.works("forget-tries")
    assert desk.rows("SELECT * FROM pending_notice") == []
