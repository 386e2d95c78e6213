"""How long a login, a code and a token live, and what may replace what?"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from identity.pace import Pace
from servicekit import messages
from servicekit.errors import NotFound, TooMany, Unauthenticated

TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - RFC 8693
AUDIENCE: Final = "urn:jiuye:api"
ACCESS_LIFE: Final = timedelta(seconds=300)
ID_TOKEN_LIFE: Final = timedelta(seconds=300)
CODE_LIFE: Final = timedelta(seconds=60)  # ASVS 10.4.3
REFRESH_GRACE: Final = timedelta(seconds=30)  # a lost answer may be asked for again
IDLE: Final = timedelta(minutes=30)  # 等保 b), ASVS 7.3.1
LONGEST: Final = timedelta(hours=12)  # ASVS 7.3.2
SECOND_STEP_LIFE: Final = timedelta(minutes=5)
SECOND_STEP_TRIES: Final = 5
SEEN_EVERY: Final = timedelta(minutes=1)  # how exactly last_seen_at is kept

KEY_ACTIVE_FOR: Final = timedelta(days=30)
KEY_PUBLISHED_BEFORE: Final = timedelta(hours=1)  # ≥ 2 × the max-age of the JWKS
KEY_KEPT_AFTER: Final = timedelta(hours=24)  # longer than any id token is used as a hint
JWKS_MAX_AGE: Final = timedelta(minutes=5)

# What systems' clients may be given (client_credentials), each by name and never by default.
SYSTEM_SCOPES: Final = ("accounts.match", "notices", "revocations", "snapshots")
TEST_SCOPES: Final = ("notices.test",)  # beside notices, a test key: nothing is sent (ID-48)
TOKEN_SCOPES: Final = ("openid", "profile", "real_name", "phone", "offline_access")

# ID-08: a person mistypes; from the fourth failure on the name is closed for 1, 2, 4 … seconds,
# at most a quarter of an hour. The same for names that nobody has.
GUESSING: Final = Pace("sign-in", free=4, first=timedelta(seconds=1), slowest=timedelta(minutes=15))
# Strangers from many places share these, so that a thousand addresses guess no faster; a device
# the owner has signed in from is not among them, and neither are codes and passkeys.
GUESSING_ANYWHERE: Final = Pace(
    "sign-in-anywhere", free=40, first=timedelta(minutes=1), slowest=timedelta(minutes=15)
)
# Whoever gets here knows the password; the codes are six digits, so the whole account waits.
SECOND_GUESSING: Final = Pace(
    "second-factor", free=6, first=timedelta(minutes=1), slowest=timedelta(minutes=15)
)


class Stage(StrEnum):
    """What is still owed after the password was right."""

    SECOND_FACTOR = "second-factor"  # officers and admins, always (ID-45)
    PHONE_CODE = "phone-code"  # a password its owner distrusts opens nothing alone
    NEW_PASSWORD = "new-password"  # noqa: S105 - a stage; one-time passwords are changed at once
    AGREEMENTS = "agreements"  # a new version was published since the owner last agreed


class EndReason(StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    OWNER = "ended-by-owner"
    REFRESH_REUSE = "refresh-reuse"
    CODE_REPLAY = "code-replay"
    LOCKED = "account-locked"
    REPLACED = "signed-in-again"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - a reason
    CANCELLED = "account-cancelled"
    DUTIES_CHANGED = "duties-changed"
    DISOWNED = "disowned"  # the owner said: this wasn't me
    FROZEN = "unit-frozen"  # the legal representative objected (EA-12)


class WrongCredentials(Unauthenticated):
    """Name or password, never telling which."""

    code = messages.LOGIN_FAILED.code
    default_message = messages.LOGIN_FAILED.text


class SlowDown(TooMany):
    """This name was guessed at too often; the same for names that do not exist (ID-08)."""

    code = "sign-in-slowed-down"
    default_message = "登录失败次数过多，请稍后再试"


class NoSession(NotFound):
    """No such session, or not the caller's."""

    code = "session-not-found"
    default_message = "未找到该登录会话"


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """What decides whether a session lives."""

    created_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None


def is_alive(session: SessionTimes, *, now: datetime) -> bool:
    """Not ended, not idle for thirty minutes, not older than twelve hours."""
    return (
        session.ended_at is None
        and now - session.last_seen_at < IDLE
        and now - session.created_at < LONGEST
    )


def new_secret() -> str:
    """256 random bits, for cookies, codes and refresh tokens."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """How a random secret is stored; it needs no salt and no stretching."""
    return hashlib.sha256(secret.encode()).digest()


def check_return_to(path: str, prefix: str) -> str | None:
    """The path, when it leads back to our own authorization endpoint and nowhere else.

    An absolute address, ``//host``, a backslash or a control character would be an open redirect.
    """
    if not path.startswith(prefix + "?") or "\\" in path or not path.isprintable():
        return None
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc else None


def acr_of(*, level: int, second_factor: bool) -> str:
    """The level of a person; for officers the strength of the login."""
    return "urn:gdhrss:aal:2" if second_factor else f"urn:gdhrss:ial:{level}"


def unit_acr(level: int) -> str:
    """The province's level of a unit: 2 is not verified, 3, 4 and 5 were L1, L2 and L3."""
    return f"urn:gdprov:ial:{level}"


def granted_scopes(asked: str | None, allowed: Sequence[str]) -> str:
    """What was asked for and may be had, in the client's order of asking."""
    wanted = (asked or "openid").split()
    return " ".join(dict.fromkeys(s for s in wanted if s in allowed))
