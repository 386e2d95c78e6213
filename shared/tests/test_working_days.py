"""Due dates skip holidays, take make-up days along and stop while the applicant corrects."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicekit.working_days import add_working_days, is_working_day, working_days_until

pytestmark = pytest.mark.req("AL-09")
DAYS = st.dates(date(2018, 1, 1), date(2030, 12, 31))


# 国务院办公厅关于2026年部分节假日安排的通知: 10月1日至7日放假, 9月20日、10月10日上班
@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 9, 20), True),
        (date(2026, 9, 30), True),
        (date(2026, 10, 1), False),
        (date(2026, 10, 7), False),
        (date(2026, 10, 8), True),
        (date(2026, 10, 10), True),
        (date(2026, 10, 11), False),
    ],
)
def test_national_day_2026_with_its_make_up_days(day: date, works: bool) -> None:
    assert is_working_day(day) is works


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        (date(2026, 9, 29), 1, date(2026, 9, 30)),
        (date(2026, 9, 29), 2, date(2026, 10, 8)),
        (date(2026, 9, 29), 5, date(2026, 10, 12)),
        (date(2026, 10, 3), 1, date(2026, 10, 8)),
        (date(2026, 10, 9), 1, date(2026, 10, 10)),
    ],
)
def test_the_limit_counts_working_days_only(start: date, count: int, due: date) -> None:
    assert add_working_days(start, count) == due
    assert working_days_until(start, due) == count


def test_what_is_due_or_overdue_has_no_days_left() -> None:
    assert working_days_until(date(2026, 9, 30), date(2026, 9, 30)) == 0
    assert working_days_until(date(2026, 9, 30), date(2026, 9, 1)) == 0


def test_a_limit_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one working day"):
        add_working_days(date(2026, 9, 30), 0)


@given(day=DAYS, count=st.integers(1, 40))
def test_counting_forth_and_back_agree(day: date, count: int) -> None:
    due = add_working_days(day, count)
    assert is_working_day(due)
    assert due >= day + timedelta(days=count)
    assert working_days_until(day, due) == count
