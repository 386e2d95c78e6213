"""EA-07 … EA-09: an agent applies for a unit's code, two officers decide, the code is entered."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from employer_auth.authorisation_codes import rules
from servicekit.testing import files
from servicekit.testing.racing import answers_at_once

OWN = "authorisation-code-applications"
REVIEWS = "authorisation-code-reviews"
PAPERS = {"unit-licence": files.png(80, 60), "unit-letter": files.jpeg(80, 60)}
DOCUMENT = files.jpeg(60, 40)


def sends(caller: Any, kind: str, data: bytes, path: str = "uploads") -> str:
    answer = caller.client.call("POST", f"{path}?kind={kind}", key=None, data=data)
    return str(caller.done(answer, 201)["id"])


def form(person: Any, *units: Any, without: str = "") -> dict[str, Any]:
    """Everything handed in but ``without``, for some units."""
    ticked = [
        {
            "unit_id": unit.id,
            "materials": [sends(person, k, d) for k, d in PAPERS.items() if k != without],
        }
        for unit in units
    ]
    agents = [] if without == "agent-document" else [sends(person, "agent-document", DOCUMENT)]
    return {"units": ticked, "materials": agents}


def officer(desk: Any, *roles: str, region: str = "440106") -> Any:
    who = desk.officer(region, business=rules.WORKFLOW.name)
    who.claims["roles"] = list(roles or ("reviewer",))
    return who


def filed(person: Any, *units: Any) -> Any:
    draft = person.done(person.post(OWN, form(person, *units)), 201)
    return person.done(person.post(f"{OWN}/{draft['id']}/submit", {}))


def moves(who: Any, case: Any, move: str, body: Any = None, expect: int = 200) -> Any:
    answer = who.post(f"{REVIEWS}/{case['id']}/{move}", {} if body is None else body)
    return who.done(answer, expect)


def approved(desk: Any, application: Any, region: str = "440106") -> Any:
    """Both officers agree on every unit."""
    first, second = officer(desk, region=region), officer(desk, "approver", region=region)
    for case in application["cases"]:
        moves(first, case, "accept")
        shown = moves(second, case, "approve")
    return shown


def code_sent(desk: Any) -> str:
    """The code of the newest SMS, which identity has taken over."""
    desk.works("send-notices")
    said = [n for n in desk.identity.notices.values() if n["template"] == "authorisation-code"]
    return str(said[-1]["words"]["code"])


def stored(desk: Any) -> str:
    """Everything in every table, as somebody sees it who has the database and no key."""
    tables = desk.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return "\n".join(str(row) for (name,) in tables for row in desk.rows(f'SELECT * FROM "{name}"'))


@pytest.mark.req("EA-07", "EA-09", "REF-05", "REF-07", "AL-02", "G1", "G3")
def test_from_the_application_to_the_authorised_agent(desk: Any) -> None:
    unit, lin, binding = desk.bound()
    (found,) = lin.done(lin.get("units", number="914403001922038216"))["items"]
    assert found["is_bound"]
    application = filed(lin, unit)
    (case,) = application["cases"]
    assert application["number"].startswith("440106-21-20261121-000001-")
    assert (case["number"], case["state"]) == (f"{application['number']}-01", "submitted")
    assert {m["kind"] for m in case["materials"]} == set(PAPERS)
    acting = desk.agent(unit, lin)
    acting.claims["binding"] = binding["id"]
    told = acting.refused(acting.get("authorisations/current"), 403, "auth-code-not-activated")
    assert "授权码实名" in told["detail"]

    first, second = officer(desk), officer(desk, "approver")
    (row,) = first.done(first.get(REVIEWS, state="submitted"))["items"]
    assert (row["id"], row["unit_name"]) == (case["id"], "广州示例科技有限公司")
    assert row["open_moves"] == ["claim", "accept", "return", "reject"]
    moves(first, case, "claim")
    moves(first, case, "accept", {"note": "印章清晰"})
    second.done(second.get(f"{REVIEWS}/{case['id']}"))
    decided = moves(second, case, "approve")
    assert decided["state"] == "approved"
    code = code_sent(desk)
    assert code not in str(decided)

    result = lin.done(lin.post("authorisations", {"code": f" {code.lower()} "}), 201)
    assert (result["binding_id"], result["unit_id"]) == (binding["id"], unit.id)
    acting.done(acting.get("authorisations/current"))
    (choice,) = lin.units()
    assert rules.PERMISSION in choice["permissions"]
    assert choice["version"] == binding["version"] + 1
    mandate = lin.done(lin.mandate(binding | {"unit_id": unit.id}), 201)["mandate"]
    assert rules.PERMISSION in desk.claims(mandate)["permissions"]
    states = [kind.rpartition(".")[2] for kind, _ in desk.events("authorisation-code")]
    assert states == ["submitted", "accepted", "approved"]
    (fact,) = desk.events("authorisation.")
    assert fact[0] == "authorisation.activated"
    assert fact[1]["binding_id"] == binding["id"]
    moved = [e["move"] for e in lin.done(lin.get(f"authorisation-code-cases/{case['id']}/history"))]
    assert moved == ["submit", "accept", "approve", "redeem"]
    assert desk.history_is_whole()


@pytest.mark.req("EA-09")
def test_the_code_stands_nowhere_in_clear(desk: Any, caplog: Any, capsys: Any) -> None:
    unit, lin, _ = desk.bound()
    approved(desk, filed(lin, unit))
    before = stored(desk)
    code = code_sent(desk)
    lin.done(lin.post("authorisations", {"code": code}), 201)
    written = before + stored(desk) + caplog.text + "".join(capsys.readouterr())
    for form in (code, code.replace("-", ""), code.replace("-", "").lower()):
        assert form not in written
    (row,) = desk.rows("SELECT state, words FROM pending_notice WHERE template LIKE 'auth%'")
    assert tuple(row) == ("taken", None)


@pytest.mark.req("EA-09", "G3")
def test_wrong_codes_are_refused_alike_and_not_for_long(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    wang = desk.person()
    approved(desk, filed(lin, unit))
    code = code_sent(desk)
    other = "".join("7" if c == "3" else c for c in code[:-1]) + code[-1]
    if other != code:
        lin.refused(lin.post("authorisations", {"code": other}), 422, "code-mistyped")
    lin.refused(lin.post("authorisations", {"code": "中文"}), 422, "code-mistyped")
    theirs = wang.refused(wang.post("authorisations", {"code": code}), 404, "code-unknown")
    elsewhere = {"code": code, "unit_id": desk.unit().id}
    wrong = lin.refused(lin.post("authorisations", elsewhere), 404, "code-unknown")
    assert theirs["detail"] == wrong["detail"]
    for _ in range(rules.TRIES - 1):
        lin.refused(lin.post("authorisations", elsewhere), 404, "code-unknown")
    told = lin.refused(lin.post("authorisations", {"code": code}), 429, "too-many-codes")
    assert "请稍后再试" in told["detail"]
    desk.clock.advance(hours=1)
    lin.done(lin.post("authorisations", {"code": code}), 201)
    lin.refused(lin.post("authorisations", {"code": code}), 409, "code-already-used")
    unit.refused(unit.post("authorisations", {"code": code}), 403, "delegate-required")


@pytest.mark.req("EA-09", "G3")
def test_a_code_runs_out_after_thirty_days_and_a_new_one_makes_the_old_one_void(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    application = filed(lin, unit)
    approved(desk, application)
    old = code_sent(desk)
    again = f"authorisation-code-cases/{application['cases'][0]['id']}/reissue"
    lin.done(lin.post(again, {}))
    new = code_sent(desk)
    lin.refused(lin.post("authorisations", {"code": old}), 404, "code-unknown")
    for _ in range(rules.REISSUES - 1):
        lin.done(lin.post(again, {}))
    lin.refused(lin.post(again, {}), 429, "too-many-codes")
    new = code_sent(desk)
    desk.clock.advance(days=30)
    told = lin.refused(lin.post("authorisations", {"code": new}), 409, "code-expired")
    assert "重新申请" in told["detail"]
    assert filed(lin, unit)["cases"][0]["state"] == "submitted"


@pytest.mark.req("EA-07", "EA-09", "G3")
def test_a_rejection_is_told_with_its_reason_and_gives_no_code(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    (case,) = filed(lin, unit)["cases"]
    told = moves(officer(desk), case, "reject", {"reason_code": "not-entrusted"})
    assert (told["state"], told["open_moves"]) == ("rejected", [])
    second = officer(desk, "approver")
    second.refused(second.post(f"{REVIEWS}/{case['id']}/approve", {}), 409, "wrong-state")
    again = lin.post(f"authorisation-code-cases/{case['id']}/reissue", {})
    lin.refused(again, 409, "wrong-state")
    desk.works("send-notices")
    assert "authorisation-code" not in {n["template"] for n in desk.identity.notices.values()}
    assert desk.rows("SELECT * FROM authorisation") == []
    kind, said = desk.events("authorisation-code")[-1]
    assert (kind, said["after"]) == ("authorisation-code.rejected", "rejected")
    assert lin.name not in str(said)


@pytest.mark.req("EA-07", "G3")
def test_the_sms_with_the_code_names_nobody(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    approved(desk, filed(lin, unit))
    code_sent(desk)
    said = [n for n in desk.identity.notices.values() if n["template"] == "authorisation-code"]
    assert {(n["account_id"], n["sms"]) for n in said} == {(lin.id, True)}
    for personal in (lin.name, lin.number, lin.login_name):
        assert personal not in str(said)


@pytest.mark.req("EA-09")
def test_of_forty_who_enter_the_code_at_once_one_is_authorised(desk: Any) -> None:
    unit, lin, binding = desk.bound()
    approved(desk, filed(lin, unit))
    entered = {"code": code_sent(desk)}
    clients = [lin.client for _ in range(40)]
    answers = answers_at_once(*[partial(one.post, "authorisations", entered) for one in clients])
    won = [a for a in answers if a.status_code == 201]
    assert len(won) == 1
    assert {a.status_code for a in answers} == {201, 409, 429}
    assert desk.rows("SELECT count(*) FROM authorisation")[0][0] == 1
    assert [kind for kind, _ in desk.events("authorisation.")] == ["authorisation.activated"]
    ((version,),) = desk.rows("SELECT version FROM binding WHERE id = :id", id=binding["id"])
    assert version == binding["version"] + 1


@pytest.mark.req("EA-07", "AL-02")
def test_two_units_in_two_regions_are_decided_by_their_own_agencies(desk: Any) -> None:
    here, lin, _ = desk.bound()
    there = desk.unit(name="深圳示例有限公司", region="440305", uscc="91350100M000100Y43")
    lin.accepts(there.invites(lin))
    application = filed(lin, here, there)
    assert application["number"].startswith("440000-21-")
    first, second = application["cases"]
    guangzhou, shenzhen = officer(desk), officer(desk, region="4403")
    for who, case, other in ((guangzhou, first, second), (shenzhen, second, first)):
        (row,) = who.done(who.get(REVIEWS))["items"]
        assert row["id"] == case["id"]
        assert who.get(f"{REVIEWS}/{other['id']}").status_code == 404
        paper = other["materials"][0]["id"]
        assert who.get(f"{REVIEWS}/{case['id']}/materials/{paper}").status_code == 404
    found = guangzhou.done(guangzhou.get(REVIEWS, number=application["number"]))["items"]
    assert [row["id"] for row in found] == [first["id"]]

    told = moves(
        shenzhen,
        second,
        "return",
        {"reason_code": "letter-without-seal", "fields_to_correct": ["/materials/unit-letter"]},
    )
    assert told["state"] == "returned"
    approved(desk, {"cases": [first]})
    shown = lin.done(lin.get(f"{OWN}/{application['id']}"))
    assert [case["state"] for case in shown["cases"]] == ["approved", "returned"]
    assert shown["cases"][1]["decision_reason"] == "单位委托书未盖单位公章，请盖章后重新上传。"

    kept = shown["cases"][1]["materials"]
    letter = sends(lin, "unit-letter", files.jpeg(90, 60))
    licence = next(m["id"] for m in kept if m["kind"] == "unit-licence")
    body = {
        "units": [
            {"unit_id": here.id, "materials": []},
            {"unit_id": there.id, "materials": [licence, letter]},
        ],
        "materials": [m["id"] for m in shown["materials"]],
    }
    path = f"{OWN}/{application['id']}"
    fewer = body | {"units": body["units"][1:]}
    refused = lin.put(path, fewer, version=shown["version"])
    lin.refused(refused, 409, "units-fixed")
    saved = lin.done(lin.put(path, body, version=shown["version"]))
    assert {m["id"] for m in saved["cases"][0]["materials"]} == {
        m["id"] for m in first["materials"]
    }
    again = lin.done(lin.post(f"{path}/submit", {}))
    assert [case["state"] for case in again["cases"]] == ["approved", "submitted"]
    assert again["number"] == application["number"]
    approved(desk, {"cases": [second]}, region="4403")


@pytest.mark.req("AL-02")
def test_four_eyes_decide_and_they_are_two_officers(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    (case,) = filed(lin, unit)["cases"]
    both, other = officer(desk, "reviewer", "approver"), officer(desk, "approver")
    refused = other.post(f"{REVIEWS}/{case['id']}/approve", {})
    other.refused(refused, 409, "wrong-state")
    moves(both, case, "accept")
    for move in ("approve", "claim"):
        refused = both.post(f"{REVIEWS}/{case['id']}/{move}", {})
        assert "另一位" in both.refused(refused, 403, "four-eyes")["detail"]
    moves(other, case, "claim")
    third = officer(desk, "approver")
    third.refused(third.post(f"{REVIEWS}/{case['id']}/approve", {}), 409, "claimed-by-other")
    moves(other, case, "approve")
    reviewer = officer(desk)
    reviewer.refused(reviewer.post(f"{REVIEWS}/{case['id']}/accept", {}), 409, "wrong-state")


@pytest.mark.req("EA-07", "AL-01")
def test_every_missing_paper_is_named_at_once(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    draft = lin.done(lin.post(OWN, {"units": [{"unit_id": unit.id}]}), 201)
    refused = lin.post(f"{OWN}/{draft['id']}/submit", {})
    wrong = lin.refused(refused, 422, "application-incomplete")["errors"]
    assert [(w["field"], w["message"]) for w in wrong] == [
        ("/units/0/materials", "请上传营业执照或登记证书"),
        ("/units/0/materials", "请上传单位委托书（盖单位公章）"),
        ("/materials", "请上传经办人有效身份证件"),
    ]
    here, path = sends(lin, "agent-document", DOCUMENT), f"{OWN}/{draft['id']}"
    misplaced = {"units": [{"unit_id": unit.id, "materials": [here]}]}
    told = lin.refused(lin.put(path, misplaced, version=draft["version"]), 422, "invalid")
    assert told["errors"][0]["field"] == "/units/0/materials"
    stale = {"units": [{"unit_id": unit.id}]}
    assert lin.put(path, stale, version=77).status_code == 412
    assert lin.client.delete(path).status_code == 204
    assert lin.get(path).status_code == 404


@pytest.mark.req("EA-07")
def test_only_a_bound_agent_applies_and_only_once(desk: Any) -> None:
    unit, lin, binding = desk.bound()
    wang = desk.person()
    body = {"units": [{"unit_id": unit.id}]}
    told = wang.refused(wang.post(OWN, body), 409, "not-bound-to-unit")
    assert "发起绑定" in told["detail"]
    unit.refused(unit.post(OWN, body), 403, "delegate-required")
    lin.done(lin.post(OWN, body), 201)
    lin.refused(lin.post(OWN, body), 409, "application-open")
    weak = desk.person(level=1)
    weak.refused(weak.post(OWN, body), 401, "realname-level-too-low")
    (mine,) = lin.done(lin.get(OWN))["items"]
    assert mine["cases"][0]["state_label"] == "暂存"
    assert wang.done(wang.get(OWN))["items"] == []
    wang.refused(wang.get(f"{OWN}/{mine['id']}"), 404, "application-not-found")
    unit.done(unit.tries_to("release", binding))
    refused = lin.post(f"{OWN}/{mine['id']}/submit", {})
    lin.refused(refused, 409, "not-bound-to-unit")


@pytest.mark.req("EA-09")
def test_an_agent_who_has_left_meanwhile_is_not_authorised(desk: Any) -> None:
    unit, lin, binding = desk.bound()
    approved(desk, filed(lin, unit))
    code = code_sent(desk)
    desk.account("level-changed", lin.id, kind="person", scale="hrss", level=1, before=2)
    lin.refused(lin.post("authorisations", {"code": code}), 409, "binding-suspended")
    desk.account("level-changed", lin.id, kind="person", scale="hrss", level=2, before=1)
    unit.done(unit.tries_to("release", binding))
    lin.refused(lin.post("authorisations", {"code": code}), 409, "binding-not-active")


@pytest.mark.req("EA-09", "EA-11")
def test_the_unit_and_the_agency_can_end_what_was_proved(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    application = filed(lin, unit)
    approved(desk, application)
    lin.done(lin.post("authorisations", {"code": code_sent(desk)}), 201)
    lin.refused(lin.post(OWN, {"units": [{"unit_id": unit.id}]}), 409, "already-authorised")
    (mine,) = unit.done(unit.get("unit-authorisations"))["items"]
    path = f"unit-authorisations/{mine['id']}/revoke"
    stranger = desk.unit()
    stranger.refused(stranger.post(path, {"reason": "测试"}), 404, "application-not-found")
    ended = unit.done(unit.post(path, {"reason": "经办人已离职"}))
    assert ended["revoked_at"] is not None
    assert rules.PERMISSION not in lin.units()[0]["permissions"]
    assert [kind for kind, _ in desk.events("authorisation.")][-1] == "authorisation.revoked"
    unit.refused(unit.post(path, {"reason": "再次"}), 409, "wrong-state")
    again = filed(lin, unit)
    approved(desk, again)
    code = code_sent(desk)
    moves(officer(desk), again["cases"][0], "revoke", {"reason": "单位来函否认委托"})
    lin.refused(lin.post("authorisations", {"code": code}), 404, "code-unknown")
    listed = unit.done(unit.get("unit-authorisations"))["items"]
    assert [each["revoke_reason"] for each in listed] == ["经办人已离职"]


@pytest.mark.req("EA-11")
def test_a_unit_sees_who_asked_for_its_codes_and_what_became_of_it(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    lin.done(lin.post(OWN, {"units": [{"unit_id": unit.id}]}), 201)  # a draft is its agent's
    cases = "unit-authorisations/cases"
    assert unit.done(unit.get(cases))["items"] == []
    (drafted,) = lin.done(lin.get(OWN))["items"]
    lin.done(lin.delete(f"{OWN}/{drafted['id']}"), 204)
    application = filed(lin, unit)
    approved(desk, application)
    lin.done(lin.post("authorisations", {"code": code_sent(desk)}), 201)
    (seen,) = unit.done(unit.get(cases))["items"]
    assert (seen["person_id"], seen["person_name"]) == (lin.id, "林**")
    assert (seen["number"], seen["state"]) == (application["cases"][0]["number"], "approved")
    assert seen["redeemed_at"] == desk.clock.now().isoformat()
    story = unit.done(unit.get(f"{cases}/{seen['id']}/history"))
    assert [entry["move"] for entry in story] == ["submit", "accept", "approve", "redeem"]
    other = desk.unit()
    assert other.done(other.get(cases))["items"] == []
    path = f"{cases}/{seen['id']}/history"
    other.refused(other.get(path), 404, "application-not-found")


@pytest.mark.req("EA-08", "REF-06", "G2")
def test_the_window_takes_an_application_in_with_scans(desk: Any) -> None:
    _unit, lin, binding = desk.bound()
    window, second = officer(desk, "window"), officer(desk, "approver")
    papers = PAPERS | {"agent-document": DOCUMENT}
    scans = [sends(window, kind, data, "counter-uploads") for kind, data in papers.items()]
    counter, body = (
        "authorisation-code-counter-applications",
        {"binding_id": binding["id"], "materials": scans, "originals_seen": False},
    )
    window.refused(window.post(counter, body), 422, "originals-not-seen")
    body["originals_seen"] = True
    elsewhere = officer(desk, "window", region="4403")
    elsewhere.refused(elsewhere.post(counter, body), 409, "not-bound-to-unit")
    fewer = body | {"materials": scans[:2]}
    window.refused(window.post(counter, fewer), 422, "application-incomplete")
    taken = window.done(window.post(counter, body), 201)
    assert (taken["channel"], taken["cases"][0]["state"]) == ("counter", "accepted")
    (mine,) = lin.done(lin.get(OWN))["items"]
    assert mine["id"] == taken["id"]
    moves(second, taken["cases"][0], "approve")
    result = lin.done(lin.post("authorisations", {"code": code_sent(desk)}), 201)
    assert result["channel"] == "counter"
    who = officer(desk, "window", "approver")
    lone = desk.officer("440106", business="stability-refund.confirmation")
    lone.claims["roles"] = ["window"]
    lone.refused(lone.post(counter, body), 403, "other-business")
    assert who.get(f"{REVIEWS}/{taken['cases'][0]['id']}").status_code == 200


@pytest.mark.req("AL-05", "AL-04")
def test_papers_are_seen_by_those_who_may_and_each_look_is_on_record(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    application = filed(lin, unit)
    (case,) = application["cases"]
    paper = case["materials"][0]
    mine = lin.get(f"uploads/{paper['id']}/content")
    assert mine.status_code == 200
    assert mine.headers["Content-Disposition"].startswith("attachment; filename=")
    assert mine.headers["X-Content-Type-Options"] == "nosniff"
    assert mine.headers["Cache-Control"] == "no-store"
    assert "GPS" not in str(mine.data)
    wang = desk.person()
    wang.refused(wang.get(f"uploads/{paper['id']}/content"), 404, "upload-not-found")
    wang.refused(wang.get(f"uploads/{paper['id']}"), 404, "upload-not-found")
    unit.refused(unit.get(f"uploads/{paper['id']}"), 403, "delegate-required")
    assert desk.rows("SELECT * FROM access_record") == []

    who = officer(desk)
    seen = who.get(f"{REVIEWS}/{case['id']}/materials/{paper['id']}")
    assert seen.data == mine.data
    who.get(f"{REVIEWS}/{case['id']}/materials/{application['materials'][0]['id']}")
    looks = desk.rows('SELECT actor_id, owner_id, "column", reason FROM access_record ORDER BY at')
    assert [(r.actor_id, r.owner_id) for r in looks] == [(who.id, lin.id)] * 2
    assert {r.column for r in looks} == {f"upload.{paper['kind']}", "upload.agent-document"}
    assert looks[0].reason.endswith(case["number"])
    name = who.done(who.post(f"{REVIEWS}/{case['id']}/reveal", {"reason": "核对委托书"}))
    assert name == {"person_name": "林小满"}
    stolen = {"units": [{"unit_id": unit.id}], "materials": [paper["id"]]}
    wang.refused(wang.post(OWN, stolen), 409, "not-bound-to-unit")
    lin.refused(lin.client.delete(f"uploads/{paper['id']}"), 409, "upload-in-use")


@pytest.mark.req("AL-05")
def test_papers_go_some_days_after_the_decision(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    application = filed(lin, unit)
    (case,) = application["cases"]
    moves(officer(desk), case, "reject", {"reason_code": "not-entrusted"})
    kept = timedelta(days=desk.app.settings.code_materials_days)
    desk.clock.advance(seconds=kept.total_seconds() - 1)
    desk.works("sweep-uploads")
    assert len(lin.done(lin.get(f"{OWN}/{application['id']}"))["cases"][0]["materials"]) == 2
    desk.clock.advance(seconds=1)
    desk.works("sweep-uploads")
    shown = lin.done(lin.get(f"{OWN}/{application['id']}"))
    assert shown["cases"][0]["materials"] == shown["materials"] == []
    assert {row.state for row in desk.rows("SELECT state FROM upload")} == {"deleted"}
    assert desk.app.extensions["employer-auth"].uploads.storage.keys() == []


@pytest.mark.req("AL-05")
def test_files_that_are_none_are_refused_over_http(desk: Any) -> None:
    lin = desk.person()
    limit = 8 * 1024 * 1024
    wrong = [
        (b"", 422, "empty-file"),
        (b"MZ" + bytes(100), 422, "wrong-file-type"),
        (files.jpeg()[:300], 422, "unreadable-picture"),
        (files.png_of_size(60_000, 60_000), 422, "picture-too-large"),
        (bytes(limit + 1), 413, "body-too-large"),
    ]
    for data, status, code in wrong:
        answer = lin.client.call("POST", "uploads?kind=unit-licence", key=None, data=data)
        lin.refused(answer, status, code)
    answer = lin.client.call("POST", "uploads?kind=passport", key=None, data=DOCUMENT)
    lin.refused(answer, 422, "invalid-input")
    assert desk.rows("SELECT * FROM upload") == []
    mine = sends(lin, "unit-licence", DOCUMENT)
    assert lin.client.delete(f"uploads/{mine}").status_code == 204
    lin.refused(lin.get(f"uploads/{mine}"), 404, "upload-not-found")


@pytest.mark.req("AL-09")
def test_what_is_taken_back_is_not_decided_any_more(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    application = filed(lin, unit)
    path = f"{OWN}/{application['id']}/withdraw"
    taken = lin.done(lin.post(path, {"note": "另行安排"}))
    assert taken["cases"][0]["state"] == "withdrawn"
    lin.refused(lin.post(path, {}), 409, "wrong-state")
    who = officer(desk)
    who.refused(who.post(f"{REVIEWS}/{taken['cases'][0]['id']}/accept", {}), 409, "wrong-state")
    assert filed(lin, unit)["cases"][0]["state"] == "submitted"


@pytest.mark.req("EA-07", "REF-08")
def test_an_agent_applies_in_an_acting_session_too(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    acting = desk.agent(unit, lin)
    application = filed(acting, unit)
    assert lin.done(lin.get(f"{OWN}/{application['id']}"))["number"] == application["number"]
    (row,) = desk.rows("SELECT applicant_id, filed_by FROM authorisation_application")
    assert tuple(row) == (lin.id, lin.id)
    unit.refused(unit.get(OWN), 403, "delegate-required")


@pytest.mark.req("PRT-08", "J3")
def test_wrong_unit_data_are_answered_with_whom_to_call(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    draft = lin.done(lin.post(OWN, form(lin, unit)), 201)
    desk.run("UPDATE unit SET region = '440199'")
    refused = lin.post(f"{OWN}/{draft['id']}/submit", {})
    told = lin.refused(refused, 409, "unit-data-wrong")
    assert told["detail"].startswith("办理业务时如获取单位信息有误，或无法保存")
    assert told["agency"] == {"name": "广东省广州市社会保险基金管理局", "phone": "12345"}
    assert "12345" in told["detail"]


@pytest.mark.req("AL-05")
def test_what_nobody_goes_on_with_lapses_with_its_papers(desk: Any) -> None:
    unit, lin, _ = desk.bound()
    application = filed(lin, unit)
    moves(officer(desk), application["cases"][0], "return", {"reason": "请补充"})
    wang = desk.person()
    wang.accepts(unit.invites(wang))
    draft = wang.done(wang.post(OWN, form(wang, unit)), 201)
    desk.clock.advance(days=desk.app.settings.code_idle_days)
    desk.works("lapse-code-applications")
    assert wang.get(f"{OWN}/{draft['id']}").status_code == 200  # to the day
    desk.clock.advance(seconds=1)
    desk.works("lapse-code-applications")
    assert wang.get(f"{OWN}/{draft['id']}").status_code == 404
    shown = lin.done(lin.get(f"{OWN}/{application['id']}"))
    assert shown["cases"][0]["state"] == "withdrawn"
    desk.works("sweep-uploads")
    desk.clock.advance(days=desk.app.settings.code_materials_days)
    desk.works("sweep-uploads")
    assert desk.app.extensions["employer-auth"].uploads.storage.keys() == []
    assert desk.history_is_whole()
