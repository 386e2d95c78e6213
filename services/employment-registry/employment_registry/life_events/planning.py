"""Keeps what happened, and announces the endings it causes before they take effect.

Whoever plans, settles or carries out an ending holds the person's standing first, as every life
event of theirs does, so that none overlooks another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from employment_registry import standing
from employment_registry.certificate import issuing
from employment_registry.certificate import queries as certificates
from employment_registry.certificate.model import Certificate
from employment_registry.checks.rules import System
from employment_registry.events import FACTS, ITSELF, EndingAnnounced
from employment_registry.flexible_employment.rules import WORKFLOW as FLEXIBLE_EMPLOYMENT
from employment_registry.life import Standing
from employment_registry.life_events import queries, rules
from employment_registry.life_events.model import LifeEvent, PlannedEnding, RegisterPosition
from employment_registry.life_events.rules import Happening
from employment_registry.people import Known, documents_of, known_by
from employment_registry.person_columns import PersonApplication, same_person
from employment_registry.policies import POLICIES
from employment_registry.policy_kinds import EndingNotice
from employment_registry.standing import PersonKey, PersonStanding
from employment_registry.unemployment.rules import WORKFLOW as UNEMPLOYMENT
from servicekit import history, working_days
from servicekit.clock import shanghai_date
from servicekit.db import new_id
from servicekit.outbox import announce

_BUSINESSES: Final = {
    Standing.EMPLOYED: FLEXIBLE_EMPLOYMENT.name,
    Standing.UNEMPLOYED: UNEMPLOYMENT.name,
}


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened, as its source tells it."""

    reference: str
    person: PersonKey
    happening: Happening
    on: date


def hear(db: Session, source: str, told: Sequence[Told], *, now: datetime) -> list[PersonKey]:
    """Keep what is new; gives the people it is about, for whom is planned one by one.

    Planning holds a person's standing, never two people's at once, so that two registers never
    wait for each other.
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
            weighed=False,
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
    Asked when something is heard, a registration is approved or an objection is over. What is told
    of one document counts for a registration under another of the same person (ID-05).
    """
    known = known_by(db, person)
    registered = standing.hold_all(db, known.own(PersonStanding))
    events = queries.list_events(db, known)
    for held in registered:
        _plan_ending(db, held, events, now)
    if not registered:
        follow_death(db, known, events, now)  # not registered: nothing else to end
    weighed = LifeEvent.id.in_([event.id for event in events])
    db.execute(update(LifeEvent).where(weighed, ~LifeEvent.weighed).values(weighed=True))


def weigh_again(db: Session, applicant_id: str) -> None:
    """What was told of each document of an account may mean more now than when it was heard.

    Asked when accounts are put together (ID-05) or something is filed under a document that the
    account had not; ``plan`` is asked anew by the job that looks for what is not weighed.
    """
    told = LifeEvent.person_key.in_(documents_of(db, applicant_id))
    db.execute(update(LifeEvent).where(told).values(weighed=False))


def follow_death(
    db: Session,
    known: Known,
    events: Sequence[rules.Event],
    now: datetime,
    *,
    is_sure: bool = False,
) -> None:
    """After a death the certificate, under whichever document, is worth nothing any more.

    Args:
        events: what happened to the person; hardly anybody's tell of a death.
        is_sure: nobody objected in time; also a certificate issued since the death was heard.
    """
    if not (is_sure or rules.has_died(events, date.min)):
        return
    own = known.own(Certificate)
    history.hold_lanes(db, certificates.list_valid(db, own))
    for certificate in certificates.hold_all(db, own):
        if is_sure or rules.has_died(events, shanghai_date(certificate.issued_at)):
            said = rules.HAPPENINGS[Happening.DIED]
            issuing.revoke_alone(db, certificate, actor=ITSELF, now=now, reason=said)


def refute(db: Session, known: Known, happening: Happening) -> None:
    """What was said of this kind until now is wrong, and ends nothing from now on."""
    said = LifeEvent.person_key.in_(known.keys), LifeEvent.happening == happening
    for event in db.scalars(select(LifeEvent).where(*said)):
        event.refuted = True
    db.flush()


def _plan_ending(
    db: Session, held: PersonStanding, events: Sequence[rules.Event], now: datetime
) -> None:
    cause = rules.cause(held.standing, shanghai_date(held.since), events)
    if cause is None:
        return  # what happened does not concern this registration
    planned = queries.find_open(db, held.record_id)
    if planned is None:
        today = shanghai_date(now)
        day = working_days.add_working_days(today, terms(db, today).notice)
        _announce(db, held, cause, day, now)
    elif rules.is_announced(planned.state):
        planned.event_id = cause.id
        db.flush()


def _founding(db: Session, how: Standing, record_id: str) -> PersonApplication:
    record, application = queries.REGISTERED[how]
    of_record = select(application).join(record, record.application_id == application.id)
    return db.scalars(of_record.where(record.id == record_id)).one()


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
        **same_person(founding),
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
            business=_BUSINESSES[held.standing],
            takes_effect_on=day,
        ),
    )
