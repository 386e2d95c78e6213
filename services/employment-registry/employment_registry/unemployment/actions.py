"""What a person can do with their unemployment registration, one verb each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from employment_registry import standing, working_age
from employment_registry.events import FACTS, UnemploymentRecordChanged
from employment_registry.person import Person
from employment_registry.person_columns import columns_of
from employment_registry.unemployment import queries, rules
from employment_registry.unemployment.model import UnemploymentApplication, UnemploymentRecord
from servicekit import reviewing
from servicekit.applications import Actor, advance, take_number
from servicekit.clock import shanghai_date
from servicekit.db import unique_violation
from servicekit.filing import Filings
from servicekit.outbox import announce

FILINGS = Filings(
    workflow=rules.WORKFLOW,
    model=UnemploymentApplication,
    not_found=rules.ApplicationNotFound,
    closed=reviewing.close,
)


def open_draft(
    db: Session, statement: Mapping[str, Any], *, person: Person, actor: Actor, now: datetime
) -> UnemploymentApplication:
    """Open the form, filled with what identity knows (UNE-04).

    Args:
        statement: the fields the person has filled in already.
        person: as identity vouches for them; never what a form says.

    Raises:
        NotOfWorkingAge, AlreadyUnemployed, Employed: not now.
        OpenApplication: another one is not decided yet.
    """
    working_age.check_age(person.born_on.day, person.sex, shanghai_date(now), matter=rules.MATTER)
    rules.check_standing(standing.find(db, person.key))
    application = UnemploymentApplication(
        applicant_id=actor.id,
        filed_by=actor.person_id or actor.id,
        state=rules.WORKFLOW.start,
        created_at=now,
        updated_at=now,
        **(columns_of(person) | {"contact_phone": person.phone} | dict(statement)),
    )
    try:
        with db.begin_nested():
            db.add(application)
    except IntegrityError as error:
        if unique_violation(error) is None:
            raise
        other = queries.find_open(db, actor.id)
        raise rules.OpenApplication(extra={"application_id": other}) from error
    return application


def submit(
    db: Session,
    application_id: str,
    *,
    actor: Actor,
    now: datetime,
    review_days: int,
    look_back: timedelta,
    note: str | None = None,
    seen: int | None = None,
) -> UnemploymentApplication:
    """Check everything and send it to review; the first time it gets its 受理编号 (ER-08).

    Args:
        review_days: working days the officer has; after a return, what was left of them.
        look_back: how long ago the person may have lost work.

    Raises:
        Incomplete: every field that is missing or wrong, at once.
        AlreadyUnemployed, Employed: the person registered since the form was opened.
    """
    application = FILINGS.find(db, application_id, actor, seen)
    rules.WORKFLOW.next_state("submit", application.state, actor.role)
    rules.check_standing(standing.find(db, application.person_key))
    rules.check_submission(
        rules.Statement(**{name: getattr(application, name) for name in rules.STATEMENT_FIELDS}),
        born_on=application.born_on.day,
        sex=application.sex,
        today=shanghai_date(now),
        look_back=look_back,
    )
    region = application.service_place or ""
    if application.number is None:
        application.number = take_number(db, region=region, business=rules.BUSINESS_DIGITS, now=now)
    application.region = region
    reviewing.begin(application, days=review_days, now=now)
    advance(db, rules.WORKFLOW, application, "submit", actor=actor, now=now, note=note)
    return application


def change_service_place(
    db: Session, place: str, *, actor: Actor, now: datetime
) -> UnemploymentRecord:
    """变更服务地: takes effect at once, without review; the new office sees, the old no longer.

    Raises:
        NotUnemployed, TooSoon, SamePlace, Incomplete
    """
    record = queries.hold_current(db, actor)
    if record is None:
        raise rules.NotUnemployed
    today = shanghai_date(now)
    before = record.service_place
    rules.check_service_place_change(before, place, record.service_place_changed_on, today)
    record.service_place, record.service_place_changed_on = place, today
    application = db.get_one(UnemploymentApplication, record.application_id)
    application.region = place
    move, said = "change-service-place", f"{before} → {place}"
    advance(db, rules.WORKFLOW, application, move, actor=actor, now=now, note=said)
    announce_record(db, record, now)
    return record


def end_own(
    db: Session, ending: rules.Ending, *, actor: Actor, now: datetime, note: str | None
) -> UnemploymentRecord:
    """The person ends the registration, with a reason; for ever.

    Raises:
        RecordNotFound
    """
    record = queries.hold_current(db, actor)
    if record is None:
        raise rules.RecordNotFound
    end(db, record, ending, actor=actor, now=now, note=note)
    return record


def end(
    db: Session,
    record: UnemploymentRecord,
    ending: rules.Ending,
    *,
    actor: Actor,
    now: datetime,
    note: str | None = None,
) -> None:
    """End a registration that is in force and held."""
    record.is_valid, record.ended_at, record.ending = False, now, ending
    standing.leave(db, record.id)
    application = db.get_one(UnemploymentApplication, record.application_id)
    said = f"{rules.ENDINGS[ending]}；{note}" if note else rules.ENDINGS[ending]
    advance(db, rules.WORKFLOW, application, "end", actor=actor, now=now, note=said)
    announce_record(db, record, now)


def announce_record(db: Session, record: UnemploymentRecord, now: datetime) -> None:
    """Tell others what the registration says from now on; why it ended is the person's own."""
    db.flush()
    announce(
        db,
        FACTS.of(
            UnemploymentRecordChanged,
            subject=record.id,
            now=now,
            applicant_id=record.applicant_id,
            application_id=record.application_id,
            is_valid=record.is_valid,
            version=record.version,
            region=record.service_place,
        ),
    )
