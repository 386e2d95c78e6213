"""What a unit can do with a person's permissions: grant, change, withdraw, at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from employer_auth.accounts.queries import level_of
from employer_auth.accounts.rules import check_not_frozen
from employer_auth.bindings import moves
from employer_auth.bindings import queries as bindings
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import check_bound, is_live
from employer_auth.catalogue import queries as catalogue
from employer_auth.catalogue.rules import BusinessNotFound
from employer_auth.events import FACTS, PermissionGranted, PermissionWithdrawn
from employer_auth.grants import queries, rules
from employer_auth.grants.model import Grant
from employer_auth.grants.rules import Ending, Wish
from employer_auth.management import actions as management
from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.outbox import announce


def grant(
    db: Session,
    binding_id: str,
    wishes: Sequence[Wish],
    *,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
) -> Binding:
    """Give a bound person businesses, or change what they have in them; one new version for all.

    Raises:
        BindingNotFound, NotBound, UnitIsFrozen, BusinessNotFound, NothingGranted, ActionNotOffered,
        BadGrantRegion, BadValidity, GranteeLevelTooLow, ChangedMeanwhile
    """
    binding = bindings.find_of_unit(db, binding_id, actor, seen=seen, hold=True)
    check_bound(binding.state)
    check_not_frozen(binding.unit.frozen_at)
    rules.check_direct(binding.via)
    give(db, binding, wishes, actor=actor, now=now)
    return binding


def give(
    db: Session, binding: Binding, wishes: Sequence[Wish], *, actor: Actor, now: datetime
) -> None:
    """The same for a binding that is held already."""
    today = shanghai_date(now)
    level = level_of(db, binding.person_id)
    given = []
    for wish in wishes:
        business = catalogue.find_business(db, wish.business)
        rules.check_wish(wish, offered=business.actions, today=today)
        rules.check_grantee(level, business.person_level)
        old = queries.find_live(db, binding.id, wish.business)
        if old is not None:
            _end(old, Ending.CHANGED, by=actor.id, now=now)
            db.flush()  # the index allows one live grant of a business at any moment
        fresh = Grant(
            binding_id=binding.id,
            business=wish.business,
            actions=sorted(wish.actions),
            region=wish.region,
            level=business.person_level,
            valid_from=wish.valid_from,
            valid_until=wish.valid_until,
            begun=wish.valid_from <= today,
            granted_by=actor.person_id or actor.id,
            granted_at=now,
        )
        db.add(fresh)
        given.append(fresh)
    db.flush()
    note = "；".join(rules.describe(_wish(each)) for each in given)
    moves.note_change(db, binding, "grant", actor=actor, now=now, note=note)
    for each in given:
        _tell_granted(db, binding, each, now)
    management.call(db)


def apply_template(
    db: Session,
    binding_id: str,
    role: str,
    *,
    valid_from: date | None,
    valid_until: date | None,
    actor: Actor,
    now: datetime,
) -> Binding:
    """Grant what a role usually needs, as far as the services offer it.

    Raises:
        TemplateNotFound, BusinessNotFound, and what :func:`grant` raises.
    """
    template = rules.find_template(role)
    offered = {business.code: business.actions for business in catalogue.list_businesses(db)}
    begins, ends = rules.usual_validity(valid_from, valid_until, shanghai_date(now))
    wishes = [
        Wish(code, tuple(a for a in actions if a in offered[code]), None, begins, ends)
        for code, actions in template.actions.items()
        if code in offered
    ]
    if not wishes:
        raise BusinessNotFound
    return grant(db, binding_id, wishes, actor=actor, now=now)


def withdraw(
    db: Session,
    binding_id: str,
    business: str,
    *,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
) -> Binding:
    """Take a business away from a person, at once (EA-06).

    Raises:
        BindingNotFound, GrantNotFound, ChangedMeanwhile
    """
    binding = bindings.find_of_unit(db, binding_id, actor, seen=seen, hold=True)
    old = queries.find_live(db, binding.id, business)
    if old is None:
        raise rules.GrantNotFound
    _end(old, Ending.WITHDRAWN, by=actor.person_id or actor.id, now=now)
    db.flush()
    moves.note_change(db, binding, "withdraw", actor=actor, now=now, note=business)
    _tell_withdrawn(db, binding, old, now)
    return binding


def turn(db: Session, binding_id: str, *, now: datetime) -> None:
    """End what is over and begin what has its day, of one binding; the clock says so (EA-13)."""
    binding = bindings.hold(db, binding_id)
    if not is_live(binding.state):
        return  # it ended while we waited, and its grants with it
    today = shanghai_date(now)
    over = [g for g in queries.live_grants(db, binding_id) if g.valid_until < today]
    for each in over:
        _end(each, Ending.EXPIRED, by=moves.ITSELF.id, now=now)
    begun = [
        g for g in queries.live_grants(db, binding_id) if not g.begun and g.valid_from <= today
    ]
    for each in begun:
        each.begun = True
    db.flush()
    if over:
        note = "、".join(each.business for each in over)
        moves.note_change(db, binding, "expire-grant", actor=moves.ITSELF, now=now, note=note)
    elif begun:
        note = "、".join(each.business for each in begun)
        moves.note_change(db, binding, "begin-grant", actor=moves.ITSELF, now=now, note=note)
    for each in over:
        _tell_withdrawn(db, binding, each, now)


def _end(old: Grant, ending: Ending, *, by: str, now: datetime) -> None:
    old.ended_at, old.ended_by, old.ending = now, by, ending


def _wish(given: Grant) -> Wish:
    actions = tuple(rules.Action(action) for action in given.actions)
    return Wish(given.business, actions, given.region, given.valid_from, given.valid_until)


def _tell_granted(db: Session, binding: Binding, given: Grant, now: datetime) -> None:
    announce(
        db,
        FACTS.of(
            PermissionGranted,
            subject=binding.id,
            now=now,
            **_about(db, binding, given),
            region=given.region,
            valid_from=given.valid_from,
            valid_until=given.valid_until,
        ),
    )


def _tell_withdrawn(db: Session, binding: Binding, old: Grant, now: datetime) -> None:
    ending = str(old.ending)
    about = _about(db, binding, old)
    announce(db, FACTS.of(PermissionWithdrawn, subject=binding.id, now=now, **about, ending=ending))


def _about(db: Session, binding: Binding, each: Grant) -> dict[str, object]:
    return {
        "binding_id": binding.id,
        "unit_id": binding.unit_id,
        "person_id": binding.person_id,
        "via": binding.via,
        "unit_name": binding.unit.name,
        "version": binding.version,
        "business": each.business,
        "title": catalogue.title_of(db, each.business),
        "actions": list(each.actions),
    }
