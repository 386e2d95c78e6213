"""The guided raise: which level is needed and why, through which channel, and onward (ID-42)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from identity import form_pages
from identity.accounts import agreements
from identity.accounts.model import Account
from identity.accounts.rules import Kind
from identity.parts import client_address, parts
from identity.sign_in import browser, entrance
from identity.sms_codes import actions as sms_codes
from identity.sms_codes.rules import PAUSE, Purpose
from identity.verification import actions, raising, rules
from identity.verification.rules import Channel, Scale
from servicekit import messages
from servicekit.errors import FieldError, OutsideFailed, Refusal
from servicekit.personal import DocumentNumber, PersonName
from servicekit.web.access import public
from servicekit.web.session import now, transaction

blueprint = Blueprint(
    "raise_pages", __name__, url_prefix=browser.PREFIX, template_folder="templates"
)

RAISE: Final = f"{browser.PREFIX}/raise"
_CARD: Final = ("card_number", "phone", "sms_code", "consent")
_ACR: Final = re.compile(r"urn:(gdhrss|gdprov):ial:([1-5])")
_SCALES: Final = {"gdhrss": Scale.HRSS, "gdprov": Scale.PROV}
_LEVEL_WORD: Final = {rules.L1: "L1", rules.L2: "L2", rules.L3: "L3"}
# Channels that are a form of ours; the others are begun at /raise/channel/<name>.
_OWN_FORMS: Final = {Channel.BANK_CARD, Channel.LEGAL_PERSON_BASE}
_UNIT_ITSELF: Final = "请改用单位账号登录，按照引导完成单位的核验，再由经办人员继续办理。"
_PERSON_ITSELF: Final = "请改用个人账号登录，按照引导完成实名认证。"


@blueprint.get("/raise")
@public
def show_choices() -> Response:
    """Why a higher level is needed, and every channel that leads to it.

    ``acr_values`` names the level as the challenge of RFC 9470 did; ``return_to`` is the
    authorization request that goes on afterwards.
    """

    def show(db: Session, owner: Account) -> Response:
        scale, wanted = _wanted(owner)
        if rules.OWN_SCALE.get(owner.kind) is not scale:
            return _elsewhere(owner, scale, wanted)
        return _choices(db, owner, scale, wanted)

    return _for_owner(show)


@blueprint.get("/raise/bank-card")
@public
def show_bank_card() -> Response:
    """The form of the bank-card check (银联实名认证)."""
    return _for_owner(lambda _db, owner: _card_page(owner, {}), Channel.BANK_CARD)


@blueprint.post("/raise/bank-card/code")
@public
def send_code() -> Response:
    """Send a code to the phone in the form, and show the form as it was."""
    typed = form_pages.typed()

    def act(db: Session, owner: Account) -> Response:
        own = parts()
        sms_codes.send(
            db,
            phone=typed.get("phone", ""),
            purpose=Purpose.BANK_CARD_CHECK,
            address=client_address(),
            limits=own.sms_limits,
            counts=own.counts,
            now=now(),
            owner_id=owner.id,
            device=request.cookies.get(browser.DEVICE_COOKIE),
        )
        seconds = int(PAUSE.total_seconds())
        told = f"验证码已发送，请查看短信。{seconds} 秒后可重新获取。"
        return _card_page(owner, typed, told=told)

    return _for_owner(act, Channel.BANK_CARD, form=_card_page, typed=typed)


@blueprint.post("/raise/bank-card")
@public
def check_bank_card() -> Response:
    """Check the card, and go on with what was begun (B5)."""
    typed = form_pages.typed()

    def act(db: Session, owner: Account) -> Response:
        own = parts()
        card = actions.Card(**{name: typed.get(name, "").strip() for name in _CARD})
        actions.check_bank_card_of(
            db, owner, card, bank=own.bank_card, counts=own.counts, now=now()
        )
        return _raised(owner)

    return _for_owner(act, Channel.BANK_CARD, form=_card_page, typed=typed)


@blueprint.get("/raise/legal-person-base")
@public
def show_base() -> Response:
    """What the legal-person base will be asked."""
    return _for_owner(lambda db, owner: _base_page(owner, {}, db=db), Channel.LEGAL_PERSON_BASE)


@blueprint.post("/raise/legal-person-base")
@public
def check_base() -> Response:
    """Ask the legal-person base, and go on with what was begun (ID-24)."""

    def act(db: Session, owner: Account) -> Response:
        raising.check_base(db, owner, base=parts().legal_person_base, now=now())
        return _raised(owner)

    return _for_owner(act, Channel.LEGAL_PERSON_BASE, form=_base_page, typed={})


def _for_owner(
    act: Callable[[Session, Account], Response],
    channel: Channel | None = None,
    *,
    form: Callable[..., Response] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """Do something for who is signed in; a refusal shows the form again, as it was typed."""
    owner_id = None
    try:
        with transaction() as db:
            subject = entrance.owner(db)
            if subject is None:
                return entrance.to_login()
            owner, owner_id = subject.account, subject.account.id
            _check_channel(owner, channel)
            if form is not None and not browser.is_own_form():
                return form(owner, typed, form_pages.stale(_CARD[0]), 400, db=db)
            return act(db, owner)
    except Refusal as refusal:
        if owner_id is None or form is None:
            return _refused(refusal)
        wrong = refusal.fields or [FieldError(f"/{_CARD[0]}", refusal.code, refusal.message)]
        status = 503 if isinstance(refusal, OutsideFailed) else 422
        with transaction() as db:  # the refusal rolled the other one back
            return form(db.get_one(Account, owner_id), typed, wrong, status, db=db)


def _check_channel(owner: Account, channel: Channel | None) -> None:
    if channel is None:
        return  # the list itself
    rules.effect_of(channel, owner.kind)
    if not parts().channels.is_on(channel):
        raise rules.NoSuchChannel


def _wanted(owner: Account) -> tuple[Scale, int]:
    """The level asked for, on this account's scale if it can be; else the next above its own."""
    asked = [_ACR.fullmatch(each) for each in request.args.get("acr_values", "").split()]
    levels = [(_SCALES[found[1]], int(found[2])) for found in asked if found]
    scale = rules.OWN_SCALE.get(owner.kind, Scale.HRSS)
    own = [each for each in levels if each[0] is scale]
    return (own or levels or [(scale, min(owner.level + 1, rules.HIGHEST[scale]))])[0]


def _choices(db: Session, owner: Account, scale: Scale, wanted: int) -> Response:
    target, names = browser.return_to(), rules.LEVEL_NAMES[scale]
    off = parts().channels.off
    reached = owner.level >= wanted
    found = raising.choices(db, owner, wanted=wanted, off=off, now=now())
    return browser.page(
        "raise.html",
        reason=None if reached else _reason(scale, wanted),
        level_name=names[owner.level],
        proved=raising.proved_by(db, owner, now=now()),
        wanted_name=names.get(wanted),
        reached=reached,
        onward=target or f"{browser.PREFIX}/",
        is_unit=owner.kind is Kind.UNIT,
        choices=[asdict(each) | {"address": _address(each.channel)} for each in found],
        decline=_decline(target),
    )


def _elsewhere(owner: Account, scale: Scale, wanted: int) -> Response:
    """The level asked for is not this account's to raise: a unit's, while a person is signed in."""
    return browser.page(
        "raise-elsewhere.html",
        403,
        reason=_reason(scale, wanted),
        what=_UNIT_ITSELF if scale is Scale.PROV else _PERSON_ITSELF,
        login=browser.with_return(f"{browser.PREFIX}/login", browser.return_to()),
        decline=_decline(browser.return_to()),
    )


def _reason(scale: Scale, wanted: int) -> str:
    """The manuals' own sentences (ID-20, ID-25)."""
    if scale is Scale.HRSS:
        text = messages.REALNAME_LEVEL_TOO_LOW.text
        return text.replace("二级", rules.LEVEL_NAMES[scale].get(wanted, "二级"))
    return messages.UNIT_LEVEL_TOO_LOW.text.replace("L3", _LEVEL_WORD.get(wanted, "L3"))


def _decline(target: str | None) -> str:
    """Back without a higher level; the authorization request knows that it asked."""
    return target or f"{browser.PREFIX}/"


def _address(channel: Channel) -> str | None:
    if channel is Channel.ON_SITE:
        return None
    path = f"{RAISE}/{channel}" if channel in _OWN_FORMS else f"{RAISE}/channel/{channel}"
    return browser.with_return(path, browser.return_to())


def _raised(owner: Account) -> Response:
    target = browser.return_to()
    if target:
        return browser.go(target)
    names = rules.LEVEL_NAMES[rules.OWN_SCALE[owner.kind]]
    return browser.page("raised.html", level_name=names[owner.level])


def _refused(refusal: Refusal) -> Response:
    return browser.page(
        "channel-failed.html",
        422,
        title="提升实名等级",
        message=refusal.message,
        again=None,
        others=browser.with_return(RAISE, browser.return_to()),
        others_name="其他认证方式",
        kept=True,
        return_to=browser.return_to(),
    )


def _card_page(
    owner: Account,
    typed: Mapping[str, str],
    wrong: Sequence[FieldError] = (),
    status: int = 200,
    *,
    told: str | None = None,
    db: Session | None = None,
) -> Response:
    person = owner.person
    return browser.page(
        "bank-card.html",
        status,
        name=PersonName("" if person is None else person.name).mask(),
        number=DocumentNumber("" if person is None else person.document_number).mask(),
        typed=form_pages.shown(typed),
        **form_pages.faults(wrong, _CARD),
        told=told,
        consent=agreements.find(rules.CARD_CONSENT),
        back=browser.with_return(RAISE, browser.return_to()),
        return_to=browser.return_to(),
    )


def _base_page(
    owner: Account,
    typed: Any,
    wrong: Sequence[FieldError] = (),
    status: int = 200,
    *,
    db: Session,
) -> Response:
    subject = raising.subject_of(db, owner)
    return browser.page(
        "legal-person-base.html",
        status,
        unit=subject.name,
        number=subject.number,
        error=wrong[0].message if wrong else None,
        back=browser.with_return(RAISE, browser.return_to()),
        return_to=browser.return_to(),
    )
