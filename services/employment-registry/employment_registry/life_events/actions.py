"""Keeps what happened, announces endings before they take effect, and lets them take effect.

Whoever plans, settles or carries out an ending holds the person's standing first, as every life
event of theirs does, so that none overlooks another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from employment_registry import standing
from employment_registry.certificate import issuing
from employment_registry.certificate import queries as certificates
from employment_registry.checks.rules import System
from employment_registry.events import FACTS, EndingAnnounced
from employment_registry.flexible_employment import actions as flexible
from employment_registry.flexible_employment import queries as flexible_queries
from employment_registry.flexible_employment.model import (
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from employment_registry.life import Standing
from employment_registry.life_events import queries, rules
from employment_registry.life_events.model import LifeEvent, PlannedEnding, RegisterPosition
from employment_registry.life_events.rules import Happening
from employment_registry.person_columns import PersonApplication
from employment_registry.policies import POLICIES
from employment_registry.policy_kinds import EndingNotice
from employment_registry.standing import PersonKey, PersonStanding
from employment_registry.unemployment import actions as unemployment
from employment_registry.unemployment import queries as unemployments
from employment_registry.unemployment.model import UnemploymentApplication, UnemploymentRecord
from employment_registry.unemployment.rules import Ending
from servicekit import history, reviewing, working_days
from servicekit.applications import Actor, advance, system_actor, take_number
from servicekit.clock import shanghai_date
from servicekit.db import new_id
from servicekit.outbox import announce
from servicekit.teamwork import urging
from servicekit.teamwork.reviews import ask_no_more

ITSELF: Final = system_actor("employment-registry")
ENDINGS: Final = {
    Happening.ENROLLED: Ending.EMPLOYED,
    Happening.PENSION: Ending.PENSION,
    Happening.RETIRED: Ending.RETIREMENT_AGE,
    Happening.DIED: Ending.DIED,
}
_PERSON: Final = (
    "person_key",
    "person_name",
    "document_kind",
    "document_number",
    "born_on",
    "sex",
)


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened, as its source tells it."""

    reference: str
    person: PersonKey
    happening: Happening
    on: date


def hear(db: Session, source: str, told: Sequence[Told], *, now: datetime) -> list[PersonKey]:
    """Keep what is new; gives the people it is about, for whom is planned one by one.

    Planning holds a standing, never two at once, so that two registers never wait for each other.
    """
    people: list[PersonKey] = []
    for each in sorted(told, key=lambda t: t.reference):
        row = insert(LifeEvent).values(
            id=new_id(),
            source=source,
            reference=each.reference,
            person_key=each.person,
            happening=each.happening,
            on=each.on,
            heard_at=now,
            refuted=False,
        )
        if db.execute(row.on_conflict_do_nothing().returning(LifeEvent.id)).first() is not None:
            people.append(each.person)
    return people


def move_on(db: Session, system: System, *, before: int, after: int) -> bool:
    """A register was heard up to ``after``; False when another worker was faster."""
    db.execute(insert(RegisterPosition).values(system=system, number=0).on_conflict_do_nothing())
    held = select(RegisterPosition).where(RegisterPosition.system == system).with_for_update()
    position = db.scalars(held).one()
    if position.number != before:
        return False
    position.number = after
    return True


def terms(db: Session, day: date) -> EndingNotice:
    """The time people and officers have, by the policy of the day."""
    return POLICIES.in_force(db, EndingNotice, day)


def plan(db: Session, person: PersonKey, *, now: datetime) -> None:
    """Announce the ending of the person's registration, where what happened ends it.

    A second event while one is announced changes the cause to the earlier of both, not the day.
    Asked when something is heard, a registration is approved or an objection is over.
    """
    held = standing.hold(db, person)
    if held is None:
        _follow_death(db, person, now)  # not registered in any way: nothing else to end
        return
    events = queries.list_events(db, person)
    cause = rules.cause(held.standing, shanghai_date(held.since), events)
    if cause is None:
        return  # what happened does not concern this registration
    planned = queries.find_open(db, held.record_id)
    if planned is not None:
        if rules.is_announced(planned.state):
            planned.event_id = cause.id
            db.flush()
        return
    today = shanghai_date(now)
    day = working_days.add_working_days(today, terms(db, today).notice)
    _announce(db, held, cause, day, now)


def object_to(
    db: Session,
    ending_id: str,
    explanation: str,
    *,
    actor: Actor,
    now: datetime,
) -> PlannedEnding:
    """申诉: an officer decides, and until then nothing ends.

    Raises:
        EndingNotFound, WrongState
        TooLate: its day has come.
    """
    ending = queries.find_own(db, ending_id, actor)
    rules.WORKFLOW.next_state("object", ending.state, actor.role)
    rules.check_in_time(ending.takes_effect_on, shanghai_date(now))
    ending.explanation = explanation
    if ending.number is None:
        region = ending.region or ""
        ending.number = take_number(db, region=region, business=rules.BUSINESS_DIGITS, now=now)
    reviewing.begin(ending, days=terms(db, shanghai_date(now)).review, now=now)
    advance(db, rules.WORKFLOW, ending, "object", actor=actor, now=now, note=explanation)
    return ending


def withdraw(db: Session, ending_id: str, *, actor: Actor, now: datetime) -> PlannedEnding:
    """Take the objection back; the ending takes effect on its day, or at once if that is past.

    Raises:
        EndingNotFound, WrongState
    """
    ending = queries.find_own(db, ending_id, actor)
    standing.hold(db, ending.person_key)
    rules.WORKFLOW.next_state("withdraw", ending.state, actor.role)
    reviewing.close(ending)
    ask_no_more(db, ending, now)
    ending.assigned_to = ending.days_left = None  # whoever objects anew begins anew
    advance(db, rules.WORKFLOW, ending, "withdraw", actor=actor, now=now)
    plan(db, ending.person_key, now=now)  # what was told while an officer had it
    return ending


def urge(
    db: Session, ending_id: str, *, actor: Actor, now: datetime, note: str | None
) -> PlannedEnding:
    """Ask that one's objection be decided on (催办).

    Raises:
        EndingNotFound, WrongState, UrgedToday, UrgedEnough
    """
    ending = queries.find_own(db, ending_id, actor)
    urging.urge(db, rules.WORKFLOW, ending, actor=actor, now=now, note=note)
    return ending


def carry_out(db: Session, ending_id: str, *, now: datetime) -> None:
    """The day has come: end the registration, or lay down what has no registration any more."""
    ending = db.get(PlannedEnding, ending_id)
    if ending is None:
        return  # merged away meanwhile
    held = standing.hold(db, ending.person_key)
    ending = queries.find_open(db, ending.record_id)
    if ending is None or ending.id != ending_id:
        return  # settled by another worker or an officer
    if held is None or held.record_id != ending.record_id:
        advance(db, rules.WORKFLOW, ending, "lapse", actor=ITSELF, now=now)
        if held is None:
            _follow_death(db, ending.person_key, now, ending=ending)
    elif rules.is_waiting(ending.state) and ending.takes_effect_on <= shanghai_date(now):
        hold_lanes(db, ending)
        advance(db, rules.WORKFLOW, ending, "take-effect", actor=ITSELF, now=now)
        end_registration(db, ending, now=now)


def hold_lanes(db: Session, ending: PlannedEnding) -> None:
    """Lock the histories that move together, before any of them does."""
    moving = [ending.id]
    if ending.standing is Standing.EMPLOYED:
        moving += [a.id for a in flexible_queries.applications_of(db, ending.record_id)]
    else:
        moving.append(db.get_one(UnemploymentRecord, ending.record_id).application_id)
    history.hold_lanes(db, moving)


def end_registration(db: Session, ending: PlannedEnding, *, now: datetime) -> None:
    """End what the ending is about; the person's standing and the histories are held."""
    ending.took_effect = True
    said = rules.HAPPENINGS[ending.event.happening]
    if ending.standing is Standing.EMPLOYED:
        record = db.get_one(FlexibleEmploymentRecord, ending.record_id, with_for_update=True)
        flexible.end(db, record, actor=ITSELF, now=now, reason=said)
    else:
        registered = unemployments.hold_in_force(db, ending.person_key, ending.applicant_id)
        if registered is not None:
            why = ENDINGS[ending.event.happening]
            unemployment.end(db, registered, why, actor=ITSELF, now=now)
    _follow_death(db, ending.person_key, now, ending=ending)


def refute(db: Session, person: PersonKey, happening: Happening) -> None:
    """What was said of this kind until now is wrong, and ends nothing from now on."""
    for event in db.scalars(select(LifeEvent).filter_by(person_key=person, happening=happening)):
        event.refuted = True
    db.flush()


def _follow_death(
    db: Session, person: PersonKey, now: datetime, *, ending: PlannedEnding | None = None
) -> None:
    """After a death the certificate, under either document (ID-05), is worth nothing any more."""
    account, cause = (ending.applicant_id, ending.event.happening) if ending else (None, None)
    if (certificate := certificates.hold_valid(db, person, account)) is not None:
        issued = shanghai_date(certificate.issued_at)
        if cause is Happening.DIED or rules.has_died(queries.list_events(db, person), issued):
            issuing.revoke(db, certificate, now=now)


def _founding(db: Session, how: Standing, record_id: str) -> PersonApplication:
    if how is Standing.EMPLOYED:
        employed = db.get_one(FlexibleEmploymentRecord, record_id)
        return db.get_one(FlexibleEmploymentApplication, employed.application_id)
    unemployed = db.get_one(UnemploymentRecord, record_id)
    return db.get_one(UnemploymentApplication, unemployed.application_id)


def _business(how: Standing) -> str:
    word = "flexible-employment" if how is Standing.EMPLOYED else "unemployment"
    return f"employment-registry.{word}"


def _announce(
    db: Session, held: PersonStanding, cause: rules.Event, day: date, now: datetime
) -> None:
    founding = _founding(db, held.standing, held.record_id)
    ending = PlannedEnding(
        applicant_id=founding.applicant_id,
        filed_by=None,
        state=rules.WORKFLOW.start,
        region=founding.region,
        created_at=now,
        updated_at=now,
        standing=held.standing,
        record_id=held.record_id,
        event_id=cause.id,
        takes_effect_on=day,
        **{name: getattr(founding, name) for name in _PERSON},
    )
    db.add(ending)
    db.flush()
    announce(
        db,
        FACTS.of(
            EndingAnnounced,
            subject=ending.id,
            now=now,
            applicant_id=ending.applicant_id,
            ending_id=ending.id,
            business=_business(held.standing),
            takes_effect_on=day,
        ),
    )
