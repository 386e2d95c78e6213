"""How long a code lives, how often one may be asked for, and how often it may be guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from identity.pace import Limit
from servicekit.errors import FieldError, Forbidden, Invalid, TooMany, Unauthenticated

LIFE: Final = timedelta(minutes=5)  # ASVS 6.5.5: at most ten
MOST_TRIES: Final = 5
DIGITS: Final = 6
DAY: Final = timedelta(days=1)
PAUSE: Final = timedelta(seconds=60)  # between two codes to one phone


class Purpose(StrEnum):
    """What a code is good for; it opens nothing else."""

    REGISTRATION = "registration"  # 注册
    SIGN_IN = "sign-in"  # 短信验证码登录
    RECOVERY = "recovery"  # 找回用户名或密码
    BANK_CARD_CHECK = "bank-card-check"  # 银联实名认证
    CHANGE_PHONE = "change-phone"  # 更换手机号码
    CHANGE_EMAIL = "change-email"  # 更换电子邮箱；good with a code on the account's own phone
    UNIT_REGISTRATION = "unit-registration"  # 单位注册；sent to the agent's own phone
    OWN_PHONE = "own-phone"  # 确认本人操作；sent to the account's phone on the way in


# Visitors ask for these; what they may open is their own phone's.
FOR_VISITORS: Final = frozenset({Purpose.REGISTRATION, Purpose.SIGN_IN, Purpose.RECOVERY})
# Bound to the account that asked: another person's session cannot use the code.
FOR_OWNERS: Final = frozenset({Purpose.BANK_CARD_CHECK, Purpose.CHANGE_PHONE, Purpose.CHANGE_EMAIL})


class SignInFirst(Unauthenticated):
    """Codes for this purpose go to people who are signed in (ID-18)."""

    code = "login-needed"
    default_message = "请先登录"


class NotForAsking(Forbidden):
    """A code of this purpose is sent by its own step, never on request."""

    code = "sms-purpose-not-for-asking"
    default_message = "该验证码只能在相应的办理步骤中获取"


def check_purpose(purpose: Purpose, *, signed_in: bool) -> None:
    """May this be asked for by this asker?

    Raises:
        SignInFirst, NotForAsking: no.
    """
    if purpose in FOR_OWNERS and not signed_in:
        raise SignInFirst
    if purpose not in FOR_VISITORS | FOR_OWNERS:
        raise NotForAsking


class TooManyCodes(TooMany):
    """This phone or this address has asked too often (ID-18)."""

    code = "too-many-sms-codes"
    default_message = "验证码获取过于频繁，请稍后再试"


class CodeRefused(Invalid):
    """This is no phone one can send a code to."""

    code = "sms-code-refused"
    default_message = "手机号码有误，请核对后重新填写"


WRONG_CODE: Final = FieldError(
    "/sms_code", "sms-code-wrong", "短信验证码错误或已失效，请核对或重新获取"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many codes may be asked for (ID-18).

    Who is known to hold the phone (signed in to its account, or in a browser that account has
    signed in from) has an allowance apart: a stranger who uses up a number's codes leaves the
    owner's. One place gets half of what strangers get for a number, so that a second place still
    can; all places together end where a bombed telephone would begin.
    """

    per_phone_day: int = 10
    per_address_hour: int = 30
    per_address_day: int = 200
    everybody_day: int = 100_000

    def pause(self) -> tuple[Limit, ...]:
        """A phone waits a minute before the same asker gets a code for the same thing again."""
        return (Limit("phone-pause", 1, PAUSE),)

    def of_owner(self) -> tuple[Limit, ...]:
        """What the one who holds the phone gets a day, whatever others asked for."""
        return (Limit("phone-owner-day", self.per_phone_day, DAY),)

    def of_place(self) -> tuple[Limit, ...]:
        """What strangers in one place get a day for one number."""
        return (Limit("phone-place-day", max(1, self.per_phone_day // 2), DAY),)

    def of_phone(self) -> tuple[Limit, ...]:
        """What strangers get a day for one number: fewer in any hour than in a day."""
        return (
            Limit("phone-hour", max(1, self.per_phone_day // 2), timedelta(hours=1)),
            Limit("phone-day", self.per_phone_day, DAY),
        )

    def of_address(self) -> tuple[Limit, ...]:
        """An address stands for a whole service hall, so its limits are wide."""
        return (
            Limit("address-hour", self.per_address_hour, timedelta(hours=1)),
            Limit("address-day", self.per_address_day, DAY),
        )

    def of_strangers(self) -> tuple[Limit, ...]:
        """Nine tenths of the day's budget; the rest is the owners'."""
        return (Limit("strangers-day", self.everybody_day * 9 // 10, DAY),)

    def of_everybody(self) -> tuple[Limit, ...]:
        """The day's budget of the SMS account."""
        return (Limit("everybody-day", self.everybody_day, DAY),)
