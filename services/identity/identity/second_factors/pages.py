"""Pages for authenticators and passkeys; passkeys alone need a script, all else works without."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import segno
from flask import Blueprint, Response, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from identity.accounts.rules import check_standing
from identity.limits import Counts
from identity.login_history.rules import Way
from identity.pace import Limit
from identity.parts import client_address, parts
from identity.passwords import actions as passwords
from identity.second_factors import actions, passkeys
from identity.sign_in import browser, entrance
from identity.sign_in.rules import SlowDown
from identity.sign_in.sessions import Subject
from servicekit.errors import Refusal
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "second_factor_pages", __name__, url_prefix=browser.PREFIX, template_folder="templates"
)

SCRIPT = f"{browser.PREFIX}/passkeys.js"
_LONGEST_FIELD = 200
_LONGEST_ANSWER = 20_000


@blueprint.get("/passkeys.js")
@public
def script() -> Response:
    """The one script: hands the browser what a passkey must sign, and sends the form."""
    response = Response(_script(), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@blueprint.get("/login/passkey")
@public
def show_passkey_login() -> Response:
    """The page that asks for a passkey."""
    return _login_page()


@blueprint.post("/login/passkey")
@public
def log_in() -> Response:
    """Check what the passkey signed; it is a login with two factors (ID-46)."""
    if not browser.is_own_form():
        return _login_page(browser.STALE_FORM, 400)
    wait = _take(parts().counts, parts().sign_in_limit)
    if wait is not None:
        return _login_page(SlowDown.default_message, 429)
    try:
        with transaction() as db:
            account = passkeys.check_login(db, _site(), answer=_answer(), now=now())
            check_standing(account.standing)
            return entrance.go_on(db, account, way=Way.PASSKEY)
    except Refusal as refusal:
        return _login_page(refusal.message, 401)


@blueprint.get("/security/passkeys")
@public
def show_passkeys() -> Response:
    """The form that adds a passkey."""
    return _with_owner(_passkey_page)


@blueprint.post("/security/passkeys")
@public
def add_passkey() -> Response:
    """Keep a new passkey; the password shows that it is the owner who adds it."""

    def add(db: Session, subject: Subject) -> Response:
        passkeys.register(
            db,
            subject.account,
            _site(),
            answer=_answer(),
            label=_typed("label"),
            now=now(),
        )
        return browser.go(f"{browser.SECURITY}?done=passkey")

    return _confirmed(add, _passkey_page)


@blueprint.post("/security/passkeys/<passkey_id>/remove")
@public
def remove_passkey(passkey_id: str) -> Response:
    """Forget one."""
    with transaction() as db:
        subject = entrance.owner(db)
        if subject is None or not browser.is_own_form():
            return entrance.to_login_first()
        passkeys.remove(db, subject.account, passkey_id, now=now())
    return browser.go(f"{browser.SECURITY}?done=passkey")


@blueprint.get("/security/authenticator")
@public
def show_authenticator() -> Response:
    """Set an authenticator up, or turn it off."""
    return _with_owner(_authenticator_page)


@blueprint.post("/security/authenticator")
@public
def confirm_authenticator() -> Response:
    """The first code turns it on; the recovery codes are shown this once."""

    def confirm(db: Session, subject: Subject) -> Response:
        codes = actions.confirm_totp(
            db, subject.account, _typed("code"), vault=parts().counts.vault, now=now()
        )
        return browser.page("recovery-codes.html", codes=codes)

    return _confirmed(confirm, _authenticator_page)


@blueprint.post("/security/authenticator/codes")
@public
def new_codes() -> Response:
    """Ten new recovery codes."""

    def renew(db: Session, subject: Subject) -> Response:
        vault = parts().counts.vault
        codes = actions.new_recovery_codes(db, subject.account, vault=vault, now=now())
        return browser.page("recovery-codes.html", codes=codes)

    return _confirmed(renew, _authenticator_page)


@blueprint.post("/security/authenticator/off")
@public
def end_authenticator() -> Response:
    """Turn it off."""

    def end(db: Session, subject: Subject) -> Response:
        actions.end_totp(db, subject.account, now=now())
        return browser.go(f"{browser.SECURITY}?done=authenticator")

    return _confirmed(end, _authenticator_page)


Work = Callable[[Session, Subject], Response]


def _with_owner(show: Work) -> Response:
    with transaction() as db:
        subject = entrance.owner(db)
        return entrance.to_login_first() if subject is None else show(db, subject)


def _confirmed(work: Work, show: Callable[..., Response]) -> Response:
    """Do it when the form is ours and the password right; show the page again when refused."""
    own = parts()
    with transaction() as db:
        subject = entrance.owner(db)
        if subject is None or not browser.is_own_form():
            return entrance.to_login_first()
        try:
            password = request.form.get("current_password", "")[:_LONGEST_FIELD]
            passwords.confirm(
                subject.account, password, hasher=own.hasher, counts=own.counts, now=now()
            )
            with db.begin_nested():
                return work(db, subject)
        except Refusal as refusal:
            fields = [(f.message, "#" + f.field[1:]) for f in refusal.fields]
            return show(db, subject, fields or [(refusal.message, "#main")], 422)


def _login_page(error: str | None = None, status: int = 200) -> Response:
    with transaction() as db:
        options = passkeys.offer_login(db, _site(), now=now())
    return browser.login_page(
        "login-passkey.html",
        status,
        script=SCRIPT,
        integrity=_integrity(),
        options=json.dumps(options),
        error=error,
    )


def _passkey_page(
    db: Session, subject: Subject, errors: list[tuple[str, str]] | None = None, status: int = 200
) -> Response:
    options = passkeys.offer_registration(db, subject.account, _site(), now=now())
    return browser.page(
        "passkey.html",
        status,
        script=SCRIPT,
        integrity=_integrity(),
        options=json.dumps(options),
        label=_typed("label"),
        error=bool(errors),
        errors=errors or [],
    )


def _authenticator_page(
    db: Session, subject: Subject, errors: list[tuple[str, str]] | None = None, status: int = 200
) -> Response:
    on = actions.is_on(db, subject.account.id)
    values: dict[str, Any] = {"on": on, "error": bool(errors), "errors": errors or []}
    if on:
        values["left"] = actions.count_recovery_codes(db, subject.account.id)
    else:
        setup = actions.begin_totp(db, subject.account, now=now())
        values |= {"secret": setup.secret, "picture": _picture(setup.uri)}
    return browser.page("authenticator.html", status, **values)


def _picture(uri: str) -> Markup:
    """The address as a picture inside the page, with nothing to fetch."""
    out = io.BytesIO()
    segno.make(uri, error="m").save(
        out, kind="svg", xmldecl=False, svgns=False, omitsize=True, title="身份验证器二维码"
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - segno's own drawing, no text of ours


def _take(counts: Counts, limit: Limit) -> int | None:
    return counts.take((limit,), client_address(), now=now())


def _site() -> passkeys.Site:
    return passkeys.Site(parts().settings.public_url.rstrip("/"))


def _answer() -> str:
    return request.form.get("credential", "")[:_LONGEST_ANSWER]


def _typed(name: str) -> str:
    return request.form.get(name, "")[:_LONGEST_FIELD]


@cache
def _script() -> str:
    return (files("identity.second_factors") / "passkeys.js").read_text(encoding="utf-8")


@cache
def _integrity() -> str:
    digest = hashlib.sha384(_script().encode()).digest()
    return "sha384-" + base64.b64encode(digest).decode()
