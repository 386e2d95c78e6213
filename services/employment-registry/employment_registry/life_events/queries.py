"""Which endings are planned, for whom and until when, and what happened to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from employment_registry.checks.rules import System
from employment_registry.flexible_employment.model import (
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from employment_registry.life import Standing
from employment_registry.life_events import rules
from employment_registry.life_events.model import LifeEvent, PlannedEnding, RegisterPosition
from employment_registry.life_events.opening_rules import Situation
from employment_registry.people import Known
from employment_registry.person import BirthDate
from employment_registry.standing import PersonStanding
from employment_registry.unemployment.model import UnemploymentApplication, UnemploymentRecord
from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.errors import ChangedMeanwhile

NEWEST = (PlannedEnding.created_at, PlannedEnding.id)
Registered = (
    tuple[type[UnemploymentRecord], type[UnemploymentApplication]]
    | tuple[type[FlexibleEmploymentRecord], type[FlexibleEmploymentApplication]]
)
REGISTERED: Final[Mapping[Standing, Registered]] = {
    Standing.UNEMPLOYED: (UnemploymentRecord, UnemploymentApplication),
    Standing.EMPLOYED: (FlexibleEmploymentRecord, FlexibleEmploymentApplication),
}


def own(actor: Actor) -> Select[PlannedEnding]:
    """What the person was told."""
    return select(PlannedEnding).where(PlannedEnding.applicant_id == actor.id)


def find_own(db: Session, ending_id: str, actor: Actor, seen: int | None = None) -> PlannedEnding:
    """One of them.

    Raises:
        EndingNotFound: there is none, or it is somebody else's.
        ChangedMeanwhile: it is not as they saw it.
    """
    found = db.scalar(own(actor).where(PlannedEnding.id == ending_id))
    if found is None:
        raise rules.EndingNotFound
    if seen not in (None, found.version):
        raise ChangedMeanwhile
    return found


def find_open(db: Session, record_id: str) -> PlannedEnding | None:
    """The ending that is planned for a registration, held."""
    of_record = select(PlannedEnding).where(PlannedEnding.record_id == record_id)
    wanted = of_record.where(PlannedEnding.state.in_(rules.OPEN)).with_for_update(of=PlannedEnding)
    return db.scalar(wanted.execution_options(populate_existing=True))


def situation(db: Session, actor: Actor, *, today: date) -> Situation:
    """What the conditions of an objection look at: the person's open ending."""
    wanted = own(actor).where(PlannedEnding.state.in_(rules.OPEN))
    ending = db.scalar(wanted.order_by(PlannedEnding.created_at.desc()).limit(1))
    if ending is None:
        return Situation(today)
    return Situation(today, ending.state, ending.takes_effect_on)


def list_events(db: Session, known: Known) -> list[rules.Event]:
    """Everything that happened to a person, as far as it was told."""
    found = select(LifeEvent).where(LifeEvent.person_key.in_(known.keys))
    fresh = found.execution_options(populate_existing=True)
    return [
        rules.Event(e.id, e.happening, e.on, e.refuted, shanghai_date(e.heard_at))
        for e in db.scalars(fresh)
    ]


def list_due(db: Session, today: date, after: str, *, most: int) -> Sequence[str]:
    """Endings whose day has come, and those whose registration is over already."""
    over = PlannedEnding.record_id.not_in(select(PersonStanding.record_id))
    due = PlannedEnding.state.in_(rules.WAITING) & (PlannedEnding.takes_effect_on <= today)
    open_ = PlannedEnding.state.in_(rules.OPEN) & over
    wanted = select(PlannedEnding.id).where(due | open_, PlannedEnding.id > after)
    return db.scalars(wanted.order_by(PlannedEnding.id).limit(most)).all()


def list_unweighed(db: Session, after: str, *, most: int) -> Sequence[LifeEvent]:
    """Events of which nobody has asked yet what they end, in the order of their ids."""
    wanted = select(LifeEvent).where(~LifeEvent.weighed, LifeEvent.id > after)
    return db.scalars(wanted.order_by(LifeEvent.id).limit(most)).all()


def list_registered(
    db: Session, matter: Registered, after: str, *, most: int
) -> Sequence[Row[str, bytes, BirthDate, str]]:
    """Who is registered in a matter, with birthday and sex, in the order of their registrations."""
    record, application = matter
    standing = PersonStanding
    wanted = select(standing.record_id, standing.person_key, application.born_on, application.sex)
    wanted = wanted.join(record, record.id == standing.record_id)
    wanted = wanted.join(application, application.id == record.application_id)
    wanted = wanted.where(standing.record_id > after).order_by(standing.record_id)
    return db.execute(wanted.limit(most)).all()


def position(db: Session, system: System) -> int:
    """Up to which number the register's changes have been heard; 0 before the first."""
    wanted = select(RegisterPosition.number).where(RegisterPosition.system == system)
    return db.scalar(wanted) or 0
