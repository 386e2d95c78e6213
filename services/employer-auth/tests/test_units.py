"""EA-10: a unit has a number of its own; officers correct its data, and the change is published."""

from __future__ import annotations

from typing import Any

import pytest

from employer_auth import typed_codes
from employer_auth.employers import rules
from servicekit import numbers

USCC = "914403001922038216"
FIX = {"values": {"name": "广州示例科技股份有限公司"}, "reason": "营业执照名称已变更"}


def officer(desk: Any, region: str = "440106") -> Any:
    return desk.officer(region, business=rules.BUSINESS)


def code_of(desk: Any, unit: Any) -> str:
    profile = unit.done(unit.get("unit-profile"))
    return str(profile["management_code"])


@pytest.mark.req("EA-10")
def test_a_unit_is_given_a_number_with_a_check_digit_when_it_appears(desk: Any) -> None:
    codes = [code_of(desk, desk.unit()) for _ in range(3)]
    assert len(set(codes)) == 3
    for code in codes:
        assert len(code) == 12
        assert numbers.has_check_digit(code)
        assert not numbers.has_check_digit(code[:-2] + code[-1] + code[-2]) or code[-1] == code[-2]


@pytest.mark.req("EA-07", "REF-05", "G1")
def test_an_agent_finds_a_unit_by_each_of_its_numbers(desk: Any) -> None:
    unit, lin = desk.unit(), desk.person()
    dashed = f"{USCC[8:16]}-{USCC[16]}"  # as a certificate prints it
    for number in (code_of(desk, unit), USCC, USCC[8:17], dashed, f" {USCC.lower()} "):
        (found,) = lin.done(lin.get("units", number=number))["items"]
        assert (found["id"], found["uscc"], found["is_bound"]) == (unit.id, USCC, False)
        assert "发起绑定" in found["next_step"]
        assert found["agency"]["phone"] == "000-440106"


MISTYPED = [
    ("广州示例", 422, "unit-number-malformed", "请输入12位单位管理码"),
    ("123456789012", 422, "unit-number-malformed", "请输入12位单位管理码"),
    ("914403001922038217", 422, "identifier-check-digit", "统一社会信用代码"),
    ("91440300 1922038216", 422, "uscc-without-spaces", "填写时不要带空格"),
    ("19220382-2", 422, "identifier-check-digit", "组织机构代码"),
    ("91350100M000100Y43", 404, "unit-not-found", "请核对单位管理码"),
]


@pytest.mark.req("EA-07")
def test_a_number_that_finds_nothing_says_what_to_do(desk: Any) -> None:
    desk.unit()
    lin = desk.person()
    for number, status, code, words in MISTYPED:
        told = lin.refused(lin.get("units", number=number), status, code)
        assert words in told["detail"]


@pytest.mark.req("EA-07")
def test_units_are_looked_up_one_by_one_and_not_collected(desk: Any) -> None:
    lin, other = desk.person(), desk.person()
    allowance = desk.app.settings.unit_searches_per_day
    for _ in range(allowance):
        assert lin.get("units", number=USCC).status_code == 404
    told = lin.refused(lin.get("units", number=USCC), 429, "too-many-searches")
    assert "明天" in told["detail"]
    assert other.get("units", number=USCC).status_code == 404


def test_only_verified_persons_look_units_up(desk: Any) -> None:
    weak = desk.person(level=1)
    weak.refused(weak.get("units", number=USCC), 401, "realname-level-too-low")
    unit = desk.unit()
    unit.refused(unit.get("units", number=USCC), 403, "delegate-required")


@pytest.mark.req("EA-10", "PRT-08", "J3")
def test_an_officer_corrects_a_name_and_everybody_hears_old_and_new(desk: Any) -> None:
    unit, who = desk.unit(), officer(desk)
    before = who.done(who.get(f"unit-reviews/{unit.id}"))
    assert before["notes"][0].startswith(
        "办理业务时如获取单位信息有误，或无法保存，请联系当地人社部门修改或补全单位信息"
    )
    assert before["agency"]["phone"] in before["notes"][0]
    after = who.done(who.post(f"unit-reviews/{unit.id}/correct", FIX, version=before["version"]))
    assert (after["values"]["name"], after["version"]) == (FIX["values"]["name"], 2)
    (told,) = [data for kind, data in desk.events("unit.") if kind == "unit.corrected"]
    assert told["changes"] == [
        {
            "field": "name",
            "before": "广州示例科技有限公司",
            "after": "广州示例科技股份有限公司",
        }
    ]
    values = unit.done(unit.get("unit-profile/history"))["items"]
    held = [(v["value"], v["valid_until"], v["source"]) for v in values if v["field"] == "name"]
    now = desk.clock.now().isoformat()
    assert held[0] == ("广州示例科技股份有限公司", None, "officer")
    assert held[1] == ("广州示例科技有限公司", now, "identity")
    assert "corrected_by" not in values[0]
    shown = who.done(who.get(f"unit-reviews/{unit.id}/values"))["items"]
    assert shown[0]["corrected_by"] == who.id
    (notice,) = desk.rows("SELECT template, state FROM pending_notice")
    assert tuple(notice) == ("unit-data-corrected", "waiting")


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"certificate_number": "91350100M000100Y43"}, 409, "uscc-cannot-change"),
    ({"values": {"name": "广州示例科技有限公司"}}, 422, "nothing-corrected"),
    ({"values": {"region": "440199"}}, 422, "invalid"),
    ({"values": {"kind": "club"}}, 422, "invalid-input"),
    ({"values": {"industry": "Z"}}, 422, "invalid-input"),
    ({"reason": " "}, 422, "invalid-input"),
    ({"values": {"phone": "1"}}, 422, "invalid-input"),
]


@pytest.mark.req("EA-10")
def test_a_correction_that_cannot_be_changes_nothing(desk: Any) -> None:
    unit, who = desk.unit(), officer(desk)
    for body, status, code in WRONG:
        told = who.refused(who.post(f"unit-reviews/{unit.id}/correct", FIX | body), status, code)
        if code == "uscc-cannot-change":
            assert told["detail"].startswith("已注册成功的单位统一社会信用代码不提供修改功能")
    assert who.done(who.get(f"unit-reviews/{unit.id}"))["version"] == 1
    assert desk.events("unit.corrected") == []


@pytest.mark.req("EA-10", "J4")
def test_what_is_known_of_a_unit_and_what_is_missing_is_announced_at_every_change(
    desk: Any,
) -> None:
    unit, who = desk.unit(), officer(desk)
    profile = unit.done(unit.get("unit-profile"))
    assert profile["missing"] == ["address", "kind", "industry"]
    whole = {"address": "五山路1号", "kind": "enterprise", "industry": "I"}
    fix = {"values": whole, "reason": "补全单位信息"}
    assert who.done(who.post(f"unit-reviews/{unit.id}/correct", fix))["missing"] == []
    desk.hears(
        "identity.unit.changed.v1",
        unit.id,
        unit_id=unit.id,
        name="广州新示例有限公司",
        region="4401",
    )
    first, second, third = (data for _, data in desk.events("unit.described"))
    assert first == {
        "unit_id": unit.id,
        "management_code": profile["management_code"],
        "certificate_type": "uscc",
        "certificate_number": USCC,
        "organisation_code": USCC[8:17],
        "name": "广州示例科技有限公司",
        "region": "440106",
        "kind": None,
        "industry": None,
        "missing": ["address", "kind", "industry"],
    }
    assert second == first | {"kind": "enterprise", "industry": "I", "missing": []}
    assert third == second | {"name": "广州新示例有限公司", "region": "4401"}


@pytest.mark.req("EA-07")
def test_a_number_finds_nobody_who_is_gone(desk: Any) -> None:
    old = desk.unit()
    desk.account("cancelled", old.id, kind="unit")
    lin = desk.person()
    lin.refused(lin.get("units", number=USCC), 404, "unit-not-found")
    new = desk.unit()
    found = lin.done(lin.get("units", number=USCC))["items"]
    assert [each["id"] for each in found] == [new.id]


@pytest.mark.req("EA-10", "AL-02")
def test_only_officers_of_the_units_region_see_and_correct_it(desk: Any) -> None:
    unit, here, elsewhere = desk.unit(), officer(desk, "4401"), officer(desk, "4403")
    for who, rows in ((here, 1), (elsewhere, 0)):
        assert len(who.done(who.get("unit-reviews", number=USCC))["items"]) == rows
        assert len(who.done(who.get("unit-reviews"))["items"]) == rows
    answers = [
        elsewhere.get(f"unit-reviews/{unit.id}"),
        elsewhere.get(f"unit-reviews/{unit.id}/values"),
        elsewhere.post(f"unit-reviews/{unit.id}/correct", FIX),
    ]
    assert {(a.status_code, a.json["code"]) for a in answers} == {(404, "unit-not-found")}
    stale = here.post(f"unit-reviews/{unit.id}/correct", FIX, version=7)
    assert stale.status_code == 412


@pytest.mark.req("EA-10")
def test_a_unit_that_was_moved_is_another_regions_from_then_on(desk: Any) -> None:
    unit, who = desk.unit(), officer(desk)
    moved = {"values": {"region": "440305"}, "reason": "注册地已迁至深圳市南山区"}
    answer = who.post(f"unit-reviews/{unit.id}/correct", moved)
    assert who.done(answer)["agency"]["region"] == "440305"
    assert who.get(f"unit-reviews/{unit.id}").status_code == 404
    assert officer(desk, "4403").get(f"unit-reviews/{unit.id}").status_code == 200


@pytest.mark.req("EA-10")
def test_identitys_word_holds_when_it_is_new_and_a_correction_when_it_is_not(desk: Any) -> None:
    unit, who = desk.unit(), officer(desk)
    who.done(who.post(f"unit-reviews/{unit.id}/correct", FIX))
    changed = {"unit_id": unit.id, "region": "440106"}
    desk.hears("identity.unit.changed.v1", unit.id, name="广州示例科技有限公司", **changed)
    assert unit.done(unit.get("unit-profile"))["values"]["name"] == FIX["values"]["name"]
    desk.hears("identity.unit.changed.v1", unit.id, name="广州示例集团有限公司", **changed)
    profile = unit.done(unit.get("unit-profile"))
    assert profile["values"]["name"] == "广州示例集团有限公司"
    values = unit.done(unit.get("unit-profile/history"))["items"]
    assert len([v for v in values if v["field"] == "name"]) == 3
    assert [v["valid_until"] is None for v in values if v["field"] == "name"].count(True) == 1


@pytest.mark.req("PRT-08")
def test_every_region_has_an_agency_with_a_telephone(desk: Any) -> None:
    visitor = desk.visitor()
    wanted = {"440106": "000-440106", "440106003": "000-440106", "4401": "12345", "99": "12345"}
    for region, phone in wanted.items():
        assert visitor.done(visitor.get("agencies", region=region))["phone"] == phone
        refusal = rules.data_wrong(region)
        assert refusal.extra["agency"]["phone"] == phone
        assert phone in refusal.message


def test_a_code_that_was_mistyped_is_noticed_before_it_is_compared() -> None:
    for _ in range(50):
        code = typed_codes.new_code(128)
        assert len(code) == 27
        assert typed_codes.read(typed_codes.show(code).lower().replace("0", "o")) == code
        assert typed_codes.is_plausible(code, 128)
        for place in range(len(code)):
            for wrong in "07AZ":
                other = code[:place] + wrong + code[place + 1 :]
                assert typed_codes.is_plausible(other, 128) == (other == code)
    for text in ("", "中文", code[:-1], f"{code}0", code.replace(code[0], "U", 1)):
        assert not typed_codes.is_plausible(typed_codes.read(text), 128)
