"""The three pages of a unit's registration: the agent, the unit's data, done. No script.

The ticket lives in a cookie; what was typed is kept sealed on our side until the ticket expires,
so a browser that was closed goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from identity import form_pages
from identity.accounts import agreements
from identity.parts import client_address, parts
from identity.sign_in import browser
from identity.sms_codes.rules import PAUSE
from identity.units import form_rules, queries, registering, rules
from identity.units.model import Registration
from identity.units.rules import CertificateKind
from servicekit import messages, regions
from servicekit.errors import FieldError, Refusal
from servicekit.identifiers import DocumentKind
from servicekit.web.access import public
from servicekit.web.session import now, reading, transaction

blueprint = Blueprint(
    "unit_registration_pages", __name__, url_prefix=browser.PREFIX, template_folder="templates"
)

TICKET_COOKIE: Final = "__Host-identity-unit"
_FIRST: Final = f"{browser.PREFIX}/register-unit"
_SECOND: Final = f"{_FIRST}/data"
_RECOVERY: Final = f"{browser.PREFIX}/recovery"
_TAKEN: Final = (messages.UNIT_ID_TAKEN.code, messages.UNIT_ID_TAKEN.text)
PROVINCE: Final = "44"
# As they stand on the page, so that the summary reads from top to bottom.
ORDER: Final = (
    "certificate_type",
    "certificate_number",
    "name",
    "region",
    "address",
    "legal_name",
    "legal_document_type",
    "legal_document_number",
    "legal_phone",
    "sms_code",
    "login_name",
    "password",
    "password_again",
    "agreed",
)
TEXTS: Final = tuple(
    name
    for name in ORDER
    if name not in ("certificate_type", "legal_document_type", "agreed", "sms_code")
)


@blueprint.get("/register-unit")
@public
def show_agent() -> Response:
    """Step 1, empty."""
    return _agent_page({})


@blueprint.post("/register-unit")
@public
def check_agent() -> Response:
    """Step 1: find the agent, keep the ticket in a cookie, go on to step 2."""
    typed = form_pages.typed()
    if not browser.is_own_form():
        return _agent_page(typed, form_pages.stale("login_name"), 400)
    own = parts()
    try:
        with transaction() as db:
            begun = registering.begin(
                db,
                login_name=typed.get("login_name", "").strip(),
                document_number=typed.get("document_number", "").strip(),
                address=client_address(),
                cookie=request.cookies.get(browser.DEVICE_COOKIE),
                limits=own.unit_limits,
                counts=own.counts,
                now=now(),
            )
    except Refusal as refusal:
        return _agent_page(typed, [FieldError("/login_name", refusal.code, refusal.message)], 422)
    response = browser.go(browser.with_return(_SECOND, browser.return_to()))
    browser.set_cookie(response, TICKET_COOKIE, f"{begun.registration.id}.{begun.ticket}")
    return response


@blueprint.get("/register-unit/data")
@public
def show_data() -> Response:
    """Step 2, as far as it was filled in."""
    try:
        with reading() as db:
            found = _registration(db)
            return _done_page(db, found) if found.unit_id else _data_page(_drafted(found))
    except rules.NoTicket as refusal:
        return _agent_page({}, [FieldError("/login_name", refusal.code, refusal.message)], 404)


@blueprint.post("/register-unit/number")
@public
def check_number() -> Response:
    """Tell whether the number in the form is in use (ID-22), and show the form as it was."""
    return _answer(_check_number)


@blueprint.post("/register-unit/code")
@public
def send_code() -> Response:
    """Send a code to the agent's phone, and show the form as it was."""
    return _answer(_send_code)


@blueprint.post("/register-unit/data")
@public
def complete() -> Response:
    """Step 3: register the unit."""
    return _answer(_complete)


def _answer(act: Callable[[Session, Registration, Mapping[str, str]], Response]) -> Response:
    """Do what the button says; a refusal shows the form again, and what was typed is kept."""
    typed = form_pages.typed()
    if not browser.is_own_form():
        return _data_page(typed, form_pages.stale("certificate_number"), 400)
    try:
        with transaction() as db:
            return act(db, _registration(db, lock=True), typed)
    except rules.NoTicket as refusal:
        return _agent_page({}, [FieldError("/login_name", refusal.code, refusal.message)], 404)
    except Refusal as refusal:
        with transaction() as db:
            _keep(_registration(db), typed)
        first = [FieldError("/certificate_number", refusal.code, refusal.message)]
        return _data_page(typed, refusal.fields or first, 422)


def _check_number(db: Session, found: Registration, typed: Mapping[str, str]) -> Response:
    _keep(found, typed)
    own = parts()
    kind, wrong = _kind(typed)
    if wrong:
        raise rules.UnitRefused(fields=wrong)
    in_use = registering.is_in_use(
        db,
        kind,
        typed.get("certificate_number", ""),
        address=client_address(),
        limits=own.unit_limits,
        counts=own.counts,
        now=now(),
    )
    if in_use:
        taken = FieldError("/certificate_number", *_TAKEN)
        return _data_page(typed, [taken], 409)
    return _data_page(typed, told="该单位证件号码尚未注册，可以继续填写。")


def _send_code(db: Session, found: Registration, typed: Mapping[str, str]) -> Response:
    _keep(found, typed)
    own = parts()
    registering.send_code(
        db,
        found,
        address=client_address(),
        limits=own.sms_limits,
        counts=own.counts,
        now=now(),
    )
    seconds = int(PAUSE.total_seconds())
    told = f"验证码已发送到经办人员的手机。{seconds} 秒后可重新获取。"
    return _data_page(typed, told=f"{told}出于安全考虑，请重新填写密码。")


def _complete(db: Session, found: Registration, typed: Mapping[str, str]) -> Response:
    own = parts()
    registering.complete(
        db,
        found,
        _form(typed),
        policy=own.password_policy,
        hasher=own.hasher,
        counts=own.counts,
        now=now(),
    )
    return _done_page(db, found)


def _form(typed: Mapping[str, str]) -> form_rules.UnitForm:
    """The form as the rules read it; a missing choice is a wrong field like any other.

    Raises:
        UnitRefused: a choice is no such thing.
    """
    kind, wrong = _kind(typed)
    document = typed.get("legal_document_type", "")
    if document not in {str(each) for each in DocumentKind}:
        text = "请选择法定代表人证件类型"
        wrong.append(FieldError("/legal_document_type", "required", text))
    if wrong:
        raise rules.UnitRefused(fields=wrong)
    return form_rules.UnitForm(
        **{name: typed.get(name, "") for name in TEXTS},
        sms_code=typed.get("sms_code", "").strip(),
        certificate_type=kind,
        legal_document_type=DocumentKind(document),
        agreements=agreements.in_force() if typed.get("agreed") == "yes" else {},
    )


def _kind(typed: Mapping[str, str]) -> tuple[CertificateKind, list[FieldError]]:
    chosen = typed.get("certificate_type", "")
    if chosen in {str(each) for each in CertificateKind}:
        return CertificateKind(chosen), []
    wrong = FieldError("/certificate_type", "required", "请选择单位证件类型")
    return CertificateKind.USCC, [wrong]


def _registration(db: Session, *, lock: bool = False) -> Registration:
    held, _, ticket = request.cookies.get(TICKET_COOKIE, "").partition(".")
    return queries.find_registration(db, held, ticket, now=now(), lock=lock)


def _keep(found: Registration, typed: Mapping[str, str]) -> None:
    registering.save_draft(found, json.dumps(form_pages.shown(typed), ensure_ascii=False))


def _drafted(found: Registration) -> dict[str, str]:
    return {} if found.draft is None else dict(json.loads(found.draft.expose()))


def _agent_page(
    typed: Mapping[str, str], wrong: Sequence[FieldError] = (), status: int = 200
) -> Response:
    codes = {each.code for each in wrong}
    return browser.page(
        "unit-agent.html",
        status,
        typed=typed,
        error=bool(wrong),
        errors=[(each.message, "#" + each.field[1:]) for each in wrong],
        ways=rules.RAISES if rules.AgentLevelTooLow.code in codes else (),
        twice=rules.PersonRecordConflict.code in codes,
        return_to=browser.return_to(),
    )


def _data_page(
    typed: Mapping[str, str],
    wrong: Sequence[FieldError] = (),
    status: int = 200,
    *,
    told: str | None = None,
) -> Response:
    taken = any(each.code == _TAKEN[0] for each in wrong)
    return browser.page(
        "unit-data.html",
        status,
        typed=form_pages.shown(typed),
        **form_pages.faults(wrong, ORDER),
        told=told,
        recovery=_RECOVERY if taken else None,
        kinds=[(str(kind), kind.label) for kind in CertificateKind],
        documents=[(str(kind), kind.label) for kind in DocumentKind],
        places=places(),
        agreements=agreements.all_agreements(),
        return_to=browser.return_to(),
    )


def _done_page(db: Session, found: Registration) -> Response:
    unit = queries.find_unit(db, found.unit_id or "")
    login = browser.with_return(f"{browser.PREFIX}/login", browser.return_to())
    return browser.page(
        "unit-done.html", 201, name=unit.name, number=unit.certificate_number, login=login
    )


def places() -> list[tuple[str, list[tuple[str, str]]]]:
    """The counties of every city, for one list with headings."""
    return [
        (city.name, [(county.code, county.name) for county in regions.children(city.code)])
        for city in regions.children(PROVINCE)
    ]
