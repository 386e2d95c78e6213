"""Who may register a unit, how often it may be tried, and what of a unit can never change?"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from identity.pace import Limit
from servicekit import messages
from servicekit.errors import (
    JSON,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
)

LEAST_LEVEL: Final = 2  # ID-20: the agent is at least 二级实名
VERIFIED: Final = 3  # ID-27: 三级 (原L1), checked against the legal-person base
TICKET_LIFE: Final = timedelta(hours=2)  # between step 1 and step 3
DONE_KEPT: Final = timedelta(hours=24)  # a finished registration answers again, AL-07

# ID-06, as the message about a level that is too low names them.
RAISES: Final[tuple[Mapping[str, JSON], ...]] = (
    {"channel": "bank-card", "name": "银联实名认证"},
    {"channel": "province", "name": "省统一身份认证扫码实名（粤省事）"},
    {"channel": "electronic-card", "name": "电子社会保障卡扫码实名"},
    {"channel": "on-site", "name": "办事大厅现场核验"},
)


class CertificateKind(StrEnum):
    """What a unit is registered by; the first is recommended (ID-21)."""

    USCC = "uscc"  # 统一社会信用代码
    ORGANISATION_CODE = "organisation-code"  # 组织机构代码

    @property
    def label(self) -> str:
        """The word people choose on the form."""
        return "统一社会信用代码" if self is CertificateKind.USCC else "组织机构代码"


class AgentLevelTooLow(Forbidden):
    """The agent is not 二级 yet (ID-20, D1); the ways to raise it stand beside."""

    code = messages.REALNAME_LEVEL_TOO_LOW.code
    default_message = messages.REALNAME_LEVEL_TOO_LOW.text

    def __init__(self) -> None:
        super().__init__(extra={"required_level": LEAST_LEVEL, "ways": list(RAISES)})


class PersonRecordConflict(Conflict):
    """The agent holds two accounts (ID-05); an admin cancels one of them."""

    code = messages.PERSON_RECORD_CONFLICT.code
    default_message = messages.PERSON_RECORD_CONFLICT.text

    def __init__(self) -> None:
        super().__init__(extra={"help": "请联系账号管理员注销一个账号"})


class TooManyTries(TooMany):
    """This address, or anybody with this login name, tried too often."""

    code = "too-many-unit-registrations"
    default_message = "尝试过于频繁，请稍后再试"


class TooManyChecks(TooMany):
    """Numbers were looked up too often (ID-22)."""

    code = "too-many-number-checks"
    default_message = "查询过于频繁，请稍后再试"


class NoTicket(NotFound):
    """No registration under way with this ticket: never begun, expired, or somebody else's."""

    code = "unit-registration-not-found"
    default_message = "单位注册已超时，请重新填写本单位经办人员的个人账号信息"


class UnitRefused(Invalid):
    """Something in the unit's data is wrong; every place is named."""

    code = "unit-registration-refused"
    default_message = "单位注册信息有误，请按提示修改"


class UnitNumberTaken(Conflict):
    """One certificate number registers once (ID-22)."""

    code = messages.UNIT_ID_TAKEN.code
    default_message = messages.UNIT_ID_TAKEN.text


class UnitChangeRefused(Invalid):
    """Something in the change of the unit's data is wrong, or is not the unit's to change."""

    code = "unit-change-refused"
    default_message = "修改的内容有误，请按提示修改"


class NotVerified(Forbidden):
    """Name and representative change only for a verified unit (ID-27, J1)."""

    code = "unit-not-verified"
    default_message = "单位尚未通过实名核验，请先完成核验后再修改单位名称或法定代表人"


class BaseDisagrees(Invalid):
    """The legal-person base knows the unit otherwise (ID-27)."""

    code = "legal-person-base-disagrees"
    default_message = (
        "本次核验不成功，请确认您输入的单位名称和统一社会信用代码与登记管理部门签发的完全一致"
    )


class NoUnit(NotFound):
    """There is no such unit."""

    code = "unit-not-found"
    default_message = "未找到该单位"


# ID-28 and B2: what was registered stays.
FIXED: Final[Mapping[str, tuple[str, str]]] = {
    "certificate_number": (messages.USCC_CANNOT_CHANGE.code, messages.USCC_CANNOT_CHANGE.text),
    "certificate_type": (messages.USCC_CANNOT_CHANGE.code, messages.USCC_CANNOT_CHANGE.text),
    "login_name": ("login-name-cannot-change", "用户名注册成功后不能修改"),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How often step 1 and the check of a number may be tried (ID-20, ID-22)."""

    tries_per_address_hour: int = 60  # an address may be a whole service hall
    checks_per_address_hour: int = 60
    checks_everybody_hour: int = 5_000

    def of_address(self) -> tuple[Limit, ...]:
        """Step 1, from one address."""
        return (Limit("unit-step-1", self.tries_per_address_hour, timedelta(hours=1)),)

    def of_agent(self) -> tuple[Limit, ...]:
        """Step 1 for one login name, wherever from: numbers are not guessed through it."""
        return (Limit("unit-agent", 10, timedelta(hours=1)),)

    def of_check(self) -> tuple[Limit, ...]:
        """The check of a number, from one address."""
        return (Limit("unit-check", self.checks_per_address_hour, timedelta(hours=1)),)

    def of_all_checks(self) -> tuple[Limit, ...]:
        """The same from everywhere together: nobody copies the register by many addresses."""
        return (Limit("unit-check-all", self.checks_everybody_hour, timedelta(hours=1)),)


def check_agent(*, level: int, accounts_of_person: int) -> None:
    """May this person register a unit (ID-20, ID-05)? Documents of every kind may (ID-23).

    Raises:
        PersonRecordConflict: the person holds two accounts.
        AgentLevelTooLow: below 二级.
    """
    if accounts_of_person > 1:
        raise PersonRecordConflict
    if level < LEAST_LEVEL:
        raise AgentLevelTooLow


def check_fixed(changes: Iterable[str]) -> None:
    """Refuse to change what was registered for good (ID-28, B2).

    Raises:
        UnitChangeRefused: naming each.
    """
    wrong = [FieldError(f"/{name}", *FIXED[name]) for name in changes if name in FIXED]
    if wrong:
        raise UnitChangeRefused(wrong[0].message, fields=wrong)


def is_verified(province_level: int) -> bool:
    """Has somebody else confirmed that the unit exists (三级 and above)?"""
    return province_level >= VERIFIED


def does_business(kind: CertificateKind) -> bool:
    """Units of an organisation code do none on the employment platform (ID-26, E5)."""
    return kind is CertificateKind.USCC


def check_verified(province_level: int) -> None:
    """Name and representative are a verified unit's to change (ID-27)."""
    if not is_verified(province_level):
        raise NotVerified


def new_ticket() -> str:
    """256 bits that only the browser that began keeps."""
    return secrets.token_urlsafe(32)


def hash_ticket(ticket: str) -> bytes:
    """SHA-256 suffices: a ticket is random, not something a person made up."""
    return hashlib.sha256(ticket.encode()).digest()


def is_open(expires_at: datetime, *, now: datetime) -> bool:
    """May the registration go on?"""
    return now < expires_at
