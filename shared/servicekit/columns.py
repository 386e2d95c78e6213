"""The columns of the tables every service has: servicekit owns columns, services own tables.

A service calls ``standard_tables(Base)`` once. The kit itself writes through the ``Table``
objects at the end, which name the same tables without belonging to any service's ``Base``.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import uuid_utils
from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Enum,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

PERSONAL: Final[dict[Any, Any]] = {"personal": True}
NOT_PERSONAL: Final[dict[Any, Any]] = {"personal": False}

_ID = String(36)
_TIME = DateTime(timezone=True)


def new_id() -> str:
    """A UUIDv7 as text: unguessable enough for an id, and in the order of making."""
    return str(uuid_utils.uuid7())


def words(kind: type[StrEnum], length: int = 16) -> Enum:
    """The words are stored, not the Python names: other people read these tables too."""
    return Enum(
        kind, native_enum=False, length=length, values_callable=lambda e: [m.value for m in e]
    )


class OutboxColumns:
    """An event on its way out; ``position`` follows the order key's commits."""

    id: Mapped[str] = mapped_column(_ID, primary_key=True, info=NOT_PERSONAL)
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), info=NOT_PERSONAL)
    stream: Mapped[str] = mapped_column(String(16), info=NOT_PERSONAL)
    type: Mapped[str] = mapped_column(String(160), info=NOT_PERSONAL)
    matter: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    subject: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    sequence: Mapped[int] = mapped_column(BigInteger, info=NOT_PERSONAL)
    preceded_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    time: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, info=NOT_PERSONAL)
    traceparent: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    published_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0", info=NOT_PERSONAL)
    last_error: Mapped[str | None] = mapped_column(Text, info=NOT_PERSONAL)
    parked_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        waiting = text("published_at IS NULL AND parked_at IS NULL")
        return (
            Index("outbox_waiting", "position", postgresql_where=waiting),
            Index("outbox_published", "published_at"),
        )


class SequenceColumns:
    """How far each order key has counted, and when its last two events were."""

    matter: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    stream: Mapped[str] = mapped_column(String(16), primary_key=True, info=NOT_PERSONAL)
    subject: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    last: Mapped[int] = mapped_column(BigInteger, info=NOT_PERSONAL)
    last_time: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    previous_time: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)


class InboxColumns:
    """An event that took effect here."""

    event_id: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    type: Mapped[str] = mapped_column(String(160), info=NOT_PERSONAL)
    handled_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)


class ProgressColumns:
    """The last number that was applied of each order key heard."""

    source: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    matter: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    stream: Mapped[str] = mapped_column(String(16), primary_key=True, info=NOT_PERSONAL)
    subject: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    last_sequence: Mapped[int] = mapped_column(BigInteger, info=NOT_PERSONAL)


class ParkedColumns:
    """An event that came before its predecessor, waiting for it."""

    source: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    matter: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    stream: Mapped[str] = mapped_column(String(16), primary_key=True, info=NOT_PERSONAL)
    subject: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    sequence: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, info=NOT_PERSONAL
    )
    envelope: Mapped[dict[str, Any]] = mapped_column(JSONB, info=NOT_PERSONAL)
    parked_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)


class SubscriptionColumns:
    """Since when a queue binding exists: what is older than it is no gap."""

    binding: Mapped[str] = mapped_column(String(200), primary_key=True, info=NOT_PERSONAL)
    started_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)


class IdempotencyColumns:
    """The answer to a keyed request, sealed, so that asking twice has one effect (AL-07)."""

    actor_key: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    key: Mapped[str] = mapped_column(String(255), primary_key=True, info=NOT_PERSONAL)
    fingerprint: Mapped[str] = mapped_column(String(64), info=NOT_PERSONAL)
    status: Mapped[int | None] = mapped_column(Integer, info=NOT_PERSONAL)
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB, info=NOT_PERSONAL)
    body: Mapped[bytes | None] = mapped_column(LargeBinary, info=PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)


class HistoryColumns:
    """One move of one application, chained to the one before it in its lane (AL-03)."""

    id: Mapped[str] = mapped_column(_ID, primary_key=True, info=NOT_PERSONAL)
    lane: Mapped[int] = mapped_column(Integer, info=NOT_PERSONAL)
    position: Mapped[int] = mapped_column(BigInteger, info=NOT_PERSONAL)
    application_id: Mapped[str] = mapped_column(_ID, index=True, info=NOT_PERSONAL)
    workflow: Mapped[str] = mapped_column(String(120), info=NOT_PERSONAL)
    move: Mapped[str] = mapped_column(String(40), info=NOT_PERSONAL)
    before: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    after: Mapped[str] = mapped_column(String(32), info=NOT_PERSONAL)
    actor_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    person_id: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    role: Mapped[str] = mapped_column(String(16), info=NOT_PERSONAL)
    at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    note: Mapped[str | None] = mapped_column(Text, info=PERSONAL)
    previous_hash: Mapped[str] = mapped_column(String(64), info=NOT_PERSONAL)
    hash: Mapped[str] = mapped_column(String(64), info=NOT_PERSONAL)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (UniqueConstraint("lane", "position", name="application_history_lane_position"),)


class HistoryHeadColumns:
    """The newest entry of each lane; its row lock orders the lane."""

    lane: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, info=NOT_PERSONAL
    )
    position: Mapped[int] = mapped_column(BigInteger, info=NOT_PERSONAL)
    hash: Mapped[str] = mapped_column(String(64), info=NOT_PERSONAL)


class AccessRecordColumns:
    """Somebody looked at the clear text of somebody's personal value (AL-04)."""

    id: Mapped[str] = mapped_column(_ID, primary_key=True, info=NOT_PERSONAL)
    at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    actor_id: Mapped[str] = mapped_column(String(80), index=True, info=NOT_PERSONAL)
    person_id: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    role: Mapped[str] = mapped_column(String(16), info=NOT_PERSONAL)
    session_id: Mapped[str | None] = mapped_column(String(80), info=NOT_PERSONAL)
    column: Mapped[str] = mapped_column(String(120), info=NOT_PERSONAL)
    record_id: Mapped[str] = mapped_column(String(80), info=NOT_PERSONAL)
    owner_id: Mapped[str] = mapped_column(String(80), index=True, info=NOT_PERSONAL)
    reason: Mapped[str] = mapped_column(Text, info=PERSONAL)
    trace_id: Mapped[str | None] = mapped_column(String(32), info=NOT_PERSONAL)


class SerialColumns:
    """The last number given out, per name and day (ER-08)."""

    name: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    day: Mapped[date] = mapped_column(Date, primary_key=True, info=NOT_PERSONAL)
    last: Mapped[int] = mapped_column(BigInteger, info=NOT_PERSONAL)


class RevocationColumns:
    """An end that makes tokens worth nothing before their time (ID-43)."""

    kind: Mapped[str] = mapped_column(String(16), primary_key=True, info=NOT_PERSONAL)
    key: Mapped[str] = mapped_column(String(80), primary_key=True, info=NOT_PERSONAL)
    at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    version: Mapped[int | None] = mapped_column(BigInteger, info=NOT_PERSONAL)
    heard_at: Mapped[datetime] = mapped_column(_TIME, index=True, info=NOT_PERSONAL)


_STANDARD: Final[dict[str, type[Any]]] = {
    "outbox": OutboxColumns,
    "event_sequence": SequenceColumns,
    "inbox": InboxColumns,
    "event_progress": ProgressColumns,
    "event_parked": ParkedColumns,
    "subscription": SubscriptionColumns,
    "idempotency_key": IdempotencyColumns,
    "application_history": HistoryColumns,
    "history_head": HistoryHeadColumns,
    "access_record": AccessRecordColumns,
    "serial": SerialColumns,
    "revocation": RevocationColumns,
}


def standard_tables(base: type[DeclarativeBase]) -> None:
    """Declare every standard table on a service's own ``Base``."""
    for name, columns in _STANDARD.items():
        mapped = f"Standard{columns.__name__.removesuffix('Columns')}"
        type(mapped, (columns, base), {"__tablename__": name, "__doc__": columns.__doc__})


class StandardTables(DeclarativeBase):
    """The kit's own view of the standard tables; migrations create them from it."""


standard_tables(StandardTables)


def _table(name: str) -> Table:
    return StandardTables.metadata.tables[name]


OUTBOX: Final = _table("outbox")
EVENT_SEQUENCE: Final = _table("event_sequence")
INBOX: Final = _table("inbox")
EVENT_PROGRESS: Final = _table("event_progress")
EVENT_PARKED: Final = _table("event_parked")
SUBSCRIPTION: Final = _table("subscription")
IDEMPOTENCY_KEY: Final = _table("idempotency_key")
HISTORY: Final = _table("application_history")
HISTORY_HEAD: Final = _table("history_head")
ACCESS_RECORD: Final = _table("access_record")
SERIAL: Final = _table("serial")
REVOCATION: Final = _table("revocation")
