"""What is a person told, in which words, and when is an SMS tried again?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final

from servicekit.errors import NotFound

RETRY_AFTER: Final = (  # back-off; after the last one the delivery is given up
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
)
LEASE: Final = timedelta(seconds=60)  # after a crash in the middle of sending

# What the applicant hears of; saving a draft is not news.
TOLD_STATES: Final = frozenset(
    {"submitted", "accepted", "returned", "approved", "rejected", "cancelled"}
)


class DeliveryState(StrEnum):
    """Where an SMS is (ID-48)."""

    CREATED = "created"
    SENDING = "sending"
    DELIVERED = "delivered"
    TEMPORARY_FAILURE = "temporary-failure"  # tried again
    PERMANENT_FAILURE = "permanent-failure"  # the gateway refused the number or the text
    TECHNICAL_FAILURE = "technical-failure"  # the gateway could not be reached in time


OPEN: Final = (DeliveryState.CREATED, DeliveryState.SENDING, DeliveryState.TEMPORARY_FAILURE)


class NoMessage(NotFound):
    """No such message, or not the caller's."""

    code = "message-not-found"
    default_message = "未找到该消息"


@dataclass(frozen=True, slots=True)
class Template:
    """One text in one version; a changed text is a new version."""

    name: str
    version: int
    title: str
    message: str | None
    sms: str


def template(name: str) -> Template:
    """The newest version of a template."""
    found = [t for t in _templates() if t.name == name]
    return max(found, key=lambda t: t.version)


def matter_title(business: str) -> str:
    """The Chinese name of a matter; a matter nobody named yet is 业务."""
    title: str = _texts()["matters"].get(business, "业务")
    return title


def is_told(before: str | None, after: str) -> bool:
    """Does this move concern the applicant?"""
    return after in TOLD_STATES and before != after


def next_attempt(attempts: int, now: datetime) -> datetime | None:
    """When to try again after so many attempts; None gives up."""
    return now + RETRY_AFTER[attempts - 1] if attempts <= len(RETRY_AFTER) else None


@cache
def _templates() -> tuple[Template, ...]:
    return tuple(Template(**each) for each in _texts()["templates"])


@cache
def _texts() -> dict[str, Any]:
    text = (files("identity.messages") / "templates.json").read_text(encoding="utf-8")
    texts: dict[str, Any] = json.loads(text)
    return texts
