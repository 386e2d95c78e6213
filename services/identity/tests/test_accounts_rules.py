"""Registration rules: names, documents, birth dates, agreements (ID-01, ID-02)."""

import dataclasses
import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.accounts import agreements, rules
from identity.password_policy import Policy
from servicekit.identifiers import DocumentKind

TODAY = date(2026, 11, 21)
LIN = rules.Form(
    name="林小满",
    document_type=DocumentKind.RESIDENT_CARD,
    document_number="440106199001010012",
    login_name="lin_xm",
    password="Gd2024rsT",
    password_again="Gd2024rsT",
    phone="13800000017",
    sms_code="246810",
    agreements=agreements.in_force(),
)


def check(**changes):
    form = dataclasses.replace(LIN, **changes)
    return rules.check_form(form, Policy(), agreements=agreements.in_force(), today=TODAY)


def wrong_fields(**changes):
    with pytest.raises(rules.RegistrationRefused) as refused:
        check(**changes)
    return {(wrong.field, wrong.code) for wrong in refused.value.fields}


def number(first17):
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    total = sum(int(a) * b for a, b in zip(first17, weights, strict=True))
    return first17 + "10X98765432"[total % 11]


@pytest.mark.req("ID-01")
def test_a_resident_card_tells_birth_and_sex():
    identity = check(document_number=number("44010619900101001"))
    assert identity.birth_date == date(1990, 1, 1)
    assert identity.sex is rules.Sex.MALE


@pytest.mark.req("ID-01")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "林"}, ("/name", "name-malformed")),
        ({"name": "林<b>"}, ("/name", "name-malformed")),
        ({"phone": "12800000017"}, ("/phone", "identifier-form")),
        ({"document_number": "440106199001010011"}, ("/document_number", "identifier-check-digit")),
        (
            {"document_number": number("44010620990101001")},
            ("/document_number", "identifier-birth-date"),
        ),
        ({"password_again": "Gd2024rsX"}, ("/password_again", "password-differs")),
        ({"agreements": {}}, ("/agreements", "agreement-not-accepted")),
        ({"agreements": {"user-agreement": "2020-01"}}, ("/agreements", "agreement-not-accepted")),
        ({"birth_date": date(1991, 1, 1)}, ("/birth_date", "not-as-document")),
        ({"sex": rules.Sex.FEMALE}, ("/sex", "not-as-document")),
    ],
)
def test_each_wrong_field_is_named(changes, expected):
    base = {"document_number": number("44010619900101001")}
    assert wrong_fields(**(base | changes)) == {expected}


@pytest.mark.req("ID-01")
def test_all_wrong_fields_are_named_at_once():
    fields = wrong_fields(
        name="", login_name="1x", phone="1", document_number="1", password="x", agreements={}
    )
    assert {field for field, _ in fields} == {
        "/name",
        "/login_name",
        "/phone",
        "/document_number",
        "/password",
        "/password_again",
        "/agreements",
    }


@pytest.mark.req("ID-01")
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (DocumentKind.HK_MACAU_PERMIT, "H1234567801"),
        (DocumentKind.TAIWAN_PERMIT, "12345678"),
        (DocumentKind.PASSPORT, "E12345678"),
    ],
)
def test_a_document_that_does_not_tell_asks_for_birth_and_sex(kind, text):
    document = {"document_type": kind, "document_number": text}
    assert wrong_fields(**document) == {("/birth_date", "required"), ("/sex", "required")}
    told = {"birth_date": date(1988, 8, 8), "sex": rules.Sex.FEMALE}
    assert check(**document, **told).birth_date == date(1988, 8, 8)
    future = wrong_fields(**document, sex=rules.Sex.MALE, birth_date=date(2026, 11, 22))
    assert future == {("/birth_date", "born-in-the-future")}


@pytest.mark.req("ID-04")
def test_a_reissued_permit_is_the_same_person():
    first = rules.document_key(DocumentKind.HK_MACAU_PERMIT, "H1234567801")
    assert first == rules.document_key(DocumentKind.HK_MACAU_PERMIT, "H1234567802")
    assert first != rules.document_key(DocumentKind.HK_MACAU_PERMIT, "H1234567901")
    assert first != rules.document_key(DocumentKind.PASSPORT, "H1234567801")


@pytest.mark.req("ID-02", "C1")
@pytest.mark.parametrize("name", ["Abc_1", "zhang3", "a1234", "a" * 20])
def test_good_login_names(name):
    assert rules.check_login_name(name) == []


@pytest.mark.req("ID-02", "C1")
@pytest.mark.parametrize(
    "name", ["1abcd", "_abcd", "abcd", "ab-cde", "a" * 21, "", "zhang３", "张三abc", "abcde\n"]
)
def test_bad_login_names(name):
    assert [wrong.code for wrong in rules.check_login_name(name)] == ["login-name-malformed"]


@pytest.mark.req("ID-02", "C1")
@given(st.text(max_size=25))
def test_a_login_name_passes_exactly_when_the_manual_says_so(name):
    letters = set(string.ascii_letters)
    fits = (
        5 <= len(name) <= 20
        and name[0] in letters
        and set(name) <= letters | set(string.digits) | {"_"}
    )
    assert (rules.check_login_name(name) == []) is fits


@pytest.mark.req("ID-02")
@given(st.from_regex(rules.LOGIN_NAME, fullmatch=True))
def test_case_makes_no_second_name(name):
    assert rules.login_key(name.upper()) == rules.login_key(name.lower())


def test_a_form_shows_nothing_personal_when_printed():
    assert "林" not in repr(LIN)
    assert LIN.password not in repr(LIN)
    assert LIN.phone not in repr(LIN)
