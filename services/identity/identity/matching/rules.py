"""When is somebody the person that is asked for, and how often may one ask?"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from identity.pace import Limit
from servicekit.errors import Invalid, NotFound, TooMany

ACCOUNTS_MATCH: Final = "accounts.match"  # the scope of a client that may ask

# A unit invites a few people a day; who tries numbers for one login name asks more often.
PER_NAME: Final = Limit("match-login-name", 20, timedelta(hours=1))

# ID-02 and ID-04 have people told what is taken; whoever asks on and on is told no more.
TOLD: Final = Limit("taken-told", 10, timedelta(hours=1))


def of_client(allowance: int) -> Limit:
    """How often one client may ask in an hour."""
    return Limit("match-client", allowance, timedelta(hours=1))


class NotMatched(NotFound):
    """Unknown name, other number, other person, locked or cancelled: never told which."""

    code = "person-not-matched"
    default_message = "未查询到对应用户，请检查用户信息"


class ToldTooOften(TooMany):
    """This phone, or this person, was told too often that a name or a number is taken."""

    code = "too-many-registrations"
    default_message = "注册尝试过于频繁，请稍后再试"


class AgentNotMatched(Invalid):
    """The same in step 1 of a unit's registration (ID-20)."""

    code = "agent-not-matched"
    default_message = "实名个人登录账号或实名个人证件号码有误，请核对后重新填写"


class TooManyMatches(TooMany):
    """This client, this address or this login name was asked about too often."""

    code = "too-many-matches"
    default_message = "查询过于频繁，请稍后再试"
