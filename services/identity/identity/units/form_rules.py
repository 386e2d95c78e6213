"""What must a unit tell of itself (ID-21), and is every field of it right?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from identity import password_policy
from identity.accounts.rules import PERSON_NAME, check_agreements, check_login_name
from identity.units.rules import CertificateKind, UnitRefused
from servicekit import regions
from servicekit.errors import FieldError, Refusal
from servicekit.identifiers import (
    DocumentKind,
    check_document,
    check_mobile_number,
    check_organisation_code,
    check_uscc,
)

UNIT_NAME: Final = re.compile(r"[^\s<>](?:[^\x00-\x1f<>]{0,98}[^\s<>])")
ADDRESS: Final = re.compile(r"[^\s<>](?:[^\x00-\x1f<>]{2,198}[^\s<>])")


@dataclass(frozen=True, slots=True)
class UnitForm:
    """What the agent filled in about the unit (ID-21, E3); nothing of it is believed yet."""

    certificate_type: CertificateKind
    certificate_number: str
    name: str
    region: str
    address: str = field(repr=False)
    legal_name: str = field(repr=False)
    legal_document_type: DocumentKind
    legal_document_number: str = field(repr=False)
    legal_phone: str = field(repr=False)
    login_name: str = field(repr=False)
    password: str = field(repr=False)
    password_again: str = field(repr=False)
    sms_code: str = field(repr=False)
    agreements: Mapping[str, str]


def check_number(kind: CertificateKind, text: str) -> str:
    """The form that is stored of a certificate number (GB 32100, GB 11714).

    Raises:
        BadIdentifier: with the cause in its code; spaces have a sentence of their own.
    """
    check = check_uscc if kind is CertificateKind.USCC else check_organisation_code
    return check(text)


def check_unit(
    form: UnitForm,
    policy: password_policy.Policy,
    *,
    agreements: Mapping[str, str],
    today: date,
    also: Iterable[FieldError] = (),
) -> str:
    """Refuse the unit's data with every wrong field named at once (ID-21).

    Args:
        agreements: the versions that must be accepted, by agreement.
        also: what others found wrong, the SMS code for instance.

    Returns: the certificate number as it is stored.

    Raises:
        UnitRefused: with all wrong fields.
    """
    wrong = list(also)
    number, misread = _read(
        "/certificate_number", lambda: check_number(form.certificate_type, form.certificate_number)
    )
    wrong += misread
    wrong += check_name(form.name)
    wrong += check_place(form.region, form.address)
    wrong += check_legal(
        form.legal_name, form.legal_document_type, form.legal_document_number, today=today
    )
    wrong += _read("/legal_phone", lambda: check_mobile_number(form.legal_phone))[1]
    wrong += check_login_name(form.login_name)
    wrong += check_agreements(form.agreements, agreements)
    told = (form.certificate_number, form.legal_phone, form.legal_document_number)
    context = (form.login_name, *told)
    wrong += password_policy.check(policy, form.password, context=context)
    if form.password != form.password_again:
        wrong.append(FieldError("/password_again", "password-differs", "两次输入的密码不一致"))
    if wrong:
        raise UnitRefused(fields=wrong)
    return number


def check_name(name: str) -> list[FieldError]:
    """The full name, as the licence has it."""
    if UNIT_NAME.fullmatch(name):
        return []
    text = "单位名称应为 2–100 个字符的全称，与证照一致"
    return [FieldError("/name", "unit-name-malformed", text)]


def check_place(region: str, address: str) -> list[FieldError]:
    """A county or street of the province, and where exactly."""
    wrong = []
    found = regions.find(region)
    if found is None or found.level not in (regions.Level.COUNTY, regions.Level.STREET):
        wrong.append(FieldError("/region", "region-unknown", "请选择单位所在的县（市、区）或街道"))
    if not ADDRESS.fullmatch(address):
        wrong.append(FieldError("/address", "address-malformed", "详细地址应为 4–200 个字符"))
    return wrong


def check_legal(name: str, kind: DocumentKind, number: str, *, today: date) -> list[FieldError]:
    """The legal representative, as a document says."""
    wrong = []
    if not PERSON_NAME.fullmatch(name):
        text = "法定代表人姓名应为 2–50 个汉字或字母"
        wrong.append(FieldError("/legal_name", "name-malformed", text))
    pointer = "/legal_document_number"
    return wrong + _read(pointer, lambda: check_document(kind, number, today))[1]


def _read(pointer: str, check: Callable[[], str]) -> tuple[str, list[FieldError]]:
    try:
        return check(), []
    except Refusal as refusal:
        return "", [FieldError(pointer, refusal.code, refusal.message)]
