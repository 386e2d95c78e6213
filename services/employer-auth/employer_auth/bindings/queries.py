"""Which bindings a unit, a person or an officer may see, and what a binding depends on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlalchemy.orm import Session

from employer_auth.accounts.model import Account, Unit
from employer_auth.accounts.queries import level_of, standing_of
from employer_auth.accounts.rules import is_active
from employer_auth.bindings import rules
from employer_auth.bindings.model import Binding, BindingEntry
from employer_auth.grants.model import Grant
from servicekit.applications import Actor
from servicekit.errors import ChangedMeanwhile
from servicekit.history import lane_of

NEWEST = (Binding.created_at, Binding.id)
NEWEST_ENTRY = (BindingEntry.at, BindingEntry.id)


@dataclass(frozen=True, slots=True)
class Filters:
    """查询条件; what is None does not narrow."""

    state: rules.BindingState | None = None
    unit_id: str | None = None
    business: str | None = None


def of_unit(actor: Actor, filters: Filters) -> Select[Binding]:
    """子账号信息: everybody the unit ever asked, without those an agency sends."""
    found = select(Binding).where(Binding.unit_id == actor.id, Binding.via.is_(None))
    return found.where(*_narrowed(filters))


def of_person(actor: Actor, filters: Filters) -> Select[Binding]:
    """父账号信息: every unit that ever asked the person, and those they act for by an agency."""
    found = select(Binding).where(Binding.person_id == actor.id)
    return found.where(*_narrowed(filters))


def of_region(actor: Actor, filters: Filters) -> Select[Binding]:
    """The bindings of the units in an officer's region and below."""
    return select(Binding).join(Binding.unit).where(_within(actor), *_narrowed(filters))


def entries_of_unit(actor: Actor) -> Select[BindingEntry]:
    """Everything that happened to any binding for the unit and its grants, chains too (EA-11)."""
    own = select(Binding.id).where(Binding.unit_id == actor.id)
    return select(BindingEntry).where(BindingEntry.application_id.in_(own))


def find_of_unit(
    db: Session, binding_id: str, actor: Actor, *, seen: int | None = None, hold: bool = False
) -> Binding:
    """A binding of the unit that asks.

    Args:
        seen: the version the caller was looking at, when they said so.
        hold: keep others from changing it until the transaction ends.

    Raises:
        BindingNotFound: there is none, or it is another unit's.
        ChangedMeanwhile: it is not as they saw it.
    """
    return _find(db, binding_id, Binding.unit_id == actor.id, seen=seen, hold=hold)


def find_of_person(
    db: Session, binding_id: str, actor: Actor, *, seen: int | None = None, hold: bool = False
) -> Binding:
    """A binding of the person that asks; raises as :func:`find_of_unit`."""
    return _find(db, binding_id, Binding.person_id == actor.id, seen=seen, hold=hold)


def find_for_officer(
    db: Session, binding_id: str, actor: Actor, *, seen: int | None = None, hold: bool = False
) -> Binding:
    """A binding of a unit in the officer's region; raises as :func:`find_of_unit`."""
    units = select(Unit.id).where(_within(actor))
    return _find(db, binding_id, Binding.unit_id.in_(units), seen=seen, hold=hold)


def find_link(db: Session, binding_id: str, entrustment_id: str) -> Binding:
    """A binding under an entrustment, held; raises BindingNotFound."""
    under = Binding.entrustment_id == entrustment_id
    return _find(db, binding_id, under, seen=None, hold=True)


def hold(db: Session, binding_id: str) -> Binding:
    """The binding as it is now, held until the transaction ends."""
    return db.get_one(Binding, binding_id, with_for_update={"of": Binding}, populate_existing=True)


def live_of_account(db: Session, account_id: str) -> list[str]:
    """Ids of every live binding an account is a part of, in the order in which they are held."""
    part = or_(
        Binding.unit_id == account_id,
        Binding.person_id == account_id,
        Binding.via == account_id,
    )
    found = db.scalars(select(Binding.id).where(part, Binding.state.in_(rules.LIVE)))
    return sorted(found, key=lambda binding_id: (lane_of(binding_id), binding_id))


def links_of(db: Session, binding_id: str) -> list[str]:
    """Ids of the live chain bindings that hang on an agency's own binding, in holding order."""
    found = db.scalars(
        select(Binding.id).where(
            Binding.agency_binding_id == binding_id, Binding.state.in_(rules.LIVE)
        )
    )
    return sorted(found, key=lambda each: (lane_of(each), each))


def find_live(db: Session, unit_id: str, person_id: str) -> str | None:
    """The id of the direct binding that keeps the unit from inviting the person again."""
    return db.scalar(
        select(Binding.id).where(
            Binding.unit_id == unit_id,
            Binding.person_id == person_id,
            Binding.via.is_(None),
            Binding.state.in_(rules.LIVE),
        )
    )


def circumstances(db: Session, binding: Binding) -> rules.Circumstances:
    """Everything outside itself that a binding depends on, as it is now."""
    unit = db.get_one(Unit, binding.unit_id)
    usable = is_active(standing_of(db, binding.unit_id))
    frozen, restricted = unit.frozen_at is not None, unit.restricted_at is not None
    holds = True
    if binding.via is not None:
        agency = db.get_one(Unit, binding.via)
        link = db.get(Binding, binding.agency_binding_id) if binding.agency_binding_id else None
        agency_usable = is_active(standing_of(db, binding.via)) and agency.frozen_at is None
        holds = agency_usable and link is not None and rules.is_active(link.state)
    return rules.Circumstances(
        person_level=level_of(db, binding.person_id),
        person_usable=is_active(standing_of(db, binding.person_id)),
        unit_usable=usable,
        unit_frozen=frozen,
        unit_restricted=restricted,
        link_holds=holds,
    )


def is_parted(db: Session, binding: Binding) -> bool:
    """Is somebody of the two gone for ever, or the agency's own binding, of a chain?"""
    parts = [binding.unit_id, binding.person_id, *([binding.via] if binding.via else [])]
    accounts = db.scalars(select(Account).where(Account.id.in_(parts)))
    if any(account.is_cancelled for account in accounts):
        return True
    if binding.agency_binding_id is None:
        return False
    return not rules.is_bound(db.get_one(Binding, binding.agency_binding_id).state)


def lapsing(db: Session, *, now: datetime, today: date) -> list[str]:
    """Ids of the invitations and bindings whose time is over, in holding order."""
    unanswered = and_(Binding.state.in_((rules.BindingState.INVITED,)), Binding.expires_at <= now)
    over = and_(Binding.state.in_(rules.BOUND), Binding.valid_until < today)
    found = db.scalars(select(Binding.id).where(or_(unanswered, over)))
    return sorted(found, key=lambda each: (lane_of(each), each))


def _find(
    db: Session, binding_id: str, whose: ColumnElement[bool], *, seen: int | None, hold: bool
) -> Binding:
    found = select(Binding).where(Binding.id == binding_id, whose)
    if hold:
        found = found.with_for_update(of=Binding).execution_options(populate_existing=True)
    binding = db.scalar(found)
    if binding is None:
        raise rules.BindingNotFound
    if seen is not None and seen != binding.version:
        raise ChangedMeanwhile
    return binding


def _within(actor: Actor) -> ColumnElement[bool]:
    return Unit.region.startswith(actor.region, autoescape=True) if actor.region else false()


def _narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.state is not None:
        conditions.append(Binding.state == filters.state)
    if filters.unit_id is not None:
        conditions.append(Binding.unit_id == filters.unit_id)
    if filters.business is not None:
        granted = Grant.business == filters.business, Grant.ended_at.is_(None)
        conditions.append(Binding.id.in_(select(Grant.binding_id).where(*granted)))
    return conditions
