"""What is a person told, in which words, and when is an SMS tried again?"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any, Final

from servicekit.errors import FieldError, Invalid, NotFound

NOTICES: Final = "notices"  # the scope of a client that may tell people something
NOTICES_TEST: Final = "notices.test"  # beside it, a test key's: answered alike, never sent

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


class To(StrEnum):
    """Whose telephone a notice goes to."""

    OWNER = "owner"
    LEGAL_REPRESENTATIVE = "legal-representative"  # 法定代表人, of a unit


class NoticeRefused(Invalid):
    """The template, its words or the recipient are not as the template asks."""

    code = "notice-refused"
    default_message = "通知的模板、内容或接收人有误"


class NoRecipient(NotFound):
    """There is no such account, or it has nobody of this kind to tell."""

    code = "notice-recipient-not-found"
    default_message = "未找到通知的接收人"


@dataclass(frozen=True, slots=True)
class Template:
    """One text in one version; a changed text is a new version.

    Args:
        message: what stands in the application; None where nothing is kept there.
        sms: what is sent; None for news that can wait until the person looks.
        internal: identity's own; other services cannot send it.
        test: rehearses; nothing of it is ever sent or shown (ID-48).
    """

    name: str
    version: int
    title: str
    message: str | None
    sms: str | None
    internal: bool = False
    test: bool = False

    @property
    def words(self) -> frozenset[str]:
        """What has to be filled in."""
        texts = f"{self.message or ''}{self.sms or ''}"
        return frozenset(name for _, name, _, _ in Formatter().parse(texts) if name)


def template(name: str) -> Template:
    """The newest version of a template."""
    found = [t for t in _templates() if t.name == name]
    return max(found, key=lambda t: t.version)


def templates() -> tuple[Template, ...]:
    """Every template in every version."""
    return _templates()


def check_notice(name: str, words: Mapping[str, str], *, sms: bool) -> Template:
    """The template another service asks for, when its words are exactly those it needs (ID-48).

    Raises:
        NoticeRefused: no such template, other words, or an SMS where there is no text for one.
    """
    if name not in {t.name for t in _templates() if not t.internal}:
        raise NoticeRefused(fields=[FieldError("/template", "template-unknown", "没有该通知模板")])
    form = template(name)
    if set(words) != form.words:
        needed = "、".join(sorted(form.words)) or "无"
        wrong = FieldError("/words", "words-differ", f"该模板需要填写的内容：{needed}")
        raise NoticeRefused(fields=[wrong])
    if sms and form.sms is None:
        raise NoticeRefused(fields=[FieldError("/sms", "no-sms-text", "该模板没有短信文本")])
    return form


def is_rehearsal(form: Template, scopes: Collection[str]) -> bool:
    """A test template never sends, and neither does a test key (ID-48)."""
    return form.test or NOTICES_TEST in scopes


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
