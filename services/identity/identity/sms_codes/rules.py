"""How long a code lives, how often one may be asked for, and how often it may be guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from identity.pace import Limit
from servicekit.errors import FieldError, Invalid, TooMany

LIFE: Final = timedelta(minutes=5)  # ASVS 6.5.5: at most ten
MOST_TRIES: Final = 5
DIGITS: Final = 6
PAUSE: Final = timedelta(seconds=60)  # between two codes to one phone


class Purpose(StrEnum):
    """What a code is good for; it opens nothing else."""

    REGISTRATION = "registration"  # 注册
    BANK_CARD_CHECK = "bank-card-check"  # 银联实名认证
    CHANGE_PHONE = "change-phone"  # 更换手机号码
    UNIT_REGISTRATION = "unit-registration"  # 单位注册；sent to the agent's own phone


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
    """How many codes may be asked for (ID-18); what is refused is not counted against others."""

    per_phone_day: int = 10
    per_address_hour: int = 30
    per_address_day: int = 200
    everybody_day: int = 100_000

    def of_purpose(self) -> tuple[Limit, ...]:
        """A phone waits a minute before it asks for the same thing again."""
        return (Limit("phone-pause", 1, PAUSE),)

    def of_phone(self) -> tuple[Limit, ...]:
        """What one phone gets a day, whatever for."""
        return (Limit("phone-day", self.per_phone_day, timedelta(days=1)),)

    def of_address(self) -> tuple[Limit, ...]:
        """An address stands for a whole service hall, so its limits are wide."""
        return (
            Limit("address-hour", self.per_address_hour, timedelta(hours=1)),
            Limit("address-day", self.per_address_day, timedelta(days=1)),
        )

    def of_everybody(self) -> tuple[Limit, ...]:
        """The day's budget of the SMS account."""
        return (Limit("everybody-day", self.everybody_day, timedelta(days=1)),)
