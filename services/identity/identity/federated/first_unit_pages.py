"""A unit's first login through a channel: its initialisation (登录初始化), and onward in place.

First the agent's verified personal account, then the unit's data; number and name are the
channel's. No second login, no cleared cache (E10, ID-29).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from identity import form_pages
from identity.accounts import agreements
from identity.adapters.proofing import Proof
from identity.federated import actions, rules
from identity.federated.first_pages import UNIT, gone, on_page, raise_address, with_proof
from identity.parts import client_address, parts
from identity.sign_in import browser, entrance
from identity.sms_codes.rules import PAUSE
from identity.units import form_rules, queries, registering
from identity.units import pages as unit_pages
from identity.units import rules as unit_rules
from identity.units.model import Registration, Unit
from identity.units.rules import CertificateKind
from identity.verification import challenges
from identity.verification import rules as levels
from identity.verification.model import Challenge
from identity.verification.rules import Channel
from servicekit.errors import FieldError
from servicekit.identifiers import DocumentKind
from servicekit.web.access import public
from servicekit.web.session import now

blueprint = Blueprint(
    "first_unit_pages", __name__, url_prefix=browser.PREFIX, template_folder="templates"
)

_DATA: Final = f"{UNIT}/data"
# The form of a registration; number and name are the channel's.
_GIVEN: Final = ("certificate_type", "certificate_number", "name")
_ORDER: Final = tuple(each for each in unit_pages.ORDER if each not in _GIVEN)
_TEXTS: Final = tuple(each for each in unit_pages.TEXTS if each not in _GIVEN)


@blueprint.get("/first-unit")
@public
def show_agent() -> Response:
    """Step 1 of the initialisation (登录初始化): 单位所属实名人员信息."""
    return with_proof(lambda _db, _found, proof: _agent_page(proof, {}))


@blueprint.post("/first-unit")
@public
def check_agent() -> Response:
    """Find the agent; keep the registration's ticket in this browser."""
    typed = form_pages.typed()

    def act(db: Session, found: Challenge, proof: Proof) -> Response:
        if not browser.is_own_form():
            return _agent_page(proof, typed, form_pages.stale("login_name"), 400)
        own = parts()
        begun = registering.begin(
            db,
            login_name=typed.get("login_name", "").strip(),
            document_number=typed.get("document_number", "").strip(),
            address=client_address(),
            limits=own.unit_limits,
            counts=own.counts,
            now=now(),
        )
        challenges.give_time(db, found, now=now())
        response = browser.go(browser.with_return(_DATA, browser.return_to()))
        ticket = f"{begun.registration.id}.{begun.ticket}"
        browser.set_cookie(response, unit_pages.TICKET_COOKIE, ticket)
        return response

    return with_proof(act, lambda _channel, proof, wrong: _agent_page(proof, typed, wrong, 422))


@blueprint.get("/first-unit/data")
@public
def show_unit() -> Response:
    """Step 2: 单位信息, as far as it was filled in; number and name are the channel's."""

    def act(db: Session, _found: Challenge, proof: Proof) -> Response:
        return _unit_page(proof, _drafted(_registration(db)))

    return with_proof(act)


@blueprint.post("/first-unit/code")
@public
def send_code() -> Response:
    """Send a code to the agent's phone, and show the form as it was."""
    typed = form_pages.typed()

    def act(db: Session, _found: Challenge, proof: Proof) -> Response:
        found, own = _registration(db), parts()
        _keep(found, typed)
        registering.send_code(
            db,
            found,
            address=client_address(),
            limits=own.sms_limits,
            counts=own.counts,
            now=now(),
        )
        seconds = int(PAUSE.total_seconds())
        told = f"验证码已发送到经办人员的手机。{seconds} 秒后可重新获取。请重新填写密码。"
        return _unit_page(proof, typed, told=told)

    return with_proof(
        act, lambda _channel, proof, wrong: _unit_page(proof, typed, wrong, 422), form=True
    )


@blueprint.post("/first-unit/data")
@public
def complete() -> Response:
    """Open the unit's account, keep the evidence, sign in: no second login, no cleared cache."""
    typed = form_pages.typed()

    def act(db: Session, found: Challenge, proof: Proof) -> Response:
        own, channel = parts(), Channel(found.channel)
        unit = registering.complete(
            db,
            _registration(db, lock=True),
            _form(typed, proof),
            policy=own.password_policy,
            hasher=own.hasher,
            counts=own.counts,
            now=now(),
        )
        return _signed_in(db, found, unit, proof, channel)

    return with_proof(
        act, lambda _channel, proof, wrong: _unit_page(proof, typed, wrong, 422), form=True
    )


def _signed_in(
    db: Session, found: Challenge, unit: Unit, proof: Proof, channel: Channel
) -> Response:
    challenges.use(db, found, now=now())
    actions.note_login(db, unit.account, proof, channel, now=now())
    response = entrance.go_on(db, unit.account, way=rules.WAYS[channel])
    if rules.needs_raise(unit.account.level):
        response.location = raise_address(rules.STRAIGHT_THROUGH)
    browser.drop_cookie(response, unit_pages.TICKET_COOKIE)
    return gone(response)


def _registration(db: Session, *, lock: bool = False) -> Registration:
    held, _, ticket = request.cookies.get(unit_pages.TICKET_COOKIE, "").partition(".")
    return queries.find_registration(db, held, ticket, now=now(), lock=lock)


def _keep(found: Registration, typed: Mapping[str, str]) -> None:
    registering.save_draft(found, json.dumps(form_pages.shown(typed), ensure_ascii=False))


def _drafted(found: Registration) -> dict[str, str]:
    return {} if found.draft is None else dict(json.loads(found.draft.expose()))


def _form(typed: Mapping[str, str], proof: Proof) -> form_rules.UnitForm:
    document = typed.get("legal_document_type", "")
    if document not in {str(each) for each in DocumentKind}:
        text = "请选择法定代表人证件类型"
        wrong = FieldError("/legal_document_type", "required", text)
        raise unit_rules.UnitRefused(fields=[wrong])
    return form_rules.UnitForm(
        **{name: typed.get(name, "") for name in _TEXTS},
        name=proof.name,
        certificate_type=CertificateKind.USCC,
        certificate_number=proof.number,
        sms_code=typed.get("sms_code", "").strip(),
        legal_document_type=DocumentKind(document),
        agreements=agreements.in_force() if typed.get("agreed") == "yes" else {},
    )


def _agent_page(
    proof: Proof, typed: Mapping[str, str], wrong: Sequence[FieldError] = (), status: int = 200
) -> Response:
    codes = {each.code for each in wrong}
    low = unit_rules.AgentLevelTooLow.code in codes
    return browser.page(
        "first-agent.html",
        status,
        unit=proof.name,
        number=proof.number,
        typed=typed,
        error=bool(wrong),
        errors=[(each.message, "#login_name") for each in wrong],
        ways=unit_rules.RAISES if low else (),
        return_to=browser.return_to(),
    )


def _unit_page(
    proof: Proof,
    typed: Mapping[str, str],
    wrong: Sequence[FieldError] = (),
    status: int = 200,
    *,
    told: str | None = None,
) -> Response:
    shown = [on_page(each, (*_ORDER, "agreements")) for each in wrong]
    return browser.page(
        "first-unit.html",
        status,
        unit=proof.name,
        number=proof.number,
        level=levels.LEVEL_NAMES[levels.Scale.PROV].get(proof.level or levels.L2, ""),
        typed=form_pages.shown(typed),
        **form_pages.faults(shown, _ORDER),
        told=told,
        documents=[(str(kind), kind.label) for kind in DocumentKind],
        places=unit_pages.places(),
        agreements=agreements.all_agreements(),
        return_to=browser.return_to(),
    )
