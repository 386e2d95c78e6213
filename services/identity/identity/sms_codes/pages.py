"""Sign in with a code sent to the phone (ID-09), and prove the phone on the way in; no script."""

from __future__ import annotations

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.accounts.rules import check_standing
from identity.login_history import actions as history
from identity.login_history.rules import Outcome, Way
from identity.parts import client_address, parts
from identity.sign_in import browser, credentials, entrance
from identity.sign_in.rules import Stage
from identity.sms_codes import actions, rules
from identity.sms_codes.rules import Purpose
from servicekit.errors import FieldError, Refusal
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint("sms_pages", __name__, url_prefix=browser.PREFIX, template_folder="templates")

_SECONDS = int(rules.PAUSE.total_seconds())
_SENT = f"验证码已发送，请查看短信。{_SECONDS} 秒后可重新获取。"
_NOT_REGISTERED = "该手机号码尚未注册个人账号，请先注册"
_WHICH = "该手机号码用于多个账号，请选择要登录的用户名"
_LONGEST = 40


@blueprint.get("/login/sms")
@public
def show_sms_login() -> Response:
    """The empty form."""
    return _page("")


@blueprint.post("/login/sms/code")
@public
def send_code() -> Response:
    """Send a code, and say the same for every number."""
    phone = _typed("phone")
    if not browser.is_own_form():
        return _page(phone, [_stale()], 400)
    try:
        _send(phone, Purpose.SIGN_IN)
    except Refusal as refusal:
        return _page(phone, _fields(refusal), 422)
    return _page(phone, told=_SENT)


@blueprint.post("/login/sms")
@public
def log_in() -> Response:
    """Check the code; whoever has it holds the phone, and only then is told about accounts."""
    phone, code = _typed("phone"), _typed("sms_code")
    if not browser.is_own_form():
        return _page(phone, [_stale()], 400)
    own = parts()
    code_id = actions.check(own.counts, phone=phone, purpose=Purpose.SIGN_IN, code=code, now=now())
    with transaction() as db:
        found = actions.accounts_of(db, phone)
        if code_id is None:
            _record_failure(db, found)
            return _page(phone, [rules.WRONG_CODE], 401)
        if not found:
            return _page(phone, [FieldError("/phone", "not-registered", _NOT_REGISTERED)], 401)
        chosen = found if len(found) == 1 else [a for a in found if a.id == _typed("account")]
        if not chosen:
            wrong = FieldError("/account", "which-account", _WHICH)
            return _page(phone, [wrong], 401, choices=found, code=code)
        return _enter(db, chosen[0], phone, code_id)


def _record_failure(db: Session, found: list[Account]) -> None:
    """Beside the first account with this phone, or beside nobody: the same row either way."""
    whose = found[0].id if found else None
    history.record_failure(
        db,
        whose,
        way=Way.SMS_CODE,
        outcome=Outcome.WRONG,
        device=browser.device(),
        now=now(),
    )


def _enter(db: Session, account: Account, phone: str, code_id: str) -> Response:
    try:
        check_standing(account.standing)
    except Refusal as refusal:
        return _page(phone, [FieldError("/phone", refusal.code, refusal.message)], 403)
    if not actions.use(db, code_id, now=now()):
        return _page(phone, [rules.WRONG_CODE], 401)
    return entrance.go_on(db, account, way=Way.SMS_CODE)


@blueprint.get("/phone-code")
@public
def show_phone_code() -> Response:
    """The page on which the owner proves to hold the account's phone."""
    if not request.cookies.get(browser.STEP_COOKIE):
        return entrance.to_login()
    return _phone_page()


@blueprint.post("/phone-code/send")
@public
def send_phone_code() -> Response:
    """Send the code to the account's own phone; whose it is, is not shown."""
    if not browser.is_own_form():
        return _phone_page(browser.STALE_FORM, 400)
    with transaction() as db:
        step = credentials.look(
            db, request.cookies.get(browser.STEP_COOKIE, ""), Stage.PHONE_CODE, now=now()
        )
        if step is None:
            return entrance.to_login()
        phone = db.get_one(Account, step.account_id).phone.expose()
        try:
            _send(phone, Purpose.OWN_PHONE, owner_id=step.account_id)
        except Refusal as refusal:
            return _phone_page(refusal.message, 429)
    return _phone_page(told=_SENT)


@blueprint.post("/phone-code")
@public
def check_phone_code() -> Response:
    """Check the code; five tries, then the login begins anew."""
    if not browser.is_own_form():
        return _phone_page(browser.STALE_FORM, 400)
    own, secret = parts(), request.cookies.get(browser.STEP_COOKIE, "")
    step = credentials.take_try(own.counts.database, secret, Stage.PHONE_CODE, now=now())
    if step is None:
        return entrance.to_login()
    with transaction() as db:
        account = db.get_one(Account, step.account_id)
        code_id = actions.check(
            own.counts,
            phone=account.phone.expose(),
            purpose=Purpose.OWN_PHONE,
            code=_typed("sms_code"),
            owner_id=account.id,
            now=now(),
        )
        if code_id is None or not actions.use(db, code_id, now=now()):
            return _phone_page(rules.WRONG_CODE.message, 401)
        credentials.end_stage(db, secret)
        return entrance.go_on(db, account, done=Stage.PHONE_CODE, way=step.way)


def _send(phone: str, purpose: Purpose, owner_id: str | None = None) -> None:
    own = parts()
    with transaction() as db:
        actions.send(
            db,
            phone=phone,
            purpose=purpose,
            address=client_address(),
            limits=own.sms_limits,
            counts=own.counts,
            now=now(),
            owner_id=owner_id,
            device=request.cookies.get(browser.DEVICE_COOKIE),
        )


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:_LONGEST]


def _stale() -> FieldError:
    return FieldError("/phone", "form-stale", browser.STALE_FORM)


def _fields(refusal: Refusal) -> list[FieldError]:
    return list(refusal.fields) or [FieldError("/phone", refusal.code, refusal.message)]


def _page(
    phone: str,
    wrong: list[FieldError] | None = None,
    status: int = 200,
    *,
    told: str | None = None,
    choices: list[Account] | None = None,
    code: str = "",
) -> Response:
    wrong = wrong or []
    return browser.login_page(
        "login-sms.html",
        status,
        phone=phone,
        code=code,
        choices=[(a.id, a.login_name.expose()) for a in choices or []],
        told=told,
        error=bool(wrong),
        errors=[(each.message, "#" + each.field[1:]) for each in wrong],
        wrong={each.field[1:]: each.message for each in wrong},
    )


def _phone_page(
    error: str | None = None, status: int = 200, *, told: str | None = None
) -> Response:
    target = browser.return_to()
    return browser.page(
        "phone-code.html",
        status,
        leads_to=browser.redirect_origin(target),
        error=error,
        told=told,
        return_to=target,
    )
