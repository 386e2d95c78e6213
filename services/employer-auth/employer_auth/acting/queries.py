"""Which units a person may act for, and which bindings changed lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from employer_auth.accounts.queries import level_of
from employer_auth.acting import rules
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import BindingState
from employer_auth.grants.queries import terms_of
from employer_auth.grants.rules import permissions
from employer_auth.validity import is_over

MOST_UNITS = 500  # nobody chooses from more
MOST_REVOCATIONS = 10_000


@dataclass(frozen=True, slots=True)
class ActingUnit:
    """A unit the person may choose, and what they may do for it (H2)."""

    binding: Binding
    permissions: Sequence[str]


def acting_units(db: Session, person_id: str, *, today: date) -> list[ActingUnit]:
    """Every active binding of the person, by the unit's name."""
    found = select(Binding).where(
        Binding.person_id == person_id, Binding.state == BindingState.ACTIVE
    )
    rows = db.scalars(found.order_by(Binding.created_at, Binding.id).limit(MOST_UNITS)).all()
    bindings = [binding for binding in rows if not is_over(binding.valid_until, today)]
    terms = terms_of(db, [binding.id for binding in bindings])
    level = level_of(db, person_id)
    units = [
        ActingUnit(b, permissions(terms[b.id], person_level=level, today=today)) for b in bindings
    ]
    return sorted(units, key=lambda unit: (unit.binding.unit.name, unit.binding.id))


def revised_since(db: Session, since: datetime, *, now: datetime) -> list[Binding]:
    """The bindings that changed since a moment, a little overlapping, newest first."""
    start = max(since, now - rules.LONGEST_LOOK_BACK) - rules.OVERLAP
    found = select(Binding).where(Binding.changed_at >= start)
    newest = found.order_by(Binding.changed_at.desc()).limit(MOST_REVOCATIONS)
    return list(db.scalars(newest))
