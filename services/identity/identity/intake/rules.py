"""Is a row of the old systems good enough to become an account?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from identity.accounts import rules
from servicekit.errors import FieldError, Refusal
from servicekit.identifiers import DocumentKind, check_mobile_number

COLUMNS: Final = (
    "login_name",
    "name",
    "document_type",
    "document_number",
    "birth_date",
    "sex",
    "phone",
)
NO_PASSWORD: Final = "!"  # noqa: S105 - no hash: the owner sets one by the way of recovery
_SEXES: Final = {  # GB/T 2261.1
    "1": rules.Sex.MALE,
    "男": rules.Sex.MALE,
    "2": rules.Sex.FEMALE,
    "女": rules.Sex.FEMALE,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the old systems, checked."""

    login_name: str = field(repr=False)
    name: str = field(repr=False)
    phone: str = field(repr=False)
    identity: rules.Identity = field(repr=False)


def read_row(row: Mapping[str, str | None], today: date) -> tuple[Row | None, list[FieldError]]:
    """Check one row by the rules of a registration, but for password, code and agreements.

    Document types come as our own words or as the two digits the HRSS systems use.
    """
    text = {name: (row.get(name) or "").strip() for name in COLUMNS}
    kind = _kind(text["document_type"])
    wrong = rules.check_login_name(text["login_name"])
    if not rules.PERSON_NAME.fullmatch(text["name"]):
        wrong.append(FieldError("/name", "name-malformed", "姓名应为 2–50 个汉字或字母"))
    try:
        check_mobile_number(text["phone"])
    except Refusal as refusal:
        wrong.append(FieldError("/phone", refusal.code, refusal.message))
    if kind is None:
        wrong.append(FieldError("/document_type", "required", "证件类型有误"))
        return None, wrong
    identity, document_wrong = rules.read_document(_form(text, kind), today)
    wrong += document_wrong
    if wrong or identity is None:
        return None, wrong
    return Row(text["login_name"], text["name"], text["phone"], identity), []


def _kind(text: str) -> DocumentKind | None:
    known = {code: kind for kind in DocumentKind for code in (str(kind), *kind.hrss_codes)}
    return known.get(text)


def _form(text: Mapping[str, str], kind: DocumentKind) -> rules.Form:
    try:
        born = date.fromisoformat(text["birth_date"]) if text["birth_date"] else None
    except ValueError:
        born = None
    sex = _SEXES.get(text["sex"])
    if sex is None and text["sex"] in {str(each) for each in rules.Sex}:
        sex = rules.Sex(text["sex"])
    blank = dict.fromkeys(("password", "password_again", "sms_code"), "")
    return rules.Form(
        name=text["name"],
        document_type=kind,
        document_number=text["document_number"],
        login_name=text["login_name"],
        phone=text["phone"],
        agreements={},
        birth_date=born,
        sex=sex,
        **blank,
    )
