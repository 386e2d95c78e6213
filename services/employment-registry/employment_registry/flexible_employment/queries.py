"""Which applications and records a person or an officer may see, and in what order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from employment_registry.flexible_employment import rules
from employment_registry.flexible_employment.model import (
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from servicekit import reviewing
from servicekit.applications import Actor
from servicekit.clock import SHANGHAI
from servicekit.errors import ChangedMeanwhile
from servicekit.personal import DocumentNumber
from servicekit.workflow import State

NEWEST = (FlexibleEmploymentApplication.created_at, FlexibleEmploymentApplication.id)
DUE_FIRST = (FlexibleEmploymentApplication.due_order, FlexibleEmploymentApplication.id)
NEWEST_RECORD = (FlexibleEmploymentRecord.valid_since, FlexibleEmploymentRecord.id)


@dataclass(frozen=True, slots=True)
class Filters:
    """查询条件; what is None does not narrow. Days are inclusive, in Asia/Shanghai."""

    number: str | None = None
    state: State | None = None
    applicant_id: str | None = None
    submitted_from: date | None = None
    submitted_to: date | None = None


def find_own(
    db: Session, application_id: str, actor: Actor, *, seen: int | None = None
) -> FlexibleEmploymentApplication:
    """The person's own application.

    Args:
        seen: the version the person was looking at, when they said so.

    Raises:
        ApplicationNotFound: there is none, or it is somebody else's (UNE-05).
        ChangedMeanwhile: it is not as they saw it.
    """
    application = db.get(FlexibleEmploymentApplication, application_id)
    if application is None or application.applicant_id != actor.id:
        raise rules.ApplicationNotFound
    return _as_seen(application, seen)


def find_for_officer(
    db: Session, application_id: str, actor: Actor, *, seen: int | None = None
) -> FlexibleEmploymentApplication:
    """An application that has been filed in the officer's region or below.

    Raises:
        ApplicationNotFound: there is none, it is a draft, or it is another region's.
        ChangedMeanwhile: it is not as the officer saw it.
    """
    found = reviewing.find_for_officer(
        db, FlexibleEmploymentApplication, application_id, *_visible(actor), seen=seen
    )
    if found is None:
        raise rules.ApplicationNotFound
    return found


def own_applications(actor: Actor, filters: Filters) -> Select[FlexibleEmploymentApplication]:
    """Everything the person ever filed or drafted."""
    mine = FlexibleEmploymentApplication.applicant_id == actor.id
    return select(FlexibleEmploymentApplication).where(mine, *_narrowed(filters))


def queue(actor: Actor, filters: Filters) -> Select[FlexibleEmploymentApplication]:
    """What has been filed in the officer's region and below (AL-02)."""
    return select(FlexibleEmploymentApplication).where(*_visible(actor), *_narrowed(filters))


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


def _as_seen(
    application: FlexibleEmploymentApplication, seen: int | None
) -> FlexibleEmploymentApplication:
    if seen is not None and seen != application.version:
        raise ChangedMeanwhile
    return application


def _visible(actor: Actor) -> list[ColumnElement[bool]]:
    return reviewing.visible(FlexibleEmploymentApplication, actor, rules.FILED)


def _narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    application = FlexibleEmploymentApplication
    conditions: list[ColumnElement[bool]] = []
    if filters.number is not None:
        conditions.append(application.number == filters.number)
    if filters.state is not None:
        conditions.append(application.state == filters.state)
    if filters.applicant_id is not None:
        conditions.append(application.applicant_id == filters.applicant_id)
    if filters.submitted_from is not None:
        conditions.append(application.submitted_at >= _midnight(filters.submitted_from))
    if filters.submitted_to is not None and filters.submitted_to != date.max:  # no day after it
        conditions.append(
            application.submitted_at < _midnight(filters.submitted_to + timedelta(days=1))
        )
    return conditions


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, SHANGHAI)
