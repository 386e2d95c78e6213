"""When is a password good for a login, and when must it be replaced first?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from identity.pace import Pace
from servicekit.errors import FieldError, Invalid, TooMany

ONE_TIME_LIFE: Final = timedelta(hours=24)  # 短信中的一次性密码
# Whoever tries is signed in; the session may be a thief's.
CONFIRMING: Final = Pace(
    "confirm-password", free=4, first=timedelta(minutes=1), slowest=timedelta(minutes=15)
)
WRONG: Final = FieldError("/current_password", "current-password-wrong", "当前密码不正确")


class PasswordRefused(Invalid):
    """The present password is wrong, or the new one is not good enough or not typed twice."""

    code = "new-password-refused"


class ConfirmSlowDown(TooMany):
    """The present password was guessed at too often."""

    code = "confirm-slowed-down"
    default_message = "密码输入错误次数过多，请稍后再试"


@dataclass(frozen=True, slots=True)
class Condition:
    """What is the matter with a password, beside being right or wrong."""

    expires_at: datetime | None = None
    distrusted_at: datetime | None = None

    def is_over(self, *, now: datetime) -> bool:
        """A one-time password nobody used in time is worth nothing."""
        return self.expires_at is not None and self.expires_at <= now
