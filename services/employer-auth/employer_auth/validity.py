"""How long a binding, a grant or an entrustment lasts: whole days, five years at most (EA-13)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from servicekit.errors import Invalid

LONGEST_YEARS: Final = 5  # eHerkenning's limit, which EA-13 adopts


class BadValidity(Invalid):
    """EA-13: a validity ends after it began, and within five years."""

    code = "bad-validity"
    default_message = "有效期有误：截止日期不能早于今天，且自今日起不超过5年，请重新选择。"


def check_validity(valid_until: date | None, today: date) -> None:
    """Not over already, and not longer than the law of mandates wants.

    Raises:
        BadValidity
    """
    if valid_until is not None and not today <= valid_until <= latest_end(today):
        raise BadValidity


def latest_end(begins: date, *, years: int = LONGEST_YEARS) -> date:
    """The last day of so many years that begin on a day."""
    try:
        same_day = begins.replace(year=begins.year + years)
    except ValueError:  # 29 February
        return date(begins.year + years, 2, 28)
    return same_day - timedelta(days=1)


def is_over(valid_until: date | None, today: date) -> bool:
    """Has the last day of a validity passed?"""
    return valid_until is not None and valid_until < today
