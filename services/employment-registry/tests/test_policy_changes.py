"""政策变更: drafted by one admin, tried on what is open and in force, activated by another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from employment_registry.certificate.policy import CertificatePolicy
from employment_registry.life_events.rules import Happening
from employment_registry.policy_changes.rules import Case
from employment_registry.policy_changes.rules import effect as effect_of
from employment_registry.policy_kinds import ReviewLimit
from servicekit.workflow import State

LIMIT = {"flexible_employment": 2, "unemployment": 3, "certificate": 5}
LIMIT_WORDS = "自提交之日（须向有关部门核验的，自核验完成之日）起{}个工作日内；补正期间不计入"
PAUSE, LOOK_BACK, BUSINESS = "service-place-pause", "unemployment-look-back", "unemployment"
OWN = "flexible-employment-registrations"
CERTIFICATE = {
    "number": ["region", "year", "serial", "nature", "check"],
    "serial_digits": 8,
    "number_stays_on_replacement": False,
    "issued_with_registration": False,
}
LONGER = (
    "编号结构：行政区划6位、年份2位、顺序号6位、户籍性质1位、校验1位 → "
    "行政区划6位、年份2位、顺序号8位、户籍性质1位、校验1位"
)


def drafts(who: Any, kind: str, value: Any, day: str, expect: int = 201) -> Any:
    """A policy that another admin is to activate, or the refusal."""
    body = {"kind": kind, "value": value, "in_force_from": day, "source": "测试文件"}
    return who.done(who.post("policies", body), expect)


def tries(desk: Any, who: Any, policy: Any, **asked: str) -> Any:
    """What the trial run found in the admin's region."""
    if policy["status"] == "draft":
        who.done(who.post(f"policies/{policy['id']}/try"), 202)
        desk.job("try-policies")
    return who.done(who.get(f"policies/{policy['id']}/trial", **asked))


def moves(who: Any, move: str, policy: Any, expect: int = 200, **body: Any) -> Any:
    """Activated or withdrawn, or the refusal."""
    sent = body if move == "withdraw" else None
    return who.done(who.post(f"policies/{policy['id']}/{move}", sent), expect)


def in_force(desk: Any, kind: str, value: Any, day: str) -> Any:
    """A policy that went the whole way."""
    made = drafts(desk.admin(), kind, value, day)
    tries(desk, desk.admin(), made)
    return moves(desk.admin(), "activate", made)


def lines(who: Any, policy: Any, **asked: str) -> Any:
    """Whom it would touch."""
    return who.done(who.get(f"policies/{policy['id']}/trial-lines", **asked))["items"]


@pytest.mark.req("AL-11", "AL-03")
def test_who_tried_a_policy_stays_in_its_history(desk: Any) -> None:
    ma, li = desk.admin(), desk.admin()
    made = drafts(ma, "review-limit", LIMIT, "2026-10-10")
    tries(desk, ma, made)
    tries(desk, li, made)  # what the first one found is forgotten, that it was asked for is not
    told = ma.get(f"policies/{made['id']}/history").json
    moved = [(e["move"], e["before"], e["after"]) for e in told]
    stays = ("draft", "draft")
    assert moved == [("draft", *stays), ("try", *stays), ("try", *stays)]
    tried = [row.actor_id for row in desk.rows("application_history") if row.move == "try"]
    assert sorted(tried) == sorted(each.claims["sub"] for each in (ma, li))
    assert desk.history_is_whole()


@pytest.mark.req("AL-11", "AL-09")
def test_a_policy_goes_from_draft_to_force_on_its_day_across_the_holiday(desk: Any) -> None:
    made = drafts(desk.admin(), "review-limit", LIMIT, "2026-10-10")  # a Saturday people work
    assert (made["phase_label"], made["title"]) == ("拟定", "审核时限")
    trial = tries(desk, desk.admin(), made)
    assert trial["finished_at"] is not None
    coming = moves(desk.admin(), "activate", made)
    assert coming["phase_label"] == "待生效"
    before = desk.person()
    assert before.submits(before.opens(**desk.form))["due_on"] == "2026-10-12"  # five days
    desk.set("2026-10-09T15:59:59+00:00")  # a second before midnight in Shanghai
    last = desk.person()
    assert last.submits(last.opens(**desk.form))["due_on"] == "2026-10-15"  # 10, 12, 13, 14, 15
    desk.set("2026-10-09T16:00:00+00:00")
    lin = desk.person()
    assert lin.submits(lin.opens(**desk.form))["due_on"] == "2026-10-13"  # two: 12, 13
    limit = desk.visitor().get("guides/flexible-employment").json["time_limit"]
    assert limit["text"] == LIMIT_WORDS.format(2)  # the guide says what the rule does
    listed = desk.admin().get("policies", kind="review-limit").json["items"]
    assert [(p["phase_label"], p["followed_on"]) for p in listed] == [
        ("生效中", None),
        ("已失效", "2026-10-10"),
    ]
    told = desk.admin().get(f"policies/{made['id']}/history").json
    assert [entry["move"] for entry in told] == ["draft", "try", "activate"]
    assert desk.events().count("employment-registry.policies.changed.v1") == 2
    assert desk.history_is_whole()


@pytest.mark.req("AL-11", "UNE-08")
@pytest.mark.parametrize(
    ("pause", "days", "moved"),
    [(30, 29, 409), (30, 30, 200), (30, 31, 200), (31, 30, 409), (31, 31, 200)],
)
def test_the_office_may_change_after_the_pause_in_force(
    desk: Any, pause: int, days: int, moved: int
) -> None:
    lin = desk.person()
    desk.unemployed(lin)
    path = "unemployment-records/current/change-service-place"
    lin.done(lin.post(path, {"service_place": "440106009"}))
    if pause != 30:
        in_force(desk, PAUSE, {"days": pause}, "2026-09-29")
    month, day = ("09", 29 + days) if days < 2 else ("10", days - 1)
    desk.set(f"2026-{month}-{day:02d}T04:00:00+00:00")
    answer = lin.post(path, {"service_place": "440106007"})
    assert answer.status_code == moved
    if moved == 409:
        assert f"{pause}天内只能修改一次" in answer.json["detail"]


@pytest.mark.req("AL-11")
def test_a_trial_tells_whom_a_change_touches_how_and_only_in_ones_region(desk: Any) -> None:
    people = [desk.person() for _ in range(3)]
    for lin, place in zip(people, ("440106003", "440106009", "440305001"), strict=True):
        desk.unemployed(lin, place=place)
        path = "unemployment-records/current/change-service-place"
        lin.done(lin.post(path, {"service_place": f"{place[:6]}007"}))
    desk.unemployed(desk.person())  # never chose another office: not touched
    province, county = desk.admin(), desk.admin("440106")
    made = drafts(desk.admin(), PAUSE, {"days": 45}, "2026-10-01")
    told = tries(desk, province, made)
    said = "可再次变更服务地的日期：2026年10月29日 → 2026年11月13日"
    assert (told["touched"], told["looked_at"], told["unseen_touched"]) == (3, 4, 0)
    assert told["effects"] == [
        {"matter": "unemployment", "is_record": True, "effect": said, "count": 3}
    ]
    seen = lines(county, made)
    assert {row["region"] for row in seen} == {"440106007"}
    assert {(row["name"], row["effect"]) for row in seen} == {("林**", said)}
    assert county.get(f"policies/{made['id']}/trial").json["touched"] == 2
    assert tries(desk, province, made | {"status": "?"}, region="4403")["touched"] == 1
    assert lines(desk.admin("4401"), made, region="4403") == []  # below both regions
    first = province.get(f"policies/{made['id']}/trial-lines", limit="2").json
    rest = province.get(
        f"policies/{made['id']}/trial-lines", limit="2", cursor=first["next_cursor"]
    ).json
    assert (len(first["items"]), len(rest["items"]), first["total"]) == (2, 1, 3)


@pytest.mark.req("AL-11", "UNE-04")
def test_each_kind_is_tried_on_what_it_would_touch(desk: Any) -> None:
    old = desk.person(born="1966-10-31")  # retires in April 2027, sixty years and six months old
    filed = old.submits(old.opens(**desk.form))
    desk.officer("440106").approves(filed)
    back = desk.person().files_unemployment()
    officer = desk.officer("440106", business="employment-registry.unemployment")
    officer.done(officer.post(f"unemployment-reviews/{back['id']}/return", {"reason": "请补充"}))
    desk.person().files_unemployment()  # with an officer: not touched
    drafted = desk.person()
    drafted.opens(**desk.form)  # nobody's but its owner's: counted, not listed
    wish = {"kind": "replacement", "certificate": {"cause": "lost", "service_place": "440106003"}}
    again = old.done(old.post("certificate-applications", wish), 201)
    old.done(old.post(f"certificate-applications/{again['id']}/submit", {}))
    table = desk.rows("policy")
    ages = max((p for p in table if p.kind == "working-age"), key=lambda p: p.in_force_from).value
    later = {**ages["retirement"]["men"], "base_months": 732}
    ages = {**ages, "retirement": {**ages["retirement"], "men": later}}

    def found(kind: str, value: Any, day: str = "2026-10-01") -> tuple[set[str], int]:
        made = drafts(desk.admin(), kind, value, day)
        told = tries(desk, desk.admin(), made)
        return {row["effect"] for row in lines(desk.admin(), made)}, told["unseen_touched"]

    assert found("working-age", ages) == ({"法定退休年月：2027年4月 → 2028年4月"}, 0)
    assert found("review-limit", LIMIT) == (set(), 1)  # what is filed keeps its due date
    assert found(LOOK_BACK, {"days": 10}) == ({"再次提交时的失业日期：未超期 → 超期"}, 0)
    assert found(LOOK_BACK, {"days": 100}) == (set(), 0)
    touched, unseen = found("certificate", CERTIFICATE)
    assert touched == {"补换后编号不变：是 → 否", "登记通过时发放就业创业证：是 → 否"}
    assert unseen == 1
    assert all(p.status == "active" for p in table)  # a trial changes nothing


@pytest.mark.req("AL-11", "AL-09", "ER-09")
@pytest.mark.parametrize(
    ("state", "left", "touched"),
    [
        (State.DRAFT, None, True),
        (State.CHECKING, None, True),
        (State.CHECKING, 2, False),  # filed again: what was left of its days
        (State.SUBMITTED, None, False),
        (State.RETURNED, 2, False),
        (State.RETURNED, None, True),  # by a register, before any officer's time began
    ],
)
def test_another_time_limit_touches_whose_time_has_not_begun(
    state: State, left: int | None, touched: bool
) -> None:
    case = Case("unemployment", False, state, date(1990, 1, 1), "male", days_left=left)
    before, after = ReviewLimit(5, 5, 5), ReviewLimit(5, 3, 5)
    told = "审核时限：5个工作日 → 3个工作日" if touched else None
    assert effect_of(before, after, case, date(2026, 10, 1)) == told


@pytest.mark.req("AL-11", "CRT-06", "CRT-07")
@pytest.mark.parametrize(
    ("matter", "kind", "stays", "issued", "effect"),
    [
        ("unemployment", None, True, True, LONGER),
        ("unemployment", None, True, False, None),
        ("flexible_employment", "registration", False, True, LONGER),
        ("flexible_employment", "change", False, True, None),
        ("certificate", "replacement", False, True, LONGER),
        ("certificate", "replacement", True, True, None),
        ("certificate", "first", True, False, LONGER),
    ],
)
def test_another_numbering_is_told_to_all_who_get_a_number_by_it(
    matter: str, kind: str | None, stays: bool, issued: bool, effect: str | None
) -> None:
    born, day = date(1990, 1, 1), date(2026, 10, 1)
    case = Case(matter, False, State.SUBMITTED, born, "male", kind=kind)
    number = tuple(CERTIFICATE["number"])
    before, after = (CertificatePolicy(number, digits, stays, issued) for digits in (6, 8))
    assert effect_of(before, after, case, day) == effect


@pytest.mark.req("AL-11")
def test_four_eyes_the_past_and_what_was_not_tried_are_refused(desk: Any) -> None:
    ma, li = desk.admin(), desk.admin()
    assert drafts(desk.admin("4401"), PAUSE, {"days": 5}, "2026-10-01", 403)["code"] == (
        "province-admin-required"
    )
    assert drafts(ma, PAUSE, {"days": 5}, "2026-09-28", 422)["code"] == "policy-in-the-past"
    wrong = drafts(ma, "review-limit", {"unemployment": 0, "more": 1}, "2026-10-01", 422)
    assert {each["field"] for each in wrong["errors"]} == {
        "/value/unemployment",
        "/value/flexible_employment",
        "/value/certificate",
        "/value/more",
    }
    made = drafts(ma, PAUSE, {"days": 5}, "2026-09-30")
    assert moves(li, "activate", made, 409)["code"] == "policy-not-tried"
    ma.done(ma.post(f"policies/{made['id']}/try"), 202)
    assert ma.post(f"policies/{made['id']}/try").json["code"] == "policy-trial-running"
    assert moves(li, "activate", made, 409)["code"] == "policy-not-tried"
    desk.job("try-policies")
    assert moves(ma, "activate", made, 403)["code"] == "same-admin"
    assert moves(desk.admin("4401"), "activate", made, 403)["code"] == "province-admin-required"
    assert moves(li, "activate", made)["activated_by"] == li.claims["sub"]
    assert li.post(f"policies/{made['id']}/try").json["code"] == "policy-not-draft"
    assert drafts(ma, PAUSE, {"days": 6}, "2026-09-30", 409)["code"] == "policy-begins-same-day"
    assert moves(ma, "withdraw", made, note="撤回")["phase_label"] == "已撤销"
    assert moves(li, "activate", made, 409)["code"] == "wrong-state"
    other = drafts(ma, PAUSE, {"days": 6}, "2026-09-30")
    tries(desk, ma, other)
    desk.set("2026-09-30T16:00:00+00:00")  # its day is over
    assert moves(li, "activate", other, 422)["code"] == "policy-in-the-past"
    today = in_force(desk, PAUSE, {"days": 7}, "2026-10-01")
    assert today["phase_label"] == "生效中"
    assert moves(ma, "withdraw", today, 409)["code"] == "policy-in-force"
    assert desk.visitor().get("guides/service-place").json["result"].endswith("7天内只能变更一次。")
    assert desk.history_is_whole()


@pytest.mark.req("AL-11")
@pytest.mark.parametrize(
    "change",
    [
        "activated_by = drafted_by",
        "activated_by = NULL",
        "activated_at = '2026-10-02T00:00:00+08:00'",
        "withdrawn_at = '2026-10-01T00:00:00+08:00'",
        "in_force_from = '2015-01-01', id = 'another'",
    ],
)
def test_the_database_itself_keeps_it(desk: Any, change: str) -> None:
    made = in_force(desk, PAUSE, {"days": 40}, "2026-10-01")
    sql = text(f"UPDATE policy SET {change} WHERE id = :id")
    with desk.app.database.transaction() as db:
        db.execute(text("DELETE FROM policy_trial"))
        with pytest.raises(IntegrityError):
            db.execute(sql, {"id": made["id"]})
        db.rollback()


@pytest.mark.req("AL-11", "AL-07")
def test_forty_admins_activate_and_one_policy_begins(desk: Any) -> None:
    ma = desk.admin()
    rivals = [drafts(ma, PAUSE, {"days": 40 + n}, "2026-10-01") for n in range(4)]
    for each in rivals:
        tries(desk, ma, each)
    asked = [(desk.admin(), rivals[n % 4]) for n in range(40)]
    with ThreadPoolExecutor(40) as pool:
        answers = list(
            pool.map(lambda one: one[0].post(f"policies/{one[1]['id']}/activate"), asked)
        )
    assert sum(answer.status_code == 200 for answer in answers) == 1
    refused = {answer.json["code"] for answer in answers if answer.status_code == 409}
    assert refused <= {"policy-begins-same-day", "wrong-state"}
    active = [p for p in desk.rows("policy") if p.kind == PAUSE and p.status == "active"]
    assert len(active) == 2  # the first one and the winner
    assert desk.events().count("employment-registry.policies.changed.v1") == 4 + 1
    assert desk.history_is_whole()


@pytest.mark.req("AL-11")
def test_what_holds_is_read_once_and_anew_after_a_change(desk: Any) -> None:
    asked: list[str] = []

    @event.listens_for(desk.app.database.engine, "before_cursor_execute")
    def _note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if "FROM policy " in statement.replace("\n", " "):
            asked.append(statement)

    lin = desk.person()
    lin.submits(lin.opens(**desk.form))
    assert len(asked) <= 1  # ages twice, the limit, all from what the process keeps
    in_force(desk, "review-limit", LIMIT, "2026-09-29")
    wang = desk.person()
    assert wang.submits(wang.opens(**desk.form))["due_on"] == "2026-10-08"  # at once


@pytest.mark.req("AL-11", "ER-07")
def test_endings_are_announced_by_the_policy_of_the_day(desk: Any) -> None:
    lin, officer, _ = desk.registered()
    terms = {"notice": 3, "review": 2, "correction": 4}
    made = in_force(desk, "ending-notice", terms, "2026-09-29")
    (touched,) = tries(desk, desk.admin(), made)["effects"]
    assert touched["count"] == 1
    assert touched["effect"].startswith("终止登记的期限：告知10个工作日")
    desk.tells("a-register", lin.told(Happening.DIED, desk.today()))
    (ending,) = lin.done(lin.get("planned-endings"))["items"]
    assert ending["takes_effect_on"] == "2026-10-09"  # 30 September, 8 and 9 October
    path = f"planned-endings/{ending['id']}"
    objected = lin.done(lin.post(f"{path}/object", {"explanation": "不属实"}))
    assert objected["due_on"] == "2026-10-08"
    officer = desk.officer("440106", business="employment-registry.ending")
    sent = {"reason": "请补充", "fields_to_correct": ["/explanation"]}
    returned = officer.done(officer.post(f"ending-reviews/{ending['id']}/return", sent))
    assert returned["takes_effect_on"] == "2026-10-10"  # a Saturday people work


@pytest.mark.req("AL-11", "ER-09")
def test_registers_are_asked_as_patiently_as_the_policy_of_the_day_says(
    checked: Any, outside: Any
) -> None:
    def gives_up_after(times: int, lin: Any) -> bool:
        filed = lin.done(lin.post(f"{OWN}/{opened(lin)['id']}/submit", {}))
        told = []
        for _ in range(times):
            told.append(lin.shows(filed)["check"]["failed"])
            checked.asks_outside()
            checked.clock.advance(seconds=11)  # longer than half as much again as the pause
        return told == [False] * times and lin.shows(filed)["check"]["failed"] is True

    def opened(lin: Any) -> Any:
        return lin.opens(**checked.form)

    outside.fails()
    waiting = checked.person()
    opened(waiting)
    once = {"attempts": 2, "first_pause_seconds": 7, "longest_minutes": 60}
    made = drafts(checked.admin(), "check-patience", once, "2026-09-29")
    trial = tries(checked, checked.admin(), made)
    assert (trial["touched"], trial["unseen_touched"]) == (0, 1), "nobody is told of drafts"
    assert lines(checked.admin(), made) == []
    moves(checked.admin(), "activate", made)
    assert gives_up_after(2, checked.person())
    late = {"attempts": 20, "first_pause_seconds": 300, "longest_minutes": 1}
    in_force(checked, "check-patience", late, "2026-09-30")
    checked.set("2026-09-29T16:00:00+00:00")  # midnight in Shanghai
    filed = waiting.submits(waiting.lists()[0])
    checked.clock.advance(minutes=1)
    checked.asks_outside()
    assert waiting.shows(filed)["check"]["failed"] is True, "after the longest, in any case"


@pytest.mark.req("AL-11", "AL-12")
def test_from_how_many_on_a_telephone_is_asked_about_is_a_policy(desk: Any) -> None:
    officer = desk.officer("440106")
    filed = [
        each.submits(each.opens(**desk.form))
        for each in (desk.person(phone="13900000000") for _ in range(2))
    ]
    other = desk.person()
    other.submits(other.opens(**desk.form))
    path = f"flexible-employment-reviews/{filed[1]['id']}"
    assert officer.done(officer.get(f"{path}/possible-duplicates"))["items"] == []
    made = drafts(desk.admin(), "shared-phone", {"others": 1}, "2026-09-29")
    trial = tries(desk, desk.admin(), made)
    assert (trial["looked_at"], trial["touched"]) == (3, 2)
    found = lines(desk.admin("440106"), made)
    assert sorted(each["application_id"] for each in found) == sorted(each["id"] for each in filed)
    assert {each["effect"] for each in found} == {"联系电话与多人相同：不提示 → 提示"}
    moves(desk.admin(), "activate", made)
    (item,) = officer.done(officer.get(f"{path}/possible-duplicates"))["items"]
    assert item["by"] == ["phone"]
    assert officer.post(f"{path}/approve", {}).json["code"] == "duplicates-unseen"
    for wrong in ({"others": 0}, {"others": "3"}, {}):
        refused = drafts(desk.admin(), "shared-phone", wrong, "2026-10-01", 422)
        assert refused["code"] == "invalid-input"
