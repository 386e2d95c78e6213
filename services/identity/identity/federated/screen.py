"""What the pages of the channels share: the browser's challenge, its QR code, what went wrong."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

import segno
from flask import Response, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.adapters.proofing import Way
from identity.channels import PROVINCE_CALLBACK
from identity.federated import rules
from identity.parts import client_address, parts
from identity.sign_in import browser, entrance
from identity.verification import challenges, raising
from identity.verification import rules as levels
from identity.verification.challenge_rules import Purpose, new_confirm_number
from identity.verification.model import Challenge
from identity.verification.raising import Subject
from identity.verification.rules import Channel
from servicekit import messages
from servicekit.errors import OutsideFailed, Refusal
from servicekit.web.session import now, reading, transaction

COOKIE: Final = "__Host-identity-proof"
PROOF: Final = f"{browser.PREFIX}/proof"
RAISE: Final = f"{browser.PREFIX}/raise"
_SITE: Final = "广东公共就业服务"
_BROWSERS: Final = re.compile(r"(Firefox|Edg|OPR|Chrome|Safari)/")
_NAMES: Final = {"Edg": "Edge", "OPR": "Opera"}


def channel_named(name: str) -> Channel:
    """The channel of a path.

    Raises:
        NoSuchChannel: there is none, or it is switched off.
    """
    if name not in {str(each) for each in Channel}:
        raise levels.NoSuchChannel
    return Channel(name)


def begin(channel: Channel, *, kind: str, purpose: Purpose, owner: Account | None) -> Response:
    """Begin a challenge in this browser, and go to where it is shown.

    Raises:
        TooManyStarts: this address began too many.
        OutsideFailed: the outside system does not answer.
        AlreadyProved: nothing to gain.
    """
    own = parts()
    adapter = own.channels.several_steps(channel)
    wait = own.counts.take((levels.STARTS,), client_address(), now=now())
    if wait is not None:
        raise rules.TooManyStarts(retry_after=wait)
    subject = Subject(kind, 0, "", "")
    if owner is not None:
        with reading() as db:
            subject = raising.subject_of(db, db.get_one(Account, owner.id))
    confirm = new_confirm_number()
    wish = raising.wish_of(subject, confirm=confirm, where=_where(), back=_back(channel))
    started = adapter.start(wish, now=now())  # no transaction is open meanwhile
    target = browser.return_to()
    with transaction() as db:
        begun = challenges.keep(
            db,
            started,
            channel=channel,
            kind=kind,
            purpose=purpose,
            account_id=None if owner is None else owner.id,
            confirm=confirm,
            return_to=target,
            now=now(),
        )
        way, shown = challenges.way_of(begun.challenge), started.shown
        cookie = f"{begun.challenge.id}.{begun.secret}"
    to = shown if way is Way.REDIRECT else browser.with_return(PROOF, target)
    response = browser.go(to)
    browser.set_cookie(response, COOKIE, cookie)
    return response


def challenge(db: Session) -> Challenge:
    """The challenge this browser began last.

    Raises:
        NoChallenge: none.
    """
    return challenges.find(db, request.cookies.get(COOKIE, ""))


def qr_code(content: str) -> Markup:
    """The code as a drawing inside the page: no second request, no script, no style."""
    code = segno.make(content, error="m", micro=False)
    drawn = code.svg_inline(omitsize=True, border=4, svgclass=None, lineclass=None, title="二维码")
    return Markup(drawn)  # noqa: S704 - segno's own drawing


def said(refusal: Refusal) -> tuple[str, int, int | None]:
    """A refusal's sentence, status and pause for a page."""
    if isinstance(refusal, OutsideFailed):
        return messages.EXTERNAL_UNAVAILABLE.text, 503, refusal.retry_after
    return refusal.message, 429 if refusal.retry_after else 422, refusal.retry_after


def failed(
    refusal: Refusal, *, title: str, again: str | None, raising_: bool, status: int | None = None
) -> Response:
    """Say what went wrong and what to do next."""
    message, code, wait = said(refusal)
    response = browser.page(
        "channel-failed.html",
        status or code,
        title=title,
        message=message,
        again=again,
        others=others(raising_=raising_),
        kept=raising_,
        others_name="其他认证方式" if raising_ else "其他登录方式",
        return_to=browser.return_to(),
    )
    if wait is not None:
        response.headers["Retry-After"] = str(wait)
    return response


def owner_of(db: Session) -> Account | None:
    """Who is signed in here, for a raise."""
    subject = entrance.owner(db, does=True)  # a raise is finished by looking
    return None if subject is None else subject.account


def others(*, raising_: bool) -> str:
    """Where somebody goes who chose this way and would rather not."""
    return browser.with_return(
        RAISE if raising_ else f"{browser.PREFIX}/login", browser.return_to()
    )


def _back(channel: Channel) -> str:
    """Our address the outside system returns to, or calls back."""
    public = parts().settings.public_url
    if channel is Channel.PROVINCE:
        return f"{public}{PROVINCE_CALLBACK}"
    return f"{public}{browser.PREFIX}/callbacks/{channel}"


def _where() -> str:
    """What the telephone shows of the browser: enough to notice that it is somebody else's."""
    found = _BROWSERS.search(request.headers.get("User-Agent", ""))
    name = _NAMES.get(found[1], found[1]) if found else "浏览器"
    parts_ = client_address().split(".")
    place = f"{parts_[0]}.{parts_[1]}.*.*" if len(parts_) == 4 else "网络地址已隐藏"  # noqa: PLR2004 - IPv4
    return f"{_SITE} · {name} · {place}"


def assistant_address(channel: Channel, text: str) -> str | None:
    """Where the certificate assistant signs this text."""
    found = parts().channels.assistants.get(channel)
    return None if found is None else f"{found}?{urlencode({'challenge': text})}"
