"""When does the law let a person begin to work, and when does it retire them?

Since 2025-01-01 the retirement age rises month by month, so it is computed from the birth month
and a category, never a constant. The ages themselves are a policy with effective dates.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, Self

from servicekit.errors import FieldError, Invalid

MONTHS_IN_YEAR: Final = 12


class Category(StrEnum):
    """The three groups the retirement law knows."""

    MEN = "men"  # 男职工
    WOMEN_55 = "women-55"  # 原法定退休年龄五十五周岁的女职工
    WOMEN_50 = "women-50"  # 原法定退休年龄五十周岁的女职工


@dataclass(frozen=True, slots=True)
class Delay:
    """One row of the law: people born from ``first_birth_month`` on retire later, step by step."""

    base_months: int
    first_birth_month: tuple[int, int]
    births_per_step: int
    longest_months: int


@dataclass(frozen=True, slots=True)
class WorkingAge:
    """From which age on, and until which month, a person may work; a kind of policy."""

    youngest_years: int
    retirement: Mapping[Category, Delay]

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """The policy a row says; ``first_birth_month`` is written 1965-01."""
        rows = {}
        for name, row in value["retirement"].items():
            year, month = row["first_birth_month"].split("-")
            rows[Category(name)] = Delay(**{**row, "first_birth_month": (int(year), int(month))})
        return cls(value["youngest_years"], rows)

    def retirement_month(self, born_on: date, category: Category) -> date:
        """The first day of the month in which the person reaches the statutory retirement age."""
        row = self.retirement[category]
        born = _month_number(born_on.year, born_on.month)
        since = born - _month_number(*row.first_birth_month)
        delay = 0 if since < 0 else min(since // row.births_per_step + 1, row.longest_months)
        year, month = divmod(born + row.base_months + delay, MONTHS_IN_YEAR)
        return date(year, month + 1, 1)

    def first_working_day(self, born_on: date) -> date:
        """The birthday from which on the person may work.

        Without such a day (29 February) it is the month's last one (民法典第二百零二条).
        """
        year = born_on.year + self.youngest_years
        last = calendar.monthrange(year, born_on.month)[1]
        return date(year, born_on.month, min(born_on.day, last))

    def is_old_enough(self, born_on: date, today: date) -> bool:
        """True from that birthday on."""
        return today >= self.first_working_day(born_on)

    def is_before_retirement(self, born_on: date, category: Category, today: date) -> bool:
        """True until the last day before the retirement month begins (EMP-11)."""
        return today < self.retirement_month(born_on, category)


class NotOfWorkingAge(Invalid):
    """EMP-11: too young to work, or at the age of retirement."""

    code = "not-of-working-age"
    default_message = "您的年龄不符合办理条件。"


def check_age(
    born_on: date, sex: str, today: date, ages: WorkingAge, *, matter: str = "就业登记"
) -> None:
    """Refuse people too young to work and people whose retirement month has come.

    Raises:
        NotOfWorkingAge: with the field ``/person/born_on``.
    """
    if wrong := list(age_faults(born_on, sex, today, ages, matter=matter)):
        raise NotOfWorkingAge(wrong[0].message, fields=wrong)


def age_faults(
    born_on: date, sex: str, today: date, ages: WorkingAge, *, matter: str = "就业登记"
) -> Iterator[FieldError]:
    """The field errors of people too young to work and of people whose retirement month has come.

    Args:
        ages: the policy in force that day.
        matter: what they cannot do, for the message.
    """
    category = category_of(sex)
    if not ages.is_old_enough(born_on, today):
        text = f"未满{ages.youngest_years}周岁，不能办理{matter}"
        yield FieldError("/person/born_on", "too-young", text)
    elif not ages.is_before_retirement(born_on, category, today):
        month = ages.retirement_month(born_on, category)
        text = f"已到法定退休年龄（{month.year}年{month.month}月），不能办理{matter}"
        yield FieldError("/person/born_on", "retired", text)


def category_of(sex: str) -> Category:
    """The row of a person without an employer, as everybody is who registers here.

    Such women retired at 55 before 2025 (劳社部发〔2001〕20号 第一条), so they follow that row;
    ``sex`` is ``"male"`` or ``"female"``.
    """
    return Category.MEN if sex == "male" else Category.WOMEN_55


def _month_number(year: int, month: int) -> int:
    return year * MONTHS_IN_YEAR + month - 1
