"""National numbers: the living are let in, slips of the pen are not."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum.cn import ric
from stdnum.iso7064 import mod_11_2

from servicekit import identifiers
from servicekit.identifiers import (
    BadIdentifier,
    DocumentKind,
    check_document,
    check_resident_number,
    document_key,
    parse_resident_number,
)

FILES = Path(__file__).parent / "identifiers"
TODAY = date(2026, 3, 2)
COUNTIES = [
    line.split()[0]
    for line in (FILES / "guangdong-counties.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
OTHERS = {
    "uscc": identifiers.check_uscc,
    "organisation-code": identifiers.check_organisation_code,
    "mobile-number": identifiers.check_mobile_number,
    "bank-card": identifiers.check_bank_card,
}


def lines(name):
    for line in (FILES / name).read_text("utf-8").splitlines():
        if not line.startswith("#"):
            # The number itself may begin or end with spaces beside the one of the separator.
            yield [part[1:] if i else part for i, part in enumerate(line.split(" |"))]


def examine(kind, number):
    if kind in OTHERS:
        return OTHERS[kind](number)
    return check_document(DocumentKind(kind), number, TODAY)


def with_check_digit(digits):
    return digits + mod_11_2.calc_check_digit(digits)


RESIDENT_NUMBERS = st.builds(
    lambda county, born, order: with_check_digit(f"{county}{born:%Y%m%d}{order:03d}"),
    st.sampled_from(COUNTIES),
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(0, 999),
)


@pytest.mark.req("ID-01", "ID-21")
@pytest.mark.parametrize(("kind", "number", "why"), list(lines("valid.txt")))
def test_every_number_of_the_valid_file_is_accepted(kind, number, why):
    assert examine(kind, number) == number.upper().replace(" ", "")


@pytest.mark.req("ID-21", "REF-11")
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("19220382-1", "192203821"),
        ("19220382－1", "192203821"),
        ("19220382—1", "192203821"),
        ("d2143569-x", "D2143569X"),
        ("192203821", "192203821"),
    ],
)
def test_the_dash_of_an_organisation_code_may_be_typed_and_is_not_kept(typed, kept):
    assert identifiers.check_organisation_code(typed) == identifiers.unit_number(typed) == kept


@pytest.mark.parametrize("number", ["914403001922038216", "1922-03821", "E0000-0001"])
def test_other_numbers_of_units_stay_as_they_are(number):
    assert identifiers.unit_number(f" {number.lower()} ") == number


@pytest.mark.req("ID-01", "ID-21")
@pytest.mark.parametrize(("kind", "number", "code", "why"), list(lines("invalid.txt")))
def test_every_number_of_the_invalid_file_is_refused_with_its_cause(kind, number, code, why):
    with pytest.raises(BadIdentifier) as refused:
        examine(kind, number)
    assert refused.value.code == code
    assert not number.strip() or number.strip() not in refused.value.message


def test_the_list_of_counties_is_whole():
    assert len(COUNTIES) == len(set(COUNTIES)) == 141


@pytest.mark.req("ID-01")
@pytest.mark.parametrize("county", [*COUNTIES, "441900", "442000"])
def test_people_of_every_county_and_every_year_are_accepted(county):
    for year in range(1950, 2009):
        number = with_check_digit(f"{county}{year}0615001")
        facts = check_resident_number(number, TODAY)
        assert (facts.region, facts.born, facts.sex) == (county, date(year, 6, 15), "male")


def test_the_library_would_refuse_people_we_accept():
    """Why the check is our own: of the same numbers the library refuses a third or more."""
    numbers = [
        with_check_digit(f"{county}{year}0615001")
        for county in COUNTIES
        for year in range(1950, 2009)
    ]
    refused = sum(not ric.is_valid(number) for number in numbers)
    assert refused / len(numbers) > 0.3


@pytest.mark.req("ID-01")
@given(RESIDENT_NUMBERS, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_single_wrong_sign_is_noticed(number, at, sign):
    assume(number[at] != sign)
    with pytest.raises(BadIdentifier):
        check_resident_number(number[:at] + sign + number[at + 1 :], TODAY)


@pytest.mark.req("ID-01")
@given(RESIDENT_NUMBERS, st.integers(0, 16))
def test_any_two_neighbours_exchanged_are_noticed(number, at):
    assume(number[at] != number[at + 1])
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    with pytest.raises(BadIdentifier):
        check_resident_number(swapped, TODAY)


@given(st.text(max_size=20))
def test_no_text_breaks_a_check(text):
    for kind in (*DocumentKind, *OTHERS):
        with suppress(BadIdentifier):
            assert examine(kind, text)


@given(RESIDENT_NUMBERS)
def test_what_a_number_says_is_what_went_into_it(number):
    facts = parse_resident_number(number.lower())
    assert facts.number == number
    assert f"{facts.born:%Y%m%d}" == number[6:14]
    assert facts.sex == ("male" if number[16] in "13579" else "female")


def test_birth_today_is_accepted_and_tomorrow_refused():
    assert check_resident_number(with_check_digit("44010620260302001"), TODAY).born == TODAY
    with pytest.raises(BadIdentifier):
        check_resident_number(with_check_digit("44010620260302001"), date(2026, 3, 1))


@pytest.mark.req("ID-04")
@pytest.mark.parametrize(
    ("kind", "first", "reissued"),
    [
        (DocumentKind.HK_MACAU_PERMIT, "H0000000100", "H0000000101"),
        (DocumentKind.HK_MACAU_PERMIT, "H0000000199", "H00000001"),
        (DocumentKind.TAIWAN_PERMIT, "0000000101", "00000001"),
    ],
)
def test_a_permit_issued_anew_is_the_same_person_s(kind, first, reissued):
    assert document_key(kind, first) == document_key(kind, reissued)


def test_other_documents_are_compared_whole():
    assert document_key(DocumentKind.PASSPORT, "E00000001") == "E00000001"


@pytest.mark.req("ID-21")
@given(st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_any_single_wrong_sign_of_a_credit_code_is_noticed(at, sign):
    code = "914403001922038216"
    assume(code[at] != sign)
    with pytest.raises(BadIdentifier):
        identifiers.check_uscc(code[:at] + sign + code[at + 1 :])


def test_every_kind_of_document_has_its_word_and_its_hrss_codes():
    assert DocumentKind.RESIDENT_CARD.label == "居民身份证（户口簿）"
    assert all(kind.label and kind.hrss_codes for kind in DocumentKind)
