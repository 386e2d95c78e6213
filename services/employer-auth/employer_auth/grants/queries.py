"""Looks up grants, and what they amount to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from employer_auth.accounts.queries import level_of
from employer_auth.bindings.model import Binding
from employer_auth.catalogue.model import Business
from employer_auth.grants import rules
from employer_auth.grants.model import Grant
from servicekit.history import lane_of


def live_grants(db: Session, binding_id: str) -> list[Grant]:
    """The grants of a binding that have not ended, by business."""
    found = select(Grant).where(Grant.binding_id == binding_id, Grant.ended_at.is_(None))
    return list(db.scalars(found.order_by(Grant.business)))


def all_grants(db: Session, binding_id: str) -> list[Grant]:
    """Every grant the binding ever had, oldest first (EA-11)."""
    found = select(Grant).where(Grant.binding_id == binding_id)
    return list(db.scalars(found.order_by(Grant.granted_at, Grant.id)))


def find_live(db: Session, binding_id: str, business: str) -> Grant | None:
    """The binding's present grant in a business, held until the transaction ends."""
    found = select(Grant).where(
        Grant.binding_id == binding_id, Grant.business == business, Grant.ended_at.is_(None)
    )
    return db.scalar(found.with_for_update())


def terms_of(db: Session, binding_ids: Iterable[str]) -> dict[str, list[rules.Term]]:
    """What decides on the permissions of bindings, by binding."""
    wanted = list(binding_ids)
    rows = db.execute(
        select(Grant, Business)
        .join(Business, Business.code == Grant.business)
        .where(Grant.binding_id.in_(wanted), Grant.ended_at.is_(None))
    )
    found: dict[str, list[rules.Term]] = {binding_id: [] for binding_id in wanted}
    for row in rows:
        found[row.Grant.binding_id].append(_term(row.Grant, row.Business))
    return found


def turning(db: Session, *, today: date) -> list[str]:
    """Ids of the bindings with a grant that is over or has its first day, in holding order."""
    due = or_(Grant.valid_until < today, and_(~Grant.begun, Grant.valid_from <= today))
    found = db.scalars(select(Grant.binding_id).where(Grant.ended_at.is_(None), due).distinct())
    return sorted(found, key=lambda each: (lane_of(each), each))


def permissions_of(db: Session, binding: Binding, *, today: date) -> list[str]:
    """What the person may do for the unit today, as tokens and events say it."""
    terms = terms_of(db, [binding.id])[binding.id]
    level = level_of(db, binding.person_id)
    return rules.permissions(terms, person_level=level, today=today)


def _term(grant: Grant, business: Business) -> rules.Term:
    return rules.Term(
        business=grant.business,
        actions=tuple(grant.actions),
        level=max(grant.level, business.person_level),
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        offered=tuple(business.actions),
        retired=business.retired,
    )
