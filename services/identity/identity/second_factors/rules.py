"""What may be added to a login, how many of it, and when is it right?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from servicekit.errors import Conflict, FieldError, Invalid, NotFound

TOTP_STEP_SECONDS: Final = 30  # RFC 6238
TOTP_WINDOW: Final = 1  # steps before and after; clocks of telephones are half a minute off
RECOVERY_CODES: Final = 10
RECOVERY_GROUP: Final = 5
RECOVERY_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"  # without look-alikes; 49 bits
MOST_PASSKEYS: Final = 10
CHALLENGE_LIFE: Final = timedelta(minutes=5)
LONGEST_LABEL: Final = 30
NEVER_MARKED: Final = 0  # authenticators without a counter always say nought

_CODE: Final = re.compile(r"[0-9a-z]{10}")


class FactorRefused(Invalid):
    """The code is wrong, or what the browser brought is no good."""

    code = "second-factor-refused"


class FactorConflict(Conflict):
    """It is on already, or not yet, or there are too many."""

    code = "second-factor-conflict"
    default_message = "当前状态下不能进行此操作"


class NoPasskey(NotFound):
    """No such passkey, or not the caller's."""

    code = "passkey-not-found"
    default_message = "未找到该通行密钥"


class PasskeyRefused(Invalid):
    """The signature, the origin or the challenge is not right."""

    code = "passkey-refused"
    default_message = "通行密钥验证未通过，请重试或改用其他登录方式"


WRONG_CODE: Final = FieldError(
    "/code", "totp-wrong", "动态验证码错误或已使用，请输入身份验证器中新的验证码"
)


def plain_recovery_code(typed: str) -> str | None:
    """A recovery code as it is compared; None when it cannot be one."""
    plain = "".join(typed.split()).replace("-", "").lower()
    return plain if _CODE.fullmatch(plain) else None


def shown_recovery_code(plain: str) -> str:
    """The same as it is written down: two groups of five."""
    return f"{plain[:RECOVERY_GROUP]}-{plain[RECOVERY_GROUP:]}"


def check_label(label: str) -> str:
    """What the owner calls a passkey.

    Raises:
        FactorRefused: empty or too long.
    """
    name = label.strip()
    if not 0 < len(name) <= LONGEST_LABEL:
        text = f"请为通行密钥取一个不超过 {LONGEST_LABEL} 个字的名称"
        raise FactorRefused(fields=[FieldError("/label", "label-malformed", text)])
    return name


def is_copied(*, seen: int, kept: int) -> bool:
    """Did a passkey's counter go back? Then there are two of it (WebAuthn 6.1.1)."""
    return seen <= kept and max(seen, kept) > NEVER_MARKED
