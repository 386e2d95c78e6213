"""What a person can do with their unemployment registration, one verb each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from employment_registry import standing
from employment_registry.checks.actions import Checked
from employment_registry.conditions import require
from employment_registry.events import FACTS, UnemploymentRecordChanged
from employment_registry.life_events.handing_over import hand_over
from employment_registry.person import Person
from employment_registry.person_forms import file_form, open_form
from employment_registry.policies import POLICIES
from employment_registry.policy_kinds import LookBack, ServicePlacePause
from employment_registry.unemployment import place_rules, queries, rules
from employment_registry.unemployment.model import UnemploymentApplication, UnemploymentRecord
from employment_registry.unemployment.opening_rules import CONDITIONS, GUIDE
from employment_registry.working_age import WorkingAge
from servicekit import reviewing
from servicekit.applications import Actor, advance
from servicekit.clock import shanghai_date
from servicekit.filing import Filings
from servicekit.outbox import announce

FILINGS = Filings(
    workflow=rules.WORKFLOW,
    model=UnemploymentApplication,
    not_found=rules.ApplicationNotFound,
    closed=reviewing.close,
)
CHECKED = Checked(
    workflow=rules.WORKFLOW,
    model=UnemploymentApplication,
    digits=rules.BUSINESS_DIGITS,
    asked=rules.ASKED,
    days=lambda limit: limit.unemployment,
)


def open_draft(
    db: Session,
    statement: Mapping[str, Any],
    *,
    person: Person,
    actor: Actor,
    now: datetime,
    copy_of: str | None = None,
) -> UnemploymentApplication:
    """Open the form, filled with what identity knows (UNE-04).

    Args:
        statement: the fields the person has filled in already.
        person: as identity vouches for them; never what a form says.
        copy_of: an own application whose statement is taken over, as of one that was turned down.

    Raises:
        NotOfWorkingAge, AlreadyUnemployed, Employed: not now.
        ApplicationNotFound: there is none to be copied.
        OpenApplication: another one is not decided yet.
    """
    require(CONDITIONS, queries.situation(db, person, actor, today=shanghai_date(now)))
    stated = {} if copy_of is None else _statement(FILINGS.find(db, copy_of, actor))
    return open_form(
        db,
        FILINGS,
        stated | dict(statement),
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
) -> UnemploymentApplication:
    """Check everything and file it; the first time it gets its 受理编号 (ER-08).

    The officer has the working days that the policy of the day says; after a return, what was left.

    Args:
        off: the registers that this installation is without; the others are asked before an
            officer sees it (ER-09).

    Raises:
        Incomplete: every field that is missing or wrong, at once.
        AlreadyUnemployed, Employed: the person registered since the form was opened.
    """
    application = FILINGS.find(db, application_id, actor, seen)
    rules.WORKFLOW.next_state("submit", application.state, actor.role)
    rules.check_standing(standing.find(db, application.person_key, actor.id))
    today = shanghai_date(now)
    rules.check_submission(
        rules.Statement(**_statement(application)),
        born_on=application.born_on.day,
        sex=application.sex,
        today=today,
        look_back=POLICIES.in_force(db, LookBack, today).length,
        ages=POLICIES.in_force(db, WorkingAge, today),
    )
    file_form(
        db,
        CHECKED,
        application,
        region=application.service_place,
        guide=GUIDE,
        off=off,
        actor=actor,
        now=now,
        note=note,
    )
    return application


def change_service_place(
    db: Session, place: str, *, actor: Actor, now: datetime
) -> UnemploymentRecord:
    """变更服务地: takes effect at once, without review; the new office sees, the old no longer.

    Raises:
        NotUnemployed, TooSoon, SamePlace, Incomplete
    """
    record = queries.hold_current(db, actor)
    today = shanghai_date(now)
    pause = POLICIES.in_force(db, ServicePlacePause, today).length
    place_rules.check_unemployed(record is not None, pause)
    assert record is not None
    before, changed_on = record.service_place, record.service_place_changed_on
    place_rules.check_service_place_change(before, place, changed_on, today, pause=pause)
    hand_over(db, record.id, place, now=now)
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


def _statement(application: UnemploymentApplication) -> dict[str, Any]:
    return {name: getattr(application, name) for name in rules.STATEMENT_FIELDS}
