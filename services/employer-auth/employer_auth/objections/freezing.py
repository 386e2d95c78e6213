"""Freezes a unit for an objection that counts, and lets officers uphold or lift it (EA-12)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from employer_auth.accounts.model import Unit
from employer_auth.agencies import agency_of
from employer_auth.bindings import moves
from employer_auth.bindings import queries as bindings
from employer_auth.bindings.rules import Ender, is_live
from employer_auth.events import FACTS
from employer_auth.notices.actions import notify
from employer_auth.notices.rules import To
from employer_auth.objections import actions, events, queries, rules
from employer_auth.objections.model import Objection, ObjectionAttempt, ObjectionCode
from employer_auth.objections.rules import ObjectionState
from employer_auth.recording import record_move
from servicekit import working_days
from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.db import Database
from servicekit.outbox import announce


def take_in_all(database: Database, *, now: datetime, review_days: int) -> int:
    """Look at everything that was sent in; a right code freezes its unit at once.

    Returns: how many units were frozen.
    """
    frozen = 0
    while True:
        with database.transaction() as db:
            oldest = select(ObjectionAttempt).order_by(ObjectionAttempt.at).limit(1)
            row = db.scalar(oldest.with_for_update(skip_locked=True))
            if row is None:
                return frozen
            code = queries.find_code(db, row, now)
            if code is not None:
                code.used_at = now
                frozen += _object(db, code, now=now, review_days=review_days)
            actions.discard(db, row)


def uphold(
    db: Session,
    objection_id: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    seen: int | None = None,
) -> Objection:
    """异议成立: everybody bound is released, and the unit stays frozen until it is put right.

    Raises:
        ObjectionNotFound, WrongState, ChangedMeanwhile
    """
    objection = queries.find_for_officer(db, objection_id, actor, seen=seen, hold=True)
    _move(db, objection, "uphold", actor=actor, now=now, reason=reason)
    for binding_id in queries.live_bindings(db, objection.unit_id):
        binding = bindings.hold(db, binding_id)
        if is_live(binding.state):  # what hung on another has ended with it
            moves.move(db, binding, "remove", actor=actor, by=Ender.OFFICER, now=now, note=reason)
    _announce(db, events.ObjectionUpheld, objection, now)
    _tell(db, objection, now)
    return objection


def lift(
    db: Session,
    objection_id: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    seen: int | None = None,
) -> Objection:
    """解除冻结: what rested for it works again.

    Raises:
        ObjectionNotFound, WrongState, ChangedMeanwhile
    """
    objection = queries.find_for_officer(db, objection_id, actor, seen=seen, hold=True)
    _move(db, objection, "lift", actor=actor, now=now, reason=reason)
    _set_frozen(db, objection.unit_id, None, now)
    _announce(db, events.UnitUnfrozen, objection, now)
    _tell(db, objection, now)
    return objection


def _object(db: Session, code: ObjectionCode, *, now: datetime, review_days: int) -> bool:
    if queries.has_open(db, code.unit_id):
        return False  # frozen already, by another code of the same unit
    objection = Objection(
        unit_id=code.unit_id,
        code_id=code.id,
        cause=code.cause,
        state=rules.WORKFLOW.start,
        filed_at=now,
        due_on=working_days.add_working_days(shanghai_date(now), review_days),
    )
    db.add(objection)
    db.flush()
    db.refresh(objection, ["unit"])
    record_move(db, rules.WORKFLOW, objection, "object", before="none", actor=moves.ITSELF, now=now)
    _set_frozen(db, code.unit_id, now, now)
    _announce(db, events.UnitFrozen, objection, now)
    words = _words(objection)
    for to in To:
        notify(db, objection.unit_id, "unit-frozen", words=words, now=now, to=to)
    return True


def _set_frozen(db: Session, unit_id: str, frozen_at: datetime | None, now: datetime) -> None:
    unit = db.get_one(Unit, unit_id, with_for_update=True)
    unit.frozen_at, unit.changed_at = frozen_at, now
    db.flush()
    moves.settle_account(db, unit_id, now=now)


def _move(
    db: Session, objection: Objection, name: str, *, actor: Actor, now: datetime, reason: str
) -> None:
    before = objection.state
    objection.state = rules.WORKFLOW.next_state(name, before, actor.role)
    objection.decided_at, objection.decided_by, objection.reason = now, actor.id, reason
    db.flush()
    record_move(
        db, rules.WORKFLOW, objection, name, before=before, actor=actor, now=now, note=reason
    )


def _announce(db: Session, fact: type[Any], objection: Objection, now: datetime) -> None:
    announce(
        db,
        FACTS.of(
            fact,
            subject=objection.unit_id,
            now=now,
            unit_id=objection.unit_id,
            objection_id=objection.id,
            cause=objection.cause.value,
        ),
    )


def _tell(db: Session, objection: Objection, now: datetime) -> None:
    words = _words(objection) | {"result": rules.RESULTS[ObjectionState(objection.state)]}
    for to in To:
        notify(db, objection.unit_id, "unit-objection-decided", words=words, now=now, to=to)


def _words(objection: Objection) -> dict[str, str]:
    return {"unit": objection.unit.name, "agency": agency_of(objection.unit.region).sentence}
