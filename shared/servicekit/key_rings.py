"""Keys that sign: made once, sealed in the service's database, turned without anybody noticing.

Each algorithm has a next key, which is published and signs nothing yet, an active one, and retired
ones that still verify. A service binds a table and says how long each phase lasts::

    class MandateKey(KeyColumns, Base):
        __tablename__ = "mandate_key"

    ring = KeyRing(database, MandateKey, LIFE)

publishes ``ring.jwks(now=…)`` (RFC 7517), and turns the ring by an hourly job. A key that leaked is
withdrawn (``servicekit.leaked_keys``).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias
from zlib import crc32

from joserfc.jwk import ECKey, Key, KeyParameters, KeySet, RSAKey
from sqlalchemy import ColumnElement, DateTime, Index, String, delete, false, not_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from servicekit.columns import NOT_PERSONAL, PERSONAL, words
from servicekit.db import Database, after_commit
from servicekit.errors import NotFound
from servicekit.personal import PersonalText
from servicekit.vault import Sealed

SigningKey: TypeAlias = ECKey | RSAKey

ES256: Final = "ES256"
_RSA_BITS: Final = 2048
# So long another process may believe a withdrawn key, and sign with it.
_CACHED_FOR: Final = timedelta(seconds=2)
_SIGNS_FOR: Final = timedelta(milliseconds=100)
_TIME: Final = DateTime(timezone=True)
# One process makes or turns the keys of a table at a time.
_ELECT: Final = text("SELECT pg_advisory_xact_lock(:number)")


class KeyPhase(StrEnum):
    """The life of a signing key."""

    NEXT = "next"  # published, not yet used
    ACTIVE = "active"  # signs
    RETIRED = "retired"  # still verifies
    WITHDRAWN = "withdrawn"  # has leaked: neither signs nor verifies, kept as a record


class NoSuchKey(NotFound):
    """The ring has no such key, or it was withdrawn before."""

    code = "no-such-key"
    default_message = "没有该签名密钥，或已停用。"


class KeyColumns:
    """A key; at most one of an algorithm is next and one active. The private half is sealed."""

    __tablename__: str

    kid: Mapped[str] = mapped_column(String(64), primary_key=True, info=NOT_PERSONAL)
    algorithm: Mapped[str] = mapped_column(String(10), info=NOT_PERSONAL)
    phase: Mapped[KeyPhase] = mapped_column(words(KeyPhase, 10), info=NOT_PERSONAL)
    public: Mapped[dict[str, Any]] = mapped_column(JSONB, info=NOT_PERSONAL)
    created_at: Mapped[datetime] = mapped_column(_TIME, info=NOT_PERSONAL)
    activated_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)
    retired_at: Mapped[datetime | None] = mapped_column(_TIME, info=NOT_PERSONAL)

    @declared_attr
    @classmethod
    def private(cls) -> Mapped[PersonalText]:
        """Sealed for this table alone."""
        column = f"{cls.__tablename__}.private"
        return mapped_column(Sealed(PersonalText, column), info=PERSONAL)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (
            Index(
                f"{cls.__tablename__}_one_per_phase",
                "algorithm",
                "phase",
                unique=True,
                postgresql_where=text("phase IN ('next', 'active')"),
            ),
        )


@dataclass(frozen=True, slots=True)
class KeyLife:
    """How long a key is in each phase.

    Args:
        published_before: at least so long before it signs; twice as long as others cache the keys.
        active_for: how long it signs.
        kept_after: how long it verifies afterwards; longer than what it signed is worth.
    """

    published_before: timedelta
    active_for: timedelta
    kept_after: timedelta


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys as they stand: who signs, and what anybody may verify with."""

    phases: Mapping[str, KeyPhase]
    signers: Mapping[str, SigningKey]
    public: KeySet
    read_at: datetime


class KeyRing:
    """Hands out the keys, and looks into the database again every two seconds.

    Args:
        database: where the keys are; its vault opens the private halves.
        table: the service's own, with ``KeyColumns``.
        life: how long a key is next, active and retired.
        algorithms: ``ES256`` and ``RS256``; a key of each.
        needed: of the table; a retired key is kept as long as it is so, however old.
    """

    def __init__(
        self,
        database: Database,
        table: type[KeyColumns],
        life: KeyLife,
        algorithms: Sequence[str] = (ES256,),
        needed: ColumnElement[bool] | None = None,
    ) -> None:
        self._database = database
        self._table = table
        self._life = life
        self._algorithms = algorithms
        self._needed = false() if needed is None else needed
        self._known: _Keys | None = None
        self._reading = threading.Lock()

    def signer(self, algorithm: str = ES256, *, now: datetime) -> SigningKey:
        """The active key of an algorithm; the first caller ever makes it."""
        keys = self._keys(now, _SIGNS_FOR)
        if algorithm not in keys.signers:
            with self._database.transaction() as db:
                self._ensure(db, [algorithm], now)
            self._forget()
            keys = self._keys(now)
        return keys.signers[algorithm]

    def public(self, *, now: datetime) -> KeySet:
        """Every key something may be signed with, coming and going ones too."""
        if self._algorithms[0] not in self._keys(now).signers:
            self.signer(self._algorithms[0], now=now)
        return self._keys(now).public

    def jwks(self, *, now: datetime) -> dict[str, Any]:
        """The same as a JWK set, to be published; who asks has just met a key it did not know."""
        self._keys(now, _SIGNS_FOR)
        return dict(self.public(now=now).as_dict(private=False))

    def withdrawn(self, *, now: datetime) -> list[str]:
        """The kids of keys that have leaked; what names them is worth nothing."""
        phases = self._keys(now).phases.items()
        return sorted(kid for kid, phase in phases if phase is KeyPhase.WITHDRAWN)

    def list_keys(self, db: Session) -> Sequence[KeyColumns]:
        """Every key, the oldest first."""
        return db.scalars(select(self._table).order_by(self._table.created_at)).all()

    def withdraw(self, db: Session, kid: str, *, now: datetime) -> KeyPhase:
        """Take a key out of use for ever; where it signed, the next one does from now on.

        Its private half is thrown away; ``retired_at`` is now, though it stopped signing before.

        Returns: the phase it was in.

        Raises:
            NoSuchKey
        """
        self._ensure(db, self._algorithms, now)
        key = db.get(self._table, kid)
        if key is None or key.phase is KeyPhase.WITHDRAWN:
            raise NoSuchKey
        before, key.phase, key.retired_at = key.phase, KeyPhase.WITHDRAWN, now
        key.private = PersonalText("")
        db.flush()
        if before is KeyPhase.ACTIVE:
            self._promote(db, self._standing(db, key.algorithm, KeyPhase.NEXT), now)
        elif before is KeyPhase.NEXT:
            db.add(self._make(key.algorithm, KeyPhase.NEXT, now))
        after_commit(db, self._forget)
        return before

    def turn(self, *, now: datetime) -> list[str]:
        """Make what is missing, and turn what is due: next → active → retired → gone (ID-44).

        Returns: the kids that began to sign.
        """
        with self._database.transaction() as db:
            self._ensure(db, self._algorithms, now)
            gone = self._table.retired_at < now - self._life.kept_after
            over = self._table.phase == KeyPhase.RETIRED, gone, not_(self._needed)
            db.execute(delete(self._table).where(*over))
            started = [self._turn(db, algorithm, now) for algorithm in self._algorithms]
        return [kid for kid in started if kid is not None]

    def _turn(self, db: Session, algorithm: str, now: datetime) -> str | None:
        life, active = self._life, self._standing(db, algorithm, KeyPhase.ACTIVE)
        following = self._standing(db, algorithm, KeyPhase.NEXT)
        assert active.activated_at is not None
        known_by = following.created_at + life.published_before
        if now < max(active.activated_at + life.active_for, known_by):
            return None
        active.phase, active.retired_at = KeyPhase.RETIRED, now
        db.flush()  # the index allows one active key at any moment
        self._promote(db, following, now)
        return following.kid

    def _standing(self, db: Session, algorithm: str, phase: KeyPhase) -> KeyColumns:
        table = self._table
        found = select(table).where(table.algorithm == algorithm, table.phase == phase)
        return db.scalars(found).one()

    def _promote(self, db: Session, following: KeyColumns, now: datetime) -> None:
        following.phase, following.activated_at = KeyPhase.ACTIVE, now
        db.flush()
        db.add(self._make(following.algorithm, KeyPhase.NEXT, now))

    def _ensure(self, db: Session, algorithms: Sequence[str], now: datetime) -> None:
        """There is an active and a next key of each; nobody else changes any now."""
        db.execute(_ELECT, {"number": crc32(self._table.__tablename__.encode())})
        known = select(self._table.algorithm, self._table.phase)
        present = {tuple(row) for row in db.execute(known)}
        for algorithm in algorithms:
            for phase in (KeyPhase.ACTIVE, KeyPhase.NEXT):
                if (algorithm, phase) not in present:
                    db.add(self._make(algorithm, phase, now))
        db.flush()

    def _make(self, algorithm: str, phase: KeyPhase, now: datetime) -> KeyColumns:
        key, made = new_key(algorithm), self._table()
        made.kid, made.algorithm, made.phase = key.thumbprint(), algorithm, phase
        made.public = key.as_dict(private=False) | {"kid": made.kid}
        made.private = PersonalText(json.dumps(key.as_dict(private=True)))
        made.created_at, made.activated_at = now, now if phase is KeyPhase.ACTIVE else None
        return made

    def _keys(self, now: datetime, cached_for: timedelta = _CACHED_FOR) -> _Keys:
        known = self._known
        if known is None or now - known.read_at > cached_for:
            with self._reading:
                known = self._known
                if known is None or now - known.read_at > cached_for:
                    known = self._known = self._read(now)
        return known

    def _forget(self) -> None:
        self._known = None

    def _read(self, now: datetime) -> _Keys:
        known = self._known
        with self._database.reading() as db:
            phases = dict(db.execute(select(self._table.kid, self._table.phase)).all())
            if known is not None and known.phases == phases:
                return replace(known, read_at=now)  # no key is opened to find nothing changed
            rows = [r for r in self.list_keys(db) if r.phase is not KeyPhase.WITHDRAWN]
            signers = {r.algorithm: _private(r) for r in rows if r.phase is KeyPhase.ACTIVE}
            public: list[Key] = [_kind(r.algorithm).import_key(r.public) for r in rows]
        return _Keys(phases, signers, KeySet(public), now)


def new_key(algorithm: str) -> SigningKey:
    """A key (RFC 7518) whose name has no dash in front: a command would take it for an option."""
    parameters: KeyParameters = {"use": "sig", "alg": algorithm}
    key: SigningKey | None = None
    while key is None or key.thumbprint().startswith("-"):
        if algorithm == ES256:
            key = ECKey.generate_key("P-256", parameters)
        else:
            key = RSAKey.generate_key(_RSA_BITS, parameters)
    return key


def _private(row: KeyColumns) -> SigningKey:
    return _kind(row.algorithm).import_key(json.loads(row.private.expose()) | {"kid": row.kid})


def _kind(algorithm: str) -> type[ECKey] | type[RSAKey]:
    return ECKey if algorithm == ES256 else RSAKey
