"""One page that shows what guards an account, and what happened at it; no script."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from identity.accounts import agreements as published
from identity.accounts.rules import Kind
from identity.agreements.queries import has_consent
from identity.login_history import actions as history
from identity.login_history import queries as logins
from identity.parts import parts
from identity.passwords import actions as passwords
from identity.recovery import withdrawing
from identity.second_factors import actions as second_factors
from identity.second_factors import passkeys
from identity.security import rules
from identity.security_questions import actions as questions
from identity.sign_in import browser, entrance, sessions
from identity.sign_in.model import SignInSession
from identity.sign_in.rules import EndReason, NoSession
from identity.sign_in.sessions import Subject
from servicekit.clock import to_shanghai
from servicekit.errors import FieldError, Refusal
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "security_pages", __name__, url_prefix=browser.SECURITY, template_folder="templates"
)

_LONGEST_FIELD = 200
_TOLD = {
    "password": "密码已修改，其他设备上的登录已退出。",
    "session": "该登录已退出。",
    "sessions": "其他设备上的登录已全部退出。",
    "disowned": "已退出其他设备上的全部登录。请立即修改密码。",
    "passkey": "通行密钥已更新。",
    "authenticator": "两步验证设置已更新。",
    "questions": "密保问题已更新。",
    "consent": "已撤回同意。此前已办理的事项不受影响。",
}


@blueprint.app_template_filter("shanghai")
def shanghai(moment: datetime) -> str:
    """A time as people here write it."""
    return f"{to_shanghai(moment):%Y-%m-%d %H:%M}"


@blueprint.app_template_filter("day")
def day(moment: str) -> str:
    """The date here of a time another service wrote (ISO 8601)."""
    return f"{to_shanghai(datetime.fromisoformat(moment)):%Y-%m-%d}"


@blueprint.app_template_filter("device")
def device(agent: str) -> str:
    """The browser and the system of a User-Agent header, in a few words."""
    return rules.device_label(agent)


@blueprint.get("")
@public
def show() -> Response:
    """Password, second factors, questions, sessions and logins."""
    with transaction() as db:
        subject = entrance.owner(db)
        return entrance.to_login_first() if subject is None else _overview(db, subject)


@blueprint.get("/password")
@public
def show_password() -> Response:
    """The form for a new password, of a person or a unit (密码修改)."""
    with transaction() as db:
        subject = entrance.owner(db)
        return entrance.to_login_first() if subject is None else _password_page(subject)


@blueprint.post("/password")
@public
def change_password() -> Response:
    """Change it; other sessions end (ID-10)."""
    own = parts()
    change = passwords.Change(_typed("current_password"), _typed("password"), _typed("again"))
    with transaction() as db:
        subject = entrance.owner(db)
        if subject is None:
            return entrance.to_login_first()
        if not browser.is_own_form():
            stale = FieldError("/current_password", "form-stale", browser.STALE_FORM)
            return _password_page(subject, [stale], 400)
        try:
            passwords.change_own(
                db,
                subject.account,
                change,
                session_id=subject.session.id,
                policy=own.password_policy,
                hasher=own.hasher,
                counts=own.counts,
                now=now(),
            )
        except Refusal as refusal:
            wrong = list(refusal.fields) or [
                FieldError("/current_password", refusal.code, refusal.message)
            ]
            return _password_page(subject, wrong, 422)
    return browser.go(f"{browser.SECURITY}?done=password")


@blueprint.post("/sessions/<session_id>/end")
@public
def end_session(session_id: str) -> Response:
    """End one of one's own sessions (ID-17)."""
    with transaction() as db:
        subject = entrance.owner(db, does=False)
        if subject is None or not browser.is_own_form():
            return entrance.to_login_first()
        found = [s for s in _sessions(db, subject) if s.id == session_id]
        if not found:
            return _overview(db, subject, NoSession.default_message, 404)
        sessions.end(db, found[0], EndReason.OWNER, now=now())
    return browser.go(f"{browser.SECURITY}?done=session")


@blueprint.post("/sessions/end-others")
@public
def end_others() -> Response:
    """End every session but this one (ID-17)."""
    with transaction() as db:
        subject = entrance.owner(db, does=False)
        if subject is None or not browser.is_own_form():
            return entrance.to_login_first()
        for each in _sessions(db, subject):
            if each.id != subject.session.id:
                sessions.end(db, each, EndReason.OWNER, now=now())
    return browser.go(f"{browser.SECURITY}?done=sessions")


@blueprint.post("/logins/<login_id>/disown")
@public
def disown(login_id: str) -> Response:
    """“This wasn't me”, then to the new password."""
    with transaction() as db:
        subject = entrance.owner(db, does=False)
        if subject is None or not browser.is_own_form():
            return entrance.to_login_first()
        try:
            history.disown(db, subject.account, login_id, session_id=subject.session.id, now=now())
        except Refusal as refusal:
            return _overview(db, subject, refusal.message, 409)
    return browser.go(f"{browser.SECURITY}/password?done=disowned")


@blueprint.post("/consents/<name>/withdraw")
@public
def withdraw_consent(name: str) -> Response:
    """Take a separate consent back (撤回同意)."""
    with transaction() as db:
        subject = entrance.owner(db, does=False)
        if subject is None or not browser.is_own_form():
            return entrance.to_login_first()
        owner_id = subject.account.id
        try:
            withdrawing.withdraw_consent(db, owner_id, name, uploads=parts().uploads, now=now())
        except Refusal as refusal:
            return _overview(db, subject, refusal.message, 404)
    return browser.go(f"{browser.SECURITY}?done=consent")


def _sessions(db: Session, subject: Subject) -> list[SignInSession]:
    return sessions.list_alive(db, subject.account.id, now=now())


def _overview(
    db: Session, subject: Subject, error: str | None = None, status: int = 200
) -> Response:
    account = subject.account
    return browser.page(
        "security.html",
        status,
        error=error,
        told=_TOLD.get(request.args.get("done", "")),
        account=account,
        name=account.login_name.expose(),
        authenticator=second_factors.is_on(db, account.id),
        recovery_codes=second_factors.count_recovery_codes(db, account.id),
        passkeys=passkeys.passkeys_of(db, account.id),
        questions=len(questions.questions_of(db, account.id)),
        may_have_questions=account.kind is Kind.PERSON and parts().settings.security_questions,
        may_have_authenticator=account.kind is not Kind.OFFICER,
        sessions=_sessions(db, subject),
        logins=logins.latest(db, account.id, most=rules.SHOWN_LOGINS),
        present=subject.session.id,
        consents=[c for c in published.consents() if has_consent(db, account.id, c.name)],
    )


def _password_page(
    subject: Subject, wrong: Sequence[FieldError] = (), status: int = 200
) -> Response:
    return browser.page(
        "password.html",
        status,
        name=subject.account.login_name.expose(),
        kind={Kind.PERSON: "个人", Kind.UNIT: "单位", Kind.OFFICER: "经办人员"}[
            subject.account.kind
        ],
        told=_TOLD.get(request.args.get("done", "")),
        error=bool(wrong),
        errors=[(each.message, "#" + _id(each.field)) for each in wrong],
        wrong={_id(each.field): each.message for each in wrong},
    )


def _id(pointer: str) -> str:
    return "again" if pointer == "/password_again" else pointer.removeprefix("/")


def _typed(name: str) -> str:
    return request.form.get(name, "")[:_LONGEST_FIELD]
