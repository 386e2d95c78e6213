"""Cases looked up, stopped by the old phone, ended by who takes the consent back; no script."""

from __future__ import annotations

from flask import Blueprint, Response

from identity.parts import client_address, parts
from identity.recovery import actions, forms, rules, stops, withdrawing
from identity.recovery.forms import typed
from identity.recovery.queries import Recovery
from identity.sign_in import browser
from servicekit.errors import Refusal
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "recovery_status_pages",
    __name__,
    url_prefix=f"{browser.PREFIX}/recovery",
    template_folder="templates",
)


@blueprint.get("/status")
@public
def show_status() -> Response:
    """The form for number and query code."""
    return browser.page("recovery-status.html", case=None)


@blueprint.post("/status")
@public
def look_up() -> Response:
    """Where a case stands; a returned one leads to its photographs."""
    if not browser.is_own_form():
        return browser.page("recovery-status.html", 400, case=None, error=browser.STALE_FORM)
    number, code = typed("number"), typed("code")
    try:
        _count_code()
        with transaction() as db:
            case = actions.find_own(db, number, code, vault=parts().counts.vault)
            response = _status_page(case)
            forms.remember_case(response, case, rules.plain_code(code))
            return response
    except Refusal as refusal:
        return browser.page(
            "recovery-status.html",
            forms.status_of(refusal),
            case=None,
            number=number,
            error=refusal.message,
        )


@blueprint.post("/withdraw")
@public
def withdraw() -> Response:
    """Take the consent to the photographs back; they are deleted, and an open case ends."""
    with transaction() as db:
        case, _ = forms.case_of_browser(db)
        if case is None or not browser.is_own_form():
            return browser.go(f"{browser.PREFIX}/recovery/status")
        try:
            withdrawing.withdraw(db, case, uploads=parts().uploads, now=now())
        except Refusal as refusal:
            return _status_page(case, refusal.message, 404)
        return _status_page(case, told=True)


@blueprint.get("/stop")
@public
def show_stop() -> Response:
    """The form for a stop code."""
    return browser.page("recovery-stop.html", done=False)


@blueprint.post("/stop")
@public
def stop() -> Response:
    """The old phone says no."""
    if not browser.is_own_form():
        return browser.page("recovery-stop.html", 400, done=False, error=browser.STALE_FORM)
    try:
        _count_code()
        with transaction() as db:
            stops.stop(db, typed("code"), vault=parts().counts.vault, now=now())
    except Refusal as refusal:
        status = forms.status_of(refusal)
        return browser.page("recovery-stop.html", status, done=False, error=refusal.message)
    return browser.page("recovery-stop.html", done=True)


def _status_page(
    case: Recovery, error: str | None = None, status: int = 200, *, told: bool = False
) -> Response:
    return browser.page(
        "recovery-status.html",
        status,
        case=case,
        error=error,
        told=told,
        may_correct=rules.may_correct(case.state),
        may_withdraw=rules.has_photo_consent(case.photos_consent, case.photos_withdrawn_at),
    )


def _count_code() -> None:
    wait = parts().counts.take((rules.CODE_GUESSING,), client_address(), now=now())
    if wait is not None:
        raise rules.RecoverySlowDown(retry_after=wait)
