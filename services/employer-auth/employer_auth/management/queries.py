"""Finds units whose management has to be looked at."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import cast

from employer_auth.accounts.model import Unit
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import BOUND, BindingState, Reason
from employer_auth.catalogue.rules import MANAGE_BUSINESS
from employer_auth.grants.model import Grant
from employer_auth.grants.rules import Action


def unmanaged(db: Session, *, today: date) -> list[str]:
    """Ids of the units that were warned, or have agents and nobody who manages."""
    wanted = or_(Unit.unmanaged_since.is_not(None), and_(_has_agents(), ~_has_manager(today)))
    return list(db.scalars(select(Unit.id).where(wanted).order_by(Unit.id)))


def warned(db: Session) -> list[str]:
    """Ids of the units that were warned; few, and found by an index."""
    return list(
        db.scalars(select(Unit.id).where(Unit.unmanaged_since.is_not(None)).order_by(Unit.id))
    )


def needs_manager(db: Session, unit_id: str, *, today: date) -> bool:
    """Has the unit agents, and does none of them manage?"""
    found = select(Unit.id).where(Unit.id == unit_id, _has_agents(), ~_has_manager(today))
    return db.scalar(found) is not None


def _has_agents() -> ColumnElement[bool]:
    return exists().where(
        Binding.unit_id == Unit.id, Binding.via.is_(None), Binding.state.in_(BOUND)
    )


def _has_manager(today: date) -> ColumnElement[bool]:
    # Whoever rests only because nobody manages does manage, once it is granted.
    alone = cast([Reason.UNIT_UNMANAGED.value], JSONB)
    works = or_(
        Binding.state.in_((BindingState.ACTIVE,)),
        and_(Binding.state.in_((BindingState.SUSPENDED,)), Binding.suspended_for == alone),
    )
    return exists().where(
        Binding.unit_id == Unit.id,
        Binding.via.is_(None),
        works,
        Grant.binding_id == Binding.id,
        Grant.business == MANAGE_BUSINESS,
        Grant.actions.contains([Action.MANAGE.value]),
        Grant.ended_at.is_(None),
        Grant.valid_from <= today,
        Grant.valid_until >= today,
    )
