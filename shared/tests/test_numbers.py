"""受理编号: readable, and wrong when misheard."""

import re
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from servicekit.numbers import LARGEST_SERIAL, application_number, check, normalise

pytestmark = pytest.mark.req("ER-08")

NUMBERS = st.builds(
    application_number,
    st.from_regex(r"44[0-9]{4}", fullmatch=True),
    st.from_regex(r"[0-9]{2}", fullmatch=True),
    st.dates(date(2024, 1, 1), date(2099, 12, 31)),
    st.integers(1, LARGEST_SERIAL),
)


def test_a_number_shows_region_business_date_and_serial():
    number = application_number("440106", "01", date(2026, 11, 21), 123)
    assert re.fullmatch(r"440106-01-20261121-000123-\d", number)
    assert check(number)


@given(NUMBERS)
def test_every_number_we_write_is_right(number):
    assert check(number)
    assert normalise(number.replace("-", "")) == number
    assert normalise(f" {number.replace('-', ' ')} ") == number
    wide = str.maketrans("0123456789-", "０１２３４５６７８９－")
    assert normalise(number.translate(wide)) == number


@given(NUMBERS, st.data())
def test_one_wrong_digit_is_noticed(number, data):
    at = data.draw(st.sampled_from([i for i, c in enumerate(number) if c != "-"]))
    digit = data.draw(st.sampled_from("0123456789"))
    assume(digit != number[at])
    assert not check(number[:at] + digit + number[at + 1 :])


@given(NUMBERS, st.data())
def test_two_neighbours_exchanged_are_noticed(number, data):
    digits = number.replace("-", "")
    at = data.draw(st.integers(0, len(digits) - 2))
    assume(digits[at] != digits[at + 1])
    swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    assert not check(normalise(swapped))


@pytest.mark.parametrize("text", ["", "440106", "44010601202611210001237", "x" * 27])
def test_what_is_no_number_is_no_number(text):
    assert not check(text)
    assert not check(normalise(f" {text} "))


def test_a_region_to_the_street_gives_its_county():
    assert application_number("440106001", "01", date(2026, 1, 1), 1).startswith("440106-")
    assert application_number("44", "01", date(2026, 1, 1), 1).startswith("440000-")


@pytest.mark.parametrize(
    ("region", "business", "serial"),
    [
        ("44010x", "01", 1),
        ("440106", "1", 1),
        ("440106", "ab", 1),
        ("440106", "01", 0),
        ("440106", "01", LARGEST_SERIAL + 1),
    ],
)
def test_what_does_not_fit_is_refused(region, business, serial):
    with pytest.raises(ValueError, match=r"serial|number"):
        application_number(region, business, date(2026, 1, 1), serial)
