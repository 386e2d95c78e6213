"""When may a person register as unemployed, and change the office that serves?"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from employment_registry.life import Standing
from employment_registry.unemployment import place_rules, rules
from employment_registry.unemployment.rules import Cause, Statement
from employment_registry.working_age import WorkingAge
from servicekit.errors import Refusal
from servicekit.personal import MobileNumber
from servicekit.workflow import Role, State

TODAY = date(2026, 9, 29)
TOO_YOUNG = {"/person/born_on: too-young", "/unemployment/unemployed_on: too-young"}
FULL = Statement(
    cause=Cause.LEFT_EMPLOYER,
    unemployed_on=date(2026, 9, 15),
    former_employer="广州市明德机械有限公司",
    service_place="440106003",
    address="五山路1号",
    contact_phone=MobileNumber("13800000000"),
    wishes=("job",),
)


PAUSE = timedelta(days=30)


def wrong_fields(
    statement: Statement, ages: WorkingAge, *, born: str = "1990-01-01", sex: str = "male"
) -> set[str]:
    """Where the form is wrong, with what."""
    try:
        rules.check_submission(
            statement,
            born_on=date.fromisoformat(born),
            sex=sex,
            today=TODAY,
            look_back=timedelta(days=183),
            ages=ages,
        )
    except rules.Incomplete as refused:
        return {f"{wrong.field}: {wrong.code}" for wrong in refused.fields}
    return set()


def test_a_full_form_is_right(ages: WorkingAge) -> None:
    assert wrong_fields(FULL, ages) == set()


@pytest.mark.req("AL-01")
def test_everything_that_is_missing_is_named_at_once(ages: WorkingAge) -> None:
    wanted = {f"/unemployment/{name}: missing" for name in (*rules.REQUIRED, "wishes")}
    assert wrong_fields(Statement(), ages) == wanted


@pytest.mark.req("UNE-10")
@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"unemployed_on": TODAY}, set()),
        ({"unemployed_on": date(2026, 9, 30)}, {"/unemployment/unemployed_on: in-the-future"}),
        ({"unemployed_on": TODAY - timedelta(days=183)}, set()),
        (
            {"unemployed_on": TODAY - timedelta(days=184)},
            {"/unemployment/unemployed_on: too-long-ago"},
        ),
        ({"cause": None}, {"/unemployment/cause: missing"}),
        ({"former_employer": None}, {"/unemployment/former_employer: missing"}),
        ({"former_employer": None, "cause": Cause.GRADUATED}, set()),
        ({"service_place": "440106"}, {"/unemployment/service_place: too-coarse"}),
        ({"service_place": "449999999"}, {"/unemployment/service_place: unknown"}),
        ({"wishes": ()}, {"/unemployment/wishes: missing"}),
    ],
)
def test_what_the_form_says_is_checked(
    ages: WorkingAge, changes: dict[str, object], wrong: set[str]
) -> None:
    assert wrong_fields(replace(FULL, **changes), ages) == wrong


@pytest.mark.parametrize(
    ("born", "sex", "wrong"),
    [
        ("2010-09-29", "male", {"/unemployment/unemployed_on: too-young"}),
        ("2010-09-30", "male", TOO_YOUNG),
        ("2010-09-15", "female", set()),
        ("1966-05-31", "male", set()),  # 60 years and 5 months: October
        ("1966-04-30", "male", {"/person/born_on: retired"}),  # and 4 months: August
    ],
)
def test_ages_go_from_sixteen_to_the_month_of_retirement(
    ages: WorkingAge, born: str, sex: str, wrong: set[str]
) -> None:
    assert wrong_fields(FULL, ages, born=born, sex=sex) == wrong


@pytest.mark.req("UNE-08", "ER-05")
@pytest.mark.parametrize(
    ("changed_on", "today", "next_date"),
    [
        (None, date(2026, 9, 29), None),
        (date(2026, 9, 29), date(2026, 9, 29), "2026-10-29"),
        (date(2026, 9, 29), date(2026, 10, 28), "2026-10-29"),
        (date(2026, 9, 29), date(2026, 10, 29), None),
        (date(2026, 1, 31), date(2026, 3, 1), "2026-03-02"),
        (date(2026, 1, 31), date(2026, 3, 2), None),
        (date(2028, 1, 30), date(2028, 2, 29), None),  # a leap year's day
    ],
)
def test_the_office_changes_once_in_thirty_days(
    changed_on: date | None, today: date, next_date: str | None
) -> None:
    def change() -> None:
        place_rules.check_service_place_change(
            "440106003", "440106007", changed_on, today, pause=PAUSE
        )

    if next_date is None:
        change()
        return
    with pytest.raises(place_rules.TooSoon) as refused:
        change()
    assert refused.value.extra == {"next_date": next_date}
    year, month, day = next_date.split("-")
    assert f"{year}年{int(month)}月{int(day)}日" in refused.value.message
    assert "30天内只能修改一次" in refused.value.message


@given(st.dates(date(2020, 1, 1), date(2100, 1, 1)), st.integers(0, 60))
def test_the_pause_is_thirty_days_on_every_calendar(changed_on: date, days: int) -> None:
    again = place_rules.next_change(changed_on, PAUSE)
    assert again is not None
    today = changed_on + timedelta(days=days)
    assert (today >= again) is (days >= 30)


@pytest.mark.parametrize("place", ["440106003", "440106", "1", ""])
def test_a_place_must_be_another_street_of_ours(place: str) -> None:
    with pytest.raises(Refusal):
        place_rules.check_service_place_change("440106003", place, None, TODAY, pause=PAUSE)


@pytest.mark.req("ER-07")
def test_nobody_registers_twice_or_as_both() -> None:
    rules.check_standing(None)
    with pytest.raises(rules.AlreadyUnemployed):
        rules.check_standing(Standing.UNEMPLOYED)
    with pytest.raises(rules.Employed):
        rules.check_standing(Standing.EMPLOYED)


def test_every_word_has_its_chinese() -> None:
    assert set(rules.CAUSES) == set(Cause)
    assert set(rules.ENDINGS) == set(rules.Ending)
    assert set(rules.OWN_ENDINGS) < set(rules.Ending)
    assert {reason.move for reason in rules.REASONS} == {"return", "reject"}


def test_only_what_the_table_says_can_be_done() -> None:
    approved = [m for m in rules.WORKFLOW.moves if State.APPROVED in m.sources]
    assert {(m.name, m.by) for m in approved} == {
        ("change-service-place", Role.APPLICANT),
        ("end", Role.APPLICANT),
        ("end", Role.REVIEWER),
        ("end", Role.SYSTEM),
    }
