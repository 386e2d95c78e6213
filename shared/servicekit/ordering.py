"""How far each subject's events have taken effect, locked for the length of a transaction.

Rows are locked in one order by everybody, so two consumers of one service never wait for each
other in a ring.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from servicekit.columns import EVENT_PARKED, SUBSCRIPTION
from servicekit.outbox import matter_of

_INBOX = text(
    """
    INSERT INTO inbox (event_id, type, handled_at)
    SELECT e.id, e.type, :now
    FROM unnest(CAST(:ids AS text[]), CAST(:types AS text[])) AS e (id, type) ORDER BY e.id
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)
_KEYS = """unnest(CAST(:source AS text[]), CAST(:matter AS text[]),
                  CAST(:stream AS text[]), CAST(:subject AS text[]))"""
_BEGIN = text(
    f"""
    INSERT INTO event_progress (source, matter, stream, subject, last_sequence)
    SELECT k.source, k.matter, k.stream, k.subject, 0
    FROM {_KEYS} AS k (source, matter, stream, subject) ORDER BY 1, 2, 3, 4
    ON CONFLICT DO NOTHING
    """  # noqa: S608 - our own text
)
_LOCK = text(
    f"""
    SELECT source, matter, stream, subject, last_sequence FROM event_progress
    WHERE (source, matter, stream, subject) IN (SELECT * FROM {_KEYS})
    ORDER BY source, matter, stream, subject FOR UPDATE
    """  # noqa: S608
)
_PARKED = text(
    f"""
    SELECT source, matter, stream, subject, sequence FROM event_parked
    WHERE (source, matter, stream, subject) IN (SELECT * FROM {_KEYS})
    """  # noqa: S608
)
_SAVE = text(
    """
    UPDATE event_progress p SET last_sequence = k.last
    FROM unnest(CAST(:source AS text[]), CAST(:matter AS text[]), CAST(:stream AS text[]),
                CAST(:subject AS text[]), CAST(:last AS bigint[]))
        AS k (source, matter, stream, subject, last)
    WHERE (p.source, p.matter, p.stream, p.subject) = (k.source, k.matter, k.stream, k.subject)
    """
)
_FORGET = """
    DELETE FROM {table} AS k
    WHERE EXISTS (SELECT FROM unnest(CAST(:former AS text[])) AS f (prefix)
                  WHERE starts_with(concat_ws('.', stream, source, matter, ''), f.prefix))
    AND NOT EXISTS (SELECT FROM unnest(CAST(:present AS text[])) AS p (prefix)
                    WHERE starts_with(concat_ws('.', stream, source, matter, ''), p.prefix))
"""


class Key(NamedTuple):
    """What is counted in one row of numbers: a subject within a stream of a matter."""

    source: str
    matter: str
    stream: str
    subject: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event as it was told: what it says, and its place among its subject's events."""

    id: str
    type: str
    source: str
    stream: str
    subject: str
    time: datetime
    sequence: int
    data: Mapping[str, Any]
    preceded_at: datetime | None = None
    traceparent: str | None = None

    @property
    def key(self) -> Key:
        """What its number is counted in."""
        return Key(self.source, matter_of(self.type), self.stream, self.subject)


class Order:
    """The progress of some keys within one transaction.

    Args:
        db: the transaction.
        now: for the rows it writes.
    """

    def __init__(self, db: Session, now: datetime) -> None:
        self._db = db
        self._now = now
        self._last: dict[Key, int] = {}
        self._moved: set[Key] = set()
        self._parked: dict[Key, set[int]] = defaultdict(set)
        self._subscribed: dict[str, datetime] | None = None

    def insert_into_inbox(self, envelopes: Sequence[Envelope]) -> set[str]:
        """The ids that were not there: these are ours to handle."""
        values = {"ids": [e.id for e in envelopes], "types": [e.type for e in envelopes]}
        return set(self._db.scalars(_INBOX, {**values, "now": self._now}))

    def lock(self, keys: Collection[Key]) -> None:
        """Nobody else moves these keys until the transaction ends."""
        columns = _columns(keys)
        self._db.execute(_BEGIN, columns)
        for *key, last in self._db.execute(_LOCK, columns):
            self._last[Key(*key)] = last
        for *key, sequence in self._db.execute(_PARKED, columns):
            self._parked[Key(*key)].add(sequence)

    def last(self, key: Key) -> int:
        """The number that took effect last."""
        return self._last[key]

    def advance(self, envelope: Envelope) -> None:
        """It has taken effect."""
        self._last[envelope.key] = envelope.sequence
        self._moved.add(envelope.key)

    def save(self) -> None:
        """Write how far the keys came."""
        if self._moved:
            moved = sorted(self._moved)
            self._db.execute(_SAVE, {**_columns(moved), "last": [self._last[k] for k in moved]})

    def park(self, envelope: Envelope) -> None:
        """Keep an event until its predecessor has come."""
        row = {
            **envelope.key._asdict(),
            "sequence": envelope.sequence,
            "envelope": _as_json(envelope),
            "parked_at": self._now,
        }
        self._db.execute(upsert(EVENT_PARKED).values(row).on_conflict_do_nothing())
        self._parked[envelope.key].add(envelope.sequence)

    def next_parked(self, key: Key) -> Envelope | None:
        """The event whose turn has come, if it is here."""
        following = self._last[key] + 1
        if following not in self._parked[key]:
            return None
        column = select(EVENT_PARKED.c.envelope)
        document = self._db.scalars(
            column.where(*_is(key), EVENT_PARKED.c.sequence == following)
        ).one()
        return _from_json(document)

    def first_parked(self, key: Key) -> tuple[Envelope, datetime] | None:
        """The lowest number parked under a key, and since when."""
        row = self._db.execute(
            select(EVENT_PARKED.c.envelope, EVENT_PARKED.c.parked_at)
            .where(*_is(key))
            .order_by(EVENT_PARKED.c.sequence)
            .limit(1)
        ).one_or_none()
        return None if row is None else (_from_json(row.envelope), row.parked_at)

    def remove_parked(self, envelope: Envelope) -> None:
        """It is parked no longer."""
        self._parked[envelope.key].discard(envelope.sequence)
        self._db.execute(
            delete(EVENT_PARKED).where(
                *_is(envelope.key), EVENT_PARKED.c.sequence == envelope.sequence
            )
        )

    def subscribed(self) -> Mapping[str, datetime]:
        """Since when each binding exists."""
        if self._subscribed is None:
            self._subscribed = list_subscriptions(self._db)
        return self._subscribed


def list_subscriptions(db: Session) -> dict[str, datetime]:
    """Each binding of the service's queue and since when it exists."""
    return {row.binding: row.started_at for row in db.execute(select(SUBSCRIPTION))}


def record_subscriptions(db: Session, bindings: Collection[str], now: datetime) -> None:
    """Add what is new, and forget what is former and how far it had come.

    Taken up again one day, a former subscription begins anew: what happened meanwhile is no gap.
    """
    former = set(list_subscriptions(db)) - set(bindings)
    for table in ("event_progress", "event_parked") if former else ():
        prefixes = {
            "former": [binding.removesuffix("#") for binding in sorted(former)],
            "present": [binding.removesuffix("#") for binding in sorted(bindings)],
        }
        db.execute(text(_FORGET.format(table=table)), prefixes)
    db.execute(delete(SUBSCRIPTION).where(SUBSCRIPTION.c.binding.in_(former)))
    rows = [{"binding": binding, "started_at": now} for binding in sorted(bindings)]
    if rows:
        db.execute(upsert(SUBSCRIPTION).on_conflict_do_nothing(), rows)


def parked_keys(db: Session, limit: int = 1000) -> list[Key]:
    """Keys with something parked, the longest waiting first."""
    columns = [EVENT_PARKED.c[name] for name in Key._fields]
    oldest = text("min(parked_at)")
    rows = db.execute(select(*columns).group_by(*columns).order_by(oldest).limit(limit))
    return [Key(*row) for row in rows]


def _columns(keys: Iterable[Key]) -> dict[str, list[str]]:
    ordered = sorted(keys)
    return {name: [getattr(key, name) for key in ordered] for name in Key._fields}


def _is(key: Key) -> list[Any]:
    return [EVENT_PARKED.c[name] == value for name, value in key._asdict().items()]


def _as_json(envelope: Envelope) -> dict[str, Any]:
    document = asdict(envelope)
    document["time"] = envelope.time.isoformat()
    if envelope.preceded_at is not None:
        document["preceded_at"] = envelope.preceded_at.isoformat()
    return document


def _from_json(document: dict[str, Any]) -> Envelope:
    times = {
        name: datetime.fromisoformat(document[name])
        for name in ("time", "preceded_at")
        if document[name] is not None
    }
    return Envelope(**{**document, **times})
