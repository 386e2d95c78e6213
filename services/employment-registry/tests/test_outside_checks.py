"""What other authorities know is asked at submission; a failing one loses nothing (ER-09)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from employment_registry.checks.rules import System
from servicekit.testing.racing import answers_at_once
from servicekit.testing.waiting import until

POLICE, INSURANCE = System.POPULATION_REGISTER, System.SOCIAL_SECURITY
TEXT = "外厅局接口异常，请联系业务部门!"
MATTERS = {
    "flexible-employment-registrations": "flexible-employment",
    "unemployment-registrations": "unemployment",
    "certificate-applications": "certificate",
}
FAILED = "employment-registry.outside-check.failed.v1"


def files(desk: Any, lin: Any, kind: str = "unemployment-registrations") -> Any:
    """A submitted application."""
    if kind == "unemployment-registrations":
        return lin.files_unemployment()
    return lin.submits(lin.opens(**desk.form))


def shown(lin: Any, filed: Any, kind: str = "unemployment-registrations") -> Any:
    return lin.done(lin.get(f"{kind}/{filed['id']}"))


def presses(lin: Any, filed: Any, **how: Any) -> Any:
    """再次核验."""
    return lin.post(f"unemployment-registrations/{filed['id']}/check-again", **how)


def gives_up(desk: Any) -> None:
    """Let the retries be used up."""
    for _ in range(6):
        desk.asks_outside()
        desk.clock.advance(minutes=8)


def officer_of(desk: Any, kind: str = "unemployment") -> Any:
    return desk.officer("440106", business=f"employment-registry.{kind}")


@pytest.mark.req("ER-09")
@pytest.mark.parametrize(
    "kind", ["flexible-employment-registrations", "unemployment-registrations"]
)
def test_who_is_in_order_goes_to_review_when_the_registers_have_answered(
    checked: Any, outside: Any, kind: str
) -> None:
    lin, officer = checked.person(), officer_of(checked, MATTERS[kind])
    filed = files(checked, lin, kind)
    assert (filed["state"], filed["state_label"], filed["due_on"]) == ("checking", "核验中", None)
    assert filed["number"] is not None
    assert filed["check"]["failed"] is False
    queue = f"{MATTERS[kind]}-reviews"
    assert officer.get(queue).json["items"] == []
    checked.set("2026-09-30T02:00:00+00:00")
    checked.asks_outside()
    seen = shown(lin, filed, kind)
    assert (seen["state"], seen["check"]) == ("submitted", None)
    assert seen["submitted_at"].startswith("2026-09-29")  # the day the person pressed
    assert seen["due_on"] == "2026-10-13"  # five working days from the answers on
    assert [outside.asked(system, lin.number) for system in System] == [1, 1]
    assert officer.get(f"{queue}/{filed['id']}").json["findings"] == []
    moves = [(e["move"], e["after"]) for e in lin.get(f"{kind}/{filed['id']}/history").json]
    assert moves[-2:] == [("check", "checking"), ("submit", "submitted")]
    assert checked.history_is_whole()


@pytest.mark.req("ER-09")
def test_a_certificate_is_checked_too_and_death_closes_the_way(checked: Any, outside: Any) -> None:
    lin = checked.person()
    filed = files(checked, lin, "flexible-employment-registrations")
    checked.asks_outside()
    officer_of(checked, "flexible-employment").approves(filed)
    body = {"kind": "replacement", "certificate": {"cause": "lost", "service_place": "440106003"}}
    draft = lin.done(lin.post("certificate-applications", body), 201)
    path = f"certificate-applications/{draft['id']}"
    assert lin.done(lin.post(f"{path}/submit", {}))["state"] == "checking"
    outside.reports(POLICE, "died", lin.number)
    checked.asks_outside()
    refused = lin.get(path).json
    assert refused["state"] == "returned"
    assert "户籍地派出所" in refused["decision_reason"]  # what to do next
    outside.reports(POLICE, "restored", lin.number, "2026-09-02")
    lin.done(lin.post(f"{path}/submit", {}))
    checked.asks_outside()
    assert lin.get(path).json["state"] == "submitted"


@pytest.mark.req("ER-09")
@pytest.mark.parametrize(
    ("name", "matter", "sign", "state"),
    [
        ("林不一致", "unemployment", "name-disagrees", "submitted"),
        ("林外省", "unemployment", "hukou-elsewhere", "submitted"),
        ("林参保", "flexible-employment", "insured-by-employer", "submitted"),
        ("林参保", "unemployment", "insured-by-employer", "returned"),
        ("林退休", "unemployment", "pensioner", "returned"),
        ("林退休", "flexible-employment", "pensioner", "returned"),
        ("林已故", "flexible-employment", "dead", "returned"),
    ],
)
def test_what_a_register_says_refuses_or_is_for_the_officer(
    checked: Any, name: str, matter: str, sign: str, state: str
) -> None:
    lin, officer = checked.person(name=name), officer_of(checked, matter)
    kind = f"{matter}-registrations"
    filed = files(checked, lin, kind)
    checked.asks_outside()
    seen = shown(lin, filed, kind)
    assert seen["state"] == state
    assert (seen["decision_reason"] is None) is (state == "submitted")
    findings = officer.get(f"{matter}-reviews/{filed['id']}").json["findings"]
    assert [finding["sign"] for finding in findings] == [sign]
    if sign == "insured-by-employer":
        assert findings[0]["sentence"] == "由用人单位参加社会保险（自2026年1月起）"


@pytest.mark.req("ER-09")
def test_who_was_insured_by_an_employer_tries_again_when_that_has_ended(
    checked: Any, outside: Any
) -> None:
    lin = checked.person()
    outside.reports(INSURANCE, "enrolled", lin.number)
    filed = files(checked, lin)
    checked.asks_outside()
    refused = shown(lin, filed)
    assert "请原单位办理停保后重新提交" in refused["decision_reason"]
    outside.reports(INSURANCE, "left", lin.number, "2026-09-28")
    again = lin.done(lin.post(f"unemployment-registrations/{filed['id']}/submit", {}))
    assert (again["state"], again["number"]) == ("checking", filed["number"])
    checked.asks_outside()
    assert shown(lin, filed)["state"] == "submitted"


@pytest.mark.req("ER-09")
@pytest.mark.parametrize("trouble", ["temporary", "timeout", "malformed", "server-error"])
def test_one_failure_is_nobodys_news(checked: Any, outside: Any, trouble: str) -> None:
    lin = checked.person()
    filed = files(checked, lin)
    outside.answers_next(INSURANCE, trouble)
    checked.asks_outside()
    seen = shown(lin, filed)
    assert (seen["state"], seen["check"]["failed"], seen["check"]["code"]) == (
        "checking",
        False,
        None,
    )
    assert presses(lin, filed).json["code"] == "still-checking"
    checked.clock.advance(seconds=2)  # the least pause is half of five seconds
    checked.asks_outside()
    assert shown(lin, filed)["state"] == "checking"
    checked.clock.advance(seconds=6)
    checked.asks_outside()
    assert shown(lin, filed)["state"] == "submitted"
    assert FAILED not in checked.events()


@pytest.mark.req("ER-09", "PRT-07", "K1")
def test_when_the_retries_end_the_person_is_told_and_one_press_tries_again(
    checked: Any, outside: Any
) -> None:
    lin = checked.person()
    outside.fails(INSURANCE)
    filed = files(checked, lin)
    gives_up(checked)
    seen = shown(lin, filed)
    assert (seen["state"], seen["unemployment"]) == ("checking", filed["unemployment"])
    check = seen["check"]
    assert (check["message"], check["code"], check["retryable"]) == (
        TEXT,
        "external-unavailable",
        True,
    )
    assert [r["progress"] for r in check["registers"]] == ["answered", "failed"]
    assert "check-again" in seen["open_moves"]
    assert checked.events().count(FAILED) == 1
    assert lin.number not in checked.everything_told()
    assert [(e.move, e.note) for e in checked.rows("application_history")][-1] == ("give-up", TEXT)
    outside.heals()
    assert presses(lin, filed).json["check"]["failed"] is False
    checked.asks_outside()
    assert shown(lin, filed)["state"] == "submitted"
    assert outside.asked(POLICE, lin.number) == 1  # who has answered is not asked again


@pytest.mark.req("PRT-07", "K1")
def test_a_press_while_a_register_is_down_answers_503_and_the_same_key_succeeds_later(
    checked: Any, outside: Any
) -> None:
    lin = checked.person()
    outside.fails(INSURANCE)
    filed = files(checked, lin)
    gives_up(checked)
    presses(lin, filed)
    checked.asks_outside()  # known to be down now: five failures in a row and one more
    checked.clock.advance(minutes=16)
    checked.asks_outside()
    for _ in range(5):
        checked.asks_outside()
        checked.clock.advance(seconds=1)
    key = "the-same-key-all-the-time"
    before = checked.counts()
    refused = presses(lin, filed, key=key)
    assert refused.status_code == 503
    problem = refused.json
    assert (problem["code"], problem["detail"]) == ("external-unavailable", TEXT)
    assert problem["retryable"] is True
    assert int(refused.headers["Retry-After"]) > 0
    assert checked.counts() == before
    outside.heals()
    checked.clock.advance(minutes=1)
    assert presses(lin, filed, key=key).status_code == 200
    checked.asks_outside()
    assert shown(lin, filed)["state"] == "submitted"


@pytest.mark.req("ER-09")
def test_a_register_that_is_down_is_left_alone_and_the_other_is_asked(
    checked: Any, outside: Any
) -> None:
    people = [checked.person() for _ in range(10)]
    outside.fails(INSURANCE)
    filed = [files(checked, lin) for lin in people]
    checked.asks_outside()
    breaker = checked.rows("outside_breaker")[0]
    assert (breaker.system, breaker.failures >= 5) == ("social-security", True)
    checks = checked.rows("outside_check")
    tried = [check for check in checks if check.system == "social-security" and check.attempts]
    assert len(tried) < len(people)
    assert [check.progress for check in checks].count("answered") == len(people)
    checked.clock.advance(minutes=16)  # patience is over, however seldom was asked
    checked.asks_outside()
    assert all(shown(lin, one)["check"]["failed"] for lin, one in zip(people, filed, strict=True))


@pytest.mark.req("ER-09", "AL-03")
def test_of_those_who_waited_too_long_each_is_told_alone(checked: Any, outside: Any) -> None:
    outside.fails(INSURANCE)
    people = [checked.person() for _ in range(6)]  # the register is left alone after five failures
    filed = []
    for lin in people:
        filed.append(files(checked, lin))
        checked.clock.advance(seconds=1)
    checked.asks_outside()
    checked.clock.advance(minutes=14, seconds=45)
    checked.asks_outside()  # one tries for all, in vain: the register is left alone once more
    checked.clock.advance(seconds=25)
    held = text("SELECT 1 FROM unemployment_application WHERE id = :id FOR UPDATE")
    blocked = text(
        "SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN "
        "(SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
    )
    with ThreadPoolExecutor(1) as pool:
        with checked.app.database.transaction() as db:
            db.execute(held, {"id": filed[-1]["id"]})
            worker = pool.submit(checked.job, "ask-social-security")
            with checked.app.database.reading() as seen:
                until(lambda: seen.execute(blocked).first())
            told = [shown(*each)["check"]["failed"] for each in zip(people, filed, strict=True)]
            assert told == [True] * 5 + [False]
        worker.result()
    assert shown(people[-1], filed[-1])["check"]["failed"]
    assert checked.events().count(FAILED) == len(people)
    assert checked.history_is_whole()


@pytest.mark.req("ER-09")
def test_who_withdraws_is_not_asked_about(checked: Any, outside: Any) -> None:
    lin = checked.person()
    filed = files(checked, lin)
    lin.done(lin.post(f"unemployment-registrations/{filed['id']}/withdraw", {}))
    checked.asks_outside()
    assert [outside.asked(system, lin.number) for system in System] == [0, 0]
    assert checked.rows("outside_check") == []
    assert presses(lin, filed).json["code"] == "not-checking"


@pytest.mark.req("ER-09")
def test_workers_side_by_side_ask_once(checked: Any, outside: Any) -> None:
    people = [checked.person() for _ in range(6)]
    filed = [files(checked, lin) for lin in people]
    answers_at_once(*[checked.asks_outside] * 4)
    checked.asks_outside()
    assert [shown(lin, one)["state"] for lin, one in zip(people, filed, strict=True)] == [
        "submitted"
    ] * 6
    assert {outside.asked(system, lin.number) for system in System for lin in people} == {1}
    assert checked.history_is_whole()


@pytest.mark.req("ER-09")
def test_a_question_whose_worker_died_is_asked_again_and_its_late_answer_counts_for_nothing(
    checked: Any, outside: Any
) -> None:
    lin = checked.person()
    filed = files(checked, lin)
    outside.slows(INSURANCE, 0.2)
    late = threading.Thread(target=lambda: checked.job("ask-social-security"))
    late.start()
    until(
        lambda: "asking" in {check.progress for check in checked.rows("outside_check")},
        seconds=10.0,
    )
    checked.clock.advance(timedelta(seconds=61))  # the lease is over while it is still asking
    checked.asks_outside()
    late.join()
    assert shown(lin, filed)["state"] == "submitted"
    history = lin.get(f"unemployment-registrations/{filed['id']}/history").json
    assert [entry["move"] for entry in history].count("submit") == 1
    assert checked.events().count("employment-registry.unemployment.submitted.v1") == 1


@pytest.mark.req("ER-09")
def test_no_transaction_is_open_while_a_register_is_asked(checked: Any, outside: Any) -> None:
    lin = checked.person()
    files(checked, lin)
    checked.job("ask-population-register")
    outside.slows(INSURANCE, 0.25)
    worker = threading.Thread(target=lambda: checked.job("ask-social-security"))
    worker.start()
    asking = text("SELECT 1 FROM outside_check WHERE progress = 'asking'")
    idle = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND state LIKE 'idle in transaction%'"
    )
    seen = []
    while worker.is_alive():
        with checked.app.database.reading() as db:
            if db.execute(asking).first():
                seen.append(db.execute(idle).scalar_one())
    worker.join()
    assert seen
    assert seen.count(0) > len(seen) / 2  # only the two short ones round the question


@pytest.mark.req("AL-04", "ER-09")
def test_of_an_answer_only_its_hash_and_the_findings_are_kept(checked: Any) -> None:
    lin = checked.person(name="林外省")
    files(checked, lin)
    checked.asks_outside()
    kept = {check.system: check for check in checked.rows("outside_check")}
    police = kept["population-register"]
    assert police.findings == [{"sign": "hukou-elsewhere", "since": None}]
    assert len(police.answer_hash) == 32
    assert "430102" not in str(kept.values())
    assert lin.number not in str(kept.values())


@pytest.mark.req("ER-09")
@pytest.mark.parametrize(
    ("system", "half"),
    [
        (POLICE, {}),
        (POLICE, {"agrees": "yes", "alive": True, "hukou": "440106"}),
        (POLICE, {"agrees": True, "hukou": "440106"}),
        (POLICE, {"agrees": True, "alive": None, "hukou": "440106"}),
        (POLICE, {"agrees": True, "alive": True}),
        (POLICE, {"agrees": True, "alive": True, "hukou": ""}),
        (POLICE, {"agrees": True, "alive": True, "hukou": "广州"}),
        (INSURANCE, {"employed": False}),
        (INSURANCE, {"employed": True, "since": None, "pensioner": False}),
        (INSURANCE, {"employed": True, "since": "2026年1月", "pensioner": False}),
    ],
)
def test_half_an_answer_is_none(
    checked: Any, outside: Any, system: System, half: dict[str, Any]
) -> None:
    lin, officer = checked.person(), officer_of(checked)
    filed = files(checked, lin)
    outside.says(system, half)
    checked.asks_outside()
    assert shown(lin, filed)["state"] == "checking"
    outside.says(system, None)
    checked.clock.advance(minutes=5)
    checked.asks_outside()
    assert shown(lin, filed)["state"] == "submitted"
    assert officer.get(f"unemployment-reviews/{filed['id']}").json["findings"] == []
