"""Keeps what identity announces; the newest word of an account holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from employer_auth.accounts.model import Account, Unit
from employer_auth.accounts.rules import Kind, Standing


@dataclass(frozen=True, slots=True)
class UnitData:
    """A unit as identity registered it."""

    unit_id: str
    certificate_type: str
    certificate_number: str
    name: str
    region: str
    level: int


def remember(
    db: Session,
    account_id: str,
    *,
    now: datetime,
    kind: Kind | None = None,
    level: int | None = None,
    standing: Standing | None = None,
) -> Account:
    """Keep what was said of an account; what was not said stays. The row is held."""
    fresh = insert(Account).values(id=account_id, standing=Standing.ACTIVE, changed_at=now)
    db.execute(fresh.on_conflict_do_nothing())
    account = db.get_one(Account, account_id, with_for_update=True, populate_existing=True)
    account.kind = kind or account.kind
    account.level = account.level if level is None else level
    account.standing = standing or account.standing
    account.changed_at = now
    db.flush()
    return account


def register_unit(db: Session, said: UnitData, *, now: datetime) -> Unit:
    """A unit is known from now on; its level only if no newer word of it came before."""
    account = remember(db, said.unit_id, kind=Kind.UNIT, now=now)
    if account.level is None:
        account.level = said.level
    values = {
        "certificate_type": said.certificate_type,
        "certificate_number": said.certificate_number,
        "name": said.name,
        "region": said.region,
        "changed_at": now,
    }
    row = insert(Unit).values(id=said.unit_id, registered_at=now, **values)
    db.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))
    return db.get_one(Unit, said.unit_id, populate_existing=True)


def change_unit(db: Session, unit_id: str, name: str, region: str, *, now: datetime) -> None:
    """Identity's word about a verified unit's name and region."""
    unit = db.get_one(Unit, unit_id, with_for_update=True)  # changed comes after registered
    unit.name, unit.region, unit.changed_at = name, region, now
    db.flush()
