"""On-site: an officer at a service hall saw the document and the face, and records it (ID-06)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.accounts import actions as accounts
from identity.accounts.model import Account, Person
from identity.accounts.rules import (
    Form,
    Kind,
    RegistrationRefused,
    Standing,
    check_form,
    check_standing,
    document_key,
)
from identity.hashing import Hasher
from identity.limits import Counts
from identity.messages import actions as messages
from identity.officers.model import Officer
from identity.password_policy import Policy
from identity.passwords import actions as passwords
from identity.sms_codes import actions as sms_codes
from identity.sms_codes.rules import WRONG_CODE, Purpose
from identity.units.model import Unit
from identity.verification.levels import Found, add_evidence
from identity.verification.model import Evidence
from identity.verification.on_site_rules import (
    NobodyAtDesk,
    OtherRegion,
    OwnDesk,
    check_materials,
)
from identity.verification.rules import Channel
from servicekit.clock import shanghai_date
from servicekit.db import new_id
from servicekit.identifiers import DocumentKind, unit_number
from servicekit.personal import DocumentNumber, PersonName


@dataclass(frozen=True, slots=True)
class Presented:
    """What was presented at the desk."""

    kind: str  # person | unit
    name: str = field(repr=False)
    number: str = field(repr=False)
    materials: tuple[str, ...]
    document_type: DocumentKind = DocumentKind.RESIDENT_CARD
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Means:
    """What the application lends."""

    counts: Counts
    hasher: Hasher
    policy: Policy


def record(db: Session, presented: Presented, *, officer_id: str, now: datetime) -> Evidence:
    """Raise a person to 三级, a unit to 五级（L3）, by an officer's record.

    Raises:
        MaterialsMissing: not everything was presented.
        NobodyAtDesk: no such account.
        OwnDesk: it is the officer's own document.
        OtherRegion: the unit belongs to another office.
        AccountLocked: the account may not act.
    """
    check_materials(presented.kind, presented.materials)
    officer = db.get_one(Officer, officer_id)
    find = _person if presented.kind == "person" else _unit
    account = find(db, presented, officer)
    check_standing(account.standing)
    return _keep(db, account, presented, officer, now=now)


def register(
    db: Session,
    form: Form,
    materials: tuple[str, ...],
    *,
    officer_id: str,
    means: Means,
    now: datetime,
) -> Evidence:
    """Open the account of a person who could not register on line, and prove it at once (A6).

    The person's own phone shows a code; the one-time password goes there and nowhere else, and
    agreements are the person's own to accept, at the first login.

    Raises:
        MaterialsMissing: the document was not presented.
        OwnDesk: it is the officer's own document.
        RegistrationRefused: with every wrong field.
        LoginNameTaken, DocumentTaken: somebody has it.
    """
    check_materials("person", materials)
    officer = db.get_one(Officer, officer_id)
    if officer.name == PersonName(form.name):
        raise OwnDesk
    code_id = sms_codes.check(
        means.counts, phone=form.phone, purpose=Purpose.REGISTRATION, code=form.sms_code, now=now
    )
    wrong = [] if code_id else [WRONG_CODE]
    today = shanghai_date(now)
    identity = check_form(form, means.policy, agreements={}, today=today, also=wrong)
    if code_id is None or not sms_codes.use(db, code_id, now=now):
        raise RegistrationRefused(fields=[WRONG_CODE])
    account = accounts.open_account(
        db,
        kind=Kind.PERSON,
        login_name=form.login_name,
        password_hash="",
        phone=form.phone,
        now=now,
    )
    key = DocumentNumber(document_key(identity.document_type, identity.document_number))
    account.person = accounts.open_person(db, account, form.name, identity, key)
    _send_password(db, account, means, now)
    number, kind = identity.document_number, identity.document_type
    seen = Presented("person", form.name, number, materials, kind)
    return _keep(db, account, seen, officer, now=now)


def _send_password(db: Session, account: Account, means: Means, now: datetime) -> None:
    password = passwords.give_one_time(db, account, hasher=means.hasher, now=now)
    messages.send_sms(
        db,
        "recovery-password-sent",
        {"name": account.login_name.expose(), "password": password},
        phone=account.phone,
        account_id=account.id,
        useless_at=None,
        now=now,
    )


def _keep(
    db: Session, account: Account, presented: Presented, officer: Officer, *, now: datetime
) -> Evidence:
    found = Found(
        channel=Channel.ON_SITE,
        provider=f"window-{officer.region}",
        reference=new_id(),
        answer_hash=hashlib.sha256(_said(presented)).digest(),
        masked=_masked(presented),
        recorded_by=officer.account_id,
    )
    return add_evidence(db, account, found, now=now)


def _person(db: Session, presented: Presented, officer: Officer) -> Account:
    number = document_key(presented.document_type, presented.number.strip().upper())
    wanted = (
        select(Account)
        .join(Person, Person.account_id == Account.id)
        .where(
            Person.document_index == DocumentNumber(number), Account.standing != Standing.CANCELLED
        )
        .limit(2)
    )
    found = list(db.scalars(wanted))
    person = found[0].person if len(found) == 1 else None
    if person is None or person.name != PersonName(presented.name):
        raise NobodyAtDesk
    if officer.name == person.name:
        raise OwnDesk
    return found[0]


def _unit(db: Session, presented: Presented, officer: Officer) -> Account:
    number = unit_number(presented.number)
    unit = db.scalar(
        select(Unit).where(Unit.certificate_number == number, Unit.closed_at.is_(None))
    )
    if unit is None or unit.name != presented.name.strip():
        raise NobodyAtDesk
    if not unit.region.startswith(officer.region):
        raise OtherRegion
    return unit.account


def _said(presented: Presented) -> bytes:
    said = {"number": presented.number, "name": presented.name, "note": presented.note}
    return orjson.dumps(said | {"materials": sorted(presented.materials)})


def _masked(presented: Presented) -> dict[str, str]:
    seen = {"materials": " ".join(sorted(presented.materials)), "note": presented.note}
    if presented.kind == "unit":
        return {"name": presented.name, "number": presented.number, **seen}
    return {
        "name": PersonName(presented.name).mask(),
        "number": DocumentNumber(presented.number).mask(),
        **seen,
    }
