"""Raises through a channel: begun by who is signed in, after the separate consent it takes."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from identity.accounts import agreements
from identity.agreements import actions as consents
from identity.federated import screen
from identity.parts import parts
from identity.sign_in import browser, entrance
from identity.verification import raising
from identity.verification import rules as levels
from identity.verification.challenge_rules import Purpose
from identity.verification.rules import Channel
from servicekit.errors import Refusal
from servicekit.web.access import public
from servicekit.web.session import now, transaction

_UNTICKED: Final = "请阅读并单独同意后再继续，或选择其他认证方式"
_LONGEST_VERSION: Final = 20

blueprint = Blueprint(
    "channel_raises", __name__, url_prefix=browser.PREFIX, template_folder="templates"
)


@blueprint.get("/raise/channel/<name>")
@public
def begin(name: str) -> Response:
    """Begin to raise the level of who is signed in (ID-42); a consent that is owed comes first."""
    return _begin(name)


@blueprint.post("/raise/channel/<name>")
@public
def consent(name: str) -> Response:
    """Consent separately to what was read, and begin (个人信息保护法 26, 29)."""
    if not browser.is_own_form():
        return _begin(name, error=browser.STALE_FORM, status=400)
    given = request.form.get("consent", "")[:_LONGEST_VERSION]
    return _begin(name, given=given, error=_UNTICKED, status=422)


def _begin(name: str, *, given: str = "", error: str | None = None, status: int = 200) -> Response:
    """``given`` is the version read; ``error`` and ``status`` are told while it is still owed."""
    with parts().counts.apart() as db:  # no transaction is open while others are asked
        owner = screen.owner_of(db)
    if owner is None:
        return entrance.to_login()
    title = "提升实名等级"
    try:
        channel = screen.channel_named(name)
        title = levels.CHANNEL_NAMES[channel]
        levels.check_needed(owner.level, channel, owner.kind)
        if not _is_consented(owner.id, channel, given):
            return _consent_page(channel, error, status)
        return screen.begin(channel, kind=owner.kind, purpose=Purpose.RAISE, owner=owner)
    except Refusal as refusal:
        again = browser.with_return(request.path, browser.return_to())
        return screen.failed(refusal, title=title, again=again, raising_=True)


def _is_consented(owner_id: str, channel: Channel, given: str) -> bool:
    wanted = agreements.find(levels.CONSENT_BEFORE.get(channel, ""))
    with transaction() as db:
        if wanted is not None and given == wanted.version:
            consents.accept(db, owner_id, wanted.name, wanted.version, now=now())
        return raising.is_consented(db, owner_id, channel)


def _consent_page(channel: Channel, error: str | None, status: int) -> Response:
    return browser.page(
        "consent-first.html",
        status,
        title=levels.CHANNEL_NAMES[channel],
        channel=str(channel),
        consent=agreements.find(levels.CONSENT_BEFORE[channel]),
        error=error,
        back=screen.others(raising_=True),
        return_to=browser.return_to(),
    )
