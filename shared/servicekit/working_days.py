"""Working days of the Chinese calendar, with its holidays and make-up days."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final

import holidays


def _calendar(first_year: int, last_year: int) -> Any:
    """China's calendar from its own file.

    Asked for by name, the library reads the files of all its 260 countries: 7 MB in each process.
    """
    file = Path(holidays.__file__).with_name("countries") / "china.py"
    spec = spec_from_file_location("holidays.countries.china", file)
    assert spec is not None
    assert spec.loader is not None
    china = module_from_spec(spec)
    spec.loader.exec_module(china)
    return china.China(years=range(first_year, last_year + 1))


_FIRST_YEAR: Final = 2018
_LAST_YEAR: Final = 2060
# The State Council announces each year's make-up days late in the year before; the library follows.
_CALENDAR: Final = _calendar(_FIRST_YEAR, _LAST_YEAR)


def is_working_day(day: date) -> bool:
    """True on weekdays that are no holiday, and on weekends that make up for one (调休)."""
    return bool(_CALENDAR.is_working_day(day))


def add_working_days(day: date, count: int) -> date:
    """The ``count``-th working day after ``day``.

    The day itself does not count (民法典第二百零一条).

    Raises:
        ValueError: ``count`` is below one; nothing is ever due before the next working day.
    """
    if count < 1:
        raise ValueError("a time limit is at least one working day")
    due: date = _CALENDAR.get_nth_working_day(day, count)
    return due


def working_days_until(day: date, due: date) -> int:
    """How many working days are left after ``day``, with ``due``; 0 when due or overdue."""
    if due <= day:
        return 0
    return int(_CALENDAR.get_working_days_count(day + timedelta(days=1), due))
