"""Which registrations a person may see."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from employment_registry import standing
from employment_registry.person import Person
from employment_registry.policies import POLICIES
from employment_registry.policy_kinds import ServicePlacePause
from employment_registry.standing import PersonKey
from employment_registry.unemployment import rules
from employment_registry.unemployment.model import UnemploymentRecord
from employment_registry.unemployment.opening_rules import PlaceSituation, Situation
from employment_registry.working_age import WorkingAge
from servicekit.applications import Actor

NEWEST_RECORD = (UnemploymentRecord.valid_since, UnemploymentRecord.id)


def own_records(actor: Actor) -> Select[UnemploymentRecord]:
    """The person's registration in force and those that ended."""
    return select(UnemploymentRecord).where(UnemploymentRecord.applicant_id == actor.id)


def find_current(db: Session, actor: Actor) -> UnemploymentRecord:
    """The person's registration in force.

    Raises:
        RecordNotFound: there is none.
    """
    record = db.scalar(own_records(actor).where(UnemploymentRecord.is_valid))
    if record is None:
        raise rules.RecordNotFound
    return record


def hold_current(db: Session, actor: Actor) -> UnemploymentRecord | None:
    """The same, held until the transaction ends; None when there is none."""
    return _hold(db, own_records(actor).where(UnemploymentRecord.is_valid))


def hold_founded_by(db: Session, application_id: str) -> UnemploymentRecord | None:
    """The registration that an application founded, if it is in force, held."""
    founded = select(UnemploymentRecord).where(
        UnemploymentRecord.application_id == application_id, UnemploymentRecord.is_valid
    )
    return _hold(db, founded)


def hold(db: Session, record_id: str) -> UnemploymentRecord | None:
    """A registration, if it is in force, held."""
    one = select(UnemploymentRecord).where(UnemploymentRecord.id == record_id)
    return _hold(db, one.where(UnemploymentRecord.is_valid))


def hold_in_force(
    db: Session, person_key: PersonKey, applicant_id: str
) -> UnemploymentRecord | None:
    """The registration of a person under whichever account, held with the person's standing."""
    of_person = standing.theirs(UnemploymentRecord, person_key, applicant_id)
    return _hold(db, select(UnemploymentRecord).where(of_person, UnemploymentRecord.is_valid))


def situation(db: Session, person: Person, actor: Actor, *, today: date) -> Situation:
    """What the conditions look at, before a form opens."""
    return Situation(
        born_on=person.born_on.day,
        sex=person.sex,
        today=today,
        ages=POLICIES.in_force(db, WorkingAge, today),
        standing=standing.find(db, person.key, actor.id),
    )


def place_situation(db: Session, actor: Actor, *, today: date) -> PlaceSituation:
    """What the conditions of 变更服务地 look at."""
    record = db.scalar(own_records(actor).where(UnemploymentRecord.is_valid))
    return PlaceSituation(
        is_unemployed=record is not None,
        changed_on=None if record is None else record.service_place_changed_on,
        today=today,
        pause=POLICIES.in_force(db, ServicePlacePause, today).length,
    )


def _hold(db: Session, wanted: Select[UnemploymentRecord]) -> UnemploymentRecord | None:
    # The person's standing first, as every life event takes it, so that none waits for another.
    found = db.scalar(wanted)
    if found is None:
        return None
    standing.hold(db, found.id)
    return db.scalar(wanted.with_for_update().execution_options(populate_existing=True))
