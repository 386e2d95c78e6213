"""What raises a person's level, how high, for how long, and how often it may be tried?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from identity.pace import Limit, Pace
from servicekit import messages
from servicekit.clock import SHANGHAI
from servicekit.errors import Conflict, FieldError, Invalid, TooMany, Unavailable

REGISTERED: Final = 1  # 一级：已注册
PROVED: Final = 2  # 二级：一种方式核实身份
PROVED_IN_PERSON: Final = 3  # 三级：人脸识别或现场核验

MOST_A_DAY: Final = 10  # 银联核验：每日 10 次，次日零时恢复
MOST_IN_A_ROW: Final = 3  # 连续 3 次失败即锁定
LOCK: Final = timedelta(hours=12)
PACE: Final = Pace("bank-card", free=MOST_IN_A_ROW, first=LOCK, slowest=LOCK)


class Channel(StrEnum):
    """How an identity can be proved (ID-06)."""

    BANK_CARD = "bank-card"  # 银联实名认证


LEVEL_OF: Final = {Channel.BANK_CARD: PROVED}


class BankAnswer(StrEnum):
    """The result codes of the four-element check, as the acquirer documents them."""

    SAME = "0"  # 一致
    DIFFERENT = "1"  # 不一致
    NO_SUCH_CARD = "2"  # 无效卡号
    CARD_UNUSABLE = "3"  # 卡状态异常
    CARD_RESTRICTED = "5"  # 受限制的卡
    FAILED = "9"  # 失败


# Only these say something about the person's input; 9 is the system's own trouble.
WRONG_INPUT: Final = {
    BankAnswer.DIFFERENT: ("bank-card-different", "姓名、证件号码、银行卡号与预留手机号码不一致"),
    BankAnswer.NO_SUCH_CARD: ("bank-card-unknown", "银行卡号无效，请核对后重试"),
    BankAnswer.CARD_UNUSABLE: ("bank-card-unusable", "该银行卡状态异常，请换一张本人的银行卡"),
    BankAnswer.CARD_RESTRICTED: (
        "bank-card-restricted",
        "该银行卡不支持核验，请换一张本人的银行卡",
    ),
}


class CheckFailed(Invalid):
    """The channel says no, and why."""

    code = "verification-failed"
    default_message = "实名认证未通过"


class CheckForm(Invalid):
    """The form is wrong before anybody outside is asked."""

    code = "verification-refused"
    default_message = "填写的内容有误，请按提示修改"


class ChannelClosed(TooMany):
    """Tried too often, or wrong three times in a row."""

    code = "verification-closed"
    default_message = "实名认证尝试次数过多，请稍后再试或选择其他认证方式"


class AlreadyProved(Conflict):
    """The level this channel gives is reached."""

    code = "level-already-reached"
    default_message = "您已达到该实名等级，无需重复认证"


class OutsideFailed(Unavailable):
    """The outside system did not answer, or answered nonsense; nothing was counted or kept."""

    code = messages.EXTERNAL_UNAVAILABLE.code
    default_message = messages.EXTERNAL_UNAVAILABLE.text


class EvidenceFacts(Protocol):
    """What the level is computed from."""

    @property
    def level(self) -> int: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def revoked_at(self) -> datetime | None: ...


def level_of(evidence: Iterable[EvidenceFacts], *, now: datetime) -> int:
    """The highest of the evidence that is still valid; registered when there is none."""
    valid = (
        e.level
        for e in evidence
        if e.revoked_at is None and (e.expires_at is None or e.expires_at > now)
    )
    return max(valid, default=REGISTERED)


def check_needed(level: int, channel: Channel) -> None:
    """Refuse to spend a check that cannot raise anything."""
    if level >= LEVEL_OF[channel]:
        raise AlreadyProved


def check_answer(code: str) -> None:
    """Refuse what the bank refused (ID-06).

    Raises:
        CheckFailed: the person's input is wrong.
        OutsideFailed: the bank's side failed, or says something unknown.
    """
    if code == BankAnswer.SAME:
        return
    for answer, (name, text) in WRONG_INPUT.items():
        if code == answer:
            raise CheckFailed(fields=[FieldError("/card_number", name, text)])
    raise OutsideFailed


def day_limit(now: datetime) -> Limit:
    """The allowance until the next midnight in China."""
    local = now.astimezone(SHANGHAI)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return Limit("bank-card-day", MOST_A_DAY, midnight - local)
