"""How a unit is found and named, which of its data officers correct, and what nobody changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from employer_auth.agencies import agency_of
from servicekit import messages, numbers, regions
from servicekit.errors import Conflict, FieldError, Invalid, NotFound, TooMany
from servicekit.identifiers import check_organisation_code, check_uscc

BUSINESS: Final = "employer-auth.unit-data"  # what an officer works in who corrects unit data
CODE_DIGITS: Final = 12  # of the 单位管理码, the check digit among them
USCC_LENGTH: Final = 18
ORGANISATION_CODE_LENGTH: Final = 9
ORGANISATION_IN_USCC: Final = slice(8, 17)  # GB 32100: characters 9 to 17
LONGEST_NAME: Final = 200
LONGEST_ADDRESS: Final = 200

_CODE: Final = re.compile(r"[0-9]{12}")
_BLANK: Final = re.compile(r"\s")


class UnitField(StrEnum):
    """What of a unit's data may be wrong and corrected."""

    NAME = "name"
    REGION = "region"
    ADDRESS = "address"
    KIND = "kind"
    INDUSTRY = "industry"


LABELS: Final = {
    UnitField.NAME: "单位名称",
    UnitField.REGION: "所属地区",
    UnitField.ADDRESS: "详细地址",
    UnitField.KIND: "单位类型",
    UnitField.INDUSTRY: "行业门类",
}


COMPLETE: Final = tuple(UnitField)  # J4: what a platform may ask for before it lets a unit in


class Source(StrEnum):
    """Whose word a value is."""

    IDENTITY = "identity"  # the unit's own, verified there
    OFFICER = "officer"  # a correction


NEXT_STEP_BOUND: Final = "可申请该单位的授权码。"
NEXT_STEP_UNBOUND: Final = (
    "您尚未与该单位绑定，请先由单位在子账号信息中发起绑定，再由您在父账号信息中确认。"
)

KINDS: Final = {
    "enterprise": "企业",
    "government": "机关",
    "institution": "事业单位",
    "association": "社会团体",
    "private-non-enterprise": "民办非企业单位",
    "individual-business": "个体工商户",
    "other": "其他组织",
}
# GB/T 4754-2017, the twenty doors.
INDUSTRIES: Final = {
    "A": "农、林、牧、渔业",
    "B": "采矿业",
    "C": "制造业",
    "D": "电力、热力、燃气及水生产和供应业",
    "E": "建筑业",
    "F": "批发和零售业",
    "G": "交通运输、仓储和邮政业",
    "H": "住宿和餐饮业",
    "I": "信息传输、软件和信息技术服务业",
    "J": "金融业",
    "K": "房地产业",
    "L": "租赁和商务服务业",
    "M": "科学研究和技术服务业",
    "N": "水利、环境和公共设施管理业",
    "O": "居民服务、修理和其他服务业",
    "P": "教育",
    "Q": "卫生和社会工作",
    "R": "文化、体育和娱乐业",
    "S": "公共管理、社会保障和社会组织",
    "T": "国际组织",
}


class NumberKind(StrEnum):
    """What a person looks a unit up by (EA-07)."""

    MANAGEMENT_CODE = "management-code"
    USCC = "uscc"
    ORGANISATION_CODE = "organisation-code"


@dataclass(frozen=True, slots=True)
class UnitNumber:
    """A number that names one unit exactly."""

    kind: NumberKind
    text: str


class UnitNotFound(NotFound):
    """There is none of that number, or it is not theirs to see."""

    code = "unit-not-found"
    default_message = "未查询到该单位，请核对单位管理码、统一社会信用代码或组织机构代码后重新查询。"


class UnitNumberMalformed(Invalid):
    """It is none of the three kinds of number."""

    code = "unit-number-malformed"
    default_message = (
        "请输入12位单位管理码、18位统一社会信用代码或9位组织机构代码，不支持按名称模糊查询。"
    )


class TooManySearches(TooMany):
    """Units are looked up one by one, not collected."""

    code = "too-many-searches"
    default_message = "您今天查询单位的次数已用完，请明天再查询。"


class UsccCannotChange(Conflict):
    """J2: a new code is a new unit account."""

    code = messages.USCC_CANNOT_CHANGE.code
    default_message = messages.USCC_CANNOT_CHANGE.text


class UnitDataWrong(Conflict):
    """PRT-08: what is fetched about the unit is wrong or missing; ``extra`` says whom to call."""

    code = messages.UNIT_DATA_WRONG.code
    default_message = messages.UNIT_DATA_WRONG.text


class NothingCorrected(Invalid):
    """The values given are those that hold already."""

    code = "nothing-corrected"
    default_message = "填写的内容与现有单位信息一致，请修改后再提交。"


def management_code(serial: int) -> str:
    """The 单位管理码 of the unit with this serial number: it names no region, for units move."""
    return numbers.with_check_digit(f"{serial:0{CODE_DIGITS - 1}d}")


def read_number(text: str) -> UnitNumber:
    """Which of the three kinds of number a person typed.

    Raises:
        BadIdentifier: spaces, or a wrong check digit, each with the manuals' sentence.
        UnitNumberMalformed: none of the three.
    """
    bare = text.strip().upper()
    length = len(_BLANK.sub("", bare).replace("-", ""))
    if length == USCC_LENGTH:
        return UnitNumber(NumberKind.USCC, check_uscc(bare))
    if length == ORGANISATION_CODE_LENGTH:
        return UnitNumber(NumberKind.ORGANISATION_CODE, check_organisation_code(bare))
    if _CODE.fullmatch(bare) and numbers.has_check_digit(bare):
        return UnitNumber(NumberKind.MANAGEMENT_CODE, bare)
    raise UnitNumberMalformed(fields=[FieldError("/number", "wrong-format", "单位编号有误")])


def check_values(given: Mapping[UnitField, str]) -> list[FieldError]:
    """Every value that cannot be, at once."""
    return [
        FieldError(f"/values/{field.value}", *wrong)
        for field, value in given.items()
        if (wrong := _fault(field, value)) is not None
    ]


def changed(given: Mapping[UnitField, str], held: Mapping[UnitField, str]) -> list[UnitField]:
    """The fields whose value is to be another.

    Raises:
        NothingCorrected: none is.
    """
    found = [field for field, value in given.items() if held.get(field) != value]
    if not found:
        raise NothingCorrected
    return found


def missing(held: Mapping[UnitField, str]) -> list[UnitField]:
    """What nobody has said of a unit yet (J4)."""
    return [field for field in COMPLETE if not held.get(field)]


def data_wrong(region: str) -> UnitDataWrong:
    """The refusal of a business that cannot use a unit's data, with whom to call."""
    agency = agency_of(region)
    return UnitDataWrong(
        f"{messages.UNIT_DATA_WRONG.text}（{agency.sentence}）。",
        extra={"agency": {"name": agency.name, "phone": agency.phone}},
    )


def check_region(region: str) -> None:
    """A unit whose region nobody knows has no agency to review anything of it.

    Raises:
        UnitDataWrong: with the agency to call.
    """
    if regions.find(region) is None:
        raise data_wrong(region)


def notes(region: str) -> list[str]:
    """What the page of a unit's data says below them."""
    wrong = f"{messages.UNIT_DATA_WRONG.text}（{agency_of(region).sentence}）。"
    return [wrong, messages.USCC_CANNOT_CHANGE.text]


def _fault(field: UnitField, value: str) -> tuple[str, str] | None:
    if field is UnitField.REGION and regions.find(value) is None:
        return "no-such-region", "没有这个行政区划，请从列表中选择"
    if field is UnitField.KIND and value not in KINDS:
        return "not-a-choice", "请在给定的单位类型中选择"
    if field is UnitField.INDUSTRY and value not in INDUSTRIES:
        return "not-a-choice", "请在给定的行业门类中选择"
    limit = {UnitField.NAME: LONGEST_NAME, UnitField.ADDRESS: LONGEST_ADDRESS}.get(field)
    if limit is not None and not 0 < len(value.strip()) <= limit:
        return "wrong-length", f"{LABELS[field]}应填写，且不超过 {limit} 个字"
    return None
