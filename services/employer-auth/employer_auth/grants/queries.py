"""Looks up grants, and what they amount to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from employer_auth.accounts.queries import level_of
from employer_auth.accounts.rules import VERIFIED_LEVEL
from employer_auth.authorisation_codes.model import Authorisation
from employer_auth.authorisation_codes.rules import ACTION as AUTHORISED
from employer_auth.authorisation_codes.rules import BUSINESS as AUTHORISED_BUSINESS
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import BOUND
from employer_auth.catalogue.model import Business
from employer_auth.grants import rules
from employer_auth.grants.model import Grant
from servicekit.clock import shanghai_date
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
    proved = select(Authorisation).where(
        Authorisation.binding_id.in_(wanted), Authorisation.revoked_at.is_(None)
    )
    for each in db.scalars(proved):  # 授权码实名, which no unit can grant (EA-09)
        found[each.binding_id].append(_proved(each))
    return found


def turning(db: Session, *, today: date) -> list[str]:
    """Ids of the bindings with a grant that is over or has its first day, in holding order."""
    due = or_(Grant.valid_until < today, and_(~Grant.begun, Grant.valid_from <= today))
    found = db.scalars(select(Grant.binding_id).where(Grant.ended_at.is_(None), due).distinct())
    return sorted(found, key=lambda each: (lane_of(each), each))


def highest_level(db: Session, binding_id: str) -> int:
    """The highest level any present grant of a binding asks of the person; 0 without grants."""
    terms = terms_of(db, [binding_id])[binding_id]
    return max((term.level for term in terms), default=0)


def holding(db: Session, business: str, *, revised_before: datetime, most: int) -> list[str]:
    """Ids of bound bindings with a grant in a business that were not revised since a moment."""
    found = db.scalars(
        select(Binding.id)
        .join(Grant, Grant.binding_id == Binding.id)
        .where(
            Grant.business == business,
            Grant.ended_at.is_(None),
            Binding.state.in_(BOUND),
            Binding.changed_at < revised_before,
        )
        .limit(most)
    )
    return sorted(found, key=lambda each: (lane_of(each), each))


def mandated(db: Session, binding: Binding, *, today: date) -> tuple[list[str], dict[str, str]]:
    """The permissions of today, and the place where one is named for a business."""
    terms = terms_of(db, [binding.id])[binding.id]
    level = level_of(db, binding.person_id)
    granted = rules.permissions(terms, person_level=level, today=today)
    return granted, rules.regions_of(terms, person_level=level, today=today)


def permissions_of(db: Session, binding: Binding, *, today: date) -> list[str]:
    """What the person may do for the unit today, as tokens and events say it."""
    return mandated(db, binding, today=today)[0]


def _term(grant: Grant, business: Business) -> rules.Term:
    return rules.Term(
        business=grant.business,
        actions=tuple(grant.actions),
        region=grant.region,
        level=max(grant.level, business.person_level),
        valid_from=grant.valid_from,
        valid_until=grant.valid_until,
        offered=tuple(business.actions),
        retired=business.retired,
    )


def _proved(authorisation: Authorisation) -> rules.Term:
    return rules.Term(
        business=AUTHORISED_BUSINESS,
        actions=(AUTHORISED,),
        region=None,
        level=VERIFIED_LEVEL,
        valid_from=shanghai_date(authorisation.authorised_at),
        valid_until=date.max,
        offered=(AUTHORISED,),
        retired=False,
    )
