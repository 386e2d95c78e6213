"""The registration page: one form, two buttons, no script."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask import Blueprint, Response

from identity import form_pages
from identity.accounts import actions, agreements, rules
from identity.parts import client_address, parts
from identity.sign_in import browser
from identity.sms_codes import actions as sms_codes
from identity.sms_codes.rules import PAUSE, Purpose
from servicekit.errors import FieldError, Refusal
from servicekit.identifiers import DocumentKind
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "registration_pages", __name__, url_prefix=browser.PREFIX, template_folder="templates"
)

# As they stand on the page, so that the summary reads from top to bottom.
_ORDER: Final = (
    "name",
    "document_type",
    "document_number",
    "birth_date",
    "sex",
    "phone",
    "sms_code",
    "login_name",
    "password",
    "password_again",
    "agreed",
)


@blueprint.get("/register")
@public
def show_registration() -> Response:
    """The empty form."""
    return _page({})


@blueprint.post("/register/code")
@public
def send_code() -> Response:
    """Send a code to the phone in the form, and show the form as it was."""
    typed = form_pages.typed()
    if not browser.is_own_form():
        return _page(typed, form_pages.stale("name"), 400)
    own = parts()
    try:
        with transaction() as db:
            sms_codes.send(
                db,
                phone=typed.get("phone", ""),
                purpose=Purpose.REGISTRATION,
                address=client_address(),
                limits=own.sms_limits,
                counts=own.counts,
                now=now(),
            )
    except Refusal as refusal:
        wrong = refusal.fields or [FieldError("/phone", refusal.code, refusal.message)]
        return _page(typed, wrong, 422)
    seconds = int(PAUSE.total_seconds())
    told = f"验证码已发送，请查看短信。{seconds} 秒后可重新获取。出于安全考虑，请重新填写密码。"
    return _page(typed, told=told)


@blueprint.post("/register")
@public
def register() -> Response:
    """Register, then go on to the sign-in page."""
    typed = form_pages.typed()
    if not browser.is_own_form():
        return _page(typed, form_pages.stale("name"), 400)
    own = parts()
    try:
        form = _form(typed)
        with transaction() as db:
            actions.register(
                db,
                form,
                policy=own.password_policy,
                hasher=own.hasher,
                counts=own.counts,
                now=now(),
            )
    except Refusal as refusal:
        wrong = refusal.fields or [FieldError("/name", refusal.code, refusal.message)]
        return _page(typed, wrong, 422)
    target = browser.return_to()
    return browser.page(
        "registered.html", 201, login=browser.with_return(f"{browser.PREFIX}/login", target)
    )


def _form(typed: Mapping[str, str]) -> rules.Form:
    """The form as the rules read it; a missing choice is a wrong field like any other.

    Raises:
        RegistrationRefused: the document type, the date or the sex is no such thing.
    """
    wrong = []
    kind, born, sex = typed.get("document_type", ""), typed.get("birth_date", ""), typed.get("sex")
    if kind not in {str(k) for k in DocumentKind}:
        wrong.append(FieldError("/document_type", "required", "请选择证件类型"))
    birth_date = _date(born)
    if born and birth_date is None:
        wrong.append(FieldError("/birth_date", "date-malformed", "出生日期的格式应为 1990-01-31"))
    if wrong:
        raise rules.RegistrationRefused(fields=wrong)
    accepted = agreements.in_force() if typed.get("agreed") == "yes" else {}
    texts = ("name", "document_number", "login_name", "password", "password_again", "phone")
    return rules.Form(
        **{name: typed.get(name, "") for name in texts},
        sms_code=typed.get("sms_code", "").strip(),
        document_type=DocumentKind(kind),
        birth_date=birth_date,
        sex=rules.Sex(sex) if sex in {str(s) for s in rules.Sex} else None,
        agreements=accepted,
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _page(
    typed: Mapping[str, str],
    wrong: Any = (),
    status: int = 200,
    *,
    told: str | None = None,
) -> Response:
    return browser.page(
        "register.html",
        status,
        typed=form_pages.shown(typed),
        **form_pages.faults(wrong, _ORDER),
        recovery=rules.RECOVERY if rules.DocumentTaken.code in {e.code for e in wrong} else None,
        told=told,
        kinds=[(str(kind), kind.label) for kind in DocumentKind],
        agreements=agreements.all_agreements(),
        return_to=browser.return_to(),
    )
