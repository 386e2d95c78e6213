"""Tells legal representatives, takes objections in, freezes units, and lets officers decide."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from employer_auth import limits, typed_codes
from employer_auth.accounts.model import Unit
from employer_auth.notices.actions import notify
from employer_auth.notices.rules import To
from employer_auth.objections import queries, rules
from employer_auth.objections.model import ObjectionAttempt, ObjectionCode, ObjectionSecret
from employer_auth.objections.rules import Cause
from servicekit.clock import shanghai_date
from servicekit.db import Database

CHANNEL: Final = "objections"

_WAKE = text("SELECT pg_notify(:channel, '')")


def ask_for_code(db: Session, unit_id: str, cause: Cause, *, now: datetime) -> None:
    """The legal representative is to be told; a job makes the code and sends it (EA-12)."""
    db.add(ObjectionCode(unit_id=unit_id, cause=cause, asked_at=now))
    db.flush()
    db.execute(_WAKE, {"channel": CHANNEL})


def note_binding(db: Session, unit_id: str, binding_id: str, *, now: datetime) -> None:
    """A binding has come into force; the legal representative is told of a unit's first."""
    if not queries.had_agents(db, unit_id, but=binding_id):
        ask_for_code(db, unit_id, Cause.FIRST_BINDING, now=now)


def send_codes(database: Database, *, now: datetime, lasts: timedelta) -> int:
    """Make and send the codes that were asked for.

    Returns: how many.
    """
    sent = 0
    while True:
        with database.transaction() as db:
            asked = select(ObjectionCode).where(ObjectionCode.sent_at.is_(None))
            oldest = asked.order_by(ObjectionCode.asked_at).limit(1)
            row = db.scalar(oldest.with_for_update(skip_locked=True))
            if row is None:
                return sent
            _send(db, row, now=now, lasts=lasts)
            sent += 1


def attempt(
    db: Session, *, uscc: str, typed: ObjectionSecret, address: str, allowance: int, now: datetime
) -> None:
    """Take in what somebody sent, right or wrong, with the same work for either.

    Args:
        typed: the code, in the form that is stored.
        address: keyed hash of where it came from.

    Raises:
        TooManyObjections
    """
    wait = limits.take(
        db,
        f"objection:{address}",
        allowance=allowance,
        window=rules.ADDRESS_WINDOW,
        now=now,
    )
    if wait is not None:
        raise rules.TooManyObjections(retry_after=wait)
    row = ObjectionAttempt(uscc=uscc, at=now)
    row.code_hash = typed  # type: ignore[assignment]
    db.add(row)
    db.flush()
    db.execute(_WAKE, {"channel": CHANNEL})


def forget(db: Session, *, now: datetime) -> None:
    """The hashes of codes that ran out long ago."""
    out = select(ObjectionCode).where(
        ObjectionCode.expires_at < now - rules.KEPT, ObjectionCode.code_hash.is_not(None)
    )
    for code in db.scalars(out.limit(1000)):
        code.code_hash = None


def discard(db: Session, row: ObjectionAttempt) -> None:
    """It has been looked at."""
    db.execute(delete(ObjectionAttempt).where(ObjectionAttempt.id == row.id))


def _send(db: Session, row: ObjectionCode, *, now: datetime, lasts: timedelta) -> None:
    code = typed_codes.new_code(rules.CODE_BITS)
    row.code_hash = ObjectionSecret(code)  # type: ignore[assignment]
    row.sent_at, row.expires_at = now, now + lasts
    unit = db.get_one(Unit, row.unit_id)
    db.flush()
    words = {
        "unit": unit.name,
        "cause": rules.CAUSE_WORDS[row.cause],
        "until": shanghai_date(row.expires_at).isoformat(),
        "code": typed_codes.show(code),
    }
    notify(db, row.unit_id, "unit-objection-code", words=words, now=now, to=To.LEGAL_REPRESENTATIVE)
