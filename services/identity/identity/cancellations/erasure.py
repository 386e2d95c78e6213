"""Make unreadable what identity knew of somebody: every personal column of every table.

The columns are found by their own marks, so a table that is added tomorrow is erased too. What
the law wants kept is named here, with the law.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from sqlalchemy import Column, Table, update
from sqlalchemy.orm import Session

from identity.tables import Base
from servicekit.vault import INDEX_BYTES, BlindIndex, Sealed

# How a table says whose row it is.
_OWNERS: Final = ("account_id", "owner_id", "person_id")
KEPT: Final = {
    "login_event": "网络安全法 21: network logs for six months; then its own job deletes them",
    "application_history": "the chain would break; it holds ids and admins' reasons",
    "access_record": "个人信息保护法 55, 56: who looked at a clear value, and why",
    "sms_delivery": "the last SMS is still on its way; cleared below once it has gone",
}


def erase(db: Session, account_id: str) -> None:
    """Overwrite every personal value of this account, in this transaction.

    Ids, kinds, times, channels and the chained history stay: they say what happened, not to whom.
    """
    for table in Base.metadata.sorted_tables:
        if table.name not in KEPT:
            _erase_rows(db, table, account_id)


def erase_deliveries(db: Session, account_ids: list[str]) -> None:
    """Forget the phones that SMS which have gone were sent to."""
    table = Base.metadata.tables["sms_delivery"]
    rows = (table.c.account_id.in_(account_ids), table.c.finished_at.is_not(None))
    db.execute(update(table).where(*rows).values(_emptied(table)))


def _erase_rows(db: Session, table: Table, account_id: str) -> None:
    owner = _owner_of(table)
    values = _emptied(table)
    if owner is not None and values:
        db.execute(update(table).where(owner == account_id).values(values))


def _owner_of(table: Table) -> Column[Any] | None:
    if table.name == "account":
        return table.c.id
    return next((table.c[name] for name in _OWNERS if name in table.c), None)


def _emptied(table: Table) -> dict[str, Any]:
    return {column.name: _nothing(column) for column in table.c if column.info.get("personal")}


def _nothing(column: Column[Any]) -> Any:
    if isinstance(column.type, BlindIndex):
        return None if column.nullable else secrets.token_bytes(INDEX_BYTES)
    if column.nullable:
        return None
    return column.type.kind("") if isinstance(column.type, Sealed) else ""
