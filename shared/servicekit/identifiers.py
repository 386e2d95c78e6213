"""National numbers: is it written right, and what does it say by itself?

Every check returns the form that is stored, or raises a ``BadIdentifier`` whose code names the
cause and whose sentence is for the person. Nothing here says that a number was ever issued.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final, Literal

from stdnum import luhn
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from servicekit import messages
from servicekit.errors import Invalid

EARLIEST_BIRTH: Final = date(1900, 1, 1)

# GB/T 2260 provinces, 81–83 of the residence permits, 91 of foreigners. A county is not checked:
# most living people's county code has since been merged away, and new ones come every year.
_PROVINCES: Final = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 "  # noqa: SIM905
    "50 51 52 53 54 61 62 63 64 65 71 81 82 83 91".split()
)


class DocumentKind(StrEnum):
    """The documents a person registers with (ID-01)."""

    RESIDENT_CARD = "resident-card"  # 居民身份证（户口簿）
    HK_MACAU_PERMIT = "hk-macau-permit"  # 港澳居民来往内地通行证
    TAIWAN_PERMIT = "taiwan-permit"  # 台湾居民来往大陆通行证
    HMT_RESIDENCE_PERMIT = "hmt-residence-permit"  # 港澳台居民居住证
    FOREIGN_PERMANENT = "foreign-permanent"  # 外国人永久居留身份证
    PASSPORT = "passport"  # 护照

    @property
    def label(self) -> str:
        """The word people choose on the form."""
        return _KINDS[self][0]

    @property
    def hrss_codes(self) -> tuple[str, ...]:
        """The two-digit codes the HRSS systems use for it."""
        return _KINDS[self][1]


_KINDS: Final = {
    DocumentKind.RESIDENT_CARD: ("居民身份证（户口簿）", ("01",)),
    DocumentKind.HK_MACAU_PERMIT: ("港澳居民来往内地通行证", ("04", "05")),
    DocumentKind.TAIWAN_PERMIT: ("台湾居民来往大陆通行证", ("06",)),
    DocumentKind.HMT_RESIDENCE_PERMIT: ("港澳台居民居住证", ("17",)),
    DocumentKind.FOREIGN_PERMANENT: ("外国人永久居留身份证", ("07",)),
    DocumentKind.PASSPORT: ("护照", ("08", "16")),
}


class BadIdentifier(Invalid):
    """The number cannot be one of its kind."""

    code = "identifier-invalid"
    tells: ClassVar[str] = "{kind}填写有误，请核对后重新填写"

    def __init__(self, kind: str) -> None:
        super().__init__(self.tells.format(kind=kind))


class WrongForm(BadIdentifier):
    """Wrong length or signs that do not belong there."""

    code = "identifier-form"
    tells = "{kind}的位数或字符不正确，请核对后重新填写"


class WrongCheckDigit(BadIdentifier):
    """A digit is wrong, or two stand exchanged."""

    code = "identifier-check-digit"
    tells = "{kind}校验不通过，请核对每一位数字"


class WrongBirthDate(BadIdentifier):
    """There is no such day, or it has not come yet."""

    code = "identifier-birth-date"
    tells = "{kind}中的出生日期不正确，请核对后重新填写"


class WrongProvince(BadIdentifier):
    """The first two digits are no province."""

    code = "identifier-province"
    tells = "{kind}的前两位不是有效的省级代码，请核对后重新填写"


class OtherDocument(BadIdentifier):
    """The number is right, but of another kind of document."""

    code = "identifier-other-document"
    tells = "该号码属于{kind}，请改选相应的证件类型"


class ContainsSpaces(BadIdentifier):
    """The manuals ask for a credit code without spaces (E4)."""

    code = messages.USCC_WITHOUT_SPACES.code
    tells = "{kind}填写时不要带空格"


@dataclass(frozen=True, slots=True)
class ResidentNumberFacts:
    """What a resident number says of its holder."""

    number: str
    born: date
    sex: Literal["male", "female"]
    region: str


def parse_resident_number(text: str) -> ResidentNumberFacts:
    """Read an 18-character resident number (公民身份号码, GB 11643).

    Raises:
        WrongForm, WrongCheckDigit, WrongProvince, WrongBirthDate: in this order of looking.
    """
    return _read_resident(text, _RESIDENT)


def check_resident_number(text: str, today: date) -> ResidentNumberFacts:
    """The same, for somebody who must have been born by today."""
    return _born_by(today, parse_resident_number(text), _RESIDENT)


def check_document(kind: DocumentKind, number: str, today: date) -> str:
    """Check a document's number for its kind and return the form that is stored.

    Raises:
        BadIdentifier: with the cause in its code.
    """
    text = number.strip().upper()
    if kind is DocumentKind.RESIDENT_CARD:
        facts = check_resident_number(text, today)
        if facts.region in _HMT_REGIONS:
            raise OtherDocument(DocumentKind.HMT_RESIDENCE_PERMIT.label)
        return facts.number
    label = f"{kind.label}号码"
    if not _FORMS[kind].fullmatch(text):
        raise WrongForm(label)
    if kind is DocumentKind.HMT_RESIDENCE_PERMIT:
        return _born_by(today, _read_resident(text, label), label).number
    if kind is DocumentKind.FOREIGN_PERMANENT and text[0] == "9" and not mod_11_2.is_valid(text):
        raise WrongCheckDigit(label)
    return text


def document_key(kind: DocumentKind, number: str) -> str:
    """What stays the same when a document is issued anew: compare persons by this.

    A Hong Kong/Macau permit keeps its first nine characters, a Taiwan permit its first eight. The
    kind is not in it: compare it beside the number, for a Korean passport is an M and eight digits
    as a Macau permit is.
    """
    if kind is DocumentKind.HK_MACAU_PERMIT:
        return number[:9]
    return number[:8] if kind is DocumentKind.TAIWAN_PERMIT else number


def check_uscc(text: str) -> str:
    """A unified social credit code (GB 32100) with its inner organisation code (GB 11714).

    The first sign may be a letter (N 农业农村, A 军队, Y 其他), which the library's own
    ``validate`` refuses; only its arithmetic is used.
    """
    if re.search(r"\s", text):
        raise ContainsSpaces(_USCC)
    code = text.upper()
    if not _USCC_FORM.fullmatch(code):
        raise WrongForm(_USCC)
    if code[-1] != uscc.calc_check_digit(code) or code[16] != _organisation_check(code[8:16]):
        raise WrongCheckDigit(_USCC)
    return code


def check_organisation_code(text: str) -> str:
    """A nine-character organisation code (GB 11714); its dash may be typed and is not kept."""
    if re.search(r"\s", text):
        raise ContainsSpaces(_ORGANISATION)
    code = unit_number(text)
    if not re.fullmatch(r"[0-9A-Z]{8}[0-9X]", code):
        raise WrongForm(_ORGANISATION)
    if code[8] != _organisation_check(code[:8]):
        raise WrongCheckDigit(_ORGANISATION)
    return code


def unit_number(text: str) -> str:
    """The number of a unit as it is kept: capitals, an organisation code without its dash (REF-11).

    Certificates print the dash and people type it; the manuals would have it out (decision 0023).
    """
    number = text.strip().upper()
    found = _DASHED.fullmatch(number)
    return number if found is None else found[1] + found[2]


def check_mobile_number(text: str) -> str:
    """An eleven-digit mobile number of the mainland, without country code."""
    if not re.fullmatch(r"1[3-9][0-9]{9}", text.strip()):
        raise WrongForm("手机号码")
    return text.strip()


def check_bank_card(text: str) -> str:
    """A bank card number (ISO/IEC 7812, Luhn); the groups of four may be apart."""
    number = text.replace(" ", "")
    if not re.fullmatch(r"[0-9]{13,19}", number):
        raise WrongForm("银行卡号")
    if not luhn.is_valid(number):
        raise WrongCheckDigit("银行卡号")
    return number


_RESIDENT: Final = "公民身份号码"
_USCC: Final = "统一社会信用代码"
_ORGANISATION: Final = "组织机构代码"
_HMT_REGIONS: Final = frozenset({"810000", "820000", "830000"})
_USCC_FORM: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_DASHED: Final = re.compile(r"([0-9A-Z]{8})[-－‐–—−]([0-9X])")
_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714

_FORMS: Final = {
    DocumentKind.HK_MACAU_PERMIT: re.compile(r"[HM][0-9]{8}([0-9]{2})?"),
    DocumentKind.TAIWAN_PERMIT: re.compile(r"[0-9]{8}([0-9]{2})?"),
    DocumentKind.HMT_RESIDENCE_PERMIT: re.compile(r"8[123]0000[0-9]{11}[0-9X]"),
    DocumentKind.FOREIGN_PERMANENT: re.compile(r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]"),
    DocumentKind.PASSPORT: re.compile(r"(?=.*[0-9])[A-Z0-9]{5,15}"),
}


def _read_resident(text: str, label: str) -> ResidentNumberFacts:
    number = text.strip().upper()
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise WrongForm(label)
    if not mod_11_2.is_valid(number):
        raise WrongCheckDigit(label)
    if number[:2] not in _PROVINCES:
        raise WrongProvince(label)
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise WrongBirthDate(label) from None
    if born < EARLIEST_BIRTH:
        raise WrongBirthDate(label)
    sex: Literal["male", "female"] = "male" if int(number[16]) % 2 else "female"
    return ResidentNumberFacts(number, born, sex, number[:6])


def _born_by(today: date, facts: ResidentNumberFacts, label: str) -> ResidentNumberFacts:
    if facts.born > today:
        raise WrongBirthDate(label)
    return facts


def _organisation_check(code: str) -> str:
    total = sum(int(sign, 36) * weight for sign, weight in zip(code, _WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]
