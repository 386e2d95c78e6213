"""Lock an account, let it in again, look at a clear value; each with a reason, each on record."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from identity.accounts import actions as accounts
from identity.accounts.model import Account
from identity.accounts.rules import Standing
from identity.administration import queries, rules
from identity.administration.rules import Clear
from identity.events import FACTS, AccountUnlocked
from identity.messages import actions as messages
from identity.officer_news import announce_officer
from identity.sign_in import sessions
from identity.sign_in.rules import EndReason
from identity.verification import levels
from servicekit import access_records, applications
from servicekit.applications import Actor
from servicekit.outbox import announce
from servicekit.personal import Personal


def find_covered(db: Session, account_id: str, *, by: Actor) -> queries.Shown:
    """The account, if it is in the admin's region.

    Raises:
        NoAccount: there is none.
        NotYours: it is elsewhere.
    """
    shown = queries.show(db, accounts.find(db, account_id))
    rules.check_covers(by.region, shown.region)
    return shown


def lock(db: Session, account_id: str, *, reason: str, by: Actor, now: datetime) -> Account:
    """No login from now on, and every service refuses its tokens within two seconds (ID-43).

    Raises:
        ReasonNeeded, NoAccount, NotYours.
        NotActive: it is locked or cancelled already.
    """
    why = rules.check_reason(reason)
    rules.check_other(by.id, account_id)
    account = find_covered(db, account_id, by=by).account
    before = account.standing
    accounts.lock(db, account_id, now=now)
    sessions.end_all(db, account_id, EndReason.LOCKED, now=now)
    record(db, account, "lock", before=before, reason=why, by=by, now=now)
    announce_officer(db, account_id, now=now)
    messages.tell(db, account_id, "account-locked", {}, subject=None, now=now)
    return account


def unlock(db: Session, account_id: str, *, reason: str, by: Actor, now: datetime) -> Account:
    """Let the account in again; the tokens of before stay worthless.

    Raises:
        ReasonNeeded, NoAccount, NotYours.
        NotLocked: it is active, or ended for good.
    """
    why = rules.check_reason(reason)
    rules.check_other(by.id, account_id)
    account = find_covered(db, account_id, by=by).account
    if account.standing is not Standing.LOCKED:
        raise rules.NotLocked
    account.standing, account.updated_at = Standing.ACTIVE, now
    announce(db, FACTS.of(AccountUnlocked, subject=account.id, now=now, account_id=account.id))
    record(db, account, "unlock", before=Standing.LOCKED, reason=why, by=by, now=now)
    announce_officer(db, account_id, now=now)
    messages.tell(db, account_id, "account-unlocked", {}, subject=None, now=now)
    return account


def reveal(
    db: Session, account_id: str, what: Clear, *, reason: str, by: Actor, now: datetime
) -> str:
    """One clear value, with a record of who looked and why (AL-04).

    Raises:
        ReasonNeeded, NoAccount, NotYours.
        NothingThere: this account has no such value.
    """
    why = rules.check_reason(reason)
    shown = find_covered(db, account_id, by=by)
    table, value = _value(shown, what)
    if value is None:
        raise rules.NothingThere
    return access_records.reveal(
        db,
        value,
        column=f"{table}.{what}",
        record_id=account_id,
        owner_id=account_id,
        actor=by,
        reason=why,
        now=now,
    )


def revoke_evidence(
    db: Session, account_id: str, evidence_id: str, *, reason: str, by: Actor, now: datetime
) -> Account:
    """Take one piece of evidence back; the level follows at once, and why is on record.

    Raises:
        ReasonNeeded, NoAccount, NotYours.
        NoEvidence: there is none such, or it is revoked already.
    """
    why = rules.check_reason(reason)
    rules.check_other(by.id, account_id)
    account = find_covered(db, account_id, by=by).account
    levels.revoke(db, account, reason=why, now=now, evidence_id=evidence_id)
    record(db, account, "revoke-evidence", before=account.standing, reason=why, by=by, now=now)
    return account


def record(
    db: Session,
    account: Account,
    move: str,
    *,
    before: Standing,
    reason: str,
    by: Actor,
    now: datetime,
) -> None:
    """Write into the chained history what an admin did to an account (AL-03)."""
    applications.record(
        db,
        rules.RECORD,
        account.id,
        move,
        before=before,
        after=account.standing,
        actor=by,
        now=now,
        note=reason,
    )


def _value(shown: queries.Shown, what: Clear) -> tuple[str, Personal | None]:
    if what in (Clear.LOGIN_NAME, Clear.PHONE):
        return "account", getattr(shown.account, what)
    if what in (Clear.LEGAL_NAME, Clear.LEGAL_DOCUMENT_NUMBER, Clear.LEGAL_PHONE):
        return "unit", getattr(shown.unit, what, None)
    if shown.officer is not None:
        return "officer", getattr(shown.officer, what, None)
    return "person", getattr(shown.person, what, None)
