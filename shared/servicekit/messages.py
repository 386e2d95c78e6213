"""The sentences of the official manuals, word for word, each under a code that never changes.

Typing errors of the manuals are corrected in ``text``; what the manual printed stands in
``aliases``, so that a person who searches for the sentence on the old screen finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence for people, and the manuals (by their first three digits) it comes from."""

    code: str
    text: str
    seeds: tuple[str, ...]
    aliases: tuple[str, ...] = ()


_ALL: dict[str, Message] = {}


def _message(code: str, text: str, seeds: str, *aliases: str) -> Message:
    if code in _ALL:
        raise ValueError(f"{code} is written twice")
    _ALL[code] = Message(code, text, tuple(seeds.split()), aliases)
    return _ALL[code]


EXTERNAL_UNAVAILABLE: Final = _message(
    "external-unavailable", "外厅局接口异常，请联系业务部门!", "000"
)
REALNAME_LEVEL_TOO_LOW: Final = _message(
    "realname-level-too-low",
    "当前账号实名等级不足，请至少提升至二级实名后重试",
    "001 003 004",
)
UNIT_LEVEL_TOO_LOW: Final = _message(
    "unit-level-too-low",
    '当前省统一身份认证用户实名等级不足，单位用户最低实名等级为"L3"级，'
    "请点击【确认】按钮按照引导提升实名等级",
    "001 003",
    "前省统一身份认证用户实名等级不足，单位用户最低实名等级为”L3”级，"
    "请点击【确认】按钮按照引导提升实名等级",
    "前省统一身份认证用户实名等级不足，单位用户最低实名等级为”L3”级，"
    "请点击[确认]按钮按照引导提升实名等级",
)
USERNAME_TAKEN: Final = _message("username-taken", "用户名已被使用", "001 003")
PERSON_ID_TAKEN: Final = _message("person-id-taken", "自然人证件号码已被使用", "001 003")
UNIT_ID_TAKEN: Final = _message("unit-id-taken", "单位证件号码已经被使用", "001 003")
ID_EXISTS: Final = _message("id-exists", "证件号已存在", "004")
PERSON_RECORD_CONFLICT: Final = _message(
    "person-record-conflict",
    "【自然人用户信息】数据错误",
    "001 003",
    "[自然人用户信息]数据错误",
)
USCC_ACCOUNT_REQUIRED: Final = _message(
    "uscc-account-required", "请使用统一社会信用代码注册的账号登录办理业务", "001 003"
)
BIND_USER_NOT_FOUND: Final = _message(
    "bind-user-not-found",
    "未查询到对应用户，请检查用户信息后重新发起绑定",
    "001 003",
    "未查型对应用户，请检查用户信息后重新发超绑定",
)
LOGIN_FAILED: Final = _message(
    "login-failed", "用户名或密码错误", "001 003", "用户名或者密码错误", "登录用户名或密码错误"
)
UNIT_DATA_WRONG: Final = _message(
    "unit-data-wrong",
    "办理业务时如获取单位信息有误，或无法保存，请联系当地人社部门修改或补全单位信息",
    "000",
)
ONLY_UNEMPLOYED_CHANGE_PLACE: Final = _message(
    "service-place-rule",
    "只有失业人员能变更服务地,变更后直接生效,无需审核,但30天内只能修改一次。",
    "000",
    "只有失业人员能变更服务地，变更后直接生效，无需审核，但30天内只能修改一次。",
)
ONLY_APPROVED_CAN_BE_CANCELLED: Final = _message(
    "only-approved-can-be-cancelled", "只有审核通过的申请可以注销记录。", "000"
)
DELEGATE_REQUIRED: Final = _message(
    "delegate-required",
    "法人账号本身不能用于办理相关业务，必须将经办权限授予个人账号（已实名认证的）",
    "001",
)
PERSONAL_SESSION_REQUIRED: Final = _message(
    "personal-session-required", "个人办理业务需使用个人账户登录。", "000"
)
REVIEW_TAKES_TWO_DAYS: Final = _message(
    "account-review-time",
    "管理员审核用户信息（1-2个工作日），审核通过后，将账号以短信通知方式通知用户。",
    "001 003",
)
USCC_CANNOT_CHANGE: Final = _message(
    "uscc-cannot-change",
    "已注册成功的单位统一社会信用代码不提供修改功能，"
    "如需使用新的统一社会信用代码，请重新注册单位账户。",
    "001 003",
)
USCC_WITHOUT_SPACES: Final = _message(
    "uscc-without-spaces", "统一社会信用代码填写时不要带空格", "001 003"
)
ONE_NUMBER_REGISTERS_ONCE: Final = _message(
    "one-number-registers-once",
    "一个身份证号码只能注册一次，成功注册后身份证号码和用户名将不能修改。",
    "002",
)
ONE_CARD_APPLICATION: Final = _message(
    "one-card-application",
    "在人才绿卡个人申报业务操作中，一次申请后直到该业务办结才能再次申请。",
    "002",
)

CATALOGUE: Final = tuple(_ALL.values())


def text_of(code: str) -> str:
    """The sentence of a code; ``KeyError`` when there is none."""
    return _ALL[code].text


def find(sentence: str) -> Message | None:
    """The message a person means who types a sentence as it stood in a manual or on a screen."""
    for message in CATALOGUE:
        if sentence in (message.text, *message.aliases):
            return message
    return None
