"""Change what a unit may change: address and contact by itself, name and representative checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from identity.accounts import actions as accounts
from identity.adapters.legal_person_base import LegalPersonBase
from identity.events import FACTS, UnitChanged
from identity.limits import Counts
from identity.messages import actions as messages
from identity.units import form_rules, queries, rules
from identity.units.model import FormerUnit, Unit
from servicekit.clock import shanghai_date
from servicekit.errors import FieldError, Refusal
from servicekit.identifiers import DocumentKind, check_mobile_number
from servicekit.outbox import announce
from servicekit.personal import DocumentNumber, MobileNumber, PersonalText, PersonName

_CONTACT = frozenset({"phone", "sms_code", "old_sms_code", "email", "email_sms_code"})


@dataclass(frozen=True, slots=True)
class NameChange:
    """The unit's new name, its new representative, or both (ID-27, J1)."""

    name: str | None = None
    legal_name: str | None = field(default=None, repr=False)
    legal_document_type: DocumentKind | None = None
    legal_document_number: str | None = field(default=None, repr=False)
    legal_phone: str | None = field(default=None, repr=False)


def change_data(
    db: Session,
    unit: Unit,
    changes: Mapping[str, str | None],
    *,
    counts: Counts,
    now: datetime,
) -> None:
    """Change address, region and contact; number and login name never (ID-28).

    Raises:
        UnitChangeRefused: with every wrong field, or with the sentence about what is fixed.
        OwnDataRefused: a code for the phone is missing or wrong.
    """
    rules.check_fixed(changes)
    region = changes.get("region") or unit.region
    address = changes.get("address") or unit.address.expose()
    wrong = form_rules.check_place(region, address) if {"region", "address"} & set(changes) else []
    if wrong:
        raise rules.UnitChangeRefused(fields=wrong)
    contact = {name: value for name, value in changes.items() if name in _CONTACT}
    if contact:
        accounts.change_own(db, unit.account, contact, counts=counts, now=now)
    elif not changes:
        raise rules.UnitChangeRefused("没有可修改的内容")
    moved = region != unit.region
    unit.region, unit.address = region, PersonalText(address)
    if moved:
        _announce(db, unit, now=now)


def change_name(
    db: Session,
    unit: Unit,
    change: NameChange,
    *,
    by: str,
    base: LegalPersonBase,
    now: datetime,
) -> None:
    """Take a new name or representative once the legal-person base confirms them (ID-27).

    What held before is kept with the time it held, and the unit is told.

    Raises:
        NotVerified: nobody has confirmed the unit yet.
        UnitChangeRefused: with every wrong field.
        BaseDisagrees: the base knows the unit otherwise.
        OutsideFailed: the base did not answer.
    """
    rules.check_verified(unit.account.province_level)
    _check_change(unit, change, now=now)
    name = change.name or unit.name
    legal_name = PersonName(change.legal_name or unit.legal_name)
    answer = base.check(
        certificate_number=unit.certificate_number, name=name, legal_representative=legal_name
    )
    if not answer.is_in_business:
        raise rules.BaseDisagrees
    _keep(db, unit, reference=answer.reference, by=by, now=now)
    unit.name, unit.legal_name, unit.named_at = name, legal_name, now
    if change.legal_document_number is not None:
        unit.legal_document_type = change.legal_document_type or unit.legal_document_type
        unit.legal_document_number = DocumentNumber(change.legal_document_number)
    if change.legal_phone is not None:
        unit.legal_phone = MobileNumber(change.legal_phone)
    _announce(db, unit, now=now)
    messages.tell(db, unit.account_id, "unit-changed", {}, subject=None, now=now)


def freeze(db: Session, unit_id: str, *, since: datetime | None) -> None:
    """It does nothing by its own account while an objection stands; None lifts that (EA-12).

    Raises:
        NoUnit: there is none.
    """
    queries.find_unit(db, unit_id).account.frozen_at = since


def close(unit: Unit, *, now: datetime) -> None:
    """The unit's account ends: its number may register again, its people are not readable.

    Number, name, region and dates are public and stay.
    """
    gone = PersonalText("")
    unit.closed_at, unit.address = now, gone
    unit.legal_name, unit.legal_phone = PersonName(""), MobileNumber("")
    unit.legal_document_number = DocumentNumber("")


def _check_change(unit: Unit, change: NameChange, *, now: datetime) -> None:
    wrong = [] if change.name is None else form_rules.check_name(change.name)
    same_person = change.legal_name in (None, unit.legal_name.expose())
    if change.legal_name is not None or change.legal_document_number is not None:
        kind = change.legal_document_type or DocumentKind(unit.legal_document_type)
        number = change.legal_document_number or ""
        if same_person and change.legal_document_number is None:
            number = unit.legal_document_number.expose()
        legal_name = change.legal_name or unit.legal_name.expose()
        wrong += form_rules.check_legal(legal_name, kind, number, today=shanghai_date(now))
        if not same_person and change.legal_phone is None:
            wrong.append(FieldError("/legal_phone", "required", "请填写新法定代表人的手机号码"))
    if change.legal_phone is not None:
        try:
            check_mobile_number(change.legal_phone)
        except Refusal as refusal:
            wrong.append(FieldError("/legal_phone", refusal.code, refusal.message))
    if change == NameChange():
        raise rules.UnitChangeRefused("没有可修改的内容")
    if wrong:
        raise rules.UnitChangeRefused(fields=wrong)


def _keep(db: Session, unit: Unit, *, reference: str, by: str, now: datetime) -> None:
    db.add(
        FormerUnit(
            account_id=unit.account_id,
            name=unit.name,
            legal_name=unit.legal_name,
            legal_document_number=unit.legal_document_number,
            valid_from=unit.named_at,
            valid_until=now,
            reference=reference,
            changed_by=by,
        )
    )


def _announce(db: Session, unit: Unit, *, now: datetime) -> None:
    changed = FACTS.of(
        UnitChanged,
        subject=unit.account_id,
        now=now,
        unit_id=unit.account_id,
        name=unit.name,
        region=unit.region,
    )
    announce(db, changed)
