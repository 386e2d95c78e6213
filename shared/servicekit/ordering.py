"""How far each subject's events have taken effect, locked for the length of a transaction.

Rows are locked in one order by everybody, so two consumers of one service never wait for each
other in a ring.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from servicekit.columns import EVENT_PARKED, SUBSCRIPTION
from servicekit.outbox import matter_of

_KEYS = """unnest(CAST(:source AS text[]), CAST(:matter AS text[]),
                  CAST(:stream AS text[]), CAST(:subject AS text[])"""
# One round trip: ids that were there are not returned, keys that are not ours are waited for.
_OPEN = text(
    f"""
    WITH taken AS (
        INSERT INTO inbox (event_id, type, handled_at)
        SELECT e.id, e.type, :now
        FROM unnest(CAST(:ids AS text[]), CAST(:types AS text[])) AS e (id, type) ORDER BY e.id
        ON CONFLICT DO NOTHING RETURNING event_id),
    locked AS (
        INSERT INTO event_progress AS p (source, matter, stream, subject, last_sequence)
        SELECT k.source, k.matter, k.stream, k.subject, 0
        FROM {_KEYS}) AS k (source, matter, stream, subject) ORDER BY 1, 2, 3, 4
        ON CONFLICT (source, matter, stream, subject)
            DO UPDATE SET last_sequence = p.last_sequence
        RETURNING source, matter, stream, subject, last_sequence)
    SELECT event_id, NULL AS matter, NULL AS stream, NULL AS subject, NULL AS last FROM taken
    UNION ALL SELECT * FROM locked
    """  # noqa: S608 - our own text
)
# Asked after the keys are locked, so what others have parked meanwhile is seen.
_SAVE = text(
    f"""
    WITH come AS (
        SELECT * FROM {_KEYS}, CAST(:last AS bigint[]))
            AS k (source, matter, stream, subject, last)),
    saved AS (
        UPDATE event_progress p SET last_sequence = k.last FROM come k
        WHERE (p.source, p.matter, p.stream, p.subject)
            = (k.source, k.matter, k.stream, k.subject))
    SELECT k.source, k.matter, k.stream, k.subject
    FROM come k JOIN event_parked w
        ON (w.source, w.matter, w.stream, w.subject, w.sequence)
            = (k.source, k.matter, k.stream, k.subject, k.last + 1)
    """  # noqa: S608
)
_TOLD = text(
    f"""
    DELETE FROM event_parked w
    USING {_KEYS}, CAST(:last AS bigint[])) AS k (source, matter, stream, subject, last)
    WHERE (w.source, w.matter, w.stream, w.subject)
        = (k.source, k.matter, k.stream, k.subject) AND w.sequence <= k.last
    """  # noqa: S608
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
        self._jumped: set[Key] = set()
        self._subscribed: dict[str, datetime] | None = None

    def open(self, envelopes: Sequence[Envelope]) -> set[str]:
        """Insert into the inbox and lock the keys; the ids that were not there are ours."""
        return self._lock({envelope.key for envelope in envelopes}, envelopes)

    def lock(self, *keys: Key) -> None:
        """Nobody else moves these keys until the transaction ends."""
        self._lock(set(keys), ())

    def last(self, key: Key) -> int:
        """The number that took effect last."""
        return self._last[key]

    def advance(self, envelope: Envelope) -> None:
        """It has taken effect."""
        self._last[envelope.key] = envelope.sequence
        self._moved.add(envelope.key)

    def jump(self, key: Key, sequence: int) -> None:
        """Everything up to this number has taken effect at once; what is parked of it is no use."""
        self._last[key] = sequence
        self._moved.add(key)
        self._jumped.add(key)

    def save(self) -> list[Key]:
        """Write how far the keys came; those whose next event is parked."""
        if not self._moved:
            return []
        if self._jumped:
            jumped = sorted(self._jumped)
            last = [self._last[key] for key in jumped]
            self._db.execute(_TOLD, {**_columns(jumped), "last": last})
            self._jumped.clear()
        moved = sorted(self._moved)
        self._moved.clear()
        last = [self._last[key] for key in moved]
        return [Key(*row) for row in self._db.execute(_SAVE, {**_columns(moved), "last": last})]

    def park(self, envelope: Envelope) -> None:
        """Keep an event until its predecessor has come."""
        row = {
            **envelope.key._asdict(),
            "sequence": envelope.sequence,
            "envelope": _as_json(envelope),
            "parked_at": self._now,
        }
        self._db.execute(upsert(EVENT_PARKED).values(row).on_conflict_do_nothing())

    def next_parked(self, key: Key) -> Envelope | None:
        """The event whose turn has come, if it is here."""
        document = self._db.scalars(
            select(EVENT_PARKED.c.envelope).where(
                *_is(key), EVENT_PARKED.c.sequence == self._last[key] + 1
            )
        ).one_or_none()
        return None if document is None else _from_json(document)

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

    def _lock(self, keys: Collection[Key], envelopes: Sequence[Envelope]) -> set[str]:
        values = {"ids": [e.id for e in envelopes], "types": [e.type for e in envelopes]}
        rows = self._db.execute(_OPEN, {**_columns(keys), **values, "now": self._now})
        fresh = set()
        for first, matter, stream, subject, last in rows:
            if matter is None:
                fresh.add(first)  # an event's id
            else:
                self._last[Key(first, matter, stream, subject)] = last
        return fresh


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
