"""Which channels sign whom in, and when is a first login more than a login?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from identity.login_history.rules import Way
from identity.verification.rules import CHANNEL_NAMES, L2, Channel
from servicekit import messages
from servicekit.errors import Conflict, Forbidden, Invalid, TooMany
from servicekit.identifiers import DocumentKind

WAYS: Final[Mapping[Channel, Way]] = {
    Channel.PROVINCE: Way.PROVINCE,
    Channel.SOCIAL_CARD: Way.SOCIAL_CARD,
    Channel.LICENCE: Way.LICENCE,
    Channel.NET_BANK: Way.BANK_CERTIFICATE,
    Channel.CERTIFICATE: Way.CA_CERTIFICATE,
}
# Whose logins (ID-09, ID-30); of the province's accounts the province says it.
KINDS: Final[Mapping[Channel, str]] = {
    Channel.PROVINCE: "",  # either
    Channel.SOCIAL_CARD: "person",
    Channel.LICENCE: "unit",
    Channel.NET_BANK: "unit",
    Channel.CERTIFICATE: "unit",
}
TITLES: Final[Mapping[Channel, str]] = {
    **CHANNEL_NAMES,
    Channel.PROVINCE: "省统一身份认证登录",
    Channel.SOCIAL_CARD: "电子社保卡扫码登录",
    Channel.LICENCE: "电子营业执照扫码登录",
    Channel.NET_BANK: "网银证书登录",
    Channel.CERTIFICATE: "CA证书登录",
}
_PERMIT_REGIONS: Final = frozenset({"81", "82", "83"})  # 港澳台居民居住证
STRAIGHT_THROUGH: Final = L2  # ID-29: 四级及以上直接进入


class NotForLogin(Invalid):
    """Nobody signs in through this channel."""

    code = "channel-signs-nobody-in"
    default_message = "该方式不能用于登录，请选择其他登录方式"


class TooManyStarts(TooMany):
    """One address began too many."""

    code = "too-many-channel-starts"
    default_message = "请求过于频繁，请稍后再试"


class TwoAccounts(Conflict):
    """The person holds two accounts (ID-05)."""

    code = messages.PERSON_RECORD_CONFLICT.code
    default_message = f"{messages.PERSON_RECORD_CONFLICT.text}，请联系账号管理员注销一个账号"


class NameDiffers(Conflict):
    """The number is registered here under another name."""

    code = "federated-name-differs"
    default_message = "姓名与已注册账号的实名信息不一致，请使用账号密码登录后重新核验"


class NoPhone(Forbidden):
    """The channel told no usable phone; an account cannot be made without."""

    code = "federated-phone-missing"
    default_message = "该方式未提供有效的手机号码，请先注册个人账号，之后即可使用该方式登录"


def check_for_login(channel: Channel) -> None:
    """Refuse channels nobody signs in through."""
    if channel not in WAYS:
        raise NotForLogin


def document_kind(number: str) -> DocumentKind:
    """Of which document the number is; residence permits (港澳台居民居住证) have their own."""
    permit = number[:2] in _PERMIT_REGIONS
    return DocumentKind.HMT_RESIDENCE_PERMIT if permit else DocumentKind.RESIDENT_CARD


def needs_raise(level: int) -> bool:
    """Is a unit from the province below what it goes straight through with?"""
    return level < STRAIGHT_THROUGH
