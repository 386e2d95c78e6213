"""Which entrustments a unit or an agency may see, and who acts under them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from employer_auth.accounts.model import Account, Unit
from employer_auth.accounts.rules import Standing
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import LIVE as LIVE_BINDING
from employer_auth.entrustments import rules
from employer_auth.entrustments.model import EntrustedBusiness, Entrustment
from servicekit.applications import Actor
from servicekit.history import lane_of

NEWEST = (Entrustment.created_at, Entrustment.id)


def given_by(actor: Actor) -> Select[Entrustment]:
    """What the unit entrusts to agencies, ended ones too."""
    return select(Entrustment).where(Entrustment.unit_id == actor.id)


def received_by(actor: Actor) -> Select[Entrustment]:
    """What clients entrust to the agency, ended ones too."""
    return select(Entrustment).where(Entrustment.agency_id == actor.id)


def find(db: Session, entrustment_id: str, actor: Actor, *, hold: bool = False) -> Entrustment:
    """An entrustment the asking unit is a side of.

    Raises:
        EntrustmentNotFound: there is none, or it is between others.
    """
    either = or_(Entrustment.unit_id == actor.id, Entrustment.agency_id == actor.id)
    return _find(db, entrustment_id, either, hold=hold)


def find_given(
    db: Session, entrustment_id: str, actor: Actor, *, hold: bool = False
) -> Entrustment:
    """The same for the client alone."""
    return _find(db, entrustment_id, Entrustment.unit_id == actor.id, hold=hold)


def find_received(
    db: Session, entrustment_id: str, actor: Actor, *, hold: bool = False
) -> Entrustment:
    """The same for the agency alone."""
    return _find(db, entrustment_id, Entrustment.agency_id == actor.id, hold=hold)


def hold(db: Session, entrustment_id: str) -> Entrustment:
    """The entrustment as it is now, held until the transaction ends."""
    return db.get_one(
        Entrustment, entrustment_id, with_for_update={"of": Entrustment}, populate_existing=True
    )


def find_agency(db: Session, uscc: str) -> Unit:
    """The registered unit of a USCC, the newest where an older account was cancelled.

    Raises:
        AgencyNotFound
    """
    found = (
        select(Unit)
        .join(Account, Account.id == Unit.id)
        .where(Unit.certificate_number == uscc, Account.standing != Standing.CANCELLED)
        .order_by(Unit.registered_at.desc())
    )
    agency = db.scalar(found.limit(1))
    if agency is None:
        raise rules.AgencyNotFound
    return agency


def agents(db: Session, entrustment: Entrustment) -> list[Binding]:
    """The agency's people who act, or once acted, under it; newest first."""
    found = select(Binding).where(Binding.entrustment_id == entrustment.id)
    return list(db.scalars(found.order_by(Binding.created_at.desc(), Binding.id.desc())))


def live_links(db: Session, entrustment_id: str) -> list[str]:
    """Ids of the live bindings under it, in the order in which bindings are held."""
    found = db.scalars(
        select(Binding.id).where(
            Binding.entrustment_id == entrustment_id, Binding.state.in_(LIVE_BINDING)
        )
    )
    return sorted(found, key=lambda each: (lane_of(each), each))


def live_between(db: Session, account_id: str) -> list[str]:
    """Ids of the live entrustments a unit is a side of."""
    either = or_(Entrustment.unit_id == account_id, Entrustment.agency_id == account_id)
    found = select(Entrustment.id).where(either, Entrustment.state.in_(rules.LIVE))
    return list(db.scalars(found.order_by(Entrustment.id)))


def over(db: Session, *, today: date) -> list[str]:
    """Ids of the live entrustments whose last day has passed."""
    found = select(Entrustment.id).where(
        Entrustment.state.in_(rules.LIVE), Entrustment.valid_until < today
    )
    return list(db.scalars(found.order_by(Entrustment.id)))


def shares(db: Session, entrustment_id: str) -> dict[str, rules.Share]:
    """What the agency holds, by business."""
    found = select(EntrustedBusiness).where(
        EntrustedBusiness.entrustment_id == entrustment_id, EntrustedBusiness.ended_at.is_(None)
    )
    return {
        row.business: rules.Share(tuple(row.actions), row.region, row.valid_from, row.valid_until)
        for row in db.scalars(found)
    }


def find_business(db: Session, entrustment_id: str, business: str) -> EntrustedBusiness | None:
    """One business the agency holds now."""
    return db.scalar(
        select(EntrustedBusiness).where(
            EntrustedBusiness.entrustment_id == entrustment_id,
            EntrustedBusiness.business == business,
            EntrustedBusiness.ended_at.is_(None),
        )
    )


def _find(
    db: Session, entrustment_id: str, whose: ColumnElement[bool], *, hold: bool
) -> Entrustment:
    found = select(Entrustment).where(Entrustment.id == entrustment_id, whose)
    if hold:
        found = found.with_for_update(of=Entrustment).execution_options(populate_existing=True)
    entrustment = db.scalar(found)
    if entrustment is None:
        raise rules.EntrustmentNotFound
    return entrustment
