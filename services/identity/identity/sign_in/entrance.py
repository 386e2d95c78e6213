"""The one way into a session, whatever proved who somebody is; pages of every login end here."""

from __future__ import annotations

from flask import Response, request
from sqlalchemy.orm import Session

from identity import devices
from identity.accounts.model import Account
from identity.login_history import actions as history
from identity.login_history.rules import Way
from identity.parts import parts
from identity.sign_in import browser, credentials, sessions
from identity.sign_in.rules import EndReason, Stage
from servicekit.web.refusals import UnitFrozen
from servicekit.web.session import now

_PATHS = {
    Stage.SECOND_FACTOR: f"{browser.PREFIX}/totp",
    Stage.PHONE_CODE: f"{browser.PREFIX}/phone-code",
    Stage.NEW_PASSWORD: f"{browser.PREFIX}/new-password",
    Stage.AGREEMENTS: f"{browser.PREFIX}/agreements",
}


def go_on(
    db: Session, account: Account, *, done: Stage | None = None, way: Way = Way.PASSWORD
) -> Response:
    """To what is still owed, or into the session.

    Args:
        done: the stage that was just passed; None when the login itself was.
        way: how the person showed who they are; it is kept through the stages.
    """
    stage = credentials.next_stage(db, account, way, done)
    if stage is None:
        return signed_in(db, account, way=way)
    secret = credentials.begin_stage(db, account, stage, way=way, now=now())
    response = browser.go(browser.with_return(_PATHS[stage], browser.return_to()))
    browser.set_cookie(response, browser.STEP_COOKIE, secret)
    return response


def signed_in(db: Session, account: Account, *, way: Way = Way.PASSWORD) -> Response:
    """Begin the session with a fresh secret; what this browser had before ends."""
    old = sessions.by_cookie(db, request.cookies.get(browser.SESSION_COOKIE), now=now())
    if old is not None:
        sessions.end(db, old.session, EndReason.REPLACED, now=now())
    vault, mark = parts().counts.vault, request.cookies.get(browser.DEVICE_COOKIE)
    amr, device = credentials.methods(db, account, way), browser.device()
    session, secret = sessions.begin(db, account, amr=amr, device=device, now=now())
    history.record_success(
        db,
        account,
        way=way,
        device=device,
        known_device=devices.knows(vault, account, mark),
        session_id=session.id,
        now=now(),
    )
    response = browser.go(browser.return_to() or f"{browser.PREFIX}/")
    browser.set_cookie(response, browser.SESSION_COOKIE, secret)
    browser.remember_device(response, devices.mark(vault, account, mark))
    browser.drop_cookie(response, browser.STEP_COOKIE)
    return response


def to_login() -> Response:
    """The sign-in page, remembering the way."""
    return browser.go(browser.with_return(f"{browser.PREFIX}/login", browser.return_to()))


class Frozen(Exception):
    """A frozen unit's own account wants to do something at a page of ours (EA-12)."""


def owner(db: Session, *, does: bool | None = None) -> sessions.Subject | None:
    """Who is signed in at this provider's own pages.

    Args:
        does: is anything done that a frozen unit may not do? A form does, unless told otherwise.

    Raises:
        Frozen: it does, and the unit is frozen; answered by a page.
    """
    found = sessions.by_cookie(db, request.cookies.get(browser.SESSION_COOKIE), now=now())
    does = request.method == "POST" if does is None else does
    if does and found is not None and found.account.frozen_at is not None:
        raise Frozen
    return found


def refuse_frozen(_: Exception) -> Response:
    """Why nothing was done, and whom to ask."""
    return browser.page("parked-gone.html", 403, message=UnitFrozen.default_message)


def to_login_first() -> Response:
    """The sign-in page, and from there to one's own security page."""
    return browser.go(browser.with_return(f"{browser.PREFIX}/login", browser.SECURITY))
