"""What an officer's approval does with the record of a flexibly employed person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from employment_registry import standing
from employment_registry.certificate import issuing
from employment_registry.events import ITSELF, TELLER
from employment_registry.flexible_employment import queries, rules
from employment_registry.flexible_employment.actions import announce_record
from employment_registry.flexible_employment.model import (
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from employment_registry.life import Standing
from employment_registry.life_events import planning
from employment_registry.life_events import queries as endings
from employment_registry.life_events.handing_over import hand_over
from employment_registry.possible_duplicates import alike, registered
from employment_registry.unemployment import actions as unemployment
from employment_registry.unemployment import queries as unemployments
from employment_registry.unemployment.model import UnemploymentApplication
from employment_registry.unemployment.rules import Ending
from servicekit import history
from servicekit.applications import Actor, hold_row
from servicekit.teamwork.reviews import TeamReviews
from servicekit.uniqueness import refusing_a_second


def hold(db: Session, application: FlexibleEmploymentApplication) -> None:
    """Lock what the decision may touch: the record a change is meant for, and an unemployment.

    In the order of ``standing.py``: what is announced to end the record, and both applications,
    before any history is written.
    """
    meant = application.record
    if meant is not None:
        standing.hold(db, meant.id)
        queries.hold_record(db, application)
        endings.find_open(db, meant.id)
    registered = unemployments.hold_in_force(db, application.person_key, application.applicant_id)
    if registered is not None:
        hold_row(db, application)
        db.get_one(UnemploymentApplication, registered.application_id, with_for_update=True)
        history.hold_lanes(db, [application.id, registered.application_id])


def approved(
    db: Session, application: FlexibleEmploymentApplication, *, actor: Actor, now: datetime
) -> None:
    """审核通过: a registration founds the record, a change takes its place in it (EMP-04, EMP-06).

    Raises:
        RecordInvalid, AlreadyRegistered
    """
    record = queries.hold_record(db, application)
    if record is None:
        record = _found_record(db, application, now)
        _become_employed(db, record, filed=application.submitted_at or now, now=now)
        announce_record(db, record, application, now)
        issuing.issue_with_registration(db, application, now=now)
    else:
        rules.check_kind(application.kind, is_registered=record.is_valid, was_registered=True)
        record.application_id, record.changed_at = application.id, now
        db.flush()
        hand_over(db, record.id, application.region or "", now=now)
        announce_record(db, record, application, now)
    planning.plan(db, application.person_key, now=now)


def _become_employed(
    db: Session, record: FlexibleEmploymentRecord, *, filed: datetime, now: datetime
) -> None:
    """Employment ends unemployment (ER-07, UNE-09): nobody is registered as both."""
    registered = unemployments.hold_in_force(db, record.person_key, record.applicant_id)
    if registered is not None:
        unemployment.end(db, registered, Ending.EMPLOYED, actor=ITSELF, now=now)
    if not standing.take(db, record, Standing.EMPLOYED, since=filed):
        raise rules.AlreadyRegistered


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
    with refusing_a_second(
        db, lambda: rules.AlreadyRegistered("该人员已有有效的灵活就业登记，不能重复登记。")
    ):
        db.add(record)
    application.record_id = record.id
    db.flush()
    return record


REVIEWS: TeamReviews[FlexibleEmploymentApplication] = TeamReviews(
    workflow=rules.WORKFLOW,
    model=FlexibleEmploymentApplication,
    filed=rules.FILED,
    not_found=rules.ApplicationNotFound,
    teller=TELLER,
    hold=hold,
    approved=approved,
    alike=alike(registered, lambda each: each.kind is rules.Kind.REGISTRATION),
)
