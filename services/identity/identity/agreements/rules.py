"""What is accepted, what is owed again after a new version, and what may be taken back?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from servicekit.errors import Conflict, FieldError, Invalid, NotFound


class AcceptanceFacts(Protocol):
    """One version accepted once."""

    @property
    def agreement(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def withdrawn_at(self) -> datetime | None: ...


class NoAgreement(NotFound):
    """There is no such agreement."""

    code = "agreement-not-found"
    default_message = "没有该协议"


class OtherVersion(Invalid):
    """What was read is not what is in force."""

    code = "agreement-not-accepted"
    default_message = "协议已更新，请阅读最新版本后再同意"


class NeededForAccount(Conflict):
    """Whoever takes it back has no account: that is cancelling."""

    code = "agreement-needed"
    default_message = "该协议是使用账号的前提，如不再同意，请注销账号"


class NotGiven(NotFound):
    """There is no such consent to take back."""

    code = "consent-not-given"
    default_message = "您没有作出过该同意"


def holds(accepted: Iterable[AcceptanceFacts], name: str, version: str) -> bool:
    """Is this version accepted and not taken back?"""
    return any(
        a.agreement == name and a.version == version and a.withdrawn_at is None for a in accepted
    )


def owed(accepted: Iterable[AcceptanceFacts], needed: Mapping[str, str]) -> dict[str, str]:
    """What must be accepted, or accepted again because a new version was published."""
    held = list(accepted)
    return {name: version for name, version in needed.items() if not holds(held, name, version)}


def check_version(shown: str, in_force: str) -> None:
    """One accepts what one has read.

    Raises:
        OtherVersion: another version was shown.
    """
    if shown != in_force:
        wrong = FieldError("/version", OtherVersion.code, OtherVersion.default_message)
        raise OtherVersion(fields=[wrong])
