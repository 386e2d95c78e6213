"""What a person can do with their flexible-employment registration, one verb each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from employment_registry import standing
from employment_registry.checks.actions import Checked
from employment_registry.conditions import require
from employment_registry.events import FACTS, FlexibleEmploymentRecordChanged
from employment_registry.flexible_employment import queries, rules
from employment_registry.flexible_employment.model import (
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from employment_registry.flexible_employment.opening_rules import CONDITIONS, GUIDES
from employment_registry.person import Person
from employment_registry.person_forms import file_form, open_form
from employment_registry.policies import POLICIES
from employment_registry.working_age import WorkingAge
from servicekit import history, reviewing
from servicekit.applications import Actor, advance
from servicekit.clock import shanghai_date
from servicekit.filing import Filings
from servicekit.outbox import announce
from servicekit.workflow import Role

FILINGS = Filings(
    workflow=rules.WORKFLOW,
    model=FlexibleEmploymentApplication,
    not_found=rules.ApplicationNotFound,
    hold=queries.hold_record,
    closed=reviewing.close,
)
CHECKED = Checked(
    workflow=rules.WORKFLOW,
    model=FlexibleEmploymentApplication,
    digits=rules.BUSINESS_DIGITS,
    asked=rules.ASKED,
    days=lambda limit: limit.flexible_employment,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """What the person says when they open the form; ``employment`` holds the fields given."""

    kind: rules.Kind
    employment: Mapping[str, Any]
    copy_of: str | None = None


def open_draft(
    db: Session, opening: Opening, *, person: Person, actor: Actor, now: datetime
) -> FlexibleEmploymentApplication:
    """Open the form, filled with what identity and earlier filings know (EMP-02).

    Args:
        person: as identity vouches for them; never what a form says.

    Raises:
        NotOfWorkingAge, AlreadyRegistered, NotFlexiblyEmployed, RecordInvalid: not now.
        OpenApplication: another one is not decided yet (EMP-10).
    """
    record = queries.find_valid_record(db, actor.id)
    today = shanghai_date(now)
    situation = queries.situation(db, record, person=person, applicant_id=actor.id, today=today)
    require(CONDITIONS[opening.kind], situation)
    filled: dict[str, Any] = {}
    if opening.copy_of is not None:
        filled = _employment(FILINGS.find(db, opening.copy_of, actor))
    elif record is not None:
        filled = _employment(FILINGS.find(db, record.application_id, actor))
    founded = {"kind": opening.kind, "record_id": record.id if record else None}
    return open_form(
        db,
        FILINGS,
        founded | filled | dict(opening.employment),
        person=person,
        actor=actor,
        now=now,
        open_application=rules.OpenApplication,
    )


def submit(
    db: Session,
    application_id: str,
    *,
    actor: Actor,
    now: datetime,
    off: Collection[str],
    note: str | None = None,
    seen: int | None = None,
) -> FlexibleEmploymentApplication:
    """Check everything and file it; the first time it gets its 受理编号 (ER-08).

    The officer has the working days that the policy of the day says; after a return, what was left.

    Args:
        off: the registers that this installation is without; the others are asked before an
            officer sees it (ER-09).

    Raises:
        Incomplete: every field that is missing or wrong, at once.
        AlreadyRegistered, RecordInvalid: the record came or went since the form was opened.
    """
    application = FILINGS.find(db, application_id, actor, seen)
    rules.WORKFLOW.next_state("submit", application.state, actor.role)
    _check_records(db, application.kind, actor.id, application.person_key)
    today = shanghai_date(now)
    rules.check_submission(
        rules.Employment(**_employment(application)),
        born_on=application.born_on.day,
        sex=application.sex,
        today=today,
        ages=POLICIES.in_force(db, WorkingAge, today),
    )
    file_form(
        db,
        CHECKED,
        application,
        region=application.work_place,
        guide=GUIDES[application.kind],
        off=off,
        actor=actor,
        now=now,
        note=note,
    )
    return application


def cancel(
    db: Session,
    application_id: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    seen: int | None = None,
) -> FlexibleEmploymentApplication:
    """End the record at once, without review, for ever (EMP-07, EMP-08).

    Everything that belongs to the record ends with it: what was approved becomes 无效, a filed
    change lapses, a change still in draft is deleted.

    Raises:
        OnlyApprovedCanBeCancelled, RecordInvalid
    """
    application = FILINGS.find(db, application_id, actor, seen)
    standing.hold(db, application.record_id or "")  # first, as every life event takes it
    record = queries.hold_record(db, application)
    in_force = record is not None and record.is_valid
    rules.check_cancellation(application.state, record_is_valid=in_force)
    assert record is not None
    end(db, record, actor=actor, now=now, reason=reason)
    return application


def end(
    db: Session, record: FlexibleEmploymentRecord, *, actor: Actor, now: datetime, reason: str
) -> None:
    """End a record that is in force and held, with everything that belongs to it."""
    record.is_valid, record.ended_at = False, now
    standing.leave(db, record.id)
    belonging = queries.hold_applications(db, record.id)
    for each in sorted(belonging, key=lambda a: history.lane_of(a.id)):
        _end(db, each, actor=actor, now=now, reason=reason)
    db.flush()
    newest = next(each for each in belonging if each.id == record.application_id)
    announce_record(db, record, newest, now)


def announce_record(
    db: Session,
    record: FlexibleEmploymentRecord,
    application: FlexibleEmploymentApplication,
    now: datetime,
) -> None:
    """Tell others what the record says from now on; call after it has been written."""
    announce(
        db,
        FACTS.of(
            FlexibleEmploymentRecordChanged,
            subject=record.id,
            now=now,
            applicant_id=record.applicant_id,
            application_id=record.application_id,
            is_valid=record.is_valid,
            version=record.version,
            region=application.region,
        ),
    )


def _end(
    db: Session,
    application: FlexibleEmploymentApplication,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
) -> None:
    move = rules.ENDINGS.get(application.state)
    if move == "delete":
        db.delete(application)
    elif move == "lapse":
        reviewing.close(application)
        system = replace(actor, role=Role.SYSTEM)
        advance(db, rules.WORKFLOW, application, move, actor=system, now=now, note=reason)
    elif move is not None:
        advance(db, rules.WORKFLOW, application, move, actor=actor, now=now, note=reason)


def _check_records(db: Session, kind: rules.Kind, applicant_id: str, person_key: bytes) -> None:
    """Hold the person's records; refuse when the kind does not go with them."""
    records = queries.hold_records(db, applicant_id, person_key)
    own = [each for each in records if each.applicant_id == applicant_id]
    is_registered = any(each.is_valid for each in own)
    rules.check_kind(kind, is_registered=is_registered, was_registered=bool(own))
    if not is_registered and any(each.is_valid for each in records):
        raise rules.AlreadyRegistered  # with another account of theirs


def _employment(application: FlexibleEmploymentApplication) -> dict[str, Any]:
    return {name: getattr(application, name) for name in rules.EMPLOYMENT_FIELDS}
