"""Propose what becomes of two accounts of one person; a second admin decides and it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from identity.accounts import actions as accounts
from identity.accounts.model import Account
from identity.accounts.rules import Standing, likeness_key
from identity.administration import actions as administration
from identity.administration.rules import PROVINCE, check_covers, check_other, check_reason
from identity.cancellations import actions as cancellations
from identity.cancellations import queries as cancelled
from identity.cancellations import rules as cancelling
from identity.duplicates import queries, rules
from identity.duplicates.model import Resolution
from identity.duplicates.rules import Outcome, Way
from identity.verification import levels
from identity.verification.model import Evidence
from servicekit.applications import Actor
from servicekit.db import new_id
from servicekit.personal import PersonalText
from servicekit.uniqueness import refusing_a_second


@dataclass(frozen=True, slots=True)
class Proposal:
    """Which account stays, which is given up, how, and why."""

    kept_id: str
    given_up_id: str
    way: Way
    reason: str = field(repr=False)


def propose(db: Session, proposal: Proposal, *, by: Actor, now: datetime) -> Resolution:
    """Write down what another admin is to confirm (ID-05).

    Raises:
        ReasonNeeded, NoAccount, NotYours.
        ResolutionRefused: the two are not one person's.
        StillTied: the account to be given up has open applications or bindings.
        AlreadyProposed: somebody else is at it.
    """
    reason = check_reason(proposal.reason)
    _check(db, proposal.way, proposal.kept_id, proposal.given_up_id, by=by)
    made = Resolution(
        id=new_id(),
        way=proposal.way,
        outcome=Outcome.PROPOSED,
        kept_id=proposal.kept_id,
        given_up_id=proposal.given_up_id,
        reason=reason,
        proposed_by=by.id,
        proposed_at=now,
    )
    with refusing_a_second(db, rules.AlreadyProposed, of="duplicate_resolution_one_open"):
        db.add(made)
    return made


def confirm(
    db: Session, resolution_id: str, *, note: str | None, by: Actor, now: datetime
) -> Resolution:
    """Carry it out: the account that is given up ends, merged or not; both are on record.

    Raises:
        NoResolution, NotOpen, FourEyes.
        ResolutionRefused, StillTied: things changed since it was proposed.
    """
    made = _decide(db, resolution_id, Outcome.CONFIRMED, note=note, by=by, now=now)
    kept, given_up = _check(db, made.way, made.kept_id, made.given_up_id, by=by)
    merged = made.way is Way.MERGE
    if merged:
        moved = update(Evidence).where(Evidence.account_id == given_up.id)
        db.execute(moved.values(account_id=kept.id))
        levels.recompute(db, kept, now=now)
    before = given_up.standing
    cancellations.carry_out(db, given_up, now=now, merged_into=kept.id if merged else None)
    if kept.person is not None and queries.count_with_document(db, kept.person) == 1:
        kept.person.migrated_twice = False
    db.flush()
    administration.record(db, given_up, made.way, before=before, reason=made.reason, by=by, now=now)
    administration.record(
        db, kept, f"kept-after-{made.way}", before=kept.standing, reason=made.reason, by=by, now=now
    )
    return made


def refuse(
    db: Session, resolution_id: str, *, note: str | None, by: Actor, now: datetime
) -> Resolution:
    """Leave both accounts as they are; the second admin says why.

    Raises:
        NoResolution, NotOpen, FourEyes, ReasonNeeded.
    """
    check_reason(note or "")
    return _decide(db, resolution_id, Outcome.REFUSED, note=note, by=by, now=now)


def index_old(db: Session, *, most: int = 500) -> int:
    """Give persons who registered before there was one their index of likeness (AL-12).

    Returns: how many got it.
    """
    without = queries.without_likeness(db, most=most)
    for person in without:
        born = person.born()
        person.likeness_index = PersonalText(likeness_key(person.name.expose(), born))
    return len(without)


def _decide(
    db: Session,
    resolution_id: str,
    outcome: Outcome,
    *,
    note: str | None,
    by: Actor,
    now: datetime,
) -> Resolution:
    check_covers(by.region, PROVINCE)
    made = queries.find_resolution(db, resolution_id)
    rules.check_decides(made.outcome, proposed_by=made.proposed_by, admin_id=by.id)
    made.outcome, made.decided_by, made.decided_at, made.decided_note = outcome, by.id, now, note
    db.flush()
    return made


def _check(
    db: Session, way: Way, kept_id: str, given_up_id: str, *, by: Actor
) -> tuple[Account, Account]:
    check_covers(by.region, PROVINCE)
    for each in (kept_id, given_up_id):
        check_other(by.id, each)
    kept, given_up = accounts.find(db, kept_id), accounts.find(db, given_up_id)
    living = Standing.CANCELLED not in (kept.standing, given_up.standing)
    persons = kept.person is not None and given_up.person is not None
    rules.check_pair(
        way,
        kept=queries.traits(kept),
        given_up=queries.traits(given_up),
        same_account=kept.id == given_up.id or not living or not persons,
    )
    cancelling.check_ties(cancelled.list_ties(db, given_up.id))
    return kept, given_up
