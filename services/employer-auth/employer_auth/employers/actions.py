"""Takes units in, keeps what identity says of them, and lets officers correct their data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from employer_auth import limits
from employer_auth.accounts.queries import find_unit
from employer_auth.employers import events, queries, rules
from employer_auth.employers.model import Unit, UnitNumbers, UnitValue
from employer_auth.employers.queries import Profile
from employer_auth.employers.rules import Source, UnitField
from employer_auth.events import FACTS
from employer_auth.notices.actions import notify
from servicekit.applications import Actor
from servicekit.errors import ChangedMeanwhile, Invalid
from servicekit.outbox import announce

_DAY: Final = timedelta(days=1)
_MIRRORED: Final = (UnitField.NAME, UnitField.REGION)  # stand in the unit's own row too


def admit(db: Session, unit_id: str, *, now: datetime) -> None:
    """Give a unit identity has told of its 单位管理码; said again, it changes nothing (EA-10)."""
    unit = find_unit(db, unit_id)
    assert unit is not None  # the caller has just written it
    uscc = unit.certificate_number
    inside = len(uscc) == rules.USCC_LENGTH
    row = insert(UnitNumbers).values(
        unit_id=unit_id,
        organisation_code=uscc[rules.ORGANISATION_IN_USCC] if inside else uscc[:9],
        given_at=now,
    )
    db.execute(row.on_conflict_do_nothing())
    numbers = db.get_one(UnitNumbers, unit_id, with_for_update=True, populate_existing=True)
    if numbers.management_code is None:
        numbers.management_code = rules.management_code(numbers.serial)
    db.flush()
    follow_identity(db, unit_id, now=now)


def follow_identity(db: Session, unit_id: str, *, now: datetime) -> None:
    """What identity says anew of name and region holds from now on.

    What it says as before is no news: then a correction made here meanwhile goes on holding.
    """
    unit = find_unit(db, unit_id)
    assert unit is not None
    said = {UnitField.NAME: unit.name, UnitField.REGION: unit.region}
    held = queries.current_values(db, unit_id)
    news = False
    for field, value in said.items():
        if queries.last_said(db, unit_id, field) != value:
            _hold_from_now(db, unit_id, field, value, source=Source.IDENTITY, now=now)
            news = True
        else:
            setattr(unit, field.value, held[field])
    db.flush()
    if news:
        _describe(db, unit_id, now)


def search(db: Session, text: str, *, actor: Actor, allowance: int, now: datetime) -> list[Unit]:
    """The units of one exact number; people look up few in a day (EA-07).

    Raises:
        TooManySearches, UnitNotFound, UnitNumberMalformed, BadIdentifier
    """
    number = rules.read_number(text)
    human = actor.person_id or actor.id
    wait = limits.take(db, f"unit-search:{human}", allowance=allowance, window=_DAY, now=now)
    if wait is not None:
        raise rules.TooManySearches(retry_after=wait)
    found = queries.find_by_number(db, number)
    if not found:
        raise rules.UnitNotFound
    return found


def correct(
    db: Session,
    unit_id: str,
    values: Mapping[UnitField, str],
    *,
    certificate_number: str | None,
    reason: str,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
) -> Profile:
    """更正单位信息: an officer of the unit's region, with a reason (EA-10, J3).

    Args:
        certificate_number: refused whatever it is, with the manuals' sentence (J2).

    Raises:
        UnitNotFound, UsccCannotChange, Invalid, NothingCorrected, ChangedMeanwhile
    """
    profile = queries.find_for_officer(db, unit_id, actor, hold=True)
    if certificate_number is not None:
        raise rules.UsccCannotChange
    if seen is not None and seen != profile.version:
        raise ChangedMeanwhile
    given = {field: value.strip() for field, value in values.items()}
    if wrong := rules.check_values(given):
        raise Invalid(fields=wrong)
    fields = rules.changed(given, profile.values)
    before = dict(profile.values)
    for field in fields:
        _hold_from_now(
            db, unit_id, field, given[field], source=Source.OFFICER, now=now, by=actor, why=reason
        )
        if field in _MIRRORED:
            setattr(profile.unit, field.value, given[field])
    profile.unit.changed_at = now
    profile.numbers.version += 1
    db.flush()
    _tell(db, profile, fields, before, given, now)
    _describe(db, unit_id, now)
    return queries.find_profile(db, unit_id)


def _hold_from_now(
    db: Session,
    unit_id: str,
    field: UnitField,
    value: str,
    *,
    source: Source,
    now: datetime,
    by: Actor | None = None,
    why: str | None = None,
) -> None:
    old = db.scalar(
        select(UnitValue)
        .where(UnitValue.unit_id == unit_id, UnitValue.field == field)
        .where(UnitValue.valid_until.is_(None))
        .with_for_update()
    )
    if old is not None:
        old.valid_until = now
        db.flush()  # before the next one, for only one holds at a time
    db.add(
        UnitValue(
            unit_id=unit_id,
            field=field,
            value=value,
            source=source,
            valid_since=now,
            corrected_by=None if by is None else by.id,
            reason=why,
        )
    )


def _describe(db: Session, unit_id: str, now: datetime) -> None:
    """The whole of the public data, for platforms that let in whom they know well enough (J4)."""
    it = queries.find_profile(db, unit_id)
    announce(
        db,
        FACTS.of(
            events.UnitDescribed,
            subject=unit_id,
            now=now,
            unit_id=unit_id,
            management_code=it.numbers.management_code,
            certificate_type=it.unit.certificate_type,
            certificate_number=it.unit.certificate_number,
            organisation_code=it.numbers.organisation_code,
            name=it.unit.name,
            region=it.unit.region,
            kind=it.values.get(UnitField.KIND),
            industry=it.values.get(UnitField.INDUSTRY),
            missing=[field.value for field in it.missing],
        ),
    )


def _tell(
    db: Session,
    profile: Profile,
    fields: Sequence[UnitField],
    before: Mapping[UnitField, str],
    after: Mapping[UnitField, str],
    now: datetime,
) -> None:
    """The change is published, old and new (EA-10); the unit hears of it in words."""
    changes = [
        {"field": field.value, "before": before.get(field), "after": after[field]}
        for field in fields
    ]
    announce(
        db,
        FACTS.of(
            events.UnitCorrected,
            subject=profile.unit.id,
            now=now,
            unit_id=profile.unit.id,
            name=profile.unit.name,
            region=profile.unit.region,
            version=profile.numbers.version,
            changes=changes,
        ),
    )
    words = {
        "fields": "、".join(rules.LABELS[f] for f in fields),
        "agency": profile.agency.sentence,
    }
    notify(db, profile.unit.id, "unit-data-corrected", words=words, now=now)
