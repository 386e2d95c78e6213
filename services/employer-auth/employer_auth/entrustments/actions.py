"""What a unit and its agency can do with an entrustment, and with the people under it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from employer_auth.accounts.rules import check_not_frozen
from employer_auth.bindings import actions as bindings
from employer_auth.bindings import moves as binding_moves
from employer_auth.bindings import queries as binding_queries
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import (
    BindingState,
    Ender,
    check_may_work,
    is_active,
    reasons_to_rest,
)
from employer_auth.catalogue import queries as catalogue
from employer_auth.entrustments import moves, queries, rules
from employer_auth.entrustments.model import EntrustedBusiness, Entrustment
from employer_auth.entrustments.rules import EntrustmentState
from employer_auth.grants import actions as grants
from employer_auth.grants.queries import find_live
from employer_auth.grants.rules import Wish, check_wish
from employer_auth.validity import latest_end
from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.uniqueness import refusing_a_second

_ENDERS: Final = {True: Ender.UNIT, False: Ender.AGENCY}


def offer(
    db: Session, uscc: str, wishes: Sequence[Wish], *, actor: Actor, now: datetime
) -> Entrustment:
    """A unit asks an agency to do businesses for it; the agency has to agree.

    Raises:
        AgencyNotFound, OwnAgency, ManagementNotEntrusted, AlreadyEntrusted, BusinessNotFound,
        NothingGranted, ActionNotOffered, BadGrantRegion, BadValidity
    """
    agency = queries.find_agency(db, uscc)
    rules.check_agency(actor.id, agency.id)
    check_not_frozen(bindings.known_unit(db, actor.id).frozen_at)
    _check(db, wishes, now)
    entrustment = Entrustment(
        unit_id=actor.id,
        agency_id=agency.id,
        state=EntrustmentState.OFFERED,
        valid_until=max(wish.valid_until for wish in wishes),
        created_at=now,
        changed_at=now,
    )
    with refusing_a_second(db, rules.AlreadyEntrusted):
        db.add(entrustment)
    for wish in wishes:
        db.add(_business(entrustment.id, wish))
    db.flush()
    db.refresh(entrustment, ["unit", "agency", "businesses"])
    moves.begin(db, entrustment, actor=actor, now=now)
    return entrustment


def answer(
    db: Session, entrustment_id: str, name: str, *, actor: Actor, now: datetime, note: str | None
) -> Entrustment:
    """The agency accepts or declines.

    Raises:
        EntrustmentNotFound, WrongState
    """
    entrustment = queries.find_received(db, entrustment_id, actor, hold=True)
    check_not_frozen(entrustment.agency.frozen_at)
    moves.move(db, entrustment, name, actor=actor, now=now, note=note)
    return entrustment


def cancel(
    db: Session, entrustment_id: str, *, actor: Actor, now: datetime, note: str | None
) -> Entrustment:
    """The unit takes its offer back.

    Raises:
        EntrustmentNotFound, WrongState
    """
    entrustment = queries.find_given(db, entrustment_id, actor, hold=True)
    moves.move(db, entrustment, "cancel", actor=actor, now=now, note=note)
    return entrustment


def end(
    db: Session, entrustment_id: str, *, actor: Actor, now: datetime, note: str | None
) -> Entrustment:
    """Either side ends it at once; nobody of the agency acts for the unit any more.

    Raises:
        EntrustmentNotFound, WrongState
    """
    entrustment = queries.find(db, entrustment_id, actor, hold=True)
    moves.move(db, entrustment, "end", actor=actor, now=now, note=note)
    return entrustment


def withdraw(
    db: Session, entrustment_id: str, business: str, *, actor: Actor, now: datetime
) -> Entrustment:
    """The unit takes one business back, from the agency and from all of its people at once.

    Raises:
        EntrustmentNotFound, BeyondEntrusted: it does not hold the business.
    """
    entrustment = queries.find_given(db, entrustment_id, actor, hold=True)
    held = queries.find_business(db, entrustment.id, business)
    if held is None:
        raise rules.BeyondEntrusted
    held.ended_at = now
    moves.note_change(db, entrustment, "withdraw", actor=actor, now=now, note=business)
    for link in queries.live_links(db, entrustment.id):
        binding_queries.hold(db, link)
        if find_live(db, link, business) is not None:
            grants.withdraw(db, link, business, actor=actor, now=now)
    return entrustment


def assign(
    db: Session,
    entrustment_id: str,
    binding_id: str,
    wishes: Sequence[Wish],
    *,
    actor: Actor,
    now: datetime,
) -> Binding:
    """The agency names one of its own people and what of the entrusted they do (EA-13).

    Raises:
        EntrustmentNotFound, NotEntrusted, BindingNotFound, AgentNotOwn, BeyondEntrusted,
        AlreadyBound, BindingSuspended, and what granting raises.
    """
    entrustment = queries.find_received(db, entrustment_id, actor, hold=True)
    rules.check_active(entrustment.state)
    check_not_frozen(entrustment.agency.frozen_at)
    own = binding_queries.find_of_unit(db, binding_id, actor, hold=True)
    if own.via is not None or not is_active(own.state):
        raise rules.AgentNotOwn
    shares = queries.shares(db, entrustment.id)
    for wish in wishes:
        rules.check_within(wish, shares)
    link = Binding(
        unit_id=entrustment.unit_id,
        person_id=own.person_id,
        via=entrustment.agency_id,
        entrustment_id=entrustment.id,
        agency_binding_id=own.id,
        state=BindingState.ACTIVE,
        person_name=own.person_name,
        login_name=own.login_name,
        valid_until=min(entrustment.valid_until, latest_end(shanghai_date(now))),
        created_at=now,
        expires_at=now,
        bound_at=now,
        changed_at=now,
    )
    bindings.add(db, link)
    check_may_work(reasons_to_rest(binding_queries.circumstances(db, link)))
    binding_moves.begin(db, link, "join", actor=actor, by=Ender.AGENCY, now=now)
    grants.give(db, link, wishes, actor=actor, now=now)
    return link


def dismiss(
    db: Session,
    entrustment_id: str,
    link_id: str,
    *,
    actor: Actor,
    now: datetime,
    note: str | None,
) -> Binding:
    """Either side takes one of the agency's people off; the others go on.

    Raises:
        EntrustmentNotFound, BindingNotFound, WrongState
    """
    entrustment = queries.find(db, entrustment_id, actor)
    link = binding_queries.find_link(db, link_id, entrustment.id)
    by = _ENDERS[entrustment.unit_id == actor.id]
    binding_moves.move(db, link, "release", actor=actor, by=by, now=now, note=note)
    return link


def part(db: Session, unit_id: str, *, actor: Actor, now: datetime) -> None:
    """One of the two is gone: every live entrustment of a cancelled account ends."""
    for entrustment_id in queries.live_between(db, unit_id):
        entrustment = queries.hold(db, entrustment_id)
        if rules.is_live(entrustment.state):
            moves.move(db, entrustment, "part", actor=actor, now=now)


def expire(db: Session, entrustment_id: str, *, now: datetime) -> None:
    """The last day of everything entrusted has passed."""
    entrustment = queries.hold(db, entrustment_id)
    over = rules.is_over(entrustment.valid_until, shanghai_date(now))
    if rules.is_live(entrustment.state) and over:
        moves.move(db, entrustment, "expire", actor=binding_moves.ITSELF, now=now)


def _check(db: Session, wishes: Sequence[Wish], now: datetime) -> None:
    rules.check_entrustable(wishes)
    for wish in wishes:
        business = catalogue.find_business(db, wish.business)
        check_wish(wish, offered=business.actions, today=shanghai_date(now))


def _business(entrustment_id: str, wish: Wish) -> EntrustedBusiness:
    return EntrustedBusiness(
        entrustment_id=entrustment_id,
        business=wish.business,
        actions=sorted(wish.actions),
        region=wish.region,
        valid_from=wish.valid_from,
        valid_until=wish.valid_until,
    )
