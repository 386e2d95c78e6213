"""Who may register, under which name, with which password and document?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from identity import password_policy
from servicekit import identifiers, messages
from servicekit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, Refusal
from servicekit.identifiers import (
    DocumentKind,
    check_document,
    check_mobile_number,
    parse_resident_number,
)

LOGIN_NAME: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9_]{4,19}"
)  # 单位登录操作指引 3: 5–20 位，字母开头
_HAN: Final = (
    "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"  # with the rare ones people are named by
)
PERSON_NAME: Final = re.compile(f"[{_HAN}A-Za-z][{_HAN}A-Za-z·.' -]{{0,48}}[{_HAN}A-Za-z.]")
OLDEST_YEARS: Final = 150
RECOVERY: Final = "/identity/recovery"  # 账号找回 (ID-04)
LOWEST: Final = 1  # 一级, of a person who has registered
UNVERIFIED_UNIT: Final = 2  # 二级 on the province's scale: only the form of the numbers is checked

# The number itself tells the birth date and the sex (GB 11643).
TELLS_BIRTH: Final = frozenset({DocumentKind.RESIDENT_CARD, DocumentKind.HMT_RESIDENCE_PERMIT})


class Kind(StrEnum):
    """What an account stands for."""

    PERSON = "person"  # 个人
    UNIT = "unit"  # 单位
    OFFICER = "officer"  # 经办机构人员


class Standing(StrEnum):
    """May the account sign in?"""

    ACTIVE = "active"  # 正常
    LOCKED = "locked"  # 锁定
    CANCELLED = "cancelled"  # 注销


class Sex(StrEnum):
    """As the document says."""

    MALE = "male"
    FEMALE = "female"


class RegistrationRefused(Invalid):
    """Something in the registration form is wrong; every place is named."""

    code = "registration-refused"
    default_message = "注册信息有误，请按提示修改"


class LoginNameTaken(Conflict):
    """Another account has this login name, in any case of letters (ID-02)."""

    code = messages.USERNAME_TAKEN.code
    default_message = messages.USERNAME_TAKEN.text


class DocumentTaken(Conflict):
    """One document number registers once (ID-04)."""

    code = messages.PERSON_ID_TAKEN.code
    default_message = messages.PERSON_ID_TAKEN.text


class OwnDataRefused(Invalid):
    """Something in the change of own data is wrong."""

    code = "own-data-refused"


_FIXED = (messages.ONE_NUMBER_REGISTERS_ONCE.code, messages.ONE_NUMBER_REGISTERS_ONCE.text)
# B2: 成功注册后身份证号码和用户名将不能修改
FIXED: Final[Mapping[str, tuple[str, str]]] = {
    "login_name": _FIXED,
    "document_number": _FIXED,
    "document_type": _FIXED,
}
WRONG_OLD_CODE: Final = FieldError(
    "/old_sms_code",
    "sms-code-wrong",
    "原手机号码的短信验证码错误或已失效；原号码已停用的，请先办理账号找回",
)


class NotActive(Conflict):
    """Only an active account can be locked."""

    code = "account-not-active"
    default_message = "该账号不是正常状态"


class AccountLocked(Forbidden):
    """An admin locked the account."""

    code = "account-locked"
    default_message = "该账号已被锁定，请联系账号管理员"


class NoAccount(NotFound):
    """There is no such account."""

    code = "account-not-found"
    default_message = "未找到该账号"


@dataclass(frozen=True, slots=True)
class Identity:
    """What the document says about a person, after every check."""

    document_type: DocumentKind
    document_number: str
    birth_date: date
    sex: Sex


@dataclass(frozen=True, slots=True)
class Form:
    """What a visitor filled in (个人实名信息); nothing of it is believed yet."""

    name: str = field(repr=False)
    document_type: DocumentKind
    document_number: str = field(repr=False)
    login_name: str = field(repr=False)
    password: str = field(repr=False)
    password_again: str = field(repr=False)
    phone: str = field(repr=False)
    sms_code: str = field(repr=False)
    agreements: Mapping[str, str]
    birth_date: date | None = field(default=None, repr=False)
    sex: Sex | None = field(default=None, repr=False)


def check_form(
    form: Form,
    policy: password_policy.Policy,
    *,
    agreements: Mapping[str, str],
    today: date,
    also: Iterable[FieldError] = (),
) -> Identity:
    """Refuse a form with every wrong field named at once (ID-01, ID-02, ID-03).

    Args:
        form: what was filled in.
        policy: the password policy.
        agreements: the versions that must be accepted, by agreement.
        today: the day in China.
        also: what others found wrong, the SMS code for instance.

    Returns:
        what the document says about the person.

    Raises:
        RegistrationRefused: with all wrong fields.
    """
    wrong = list(also)
    wrong += _pattern(
        "/name", PERSON_NAME, form.name, "name-malformed", "姓名应为 2–50 个汉字或字母"
    )
    wrong += check_login_name(form.login_name)
    wrong += _refused("/phone", lambda: check_mobile_number(form.phone))
    wrong += check_agreements(form.agreements, agreements)
    identity, document_wrong = read_document(form, today)
    wrong += document_wrong
    context = (form.login_name, form.phone, form.document_number)
    wrong += password_policy.check(policy, form.password, context=context)
    if form.password != form.password_again:
        wrong.append(FieldError("/password_again", "password-differs", "两次输入的密码不一致"))
    if wrong or identity is None:
        raise RegistrationRefused(fields=wrong)
    return identity


def check_fixed(changes: Iterable[str]) -> None:
    """Refuse to change what was registered for good, whoever asks (B2, TC-01).

    Raises:
        OwnDataRefused: naming each.
    """
    wrong = [FieldError(f"/{name}", *FIXED[name]) for name in changes if name in FIXED]
    if wrong:
        raise OwnDataRefused(wrong[0].message, fields=wrong)


def check_login_name(name: str) -> list[FieldError]:
    """Five to twenty letters, digits and underscores, a letter first (ID-02)."""
    text = "用户名为 5–20 位字母、数字或下划线，以字母开头"
    return _pattern("/login_name", LOGIN_NAME, name, "login-name-malformed", text)


def check_agreements(accepted: Mapping[str, str], needed: Mapping[str, str]) -> list[FieldError]:
    """The versions shown must be the versions in force (用户服务协议, 隐私政策)."""
    if all(accepted.get(name) == version for name, version in needed.items()):
        return []
    message = "请阅读并同意最新版本的《用户服务协议》和《隐私政策》"
    return [FieldError("/agreements", "agreement-not-accepted", message)]


def document_key(kind: DocumentKind, number: str) -> str:
    """What makes two documents the same: the lifelong part of the number, within its kind."""
    return f"{kind}:{identifiers.document_key(kind, number)}"


def likeness_key(name: str, born: date) -> str:
    """What two documents of one person have in common, most often."""
    return f"{''.join(name.casefold().split())}:{born.isoformat()}"


def login_key(name: str) -> str:
    """Login names are told apart without regard to case (ID-02)."""
    return name.casefold()


def may_act(standing: Standing) -> bool:
    """Only an active account acts."""
    return standing is Standing.ACTIVE


def check_standing(standing: Standing) -> None:
    """The same, as a refusal."""
    if not may_act(standing):
        raise AccountLocked


def read_document(form: Form, today: date) -> tuple[Identity | None, list[FieldError]]:
    """What the document in a form says of its holder, or everything that is wrong with it."""
    try:
        number = check_document(form.document_type, form.document_number, today)
    except Refusal as refusal:
        wrong = [FieldError("/document_number", refusal.code, refusal.message)]
        return None, wrong + _check_birth(form, today)
    if form.document_type in TELLS_BIRTH:
        facts = parse_resident_number(number)
        told = Identity(form.document_type, number, facts.born, Sex(facts.sex))
        return told, _disagreements(form, told)
    wrong = _check_birth(form, today)
    if wrong or form.birth_date is None or form.sex is None:
        return None, wrong
    return Identity(form.document_type, number, form.birth_date, form.sex), []


def _check_birth(form: Form, today: date) -> list[FieldError]:
    if form.document_type in TELLS_BIRTH:
        return []
    wrong = []
    if form.birth_date is None:
        wrong.append(FieldError("/birth_date", "required", "该证件类型须填写出生日期"))
    elif form.birth_date > today:
        wrong.append(FieldError("/birth_date", "born-in-the-future", "出生日期不能晚于今天"))
    elif form.birth_date.year < today.year - OLDEST_YEARS:
        wrong.append(FieldError("/birth_date", "born-too-long-ago", "出生日期有误"))
    if form.sex is None:
        wrong.append(FieldError("/sex", "required", "该证件类型须填写性别"))
    return wrong


def _disagreements(form: Form, told: Identity) -> list[FieldError]:
    wrong = []
    if form.birth_date not in (None, told.birth_date):
        wrong.append(FieldError("/birth_date", "not-as-document", "出生日期与证件号码不一致"))
    if form.sex not in (None, told.sex):
        wrong.append(FieldError("/sex", "not-as-document", "性别与证件号码不一致"))
    return wrong


def _pattern(
    pointer: str, pattern: re.Pattern[str], text: str, code: str, message: str
) -> list[FieldError]:
    return [] if pattern.fullmatch(text) else [FieldError(pointer, code, message)]


def _refused(pointer: str, check: Callable[[], object]) -> list[FieldError]:
    try:
        check()
    except Refusal as refusal:
        return [FieldError(pointer, refusal.code, refusal.message)]
    return []
