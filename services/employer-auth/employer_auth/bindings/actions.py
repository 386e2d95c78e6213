"""What the unit, the person and an officer can do with a binding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from employer_auth import limits
from employer_auth.accounts.actions import remember
from employer_auth.accounts.model import Unit
from employer_auth.accounts.queries import find_unit
from employer_auth.accounts.rules import Kind, check_not_frozen
from employer_auth.bindings import moves, queries, rules
from employer_auth.bindings.model import Binding, LoginName
from employer_auth.bindings.rules import BindingState, Ender
from employer_auth.objections import actions as objections
from employer_auth.validity import check_validity
from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.personal import PersonName
from servicekit.uniqueness import refusing_a_second

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom the unit asks, as identity found them, and for how long."""

    person_id: str
    level: int
    name: PersonName
    login_name: LoginName
    valid_until: date | None = None


def count_try(db: Session, unit_id: str, *, allowance: int, now: datetime) -> None:
    """A unit asks for few persons in an hour, found or not (EA-02).

    Raises:
        UnitUnknown: nothing is counted, for nothing is asked.
        TooManyTries: with the seconds to wait.
    """
    known_unit(db, unit_id)
    wait = limits.take(db, f"invite:{unit_id}", allowance=allowance, window=_HOUR, now=now)
    if wait is not None:
        raise rules.TooManyTries(retry_after=wait)


def invite(db: Session, asked: Invitation, *, actor: Actor, now: datetime, days: int) -> Binding:
    """发起绑定: nothing binds before the person agrees (EA-02, EA-03).

    Args:
        days: how long the person may think about it.

    Raises:
        UnitUnknown, UnitIsFrozen, PersonNotVerified, AlreadyBound, BadValidity
    """
    unit = known_unit(db, actor.id)
    check_not_frozen(unit.frozen_at)
    rules.check_level(asked.level)
    check_validity(asked.valid_until, shanghai_date(now))
    remember(db, asked.person_id, kind=Kind.PERSON, level=asked.level, now=now)
    _sweep(db, unit.id, asked.person_id, now)
    binding = Binding(
        unit_id=unit.id,
        person_id=asked.person_id,
        state=BindingState.INVITED,
        person_name=asked.name,
        login_name=asked.login_name,
        valid_until=asked.valid_until,
        created_at=now,
        expires_at=rules.lapses_at(now, days),
        changed_at=now,
    )
    add(db, binding)
    moves.begin(db, binding, "invite", actor=actor, by=Ender.UNIT, now=now)
    return binding


def add(db: Session, binding: Binding) -> None:
    """Write a new binding, if it is the only live one of these two.

    Raises:
        AlreadyBound
    """
    with refusing_a_second(db, rules.AlreadyBound):
        db.add(binding)
    db.refresh(binding, ["unit", "agency"])


def accept(
    db: Session, binding_id: str, *, actor: Actor, now: datetime, seen: int | None = None
) -> Binding:
    """通过: from now on the person is bound, with nothing granted yet (EA-03).

    Raises:
        BindingNotFound, WrongState, InvitationLapsed, BindingSuspended
    """
    binding = queries.find_of_person(db, binding_id, actor, seen=seen, hold=True)
    rules.WORKFLOW.next_state("accept", binding.state, actor.role)
    rules.check_not_lapsed(binding.expires_at, now)
    rules.check_may_work(rules.reasons_to_rest(queries.circumstances(db, binding)))
    moves.move(db, binding, "accept", actor=actor, by=Ender.AGENT, now=now)
    objections.note_binding(db, binding.unit_id, binding.id, now=now)
    return binding


def decline(
    db: Session, binding_id: str, *, actor: Actor, now: datetime, note: str | None
) -> Binding:
    """不通过: the invitation is over.

    Raises:
        BindingNotFound, WrongState
    """
    binding = queries.find_of_person(db, binding_id, actor, hold=True)
    moves.move(db, binding, "decline", actor=actor, by=Ender.AGENT, now=now, note=note)
    return binding


def leave(
    db: Session, binding_id: str, *, actor: Actor, now: datetime, note: str | None
) -> Binding:
    """The person goes at any time; their acting sessions end (EA-05).

    Raises:
        BindingNotFound, WrongState
    """
    binding = queries.find_of_person(db, binding_id, actor, hold=True)
    moves.move(db, binding, "leave", actor=actor, by=Ender.AGENT, now=now, note=note)
    return binding


def cancel(
    db: Session, binding_id: str, *, actor: Actor, now: datetime, note: str | None
) -> Binding:
    """The unit takes its invitation back before it is answered.

    Raises:
        BindingNotFound, WrongState
    """
    binding = queries.find_of_unit(db, binding_id, actor, hold=True)
    moves.move(db, binding, "cancel", actor=actor, by=Ender.UNIT, now=now, note=note)
    return binding


def release(
    db: Session, binding_id: str, *, actor: Actor, now: datetime, note: str | None
) -> Binding:
    """解除绑定, at once; the person's acting sessions end (EA-05).

    Raises:
        BindingNotFound, WrongState
    """
    binding = queries.find_of_unit(db, binding_id, actor, hold=True)
    moves.move(db, binding, "release", actor=actor, by=Ender.UNIT, now=now, note=note)
    return binding


def remove(db: Session, binding_id: str, *, actor: Actor, now: datetime, reason: str) -> Binding:
    """An officer of the unit's region ends a binding, with a reason.

    Raises:
        BindingNotFound, WrongState
    """
    binding = queries.find_for_officer(db, binding_id, actor, hold=True)
    moves.move(db, binding, "remove", actor=actor, by=Ender.OFFICER, now=now, note=reason)
    return binding


def change_validity(
    db: Session,
    binding_id: str,
    valid_until: date | None,
    *,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
) -> Binding:
    """The unit sets or lifts the binding's last day.

    Raises:
        BindingNotFound, NotBound, BadValidity, ChangedMeanwhile
    """
    binding = queries.find_of_unit(db, binding_id, actor, seen=seen, hold=True)
    rules.check_bound(binding.state)
    check_validity(valid_until, shanghai_date(now))
    binding.valid_until = valid_until
    note = "有效期至长期" if valid_until is None else f"有效期至{valid_until.isoformat()}"
    moves.note_change(db, binding, "change-validity", actor=actor, now=now, note=note)
    return binding


def expire(db: Session, binding_id: str, *, now: datetime) -> None:
    """An invitation nobody answered lapses, and a binding whose last day is over ends."""
    binding = queries.hold(db, binding_id)
    if rules.has_lapsed(binding.state, binding.expires_at, now):
        moves.move(db, binding, "expire", actor=moves.ITSELF, by=Ender.SYSTEM, now=now)
    elif rules.has_ended(binding.state, binding.valid_until, shanghai_date(now)):
        moves.move(db, binding, "lapse", actor=moves.ITSELF, by=Ender.SYSTEM, now=now)


def known_unit(db: Session, unit_id: str) -> Unit:
    """The asking unit; a token is quicker than the word of its registration.

    Raises:
        UnitUnknown
    """
    unit = find_unit(db, unit_id)
    if unit is None:
        raise rules.UnitUnknown(retry_after=5)
    return unit


def _sweep(db: Session, unit_id: str, person_id: str, now: datetime) -> None:
    """An old invitation the clock has ended already does not stand in the way of a new one."""
    old = queries.find_live(db, unit_id, person_id)
    if old is not None:
        expire(db, old, now=now)
