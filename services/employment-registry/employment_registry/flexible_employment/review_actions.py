"""What an officer can do with a filed registration: claim, look, approve, return, reject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from employment_registry.flexible_employment import queries, rules
from employment_registry.flexible_employment.actions import announce_record
from employment_registry.flexible_employment.model import (
    APPLICATION,
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from servicekit import reviewing
from servicekit.access_records import reveal
from servicekit.applications import Actor, advance
from servicekit.claims import Decision
from servicekit.db import unique_violation
from servicekit.personal import Personal


def claim(
    db: Session, application_id: str, *, actor: Actor, now: datetime
) -> FlexibleEmploymentApplication:
    """Hold it for fifteen minutes; claiming again begins them anew (AL-10).

    Raises:
        ClaimedByOther, WrongState
    """
    application = queries.find_for_officer(db, application_id, actor)
    reviewing.claim(db, rules.WORKFLOW, application, actor=actor, now=now)
    return application


def release(
    db: Session, application_id: str, *, actor: Actor, now: datetime
) -> FlexibleEmploymentApplication:
    """Give it back before the fifteen minutes are over.

    Raises:
        NotClaimed
    """
    application = queries.find_for_officer(db, application_id, actor)
    reviewing.release(db, application, actor=actor, now=now)
    return application


def approve(
    db: Session,
    application_id: str,
    *,
    actor: Actor,
    now: datetime,
    note: str | None,
    seen: int | None = None,
) -> FlexibleEmploymentApplication:
    """审核通过: a registration founds the record, a change takes its place in it (EMP-04, EMP-06).

    Raises:
        ClaimedByOther, WrongState, RecordInvalid, AlreadyRegistered
    """
    application, record = _to_decide(db, application_id, actor, now, seen)
    reviewing.settle(application)
    advance(db, rules.WORKFLOW, application, "approve", actor=actor, now=now, note=note)
    if record is None:
        record = _found_record(db, application, now)
    else:
        rules.check_kind(application.kind, is_registered=record.is_valid, was_registered=True)
        record.application_id, record.changed_at = application.id, now
        db.flush()
    announce_record(db, record, application, now)
    return application


def send_back(
    db: Session,
    application_id: str,
    decision: Decision,
    *,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
) -> FlexibleEmploymentApplication:
    """退回补正: the time limit stands still until the applicant submits again (AL-09).

    Raises:
        ClaimedByOther, WrongState
    """
    application, _ = _to_decide(db, application_id, actor, now, seen)
    reviewing.pause(application, now=now)
    reviewing.settle(application, decision)
    advance(db, rules.WORKFLOW, application, "return", actor=actor, now=now, note=decision.reason)
    return application


def reject(
    db: Session,
    application_id: str,
    decision: Decision,
    *,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
) -> FlexibleEmploymentApplication:
    """审核不通过: a record that a change was meant for stays as it is (EMP-06).

    Raises:
        ClaimedByOther, WrongState
    """
    application, _ = _to_decide(db, application_id, actor, now, seen)
    reviewing.settle(application, decision)
    advance(db, rules.WORKFLOW, application, "reject", actor=actor, now=now, note=decision.reason)
    return application


def look_at(
    db: Session,
    application_id: str,
    names: Sequence[str],
    *,
    actor: Actor,
    now: datetime,
    reason: str,
) -> dict[str, str]:
    """The clear text of masked values; each look is on record, with its reason (AL-04).

    Args:
        names: columns of the application that hold personal values.
    """
    application = queries.find_for_officer(db, application_id, actor)
    return {
        name: reveal(
            db,
            value,
            column=f"{APPLICATION}.{name}",
            record_id=application.id,
            owner_id=application.applicant_id,
            actor=actor,
            reason=reason,
            now=now,
        )
        for name in names
        if isinstance(value := getattr(application, name), Personal)
    }


def _to_decide(
    db: Session, application_id: str, actor: Actor, now: datetime, seen: int | None
) -> tuple[FlexibleEmploymentApplication, FlexibleEmploymentRecord | None]:
    application = queries.find_for_officer(db, application_id, actor, seen=seen)
    reviewing.check_free(application, actor, now)
    return application, queries.hold_record(db, application)


def _found_record(
    db: Session, application: FlexibleEmploymentApplication, now: datetime
) -> FlexibleEmploymentRecord:
    record = FlexibleEmploymentRecord(
        applicant_id=application.applicant_id,
        person_key=application.person_key,
        application_id=application.id,
        is_valid=True,
        valid_since=now,
    )
    try:
        with db.begin_nested():
            db.add(record)
    except IntegrityError as error:
        if unique_violation(error) is None:
            raise
        raise rules.AlreadyRegistered("该人员已有有效的灵活就业登记，不能重复登记。") from error
    application.record_id = record.id
    db.flush()
    return record
