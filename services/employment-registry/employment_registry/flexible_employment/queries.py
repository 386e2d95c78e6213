"""Which applications and records a person or an officer may see, and in what order."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from employment_registry.flexible_employment import rules
from employment_registry.flexible_employment.model import (
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from employment_registry.flexible_employment.opening_rules import Situation
from employment_registry.person import Person
from employment_registry.policies import POLICIES
from employment_registry.working_age import WorkingAge
from servicekit.applications import Actor
from servicekit.personal import DocumentNumber
from servicekit.statements import run

NEWEST_RECORD = (FlexibleEmploymentRecord.valid_since, FlexibleEmploymentRecord.id)

_RECORDS: Final = """
    SELECT applicant_id, is_valid FROM flexible_employment_record
    WHERE applicant_id = %(applicant_id)s OR (person_key = %(person_key)s AND is_valid)
    ORDER BY id FOR UPDATE
"""


class HeldRecord(NamedTuple):
    """Whose record it is, and whether it is in force."""

    applicant_id: str
    is_valid: bool


def find_valid_record(
    db: Session, applicant_id: str, *, hold: bool = True
) -> FlexibleEmploymentRecord | None:
    """The one record in force, held until the transaction ends unless it is only looked at."""
    found = select(FlexibleEmploymentRecord).where(
        FlexibleEmploymentRecord.applicant_id == applicant_id, FlexibleEmploymentRecord.is_valid
    )
    return db.scalar(found.with_for_update() if hold else found)


def hold_records(db: Session, applicant_id: str, person_key: bytes) -> list[HeldRecord]:
    """All records of the account, and the person's valid one under whichever account, held.

    Args:
        person_key: as the application's row has it.
    """
    found = run(db, _RECORDS, {"applicant_id": applicant_id, "person_key": person_key})
    return [HeldRecord(*each) for each in found]


def situation(
    db: Session,
    record: FlexibleEmploymentRecord | None,
    *,
    person: Person,
    applicant_id: str,
    today: date,
) -> Situation:
    """What the conditions look at, before a form opens.

    Args:
        record: the account's valid record.
    """
    return Situation(
        born_on=person.born_on.day,
        sex=person.sex,
        today=today,
        ages=POLICIES.in_force(db, WorkingAge, today),
        is_registered=record is not None,
        was_registered=record is not None or was_registered(db, applicant_id),
        is_registered_elsewhere=record is None and is_registered(db, person.key),
    )


def find_current(db: Session, actor: Actor) -> FlexibleEmploymentRecord:
    """The person's record in force.

    Raises:
        RecordNotFound: there is none.
    """
    found = own_records(actor).where(FlexibleEmploymentRecord.is_valid)
    record = db.scalar(found)
    if record is None:
        raise rules.RecordNotFound
    return record


def is_registered(db: Session, person_key: DocumentNumber | bytes) -> bool:
    """Does the person hold a valid record, under whichever account?"""
    found = select(FlexibleEmploymentRecord.id).where(
        FlexibleEmploymentRecord.person_key == person_key, FlexibleEmploymentRecord.is_valid
    )
    return db.scalar(found) is not None


def was_registered(db: Session, applicant_id: str) -> bool:
    """Has the person ever held a record, valid or not?"""
    found = select(FlexibleEmploymentRecord.id).where(
        FlexibleEmploymentRecord.applicant_id == applicant_id
    )
    return db.scalar(found.limit(1)) is not None


def hold_record(
    db: Session, application: FlexibleEmploymentApplication
) -> FlexibleEmploymentRecord | None:
    """The record the application belongs to, if any, held until the transaction ends.

    Whoever decides on a change and whoever cancels its record take this lock first, so that
    neither overlooks the other and none waits for one who waits for it.
    """
    if application.record_id is None:
        return None
    return db.get_one(FlexibleEmploymentRecord, application.record_id, with_for_update=True)


def own_records(actor: Actor) -> Select[FlexibleEmploymentRecord]:
    """The person's record in force and those that ended."""
    return select(FlexibleEmploymentRecord).where(FlexibleEmploymentRecord.applicant_id == actor.id)


def hold_applications(db: Session, record_id: str) -> list[FlexibleEmploymentApplication]:
    """Every application that founded, changed or would change a record, held in one order."""
    found = select(FlexibleEmploymentApplication).where(
        FlexibleEmploymentApplication.record_id == record_id
    )
    held = found.order_by(FlexibleEmploymentApplication.id).with_for_update()
    return list(db.scalars(held.execution_options(populate_existing=True)))
