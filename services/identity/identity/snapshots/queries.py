"""Accounts and units as they are, each with the number of its newest event, of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from identity.accounts.model import Account
from identity.units.model import Unit
from servicekit.catching_up import last_told


@dataclass(frozen=True, slots=True)
class Told:
    """A subject, what its events until this number amount to, and the number."""

    subject: str
    sequence: int
    state: Row[Any]


@dataclass(frozen=True, slots=True)
class Part:
    """Some subjects in the order of their ids, and where the next part begins."""

    items: Sequence[Told]
    next: str | None


def list_accounts(db: Session, *, after: str, limit: int) -> Part:
    """Kind, level and standing of every account that ever was."""
    sequence = last_told("account", Account.id)
    states = select(
        Account.id.label("account_id"), Account.kind, Account.level, Account.standing, sequence
    )
    return _part(db, states, Account.id, after=after, limit=limit)


def list_units(db: Session, *, after: str, limit: int) -> Part:
    """The public data of every unit, as ``unit.registered`` tells them."""
    sequence = last_told("unit", Unit.account_id)
    states = select(
        Unit.account_id.label("unit_id"),
        Unit.certificate_type,
        Unit.certificate_number,
        Unit.name,
        Unit.region,
        Account.level,
        sequence,
    ).join(Account, Account.id == Unit.account_id)
    return _part(db, states, Unit.account_id, after=after, limit=limit)


def _part(
    db: Session,
    states: Select[*tuple[Any, ...]],
    key: InstrumentedAttribute[str],
    *,
    after: str,
    limit: int,
) -> Part:
    # One statement, so that a state and its number are of the same moment.
    rows = db.execute(states.where(key > after).order_by(key).limit(limit + 1)).all()
    items = [Told(row[0], row[-1], row) for row in rows[:limit]]
    return Part(items, items[-1].subject if len(rows) > limit else None)
