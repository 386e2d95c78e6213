"""The only writer of a binding's state: moves it, keeps its history, tells the others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from employer_auth import events
from employer_auth.bindings import queries, rules
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import Ender
from employer_auth.grants.queries import highest_level, live_grants, permissions_of
from employer_auth.grants.rules import Ending
from employer_auth.recording import record_move
from servicekit.applications import Actor, system_actor
from servicekit.clock import shanghai_date
from servicekit.outbox import announce

ITSELF: Final = system_actor("employer-auth")
_FACTS: Final = {
    "invite": events.SubAccountInvited,
    "accept": events.SubAccountBound,
    "join": events.SubAccountBound,
    "decline": events.SubAccountDeclined,
    "cancel": events.SubAccountCancelled,
    "expire": events.SubAccountExpired,
    "suspend": events.SubAccountSuspended,
    "resume": events.SubAccountResumed,
    "release": events.SubAccountUnbound,
    "leave": events.SubAccountUnbound,
    "remove": events.SubAccountUnbound,
    "end": events.SubAccountUnbound,
    "lapse": events.SubAccountUnbound,
}


def begin(
    db: Session, binding: Binding, name: str, *, actor: Actor, by: Ender, now: datetime
) -> None:
    """Write a new binding's first entry and tell everybody; it has been flushed."""
    record_move(db, rules.WORKFLOW, binding, name, before=binding.state, actor=actor, now=now)
    _tell(db, binding, name, by=by, now=now)


def move(
    db: Session,
    binding: Binding,
    name: str,
    *,
    actor: Actor,
    by: Ender,
    now: datetime,
    note: str | None = None,
    reasons: Sequence[rules.Reason] = (),
) -> None:
    """Make the move; what hangs on the binding follows in the same transaction.

    Args:
        binding: held, as it is now.
        by: whose decision it is.
        reasons: why it rests from now on.

    Raises:
        WrongState, WrongRole: the table has no such move from here, or not for this actor.
    """
    before = binding.state
    after = rules.WORKFLOW.next_state(name, before, actor.role)
    binding.state, binding.changed_at = after, now
    binding.suspended_for = [str(reason) for reason in reasons]
    if not rules.is_live(after):
        binding.ended_at, binding.ended_by = now, by
        _end_grants(db, binding, actor=actor, now=now)
    elif not rules.is_bound(before):
        binding.bound_at = now
    db.flush()
    record_move(db, rules.WORKFLOW, binding, name, before=before, actor=actor, now=now, note=note)
    _tell(db, binding, name, by=by, now=now)
    for link in queries.links_of(db, binding.id):
        settle(db, link, now=now)


def settle(db: Session, binding_id: str, *, now: datetime) -> None:
    """Let a binding rest, work again or end, as what it depends on has it now.

    Said of every binding of an account whenever identity has news of the account; saying it
    again changes nothing.
    """
    binding = queries.hold(db, binding_id)
    if not rules.is_live(binding.state):
        return  # somebody ended it while we waited for it
    if queries.is_parted(db, binding):
        move(db, binding, "end", actor=ITSELF, by=Ender.SYSTEM, now=now)
        return
    reasons = rules.reasons_to_rest(queries.circumstances(db, binding))
    if rules.is_active(binding.state) and reasons:
        move(db, binding, "suspend", actor=ITSELF, by=Ender.SYSTEM, now=now, reasons=reasons)
    elif rules.is_resting(binding.state) and not reasons:
        move(db, binding, "resume", actor=ITSELF, by=Ender.SYSTEM, now=now)
    elif rules.is_resting(binding.state) and binding.suspended_for != list(map(str, reasons)):
        binding.suspended_for = [str(reason) for reason in reasons]
        revise(db, binding, now=now)


def settle_account(db: Session, account_id: str, *, now: datetime) -> None:
    """The same for every live binding of a person, a unit or an agency."""
    for binding_id in queries.live_of_account(db, account_id):
        settle(db, binding_id, now=now)


def settle_level(db: Session, account_id: str, *, least: int, now: datetime) -> None:
    """The same for an account whose level changed: what its grants amount to may change too.

    Args:
        least: the lower of the two levels; grants that ask for more hold, or held, at one only.
    """
    for binding_id in queries.live_of_account(db, account_id):
        before = queries.hold(db, binding_id).version
        settle(db, binding_id, now=now)
        binding = queries.hold(db, binding_id)
        same = rules.is_active(binding.state) and binding.version == before
        if same and highest_level(db, binding_id) > least:
            revise(db, binding, now=now)


def note_change(
    db: Session, binding: Binding, name: str, *, actor: Actor, now: datetime, note: str | None
) -> None:
    """Something under the binding changed, not its state: a new version, history, an event."""
    _renew(db, binding, now)
    state = binding.state
    record_move(db, rules.WORKFLOW, binding, name, before=state, actor=actor, now=now, note=note)
    _announce_revision(db, binding, now)


def revise(db: Session, binding: Binding, *, now: datetime) -> None:
    """Make every token of the binding worthless by a new version (EA-13, ID-43)."""
    _renew(db, binding, now)
    _announce_revision(db, binding, now)


def _renew(db: Session, binding: Binding, now: datetime) -> None:
    binding.changed_at = now
    flag_modified(binding, "changed_at")  # the version counts even if nothing else changed
    db.flush()


def _end_grants(db: Session, binding: Binding, *, actor: Actor, now: datetime) -> None:
    for grant in live_grants(db, binding.id):
        grant.ended_at, grant.ended_by, grant.ending = now, actor.id, Ending.UNBOUND


def _tell(db: Session, binding: Binding, name: str, *, by: Ender, now: datetime) -> None:
    told = _FACTS[name]
    announce(
        db,
        events.FACTS.of(
            told,
            subject=binding.id,
            now=now,
            binding_id=binding.id,
            unit_id=binding.unit_id,
            unit_name=binding.unit.name,
            person_id=binding.person_id,
            via=binding.via,
            version=binding.version,
            by=by.value,
            reasons=binding.suspended_for,
        ),
    )
    _announce_revision(db, binding, now)


def _announce_revision(db: Session, binding: Binding, now: datetime) -> None:
    announce(
        db,
        events.FACTS.of(
            events.BindingRevised,
            subject=binding.id,
            now=now,
            binding_id=binding.id,
            unit_id=binding.unit_id,
            person_id=binding.person_id,
            via=binding.via,
            version=binding.version,
            state=str(binding.state),
            permissions=_permissions(db, binding, now),
            valid_until=binding.valid_until,
        ),
    )


def _permissions(db: Session, binding: Binding, now: datetime) -> list[str]:
    if not rules.is_active(binding.state):
        return []
    return permissions_of(db, binding, today=shanghai_date(now))
