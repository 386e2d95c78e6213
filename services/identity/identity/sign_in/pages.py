"""The pages of a login: name and password, second factor, new password. No script is needed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.login_history import actions as history
from identity.login_history.rules import Outcome, Way
from identity.parts import parts
from identity.passwords import actions as passwords
from identity.passwords.rules import PasswordRefused
from identity.sign_in import authorization, browser, credentials, entrance, rules, sessions
from identity.sign_in.rules import Stage
from servicekit.errors import FieldError, Refusal, Unavailable
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "sign_in_pages", __name__, url_prefix=browser.PREFIX, template_folder="templates"
)

_TIMED_OUT = "登录已超时或尝试次数过多，请重新登录"
_WRONG_TOTP = "动态验证码错误或已使用，请输入新的验证码"
_LONGEST_FIELD = 200


@blueprint.get("/pages.css")
@public
def stylesheet() -> Response:
    """The one style sheet."""
    text = (files("identity.sign_in") / "pages.css").read_text(encoding="utf-8")
    response = Response(text, content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@blueprint.get("/")
@public
def show_home() -> Response:
    """Where the entrance leads while no portal stands there: am I signed in, and what next?"""
    with transaction() as db:
        cookie = request.cookies.get(browser.SESSION_COOKIE)
        subject = sessions.by_cookie(db, cookie, now=now())
        return browser.page("home.html", account=subject.account if subject else None)


@blueprint.get("/login")
@public
def show_login() -> Response:
    """The sign-in page; the name is filled in where the client knows it."""
    with transaction() as db:
        hint = authorization.login_hint(db, browser.return_to())
    return _login_page(login_name=hint)


@blueprint.post("/login")
@public
def log_in() -> Response:
    """Check name and password; officers go on to the second factor."""
    if not browser.is_own_form():
        return _login_page(browser.STALE_FORM, 400)
    own = parts()
    name = request.form.get("login_name", "").strip()[:_LONGEST_FIELD]
    password = request.form.get("password", "")[:_LONGEST_FIELD]
    try:
        # One turn for all of a login: of fifty at once a few work and the others wait (ID-08).
        with own.hasher.turn():
            return _check_and_go_on(name, password)
    except Refusal as refusal:
        return _refused(refusal, name)


def _check_and_go_on(name: str, password: str) -> Response:
    own = parts()
    account_id = credentials.check_password(
        own.counts.database,
        login_name=name,
        password=password,
        device=browser.device(),
        mark=request.cookies.get(browser.DEVICE_COOKIE),
        address_limit=own.sign_in_limit,
        counts=own.counts,
        hasher=own.hasher,
        now=now(),
    )
    with transaction() as db:
        account = db.get_one(Account, account_id)
        credentials.renew_hash(
            account, password, hasher=own.hasher, policy=own.password_policy, now=now()
        )
        return entrance.go_on(db, account, way=Way.PASSWORD)


@blueprint.get("/totp")
@public
def show_totp() -> Response:
    """The page for the authenticator's code."""
    return _totp_page() if request.cookies.get(browser.STEP_COOKIE) else entrance.to_login()


@blueprint.post("/totp")
@public
def check_totp() -> Response:
    """Check the code; five tries, each code once (ID-45)."""
    if not browser.is_own_form():
        return _totp_page(browser.STALE_FORM, 400)
    own = parts()
    secret = request.cookies.get(browser.STEP_COOKIE, "")
    step = credentials.take_try(own.counts.database, secret, Stage.SECOND_FACTOR, now=now())
    if step is None:
        return _login_page(_TIMED_OUT, 401)
    account_id = step.account_id
    wait = own.counts.attempt(rules.SECOND_GUESSING, account_id, now=now())
    if wait is not None:
        return _totp_page(rules.SlowDown.default_message, 429, retry_after=wait)
    with transaction() as db:
        code = request.form.get("code", "")[:_LONGEST_FIELD]
        if not credentials.check_totp(db, account_id, code, vault=own.counts.vault, now=now()):
            _record_wrong_second(db, step)
            return _totp_page(_WRONG_TOTP, 401)
        credentials.end_stage(db, secret)
        account = db.get_one(Account, account_id)
        response = entrance.go_on(db, account, done=Stage.SECOND_FACTOR, way=step.way)
    own.counts.succeeded(rules.SECOND_GUESSING, account_id)
    return response


def _record_wrong_second(db: Session, step: credentials.Step) -> None:
    history.record_failure(
        db,
        step.account_id,
        way=step.way,
        outcome=Outcome.WRONG_SECOND_FACTOR,
        device=browser.device(),
        now=now(),
    )


@blueprint.get("/new-password")
@public
def show_new_password() -> Response:
    """The page on which a one-time password is replaced."""
    return _new_password_page() if request.cookies.get(browser.STEP_COOKIE) else entrance.to_login()


@blueprint.post("/new-password")
@public
def change_password() -> Response:
    """Replace the one-time password, and sign in."""
    if not browser.is_own_form():
        return _new_password_page([FieldError("/password", "form-stale", browser.STALE_FORM)], 400)
    own = parts()
    secret = request.cookies.get(browser.STEP_COOKIE, "")
    step = credentials.take_try(own.counts.database, secret, Stage.NEW_PASSWORD, now=now())
    if step is None:
        return _login_page(_TIMED_OUT, 401)
    try:
        with transaction() as db:
            account = db.get_one(Account, step.account_id)
            passwords.replace(
                db,
                account,
                request.form.get("password", "")[:_LONGEST_FIELD],
                request.form.get("password_again", "")[:_LONGEST_FIELD],
                policy=own.password_policy,
                hasher=own.hasher,
                now=now(),
            )
            credentials.end_stage(db, secret)
            return entrance.go_on(db, account, done=Stage.NEW_PASSWORD, way=step.way)
    except PasswordRefused as refusal:
        return _new_password_page(refusal.fields, 422)


def _refused(refusal: Refusal, login_name: str) -> Response:
    message = refusal.message
    status = 401
    if refusal.retry_after is not None:
        status = 503 if isinstance(refusal, Unavailable) else 429
        message = f"{message}（约 {refusal.retry_after} 秒后）"
    return _login_page(message, status, login_name=login_name, retry_after=refusal.retry_after)


def _login_page(
    error: str | None = None,
    status: int = 200,
    *,
    login_name: str = "",
    retry_after: int | None = None,
) -> Response:
    response = browser.login_page("login.html", status, error=error, login_name=login_name)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _totp_page(
    error: str | None = None, status: int = 200, *, retry_after: int | None = None
) -> Response:
    target = browser.return_to()
    response = browser.page(
        "totp.html",
        status,
        leads_to=browser.redirect_origin(target),
        error=error,
        return_to=target,
    )
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _new_password_page(wrong: Sequence[FieldError] = (), status: int = 200) -> Response:
    target = browser.return_to()
    return browser.page(
        "new-password.html",
        status,
        leads_to=browser.redirect_origin(target),
        error=bool(wrong),
        errors=[(each.message, f"#{each.field.removeprefix('/')}") for each in wrong],
        wrong={each.field.removeprefix("/") for each in wrong},
        return_to=target,
    )
