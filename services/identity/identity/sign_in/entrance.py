"""The one way into a session, whatever proved who somebody is; pages of every login end here."""

from __future__ import annotations

from flask import Response, request
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.parts import parts
from identity.sign_in import browser, credentials, sessions
from identity.sign_in.rules import EndReason, Stage
from servicekit.web.session import now

_PATHS = {
    Stage.SECOND_FACTOR: f"{browser.PREFIX}/totp",
    Stage.NEW_PASSWORD: f"{browser.PREFIX}/new-password",
}


def go_on(db: Session, account: Account, *, done: Stage | None) -> Response:
    """To what is still owed, or into the session."""
    stage = credentials.next_stage(account, done)
    if stage is None:
        return signed_in(db, account)
    secret = credentials.begin_stage(db, account, stage, now=now())
    response = browser.go(browser.with_return(_PATHS[stage], browser.return_to()))
    browser.set_cookie(response, browser.STEP_COOKIE, secret)
    return response


def signed_in(db: Session, account: Account) -> Response:
    """Begin the session with a fresh secret; what this browser had before ends."""
    old = sessions.by_cookie(db, request.cookies.get(browser.SESSION_COOKIE), now=now())
    if old is not None:
        sessions.end(db, old.session, EndReason.REPLACED, now=now())
    amr = credentials.methods(account)
    _, secret = sessions.begin(db, account, amr=amr, device=browser.device(), now=now())
    response = browser.go(browser.return_to() or f"{browser.PREFIX}/")
    browser.set_cookie(response, browser.SESSION_COOKIE, secret)
    browser.remember_device(response, credentials.device_mark(parts().counts, account))
    browser.drop_cookie(response, browser.STEP_COOKIE)
    return response


def to_login() -> Response:
    """The sign-in page, remembering the way."""
    return browser.go(browser.with_return(f"{browser.PREFIX}/login", browser.return_to()))
