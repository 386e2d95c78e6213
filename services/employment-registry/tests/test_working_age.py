"""The retirement table and the sixteenth birthday, at their edges."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from employment_registry.working_age import Category, WorkingAge, category_of

pytestmark = pytest.mark.req("EMP-11")
BIRTHS = st.dates(date(1940, 1, 1), date(2015, 12, 31))


# The law's own tables (附表1—3): first and last row of each, and both sides of a step.
@pytest.mark.parametrize(
    ("category", "born_on", "retires"),
    [
        (Category.MEN, date(1964, 12, 31), date(2024, 12, 1)),
        (Category.MEN, date(1965, 1, 1), date(2025, 2, 1)),
        (Category.MEN, date(1965, 4, 30), date(2025, 5, 1)),
        (Category.MEN, date(1965, 5, 1), date(2025, 7, 1)),
        (Category.MEN, date(1970, 6, 15), date(2031, 11, 1)),
        (Category.MEN, date(1976, 8, 31), date(2039, 7, 1)),
        (Category.MEN, date(1976, 9, 1), date(2039, 9, 1)),
        (Category.MEN, date(1990, 1, 1), date(2053, 1, 1)),
        (Category.WOMEN_55, date(1969, 12, 31), date(2024, 12, 1)),
        (Category.WOMEN_55, date(1970, 1, 1), date(2025, 2, 1)),
        (Category.WOMEN_55, date(1970, 5, 1), date(2025, 7, 1)),
        (Category.WOMEN_55, date(1981, 9, 1), date(2039, 9, 1)),
        (Category.WOMEN_55, date(1990, 1, 1), date(2048, 1, 1)),
        (Category.WOMEN_50, date(1974, 12, 31), date(2024, 12, 1)),
        (Category.WOMEN_50, date(1975, 1, 1), date(2025, 2, 1)),
        (Category.WOMEN_50, date(1975, 3, 1), date(2025, 5, 1)),
        (Category.WOMEN_50, date(1984, 11, 1), date(2039, 11, 1)),
    ],
)
def test_the_retirement_month_follows_the_table(
    ages: WorkingAge, category: Category, born_on: date, retires: date
) -> None:
    assert ages.retirement_month(born_on, category) == retires


@given(born_on=BIRTHS, category=st.sampled_from(Category))
def test_being_born_later_never_means_retiring_earlier(
    ages: WorkingAge, born_on: date, category: Category
) -> None:
    later = born_on + timedelta(days=31)
    assert ages.retirement_month(later, category) >= ages.retirement_month(born_on, category)


@given(born_on=BIRTHS)
def test_the_retirement_age_stays_between_the_old_and_the_new(
    ages: WorkingAge, born_on: date
) -> None:
    for category, low, high in (
        (Category.MEN, 60, 63),
        (Category.WOMEN_55, 55, 58),
        (Category.WOMEN_50, 50, 55),
    ):
        month = ages.retirement_month(born_on, category)
        age_months = (month.year - born_on.year) * 12 + month.month - born_on.month
        assert low * 12 <= age_months <= high * 12


def test_women_without_an_employer_follow_the_row_of_fifty_five() -> None:
    assert category_of("female") is Category.WOMEN_55
    assert category_of("male") is Category.MEN


@pytest.mark.parametrize(
    ("born_on", "today", "allowed"),
    [
        (date(1965, 1, 20), date(2025, 1, 31), True),
        (date(1965, 1, 20), date(2025, 2, 1), False),
        (date(1990, 1, 1), date(2052, 12, 31), True),
        (date(1990, 1, 1), date(2053, 1, 1), False),
    ],
)
def test_the_last_day_is_the_one_before_the_retirement_month(
    ages: WorkingAge, born_on: date, today: date, allowed: bool
) -> None:
    assert ages.is_before_retirement(born_on, Category.MEN, today) is allowed


@pytest.mark.parametrize(
    ("born_on", "first_day"),
    [
        (date(2010, 10, 1), date(2026, 10, 1)),
        (date(2008, 2, 29), date(2024, 2, 29)),
        (date(2084, 2, 29), date(2100, 2, 28)),
    ],
)
def test_sixteen_is_reached_on_the_birthday(
    ages: WorkingAge, born_on: date, first_day: date
) -> None:
    assert ages.first_working_day(born_on) == first_day
    assert ages.is_old_enough(born_on, first_day)
    assert not ages.is_old_enough(born_on, first_day - timedelta(days=1))
