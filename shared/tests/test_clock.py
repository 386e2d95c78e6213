"""Times are aware; a Chinese day begins at 16:00 UTC."""

from datetime import UTC, date, datetime

import pytest

from servicekit.clock import SystemClock, shanghai_date, to_shanghai


def test_the_machine_s_clock_is_aware_and_utc():
    assert SystemClock().now().tzinfo is UTC


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 1, 16, 0, 0, tzinfo=UTC), date(2026, 3, 2)),
    ],
)
def test_the_day_is_the_day_in_china(moment, day):
    assert shanghai_date(moment) == day
    assert to_shanghai(moment) == moment
    assert to_shanghai(moment).isoformat().endswith("+08:00")


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        to_shanghai(datetime(2026, 3, 1))  # noqa: DTZ001 - the point of the test
