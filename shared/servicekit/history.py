"""The history of applications, chained so that it cannot be rewritten unnoticed (AL-03).

Entries are chained by SHA-256 in lanes chosen by the application's id: one chain per service
would make every decision in the province wait for one row. A change, a deletion, a swap or an
insertion breaks a lane. Who can rewrite a whole lane to its end is caught by the checkpoints:
signed heads of all lanes that left the service as events.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Row, and_, bindparam, select, text
from sqlalchemy.orm import Session

from servicekit.columns import HISTORY, HISTORY_HEAD, new_id
from servicekit.outbox import ANNOUNCED_WITH_ENTRY, Event, announce, columns_of
from servicekit.statements import run
from servicekit.vault import decode_key

LANES = 16
GENESIS = "0" * 64

# What an entry's hash covers beside its place, its time and its note.
_CHAINED = "id application_id workflow move before after actor_id person_id role".split()  # noqa: SIM905 - nine words, one line

# One round trip, so that a lane is locked no longer than it must; the database computes the hash
# because only it knows the predecessor. `_hash` is the same in Python.
_ENTRY: Final = """
    WITH head AS (
        SELECT position + 1 AS position, hash FROM history_head
        WHERE lane = %(lane)s FOR UPDATE),
    entry AS (
        INSERT INTO application_history
            (id, lane, position, application_id, workflow, move, before, after,
             actor_id, person_id, role, at, note, previous_hash, hash)
        SELECT %(id)s, %(lane)s, head.position, %(application_id)s, %(workflow)s, %(move)s,
            %(before)s, %(after)s, %(actor_id)s, %(person_id)s, %(role)s, %(at)s, %(note)s,
            head.hash, encode(sha256(convert_to(concat_ws(
                '|', head.hash, %(lane)s::int, head.position, %(content)s::text), 'UTF8'
            )), 'hex')
        FROM head
        RETURNING position, hash),
    moved AS (
        UPDATE history_head SET position = entry.position, hash = entry.hash
        FROM entry WHERE history_head.lane = %(lane)s
        RETURNING history_head.position)
"""
_APPEND: Final = _ENTRY + " SELECT position FROM moved"  # noqa: S608 - two constants
_APPEND_AND_ANNOUNCE: Final = _ENTRY + ", " + ANNOUNCED_WITH_ENTRY
_PAGE_ROWS = 1000
_BEFORE_ALL = -(2**62)
# The head comes with every page, out of the same snapshot as the entries.
_PAGE = (
    select(
        HISTORY,
        HISTORY_HEAD.c.position.label("head_position"),
        HISTORY_HEAD.c.hash.label("head_hash"),
    )
    .select_from(HISTORY_HEAD)
    .outerjoin(
        HISTORY,
        and_(HISTORY.c.lane == HISTORY_HEAD.c.lane, HISTORY.c.position > bindparam("after")),
    )
    .where(HISTORY_HEAD.c.lane == bindparam("lane"))
    .order_by(HISTORY.c.position)
    .limit(bindparam("limit"))
)
_OTHERWISE = "a checkpoint says otherwise"

_OPEN_LANE = text(
    "INSERT INTO history_head (lane, position, hash) VALUES (:lane, 0, :genesis) "
    "ON CONFLICT (lane) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One move, as people and tests read it."""

    move: str
    before: str
    after: str
    actor_id: str
    person_id: str | None
    role: str
    at: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class Broken:
    """A place where the history is not what was written."""

    lane: int
    position: int
    what: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The heads of all lanes at a moment, signed."""

    service: str
    at: datetime
    heads: tuple[tuple[int, int, str], ...]
    key_id: str
    signature: str

    def content(self) -> bytes:
        """What the signature covers."""
        value = [self.service, _iso(self.at), [list(head) for head in self.heads]]
        return json.dumps(value, separators=(",", ":")).encode()


def append(
    db: Session,
    *,
    application_id: str,
    workflow: str,
    move: str,
    before: str,
    after: str,
    actor_id: str,
    person_id: str | None,
    role: str,
    at: datetime,
    note: str | None,
    event: Event | None = None,
) -> None:
    """Write one entry at the end of the application's lane, and announce it in one round trip.

    The lane stays locked until the transaction ends. Who appends for several applications in
    one transaction does so in the order of ``lane_of``, or two of them may wait for each other.
    """
    values: dict[str, Any] = {
        "id": new_id(),
        "lane": lane_of(application_id),
        "application_id": application_id,
        "workflow": workflow,
        "move": move,
        "before": before,
        "after": after,
        "actor_id": actor_id,
        "person_id": person_id,
        "role": role,
        "at": at,
        "note": note,
    }
    values["content"] = _content(values)
    statement = _APPEND
    if event is not None:
        statement, values = _APPEND_AND_ANNOUNCE, values | columns_of(event)
    if not run(db, statement, values):
        db.execute(_OPEN_LANE, {"lane": values["lane"], "genesis": GENESIS})
        run(db, statement, values)


def hold_lanes(db: Session, application_ids: Iterable[str]) -> None:
    """Lock the lanes of several applications, in order, before any of them moves.

    For a transaction that cannot move them in the order of ``lane_of``.
    """
    lanes = {lane_of(each) for each in application_ids}
    held = select(HISTORY_HEAD.c.lane).where(HISTORY_HEAD.c.lane.in_(lanes))
    db.execute(held.order_by(HISTORY_HEAD.c.lane).with_for_update()).all()


def list_history(db: Session, application_id: str) -> list[Entry]:
    """An application's entries, oldest first."""
    columns = (HISTORY.c[name] for name in Entry.__dataclass_fields__)
    rows = select(*columns).where(HISTORY.c.application_id == application_id)
    return [Entry(*row) for row in db.execute(rows.order_by(HISTORY.c.position))]


def lane_of(application_id: str) -> int:
    """Which chain the application's entries are in."""
    return sha256(application_id.encode()).digest()[0] % LANES


def verify(db: Session, checkpoints: Iterable[Checkpoint] = ()) -> list[Broken]:
    """Recompute every lane; what does not fit is returned, nothing is raised.

    Moves may go on meanwhile: an entry and its lane's head are always read together.

    Args:
        checkpoints: signed heads as they left the service; their signatures are the caller's to
            check (``is_genuine``), with a key that does not come from this database.
    """
    wanted: dict[int, dict[int, str]] = {lane: {} for lane in range(LANES)}
    for signed in checkpoints:
        for lane, position, digest in signed.heads:
            wanted.setdefault(lane, {})[position] = digest
    headless = (
        select(HISTORY.c.lane).distinct().where(HISTORY.c.lane.not_in(select(HISTORY_HEAD.c.lane)))
    )
    broken = [Broken(lane, 0, "the lane has no head") for lane in db.scalars(headless)]
    lanes = sorted(set(db.scalars(select(HISTORY_HEAD.c.lane))))
    for lane in lanes:
        broken += _verify_lane(db, lane, wanted.pop(lane, {}))
    for lane, ends in wanted.items():
        broken += [Broken(lane, end, _OTHERWISE) for end in ends if end]
    return broken


def _verify_lane(db: Session, lane: int, wanted: dict[int, str]) -> Iterator[Broken]:
    unseen = {position: digest for position, digest in wanted.items() if position}
    position, digest, after = 0, GENESIS, _BEFORE_ALL
    while True:
        rows = db.execute(_PAGE, {"lane": lane, "after": after, "limit": _PAGE_ROWS}).all()
        for row in rows:
            if row.id is None:
                continue  # the head alone
            for what in _faults(row, position, digest):
                yield Broken(lane, row.position, what)
            position, digest = row.position, row.hash
            after = position
            if unseen.get(position) == digest:
                del unseen[position]
        if len(rows) < _PAGE_ROWS:
            break
    if rows and (rows[0].head_position, rows[0].head_hash) != (position, digest):
        yield Broken(lane, position, "the lane does not end where its head says")
    for missed in unseen:
        yield Broken(lane, missed, _OTHERWISE)


def checkpoint(db: Session, key: Ed25519PrivateKey, *, service: str, now: datetime) -> Checkpoint:
    """Sign the heads of all lanes and announce them as ``<service>.history.checkpointed.v1``."""
    rows = db.execute(select(HISTORY_HEAD).order_by(HISTORY_HEAD.c.lane))
    heads = tuple((row.lane, row.position, row.hash) for row in rows)
    bare = Checkpoint(service, now.astimezone(UTC), heads, key_id(key.public_key()), "")
    signature = base64.b64encode(key.sign(bare.content())).decode()
    signed = Checkpoint(service, bare.at, heads, bare.key_id, signature)
    data = {
        "at": _iso(signed.at),
        "heads": [{"lane": lane, "position": p, "hash": digest} for lane, p, digest in heads],
        "key_id": signed.key_id,
        "signature": signature,
    }
    announce(db, Event(f"{service}.history.checkpointed.v1", subject=service, time=now, data=data))
    return signed


def is_begun(db: Session) -> bool:
    """Has any application moved yet?"""
    moved = select(HISTORY_HEAD.c.lane).where(HISTORY_HEAD.c.position > 0).limit(1)
    return db.scalar(moved) is not None


def is_genuine(signed: Checkpoint, key: Ed25519PublicKey) -> bool:
    """Did the holder of the key sign exactly this?"""
    try:
        key.verify(base64.b64decode(signed.signature), signed.content())
    except (InvalidSignature, ValueError):
        return False
    return True


def signing_key(history_key: str) -> Ed25519PrivateKey:
    """The key in ``ServiceSettings.history_key``."""
    return Ed25519PrivateKey.from_private_bytes(decode_key(history_key))


def key_id(key: Ed25519PublicKey) -> str:
    """A short name of a public key."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def _faults(row: Row[Any], position: int, digest: str) -> Iterator[str]:
    if row.position != position + 1:
        yield f"entries {position + 1} to {row.position - 1} are missing"
    elif row.previous_hash != digest:
        yield "not the successor of the entry before it"
    content = _content(row._mapping)
    if row.hash != _hash(row.previous_hash, row.lane, row.position, content):
        yield "changed since it was written"
    elif row.lane != lane_of(row.application_id):
        yield "in a lane that is not its application's"


def _content(values: Any) -> str:
    listed = [values[name] for name in _CHAINED] + [_iso(values["at"]), values["note"]]
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":"))


def _hash(previous: str, lane: int, position: int, content: str) -> str:
    return sha256(f"{previous}|{lane}|{position}|{content}".encode()).hexdigest()


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
