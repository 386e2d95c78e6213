"""Choosing whom to act for (以法人身份登录): at login, and later without a new password (ID-41)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask import Blueprint, Response, request

from identity.accounts.rules import Kind
from identity.adapters.employer_auth import ActingUnit, NotBound
from identity.parts import parts
from identity.sign_in import browser, entrance, mandates
from identity.sign_in.acting import Mandate, MandateRefused
from servicekit.client import OutsideUnavailable
from servicekit.errors import Unavailable
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint("choosing", __name__, url_prefix=browser.PREFIX)

_AGAIN: Final = "/sso/login?return_to=/"  # the gateway fetches tokens of the new kind
_PERSON: Final = "person"
_CHANGED: Final = "该单位的授权已变更或尚未生效，请重新选择"
_NONE_CHOSEN: Final = "请选择要代表的单位"
_CLOSED: Final = "单位授权信息暂时无法读取，请稍后再试，或先以个人身份继续"


@blueprint.get("/units")
@public
def show_units() -> Response:
    """The units one may act for; whoever has none goes on as himself."""
    token = _token()
    if token is None:
        return _elsewhere()
    target = browser.return_to_request()
    try:
        units = parts().employer_auth.list_units(token)
    except OutsideUnavailable:
        return _page([], _CLOSED, 503)
    if not units and target is not None:
        return browser.go(target)
    return _page(units)


@blueprint.post("/units")
@public
def choose_unit() -> Response:
    """Go on for the chosen unit, or as oneself."""
    token = _token()
    if token is None:
        return _elsewhere()
    if not browser.is_own_form():
        return _choose_again(token, browser.STALE_FORM, 400)
    if request.form.get("as") == _PERSON:
        return _go_on(None)
    unit_id, _, binding_id = request.form.get("unit", "").partition(":")
    if not unit_id or not binding_id:
        return _choose_again(token, _NONE_CHOSEN, 422)
    return _choose(token, unit_id, binding_id)


def _choose(token: str, unit_id: str, binding_id: str) -> Response:
    own = parts()
    try:
        text = own.employer_auth.make_mandate(token, unit_id=unit_id, binding_id=binding_id)
        return _go_on(own.provider.mandates.read(text, now=now()))
    except (NotBound, MandateRefused):
        return _choose_again(token, _CHANGED, 409)
    except (OutsideUnavailable, Unavailable):
        return _page([], _CLOSED, 503)


def _go_on(mandate: Mandate | None) -> Response:
    """For the mandate's unit, or as oneself; clients see it with their next tokens."""
    with transaction() as db:
        subject = entrance.owner(db)
        if subject is None:
            return browser.go(browser.with_return(f"{browser.PREFIX}/login", browser.UNITS))
        acting = mandate and mandates.redeem(db, mandate, subject, now=now()).acting
        subject.session.acting = acting.as_json() if acting else None
    return browser.go(browser.return_to_request() or _AGAIN)


def _token() -> str | None:
    """A token of the person at this browser, for employer-auth; nobody else acts for units."""
    with transaction() as db:
        subject = entrance.owner(db)
        if subject is None or subject.account.kind is not Kind.PERSON:
            return None
        return parts().provider.token_for(subject)


def _elsewhere() -> Response:
    """A visitor signs in first; a unit or an officer, who ticked the box too, simply goes on."""
    target = browser.return_to_request()
    with transaction() as db:
        if entrance.owner(db) is not None:
            return browser.go(target or f"{browser.PREFIX}/")
    return browser.go(browser.with_return(f"{browser.PREFIX}/login", target or browser.UNITS))


def _choose_again(token: str, error: str, status: int) -> Response:
    try:
        units = parts().employer_auth.list_units(token)
    except OutsideUnavailable:
        return _page([], _CLOSED, 503)
    return _page(units, error, status)


def _page(units: Sequence[ActingUnit], error: str | None = None, status: int = 200) -> Response:
    target = browser.return_to_request()
    with transaction() as db:
        subject = entrance.owner(db)
        acting = subject.session.acting if subject is not None else None
    return browser.page(
        "units.html",
        status,
        leads_to=browser.redirect_origin(target),
        error=error,
        units=units,
        chosen=acting["binding"] if acting else None,
        at_login=target is not None,
        return_to=target,
    )
