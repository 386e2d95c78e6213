"""Finds units by their numbers, for the people and officers who may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, false, or_, select
from sqlalchemy.orm import Session

from employer_auth.accounts.model import Account
from employer_auth.accounts.rules import Standing
from employer_auth.agencies import Agency, agency_of
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import BindingState
from employer_auth.employers import rules
from employer_auth.employers.model import Unit, UnitNumbers, UnitValue
from employer_auth.employers.rules import NumberKind, UnitField, UnitNumber
from servicekit.applications import Actor

NEWEST = (Unit.registered_at, Unit.id)
NEWEST_VALUE = (UnitValue.valid_since, UnitValue.id)


@dataclass(frozen=True, slots=True)
class Profile:
    """A unit's data as they hold now, and who is responsible for them."""

    unit: Unit
    numbers: UnitNumbers
    values: Mapping[UnitField, str]

    @property
    def agency(self) -> Agency:
        """The agency of the unit's region."""
        return agency_of(self.unit.region)

    @property
    def version(self) -> int:
        """Counts the corrections."""
        return self.numbers.version

    @property
    def missing(self) -> list[UnitField]:
        """What is not known of it (J4)."""
        return rules.missing(self.values)


@dataclass(frozen=True, slots=True)
class FoundUnit:
    """A unit somebody looked up."""

    id: str
    name: str
    uscc: str
    region: str
    management_code: str
    is_bound: bool
    agency: Agency
    next_step: str


def find_by_number(db: Session, number: UnitNumber) -> list[Unit]:
    """The units of a number, mostly one; an organisation code may stand inside a USCC too.

    A cancelled unit's number may be another's by now (ID-22).
    """
    gone = select(Account.id).where(Account.standing == Standing.CANCELLED)
    found = select(Unit).where(_of_number(number), Unit.id.not_in(gone))
    return list(db.scalars(found.order_by(Unit.registered_at, Unit.id)))


def find_profile(db: Session, unit_id: str, *, hold: bool = False) -> Profile:
    """A unit's data.

    Raises:
        UnitNotFound
    """
    held = select(Unit).where(Unit.id == unit_id)
    unit = db.scalar(held.with_for_update() if hold else held)
    numbers = None if unit is None else db.get(UnitNumbers, unit.id)
    if unit is None or numbers is None:
        raise rules.UnitNotFound
    return Profile(unit, numbers, current_values(db, unit.id))


def find_for_officer(db: Session, unit_id: str, actor: Actor, *, hold: bool = False) -> Profile:
    """The data of a unit in the officer's region or below.

    Raises:
        UnitNotFound: there is none, or it is another region's.
    """
    profile = find_profile(db, unit_id, hold=hold)
    if not actor.region or not profile.unit.region.startswith(actor.region):
        raise rules.UnitNotFound
    return profile


def units_of_region(actor: Actor, number: str | None) -> Select[Unit]:
    """The units of the officer's region and below, of one number if one is given.

    Raises:
        UnitNumberMalformed, BadIdentifier
    """
    if not actor.region:
        return select(Unit).where(false())
    found = select(Unit).where(Unit.region.startswith(actor.region, autoescape=True))
    return found if number is None else found.where(_of_number(rules.read_number(number)))


def as_found(db: Session, unit: Unit, person_id: str) -> FoundUnit:
    """A unit as a person sees it who looked for it."""
    numbers = db.get(UnitNumbers, unit.id)
    bound = db.scalar(
        select(Binding.id).where(
            Binding.unit_id == unit.id,
            Binding.person_id == person_id,
            Binding.state == BindingState.ACTIVE,
        )
    )
    return FoundUnit(
        id=unit.id,
        name=unit.name,
        uscc=unit.certificate_number,
        region=unit.region,
        management_code="" if numbers is None else numbers.management_code or "",
        is_bound=bound is not None,
        agency=agency_of(unit.region),
        next_step=rules.NEXT_STEP_BOUND if bound else rules.NEXT_STEP_UNBOUND,
    )


def current_values(db: Session, unit_id: str) -> dict[UnitField, str]:
    """The values that hold now."""
    found = select(UnitValue).where(UnitValue.unit_id == unit_id, UnitValue.valid_until.is_(None))
    return {row.field: row.value for row in db.scalars(found)}


def last_said(db: Session, unit_id: str, field: UnitField) -> str | None:
    """What identity said last of a field, whatever holds now."""
    said = select(UnitValue.value).where(
        UnitValue.unit_id == unit_id,
        UnitValue.field == field,
        UnitValue.source == rules.Source.IDENTITY,
    )
    newest = said.order_by(UnitValue.valid_since.desc(), UnitValue.id.desc())
    return db.scalar(newest.limit(1))


def values_of(unit_id: str) -> Select[UnitValue]:
    """Every value a unit's data ever had (EA-11)."""
    return select(UnitValue).where(UnitValue.unit_id == unit_id)


def _of_number(number: UnitNumber) -> ColumnElement[bool]:
    if number.kind is NumberKind.USCC:
        return Unit.certificate_number == number.text
    numbers = select(UnitNumbers.unit_id)
    if number.kind is NumberKind.MANAGEMENT_CODE:
        return Unit.id.in_(numbers.where(UnitNumbers.management_code == number.text))
    return or_(
        Unit.certificate_number == number.text,
        Unit.id.in_(numbers.where(UnitNumbers.organisation_code == number.text)),
    )
