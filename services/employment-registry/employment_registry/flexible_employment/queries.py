"""Which applications and records a person or an officer may see, and in what order."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from employment_registry.flexible_employment import rules
from employment_registry.flexible_employment.model import (
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from servicekit.applications import Actor
from servicekit.personal import DocumentNumber

NEWEST = (FlexibleEmploymentApplication.created_at, FlexibleEmploymentApplication.id)
NEWEST_RECORD = (FlexibleEmploymentRecord.valid_since, FlexibleEmploymentRecord.id)


def find_valid_record(db: Session, applicant_id: str) -> FlexibleEmploymentRecord | None:
    """The one record in force, held until the transaction ends."""
    found = select(FlexibleEmploymentRecord).where(
        FlexibleEmploymentRecord.applicant_id == applicant_id, FlexibleEmploymentRecord.is_valid
    )
    return db.scalar(found.with_for_update())


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


def applications_of(db: Session, record_id: str) -> list[FlexibleEmploymentApplication]:
    """Every application that founded, changed or would change a record."""
    found = select(FlexibleEmploymentApplication).where(
        FlexibleEmploymentApplication.record_id == record_id
    )
    return list(db.scalars(found.order_by(FlexibleEmploymentApplication.id)))


def find_open(db: Session, applicant_id: str) -> str | None:
    """The id of the application that keeps the person from opening another one."""
    return db.scalar(
        select(FlexibleEmploymentApplication.id).where(
            FlexibleEmploymentApplication.applicant_id == applicant_id,
            FlexibleEmploymentApplication.state.in_(rules.OPEN),
        )
    )
