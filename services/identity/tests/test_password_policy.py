"""The password policy (ID-03): tables from the manuals, and properties that hold for any text."""

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity import password_policy as policy

DEFAULT = policy.Policy()
SIGNS = string.ascii_letters + string.digits + string.punctuation


def codes(password, context=(), rules=DEFAULT):
    return [wrong.code for wrong in policy.check(rules, password, context=context)]


@pytest.mark.req("ID-03", "C2")
@pytest.mark.parametrize("password", ["Gd2024rsT", "Xk9#mvLq2", "bU7bU7bU7", "A1b2" * 7 + "A1"])
def test_good_passwords_pass(password):
    assert codes(password) == []


@pytest.mark.req("ID-03", "C2")
@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("gd2024rst", "password-kinds"),
        ("Gd20rsT", "password-length"),
        ("Gd2024rsT" * 4, "password-length"),
        ("Qwer2024", "password-run"),
        ("Abc1234x", "password-run"),
        ("Gd!@#$rsT", "password-run"),
        ("GdrEWq9poiU", "password-run"),
        ("Gd1111rsT", "password-run"),
        ("1QaZ@gdRs", "password-run"),
        ("P@ssw0rd", "password-common"),
        ("Woaini1314", "password-common"),
        ("Gd2024rsT密", "password-characters"),
    ],
)
def test_bad_passwords_are_refused_with_their_cause(password, code):
    assert code in codes(password)


@pytest.mark.req("ID-03")
def test_everything_wrong_is_said_at_once():
    assert codes("qwer") == ["password-length", "password-kinds", "password-run"]


@pytest.mark.req("ID-03")
@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("Xx_Linxm_9", "linxm"),
        ("Ab13800000017", "13800000017"),
        ("Ab_00000017", "13800000017"),
        ("Ab19900101x", "440106199001010012"),
        ("Ab01010012x", "440106199001010012"),
    ],
)
def test_a_password_does_not_tell_who_its_owner_is(password, word):
    assert "password-tells-who" in codes(password, context=[word])


@pytest.mark.req("ID-03", "C2")
def test_the_longest_run_is_a_setting():
    assert "password-run" not in codes("Qwer2024", rules=policy.Policy(longest_run=4))
    assert "password-run" in codes("Qwert2024", rules=policy.Policy(longest_run=4))


@pytest.mark.req("ID-03")
@given(
    before=st.text(SIGNS, max_size=8),
    start=st.integers(0, 6),
    row=st.sampled_from(["1234567890", "qwertyuiop", "asdfghjkl;", "abcdefghij"]),
    backwards=st.booleans(),
    after=st.text(SIGNS, max_size=8),
)
def test_a_slide_of_four_is_found_wherever_it_stands(before, start, row, backwards, after):
    slide = row[start : start + 4]
    slide = slide[::-1] if backwards else slide
    assert policy.longest_run(before + slide.swapcase() + after) >= 4


@pytest.mark.req("ID-03")
@given(st.text(SIGNS, max_size=40))
def test_a_run_is_never_longer_than_the_password_and_the_same_backwards(password):
    run = policy.longest_run(password)
    assert 0 <= run <= len(password)
    assert run == policy.longest_run(password[::-1])


@pytest.mark.req("ID-03")
@given(st.text(SIGNS, min_size=1, max_size=60))
def test_what_passes_has_the_length_and_the_kinds(password):
    if codes(password) == []:
        assert 8 <= len(password) <= 30
        assert policy.count_kinds(password) >= 3
        assert policy.longest_run(password) <= 3


def test_the_answer_never_holds_the_password():
    for wrong in policy.check(DEFAULT, "Sesam-auf-Sesam-auf-Sesam-auf-x"):
        assert "Sesam" not in wrong.message


@pytest.mark.req("C4")
@pytest.mark.parametrize(
    ("profile", "good", "bad"),
    [
        ("hrss", "Gd2024rsT", "gd2024rst"),
        ("prov", "Abcd123!", "Gd2024rsTGd2024rsTGd2"),
        ("prov", "abc123!@", "abcd1234"),
        ("dengbao3", "Gd2024rsT", "Gd24rsT"),
        ("asvs5", "a long walk by the river", "Gd2024rsT"),
    ],
)
def test_each_profile_has_rules_of_its_own(profile, good, bad):
    rules = policy.PROFILES[profile]
    assert policy.check(rules, good) == []
    assert policy.check(rules, bad)
    assert str(rules.shortest) in rules.hint


def test_a_password_wears_out_by_age_or_by_becoming_common():
    changed = datetime(2026, 1, 1, tzinfo=UTC)
    later = changed + timedelta(days=91)
    assert policy.PROFILES["dengbao3"].is_outworn("Gd2024rsT", changed, now=later)
    assert not policy.PROFILES["hrss"].is_outworn("Gd2024rsT", changed, now=later)
    assert policy.PROFILES["hrss"].is_outworn("P@ssw0rd", changed, now=changed)
