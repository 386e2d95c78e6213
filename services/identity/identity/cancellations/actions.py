"""Ask for the end of an account, undo it, carry it out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.accounts.rules import Kind, Standing, check_standing
from identity.cancellations import erasure, queries, rules
from identity.cancellations.model import Cancellation, Tie
from identity.cancellations.rules import TieKind
from identity.events import FACTS, AccountCancelled
from identity.messages import actions as messages
from identity.sign_in import sessions
from identity.sign_in.rules import EndReason
from identity.units.model import Unit
from servicekit.db import new_id
from servicekit.outbox import announce
from servicekit.uniqueness import refusing_a_second

_NO_PASSWORD = "!"  # noqa: S105 - no hash: nothing matches it


def ask(db: Session, account: Account, *, session_id: str | None, now: datetime) -> Cancellation:
    """Begin the cooling-off; every other session ends, and the owner is told how to undo it.

    Raises:
        StillTied: something is open, each named.
        AlreadyAsked: it cools off already.
    """
    check_standing(account.standing)
    rules.check_ties(queries.list_ties(db, account.id))
    wish = Cancellation(
        id=new_id(),
        account_id=account.id,
        asked_at=now,
        takes_effect_at=rules.takes_effect_at(now),
    )
    with refusing_a_second(db, rules.AlreadyAsked, of="cancellation_one_open"):
        db.add(wish)
    for session in sessions.list_alive(db, account.id, now=now):
        if session.id != session_id:
            sessions.end(db, session, EndReason.OWNER, now=now)
    words = {"days": str(rules.COOLING_OFF.days)}
    messages.tell(db, account.id, "cancellation-asked", words, subject=None, now=now)
    return wish


def undo(db: Session, account: Account, *, now: datetime) -> Cancellation:
    """Keep the account after all.

    Raises:
        NoCancellation: nothing is cooling off.
    """
    wish = queries.find_open(db, account.id)
    if wish is None:
        raise rules.NoCancellation
    wish.undone_at = now
    messages.tell(db, account.id, "cancellation-undone", {}, subject=None, now=now)
    return wish


def carry_out_due(db: Session, *, now: datetime, most: int = 50) -> int:
    """End the accounts whose cooling-off is over; what is tied meanwhile is kept and told.

    Returns: how many ended.
    """
    erasure.erase_deliveries(db, queries.list_ended(db, since=now - rules.SMS_GONE_AFTER))
    ended = 0
    for wish in queries.list_due(db, now=now, most=most):
        account = db.get_one(Account, wish.account_id)
        if queries.list_ties(db, account.id):
            wish.undone_at = now
            messages.tell(db, account.id, "cancellation-stopped", {}, subject=None, now=now)
            continue
        carry_out(db, account, now=now)
        ended += 1
    return ended


def carry_out(
    db: Session, account: Account, *, now: datetime, merged_into: str | None = None
) -> None:
    """End the account for good: sessions end, its number may register again, nothing is readable.

    Args:
        merged_into: the other account of the same person, when an admin put two together.
    """
    sessions.end_all(db, account.id, EndReason.CANCELLED, now=now)
    messages.tell(db, account.id, "account-cancelled", {}, subject=None, now=now)
    wish = queries.find_open(db, account.id)
    if wish is None:
        wish = Cancellation(account_id=account.id, asked_at=now, takes_effect_at=now)
        db.add(wish)
    wish.done_at = now
    account.standing, account.updated_at = Standing.CANCELLED, now
    account.password_hash = _NO_PASSWORD
    if account.kind is Kind.UNIT:
        db.get_one(Unit, account.id).closed_at = now
    db.flush()
    erasure.erase(db, account.id)
    db.expire(account)
    told = {"merged_into": merged_into} if merged_into else {}
    cancelled = FACTS.of(
        AccountCancelled,
        subject=account.id,
        now=now,
        account_id=account.id,
        kind=account.kind,
        **told,
    )
    announce(db, cancelled)


def note_application(
    db: Session, application_id: str, *, account_id: str, state: str, title: str, now: datetime
) -> None:
    """Hear that an application of somebody's moved."""
    open_ = rules.is_open_application(state)
    _note(db, TieKind.APPLICATION, application_id, account_id, title, is_open=open_, now=now)


def note_binding(
    db: Session, binding_id: str, *, account_ids: list[str], state: str, now: datetime
) -> None:
    """Hear that a unit and a person are bound, or no longer."""
    for account_id in account_ids:
        bound = rules.is_bound(state)
        title = "单位与经办人员的绑定"
        _note(db, TieKind.BINDING, binding_id, account_id, title, is_open=bound, now=now)


def note_objection(
    db: Session, objection_id: str, *, unit_id: str, is_open: bool, now: datetime
) -> None:
    """Hear that a unit is frozen, or no longer: whoever took it cannot make it vanish (EA-12)."""
    title = "法定代表人对单位账号的异议"
    _note(db, TieKind.OBJECTION, objection_id, unit_id, title, is_open=is_open, now=now)


def _note(
    db: Session,
    kind: TieKind,
    key: str,
    account_id: str,
    title: str,
    *,
    is_open: bool,
    now: datetime,
) -> None:
    if is_open:
        row = insert(Tie).values(kind=kind, key=key, account_id=account_id, title=title, since=now)
        db.execute(row.on_conflict_do_nothing())
        return
    same = (Tie.kind == kind, Tie.key == key, Tie.account_id == account_id)
    db.execute(delete(Tie).where(*same))
