"""What raises a level, on which scale, how high, for how long, and how often it may be tried?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from identity.pace import Limit, Pace
from servicekit.clock import SHANGHAI
from servicekit.errors import Conflict, FieldError, Invalid, NotFound, OutsideFailed, TooMany

REGISTERED: Final = 1  # 一级：已注册
PROVED: Final = 2  # 二级：一种方式核实身份
PROVED_IN_PERSON: Final = 3  # 三级：人脸识别或现场核验

UNIT_REGISTERED: Final = 2  # 省二级：仅核验信息组成规则
L1: Final = 3  # 省三级（原 L1）
L2: Final = 4  # 省四级（原 L2）
L3: Final = 5  # 省五级（原 L3）

MOST_A_DAY: Final = 10  # 银联核验：每日 10 次，次日零时恢复
MOST_IN_A_ROW: Final = 3  # 连续 3 次失败即锁定
LOCK: Final = timedelta(hours=12)
PACE: Final = Pace("bank-card", free=MOST_IN_A_ROW, first=LOCK, slowest=LOCK)

QR_LIFE: Final = timedelta(minutes=5)  # 电子营业执照：二维码有效期 5 分钟
SIGNATURE_LIFE: Final = timedelta(minutes=10)  # PIN and token take people a while
REDIRECT_LIFE: Final = timedelta(minutes=15)
POLL_EVERY: Final = timedelta(seconds=2)
SIGNATURE_TRIES: Final = 5
# Per address, which may be a whole hall.
STARTS: Final = Limit("channel-start", 120, timedelta(minutes=10))


class Scale(StrEnum):
    """The two scales; a level of one says nothing on the other but by ``PROV_TO_HRSS``."""

    HRSS = "hrss"  # 人社实名等级 一/二/三级
    PROV = "prov"  # 省可信等级 二/三/四/五级


class Channel(StrEnum):
    """How an identity can be proved (ID-06, ID-24)."""

    BANK_CARD = "bank-card"  # 银联实名认证
    SOCIAL_CARD = "social-card"  # 电子社保卡扫码
    PROVINCE = "province"  # 省统一身份认证（粤省事扫码）
    FACE = "face"  # 人脸识别（小程序）
    ON_SITE = "on-site"  # 办事大厅现场核验
    LEGAL_PERSON_BASE = "legal-person-base"  # 法人基础库核验
    NET_BANK = "net-bank-certificate"  # 企业/单位网银证书核验
    LICENCE = "business-licence"  # 电子营业执照核验
    CERTIFICATE = "ca-certificate"  # 企业/单位CA证书核验


@dataclass(frozen=True, slots=True)
class Effect:
    """What success of a channel is worth to one kind of account."""

    scale: Scale
    level: int


_PERSON: Final = "person"
_UNIT: Final = "unit"
# The province states a level of its own with every login; what stands here is the least it takes.
EFFECTS: Final[Mapping[tuple[Channel, str], Effect]] = {
    (Channel.BANK_CARD, _PERSON): Effect(Scale.HRSS, PROVED),
    (Channel.SOCIAL_CARD, _PERSON): Effect(Scale.HRSS, PROVED),
    (Channel.PROVINCE, _PERSON): Effect(Scale.PROV, L1),
    (Channel.FACE, _PERSON): Effect(Scale.HRSS, PROVED_IN_PERSON),
    (Channel.ON_SITE, _PERSON): Effect(Scale.HRSS, PROVED_IN_PERSON),
    (Channel.LEGAL_PERSON_BASE, _UNIT): Effect(Scale.PROV, L1),
    (Channel.NET_BANK, _UNIT): Effect(Scale.PROV, L2),
    (Channel.LICENCE, _UNIT): Effect(Scale.PROV, L2),
    (Channel.PROVINCE, _UNIT): Effect(Scale.PROV, L1),
    (Channel.CERTIFICATE, _UNIT): Effect(Scale.PROV, L3),
    (Channel.ON_SITE, _UNIT): Effect(Scale.PROV, L3),
}
# What a person's level at the province is worth here. 二级 there is unchecked; from 三级 on name
# and number agree with the population base. 三级 here asks for a face we or an officer saw, so
# nothing the province says reaches it. There is no table for the other direction.
PROV_TO_HRSS: Final[Mapping[int, int]] = {2: REGISTERED, L1: PROVED, L2: PROVED, L3: PROVED}
OWN_SCALE: Final = {_PERSON: Scale.HRSS, _UNIT: Scale.PROV}
FLOOR: Final = {Scale.HRSS: REGISTERED, Scale.PROV: UNIT_REGISTERED}
HIGHEST: Final = {Scale.HRSS: PROVED_IN_PERSON, Scale.PROV: L3}
LEVEL_NAMES: Final[Mapping[Scale, Mapping[int, str]]] = {
    Scale.HRSS: {1: "一级", 2: "二级", 3: "三级"},
    Scale.PROV: {2: "二级", L1: "三级（L1）", L2: "四级（L2）", L3: "五级（L3）"},
}
CHANNEL_NAMES: Final[Mapping[Channel, str]] = {
    Channel.BANK_CARD: "银联实名认证",
    Channel.SOCIAL_CARD: "电子社保卡扫码",
    Channel.PROVINCE: "省统一身份认证（粤省事扫码）",
    Channel.FACE: "人脸识别",
    Channel.ON_SITE: "办事大厅现场核验",
    Channel.LEGAL_PERSON_BASE: "法人基础库核验",
    Channel.NET_BANK: "企业/单位网银证书核验",
    Channel.LICENCE: "电子营业执照核验",
    Channel.CERTIFICATE: "企业/单位CA证书核验",
}


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


class BaseCheckFailed(CheckFailed):
    """The legal-person base knows no such unit; it never tells which member differs."""

    code = "legal-person-base-differs"
    default_message = (
        "本次核验不成功，请确认您输入的单位名称和统一社会信用代码与登记管理部门签发的完全一致。"
        "法人基础库核验仅适用于在广东省内登记的单位，省外单位请选择其他核验方式"
    )


class SomebodyElse(CheckFailed):
    """The channel proved somebody, but not the holder of this account."""

    code = "verification-of-somebody-else"
    default_message = "核验通过的身份与当前账号的实名信息不一致，请使用本人（本单位）的凭证"


class CheckForm(Invalid):
    """The form is wrong before anybody outside is asked."""

    code = "verification-refused"
    default_message = "填写的内容有误，请按提示修改"


CARD_CONSENT: Final = "bank-card"  # 个人信息保护法 23, 29: a separate consent, by its version
FACE_CONSENT: Final = "face"  # 个人信息保护法 26, 29
# Asked for before the channel is begun; the bank card's is a tick of its own form.
CONSENT_BEFORE: Final[Mapping[Channel, str]] = {Channel.FACE: FACE_CONSENT}
CONSENT_NEEDED: Final = FieldError(
    "/consent", "consent-needed", "请阅读并单独同意《银行卡信息处理单独同意书》"
)


class ConsentMissing(CheckFailed):
    """The separate consent was not given, or was taken back before the result came."""

    code = "consent-needed"
    default_message = "您没有单独同意处理该方式所需的个人信息，或已撤回同意，核验结果不予使用"


class ChannelClosed(TooMany):
    """Tried too often, or wrong three times in a row."""

    code = "verification-closed"
    default_message = "实名认证尝试次数过多，请稍后再试或选择其他认证方式"


class AlreadyProved(Conflict):
    """The level this channel gives is reached."""

    code = "level-already-reached"
    default_message = "您已达到该实名等级，无需重复认证"


class NoSuchChannel(NotFound):
    """The channel does not exist, is switched off, or is not for this kind of account."""

    code = "channel-not-found"
    default_message = "该认证方式不适用于当前账号，请选择其他认证方式"


class NoEvidence(NotFound):
    """No such evidence of this account, or it is revoked already."""

    code = "evidence-not-found"
    default_message = "未找到该核验记录"


class EvidenceFacts(Protocol):
    """What the level is computed from."""

    @property
    def scale(self) -> Scale: ...
    @property
    def level(self) -> int: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def revoked_at(self) -> datetime | None: ...


def level_of(evidence: Iterable[EvidenceFacts], scale: Scale, *, now: datetime) -> int:
    """The highest on one scale of the evidence that is still valid; its floor without any."""
    counted = (_worth(e, scale) for e in evidence if is_valid(e, now=now))
    return max((level for level in counted if level is not None), default=FLOOR[scale])


def is_valid(evidence: EvidenceFacts, *, now: datetime) -> bool:
    """Neither revoked nor expired."""
    alive = evidence.expires_at is None or evidence.expires_at > now
    return evidence.revoked_at is None and alive


def _worth(evidence: EvidenceFacts, scale: Scale) -> int | None:
    if evidence.scale is scale:
        return max(evidence.level, FLOOR[scale])
    return PROV_TO_HRSS.get(evidence.level) if scale is Scale.HRSS else None


def effect_of(channel: Channel, kind: str) -> Effect:
    """What the channel is worth to an account of this kind.

    Raises:
        NoSuchChannel: nothing; it is for others.
    """
    effect = EFFECTS.get((channel, kind))
    if effect is None:
        raise NoSuchChannel
    return effect


def reaches(effect: Effect, kind: str) -> int:
    """The level on the account's own scale that success leads to, at least."""
    if effect.scale is OWN_SCALE[kind]:
        return effect.level
    return PROV_TO_HRSS[effect.level]


def check_needed(level: int, channel: Channel, kind: str = _PERSON) -> None:
    """Refuse to spend a check that cannot raise anything."""
    if level >= reaches(effect_of(channel, kind), kind):
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
