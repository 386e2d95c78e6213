"""On-site: an officer at a service hall saw the document and the face, and records it (ID-06)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.accounts.model import Account, Person
from identity.accounts.rules import Standing, check_standing, document_key
from identity.officers.model import Officer
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
from servicekit.db import new_id
from servicekit.identifiers import DocumentKind
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
    found = Found(
        channel=Channel.ON_SITE,
        provider=f"window-{officer.region}",
        reference=new_id(),
        answer_hash=hashlib.sha256(_said(presented)).digest(),
        masked=_masked(presented),
        recorded_by=officer_id,
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
    number = presented.number.strip().upper()
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
