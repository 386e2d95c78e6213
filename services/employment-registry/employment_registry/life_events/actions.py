"""What a person says against an ending, and what takes effect when its day has come.

Whoever settles or carries out an ending holds the registration's standing first, as every life
event does, so that none overlooks another.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from employment_registry import standing
from employment_registry.certificate import queries as certificates
from employment_registry.certificate.model import Certificate
from employment_registry.events import ITSELF
from employment_registry.flexible_employment import actions as flexible
from employment_registry.flexible_employment import queries as flexible_queries
from employment_registry.flexible_employment.model import FlexibleEmploymentRecord
from employment_registry.life import Standing
from employment_registry.life_events import queries, rules
from employment_registry.life_events.model import PlannedEnding
from employment_registry.life_events.planning import follow_death, plan, terms
from employment_registry.life_events.rules import Happening
from employment_registry.people import known_by
from employment_registry.unemployment import actions as unemployment
from employment_registry.unemployment import queries as unemployments
from employment_registry.unemployment.model import UnemploymentApplication, UnemploymentRecord
from employment_registry.unemployment.rules import Ending
from servicekit import history, reviewing
from servicekit.applications import Actor, advance, hold_row, take_number
from servicekit.clock import shanghai_date
from servicekit.teamwork import urging
from servicekit.teamwork.reviews import ask_no_more

ENDINGS: Final = {
    Happening.ENROLLED: Ending.EMPLOYED,
    Happening.PENSION: Ending.PENSION,
    Happening.RETIRED: Ending.RETIREMENT_AGE,
    Happening.DIED: Ending.DIED,
}


def object_to(
    db: Session,
    ending_id: str,
    explanation: str,
    *,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
) -> PlannedEnding:
    """申诉: an officer decides, and until then nothing ends.

    Raises:
        EndingNotFound, WrongState
        TooLate: its day has come.
    """
    ending = queries.find_own(db, ending_id, actor, seen)
    rules.WORKFLOW.next_state("object", ending.state, actor.role)
    rules.check_in_time(ending.takes_effect_on, shanghai_date(now))
    ending.explanation = explanation
    if ending.number is None:
        region = ending.region or ""
        ending.number = take_number(db, region=region, business=rules.BUSINESS_DIGITS, now=now)
    reviewing.begin(ending, days=terms(db, shanghai_date(now)).review, now=now)
    advance(db, rules.WORKFLOW, ending, "object", actor=actor, now=now, note=explanation)
    return ending


def withdraw(
    db: Session, ending_id: str, *, actor: Actor, now: datetime, seen: int | None = None
) -> PlannedEnding:
    """Take the objection back; the ending takes effect on its day, or at once if that is past.

    Raises:
        EndingNotFound, WrongState
    """
    ending = queries.find_own(db, ending_id, actor, seen)
    standing.hold(db, ending.record_id)
    rules.WORKFLOW.next_state("withdraw", ending.state, actor.role)
    reviewing.close(ending)
    ask_no_more(db, ending, now)
    ending.assigned_to = ending.days_left = None  # whoever objects anew begins anew
    advance(db, rules.WORKFLOW, ending, "withdraw", actor=actor, now=now)
    plan(db, ending.person_key, now=now)  # what was told while an officer had it
    return ending


def urge(
    db: Session,
    ending_id: str,
    *,
    actor: Actor,
    now: datetime,
    note: str | None,
    seen: int | None = None,
) -> PlannedEnding:
    """Ask that one's objection be decided on (催办).

    Raises:
        EndingNotFound, WrongState, UrgedToday, UrgedEnough
    """
    ending = queries.find_own(db, ending_id, actor, seen)
    urging.urge(db, rules.WORKFLOW, ending, actor=actor, now=now, note=note)
    return ending


def carry_out(db: Session, ending_id: str, *, now: datetime) -> None:
    """The day has come: end the registration, or lay down what has no registration any more."""
    ending = db.get(PlannedEnding, ending_id)
    if ending is None:
        return  # merged away meanwhile
    held = standing.hold(db, ending.record_id)
    ending = queries.find_open(db, ending.record_id)
    if ending is None or ending.id != ending_id:
        return  # settled by another worker or an officer
    if held is None:
        history.hold_lanes(db, [ending.id, *_certificates(db, ending)])
        advance(db, rules.WORKFLOW, ending, "lapse", actor=ITSELF, now=now)
        _follow_death(db, ending, now)
    elif rules.is_waiting(ending.state) and ending.takes_effect_on <= shanghai_date(now):
        hold_histories(db, ending)
        advance(db, rules.WORKFLOW, ending, "take-effect", actor=ITSELF, now=now)
        end_registration(db, ending, now=now)


def hold_histories(db: Session, ending: PlannedEnding) -> None:
    """Lock what moves together, and then its histories, before any of it does."""
    hold_row(db, ending)
    moving = [ending.id, *_certificates(db, ending)]
    if ending.standing is Standing.EMPLOYED:
        db.get_one(FlexibleEmploymentRecord, ending.record_id, with_for_update=True)
        moving += [a.id for a in flexible_queries.hold_applications(db, ending.record_id)]
    else:
        record = db.get_one(UnemploymentRecord, ending.record_id, with_for_update=True)
        db.get_one(UnemploymentApplication, record.application_id, with_for_update=True)
        moving.append(record.application_id)
    history.hold_lanes(db, moving)


def end_registration(db: Session, ending: PlannedEnding, *, now: datetime) -> None:
    """End what the ending is about; the person's standing and the histories are held."""
    ending.took_effect = True
    said = rules.HAPPENINGS[ending.event.happening]
    if ending.standing is Standing.EMPLOYED:
        record = db.get_one(FlexibleEmploymentRecord, ending.record_id, with_for_update=True)
        flexible.end(db, record, actor=ITSELF, now=now, reason=said)
    else:
        registered = unemployments.hold(db, ending.record_id)
        if registered is not None:
            why = ENDINGS[ending.event.happening]
            unemployment.end(db, registered, why, actor=ITSELF, now=now)
    _follow_death(db, ending, now)


def _certificates(db: Session, ending: PlannedEnding) -> Sequence[str]:
    return certificates.list_valid(db, known_by(db, ending.person_key).own(Certificate))


def _follow_death(db: Session, ending: PlannedEnding, now: datetime) -> None:
    is_death = ending.event.happening is Happening.DIED
    known = known_by(db, ending.person_key)
    follow_death(db, known, queries.list_events(db, known), now, is_sure=is_death)
