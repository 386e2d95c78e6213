"""How certificates are numbered, packed into the status list, and who may apply."""

from __future__ import annotations

import base64
import zlib
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from employment_registry.certificate import rules
from employment_registry.certificate.policy import CertificatePolicy
from employment_registry.certificate.rules import Cause, Kind, Statement, Validity
from employment_registry.certificate.signing import packed
from servicekit.errors import Refusal
from servicekit.personal import MobileNumber

DAY = date(2026, 9, 29)
PHONE = MobileNumber("13800000000")


@pytest.fixture(scope="session")
def numbering(policy: dict[str, Any]) -> CertificatePolicy:
    """The policy in force."""
    found: CertificatePolicy = policy["certificate"]
    return found


def is_right(number: str) -> bool:
    """By ISO 7064 MOD 11,10: the check digit is added last, wherever it stands in the number."""
    place, product = 7, 10
    for digit in number[:place] + number[place + 1 :]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (product + int(number[place])) % 10 == 1


@pytest.mark.req("ER-06", "AL-11")
def test_a_number_is_written_as_the_policy_says(numbering: CertificatePolicy) -> None:
    number = numbering.write_number(region="440106003", day=DAY, serial=1)
    assert (number[:6], number[6], number[8:10], number[10:]) == ("440106", "0", "26", "000001")
    assert len(number) == 16
    assert is_right(number)
    for serial in (0, 1_000_000):
        with pytest.raises(ValueError, match="serial"):
            numbering.write_number(region="440106003", day=DAY, serial=serial)


@given(
    region=st.sampled_from(["440106003", "440305", "4401"]),
    serial=st.integers(1, 999_999),
    place=st.integers(0, 15),
    shift=st.integers(1, 9),
)
def test_one_wrong_digit_is_noticed(
    numbering: CertificatePolicy, region: str, serial: int, place: int, shift: int
) -> None:
    number = numbering.write_number(region=region, day=DAY, serial=serial)
    wrong = str((int(number[place]) + shift) % 10)
    assert is_right(number)
    assert not is_right(number[:place] + wrong + number[place + 1 :])


@pytest.mark.req("CRT-04", "CRT-07")
@pytest.mark.parametrize(
    ("kind", "has_certificate", "is_registered", "refused"),
    [
        (Kind.FIRST, False, True, None),
        (Kind.FIRST, False, False, rules.NotRegistered),
        (Kind.FIRST, True, True, rules.AlreadyCertified),
        (Kind.REPLACEMENT, True, True, None),
        (Kind.REPLACEMENT, True, False, None),
        (Kind.REPLACEMENT, False, True, rules.NoCertificate),
    ],
)
def test_who_may_apply_for_what(
    kind: Kind, has_certificate: bool, is_registered: bool, refused: type[Refusal] | None
) -> None:
    def check() -> None:
        rules.check_kind(kind, has_certificate=has_certificate, is_registered=is_registered)

    if refused is None:
        check()
        return
    with pytest.raises(refused):
        check()


@pytest.mark.req("CRT-08", "AL-01")
@pytest.mark.parametrize(
    ("kind", "statement", "wrong"),
    [
        (Kind.REPLACEMENT, Statement(Cause.LOST, None, "440106003", PHONE), set()),
        (Kind.FIRST, Statement(None, None, "440106003", PHONE), set()),
        (Kind.REPLACEMENT, Statement(), {"cause", "service_place", "contact_phone"}),
        (Kind.FIRST, Statement(Cause.LOST, None, "440106", PHONE), {"cause", "service_place"}),
    ],
)
def test_a_replacement_says_why(kind: Kind, statement: Statement, wrong: set[str]) -> None:
    named: set[str] = set()
    try:
        rules.check_submission(kind, statement)
    except rules.Incomplete as refused:
        named = {each.field.rpartition("/")[2] for each in refused.fields}
    assert named == wrong


@given(st.dictionaries(st.integers(0, 500), st.sampled_from(Validity), max_size=60))
def test_the_status_list_holds_every_certificate(known: dict[int, Validity]) -> None:
    text = packed(known.items(), 501)
    raw = zlib.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    assert len(raw) == -(-501 // 4)
    meaning = {0: Validity.VALID, 1: Validity.REVOKED, 3: Validity.REPLACED}
    for place in range(501):
        bits = raw[place * 2 // 8] >> (place * 2 % 8) & 0b11
        assert meaning[bits] is known.get(place, Validity.VALID)
