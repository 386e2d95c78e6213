"""By which way did somebody sign in, was it from elsewhere, and how long is it remembered?"""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from enum import StrEnum
from typing import Final

from servicekit.errors import Conflict, NotFound

KEPT_FOR: Final = timedelta(days=180)  # 网络安全法 21: logs at least six months
NAMELESS_KEPT_FOR: Final = timedelta(days=1)  # tries at names that nobody has
KNOWN_FOR: Final = timedelta(days=90)  # a place is familiar so long after the last login from it
TOLD_AGAIN_AFTER: Final = timedelta(days=1)
MANY_FAILURES: Final = 10  # in one hour; then the owner is told
FAILURES_IN: Final = timedelta(hours=1)

_V4_PLACE: Final = 24  # bits: a neighbourhood's or an office's addresses
_V6_PLACE: Final = 48


class Way(StrEnum):
    """How somebody showed who they are."""

    PASSWORD = "password"  # noqa: S105 - 账号密码
    SMS_CODE = "sms-code"  # 短信验证码
    PASSKEY = "passkey"  # 通行密钥
    PROVINCE = "province"  # 省统一身份认证
    SOCIAL_CARD = "social-card"  # 电子社保卡
    LICENCE = "licence"  # 电子营业执照
    BANK_CERTIFICATE = "bank-certificate"  # 网银证书
    CA_CERTIFICATE = "ca-certificate"  # CA 证书

    @property
    def label(self) -> str:
        """What the owner reads."""
        return _LABELS[self]


class Outcome(StrEnum):
    """What became of it."""

    SIGNED_IN = "signed-in"  # 登录成功
    WRONG = "wrong"  # 用户名、密码或验证码错误
    WRONG_SECOND_FACTOR = "wrong-second-factor"  # 第二验证因素错误
    LOCKED = "locked"  # 账号已锁定

    @property
    def label(self) -> str:
        """What the owner reads."""
        return _OUTCOMES[self]


_LABELS: Final = {
    Way.PASSWORD: "账号密码",
    Way.SMS_CODE: "短信验证码",
    Way.PASSKEY: "通行密钥",
    Way.PROVINCE: "省统一身份认证",
    Way.SOCIAL_CARD: "电子社保卡",
    Way.LICENCE: "电子营业执照",
    Way.BANK_CERTIFICATE: "网银证书",
    Way.CA_CERTIFICATE: "CA 证书",
}
_OUTCOMES: Final = {
    Outcome.SIGNED_IN: "登录成功",
    Outcome.WRONG: "验证失败",
    Outcome.WRONG_SECOND_FACTOR: "第二验证因素错误",
    Outcome.LOCKED: "账号已锁定",
}
# RFC 8176; a certificate and a passkey are keys the person holds, a passkey also asks for a PIN.
AMR_OF: Final[dict[Way, tuple[str, ...]]] = {
    Way.PASSWORD: ("pwd",),
    Way.SMS_CODE: ("sms",),
    Way.PASSKEY: ("hwk", "user"),
    Way.PROVINCE: ("fed",),
    Way.SOCIAL_CARD: ("fed",),
    Way.LICENCE: ("fed",),
    Way.BANK_CERTIFICATE: ("hwk", "pin"),
    Way.CA_CERTIFICATE: ("hwk", "pin"),
}


class NoLogin(NotFound):
    """No such entry, or not the caller's."""

    code = "login-not-found"
    default_message = "未找到该登录记录"


class NotDisownable(Conflict):
    """Only another login that succeeded can have been somebody else's."""

    code = "login-not-disownable"
    default_message = "只能对其他成功的登录提出“不是我”；如需退出本次登录，请直接退出"


def place_of(address: str) -> str:
    """The neighbourhood an address belongs to; an address that is none is its own place."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    bits = _V4_PLACE if parsed.version == ipaddress.IPV4LENGTH // 8 else _V6_PLACE
    return str(ipaddress.ip_network((parsed, bits), strict=False))


def is_elsewhere(*, known_device: bool, known_place: bool, first: bool) -> bool:
    """Is the owner told (ID-08)? Not of the first login, a known device or a familiar place."""
    return not (first or known_device or known_place)


def check_disownable(outcome: Outcome, *, is_present: bool) -> None:
    """Refuse what cannot have been a stranger's success.

    Raises:
        NotDisownable: a failure, or the very session that asks.
    """
    if outcome is not Outcome.SIGNED_IN or is_present:
        raise NotDisownable
