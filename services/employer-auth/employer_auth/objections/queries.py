"""Which objections an officer may see, and whose code it is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, exists, false, select
from sqlalchemy.orm import Session

from employer_auth.accounts.model import Unit
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import LIVE
from employer_auth.objections import rules
from employer_auth.objections.model import Objection, ObjectionAttempt, ObjectionCode
from servicekit.applications import Actor
from servicekit.errors import ChangedMeanwhile
from servicekit.history import lane_of

DUE_FIRST = (Objection.due_on, Objection.id)


def queue(actor: Actor, state: rules.ObjectionState | None) -> Select[Objection]:
    """The objections about units of the officer's region and below."""
    found = select(Objection).where(Objection.unit_id.in_(_within(actor)))
    return found if state is None else found.where(Objection.state == state)


def find_for_officer(
    db: Session, objection_id: str, actor: Actor, *, seen: int | None = None, hold: bool = False
) -> Objection:
    """One of them.

    Raises:
        ObjectionNotFound, ChangedMeanwhile
    """
    found = queue(actor, None).where(Objection.id == objection_id)
    objection = db.scalar(found.with_for_update(of=Objection) if hold else found)
    if objection is None:
        raise rules.ObjectionNotFound
    if seen is not None and seen != objection.version:
        raise ChangedMeanwhile
    return objection


def find_code(db: Session, attempt: ObjectionAttempt, now: datetime) -> ObjectionCode | None:
    """The code that was sent in, if it is of that unit and may still be used; held."""
    found = (
        select(ObjectionCode)
        .join(Unit, Unit.id == ObjectionCode.unit_id)
        .where(
            ObjectionCode.code_hash == attempt.code_hash,
            Unit.certificate_number == attempt.uscc,
        )
    )
    code = db.scalar(found.with_for_update(of=ObjectionCode))
    if code is None or not rules.is_valid(code.expires_at, code.used_at, now):
        return None
    return code


def has_open(db: Session, unit_id: str) -> bool:
    """Is the unit frozen for an objection?"""
    found = select(Objection.id).where(
        Objection.unit_id == unit_id, Objection.state.in_(rules.OPEN)
    )
    return db.scalar(found) is not None


def had_agents(db: Session, unit_id: str, *, but: str) -> bool:
    """Had the unit anybody bound directly before, beside one binding?"""
    before = exists().where(
        Binding.unit_id == unit_id,
        Binding.id != but,
        Binding.via.is_(None),
        Binding.bound_at.is_not(None),
    )
    return bool(db.scalar(select(before)))


def live_bindings(db: Session, unit_id: str) -> list[str]:
    """Ids of the unit's live bindings, in the order in which they are held."""
    found = db.scalars(
        select(Binding.id).where(Binding.unit_id == unit_id, Binding.state.in_(LIVE))
    )
    return sorted(found, key=lambda each: (lane_of(each), each))


def _within(actor: Actor) -> Select[str]:
    units = select(Unit.id)
    if not actor.region:
        return units.where(false())
    return units.where(Unit.region.startswith(actor.region, autoescape=True))
