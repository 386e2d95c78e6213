"""The only writer of an entrustment's state; what its people do follows in the same transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from employer_auth.bindings import moves as binding_moves
from employer_auth.bindings import queries as bindings
from employer_auth.bindings.rules import Ender, is_live
from employer_auth.entrustments import queries, rules
from employer_auth.entrustments.model import Entrustment
from employer_auth.events import FACTS, EntrustmentChanged
from employer_auth.recording import record_move
from servicekit.applications import Actor
from servicekit.outbox import announce


def begin(db: Session, entrustment: Entrustment, *, actor: Actor, now: datetime) -> None:
    """Write a new entrustment's first entry and tell both sides; it has been flushed."""
    _keep(db, entrustment, "offer", before=entrustment.state, actor=actor, now=now)


def move(
    db: Session,
    entrustment: Entrustment,
    name: str,
    *,
    actor: Actor,
    now: datetime,
    note: str | None = None,
) -> None:
    """Make the move; when it ends, nobody acts under it any more.

    Raises:
        WrongState, WrongRole: the table has no such move from here, or not for this actor.
    """
    before = entrustment.state
    after = rules.WORKFLOW.next_state(name, before, actor.role)
    entrustment.state, entrustment.changed_at = after, now
    if not rules.is_live(after):
        entrustment.ended_at = now
    db.flush()
    _keep(db, entrustment, name, before=before, actor=actor, now=now, note=note)
    if not rules.is_live(after):
        _end_links(db, entrustment.id, now)


def note_change(
    db: Session,
    entrustment: Entrustment,
    name: str,
    *,
    actor: Actor,
    now: datetime,
    note: str | None,
) -> None:
    """What is entrusted changed: a new version, history, an event."""
    entrustment.changed_at = now
    flag_modified(entrustment, "changed_at")
    db.flush()
    db.refresh(entrustment, ["businesses"])
    before = entrustment.state
    _keep(db, entrustment, name, before=before, actor=actor, now=now, note=note)


def _end_links(db: Session, entrustment_id: str, now: datetime) -> None:
    for link in queries.live_links(db, entrustment_id):
        binding = bindings.hold(db, link)
        if is_live(binding.state):
            binding_moves.move(
                db, binding, "end", actor=binding_moves.ITSELF, by=Ender.SYSTEM, now=now
            )


def _keep(
    db: Session,
    entrustment: Entrustment,
    move: str,
    *,
    before: rules.EntrustmentState,
    actor: Actor,
    now: datetime,
    note: str | None = None,
) -> None:
    """Write the move into the history, and tell both sides what is true now."""
    record_move(
        db, rules.WORKFLOW, entrustment, move, before=before, actor=actor, now=now, note=note
    )
    announce(
        db,
        FACTS.of(
            EntrustmentChanged,
            subject=entrustment.id,
            now=now,
            entrustment_id=entrustment.id,
            unit_id=entrustment.unit_id,
            unit_name=entrustment.unit.name,
            agency_id=entrustment.agency_id,
            agency_name=entrustment.agency.name,
            version=entrustment.version,
            state=str(entrustment.state),
            state_label=entrustment.state.label,
            businesses=[row.business for row in entrustment.businesses],
            valid_until=entrustment.valid_until,
        ),
    )
