"""What may an admin do with whose account, and what must be said about it?"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from servicekit.errors import Conflict, FieldError, Forbidden, Invalid

RECORD: Final = "identity.administration"  # the chained history of what was done to accounts
MOST_FOUND: Final = 50
LONGEST_REASON: Final = 200
# Persons have no region here, and a city's admin has no business with another city's people:
# only the province's admins find, lock and merge them.
PROVINCE: Final = "44"


class Clear(StrEnum):
    """What an admin may look at in full, each time with a reason that is kept (AL-04)."""

    NAME = "name"
    DOCUMENT_NUMBER = "document_number"
    LOGIN_NAME = "login_name"
    PHONE = "phone"
    LEGAL_NAME = "legal_name"
    LEGAL_DOCUMENT_NUMBER = "legal_document_number"
    LEGAL_PHONE = "legal_phone"


class SearchRefused(Invalid):
    """Look somebody up by exactly one thing that is known of them."""

    code = "account-search-refused"
    default_message = "请按用户名、证件号码、手机号码、单位证件号码中的一项查询"


class ReasonNeeded(Invalid):
    """Nothing is done to an account without saying why."""

    code = "reason-required"
    default_message = "请填写原因"


class NotYours(Forbidden):
    """The account is outside the admin's region, or the admin's own."""

    code = "account-not-yours"
    default_message = "该账号不在您的管理范围内"


class NotLocked(Conflict):
    """Only a locked account can be let in again."""

    code = "account-not-locked"
    default_message = "该账号不是锁定状态"


class NothingThere(Invalid):
    """This account has no such value."""

    code = "value-not-there"
    default_message = "该账号没有此项信息"


def check_reason(reason: str) -> str:
    """The reason as it is kept.

    Raises:
        ReasonNeeded: it says nothing.
    """
    text = reason.strip()
    if len(text) < 2:  # noqa: PLR2004 - one sign is no reason
        raise ReasonNeeded(fields=[FieldError("/reason", "required", "请填写原因")])
    return text[:LONGEST_REASON]


def check_covers(admin_region: str | None, region: str) -> None:
    """Is the place in the admin's region or below? An admin of no region covers nobody.

    Raises:
        NotYours: it is elsewhere.
    """
    if not admin_region or not region.startswith(admin_region):
        raise NotYours


def check_other(admin_id: str, account_id: str) -> None:
    """Nobody administers the own account."""
    if admin_id == account_id:
        raise NotYours
