"""The keys of mandates: made once, sealed in the database, turned without anybody noticing."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from joserfc.jwk import ECKey, KeySet
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from employer_auth.acting import rules
from employer_auth.acting.model import MandateKey
from employer_auth.acting.rules import KeyPhase
from servicekit.db import Database
from servicekit.personal import PersonalText

_CACHED_FOR: Final = timedelta(seconds=30)
_ELECTION: Final = 0x6D616E64  # advisory lock: one process makes or turns keys at a time


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys as they stand: who signs, and what anybody may verify with."""

    signer: ECKey | None
    public: KeySet
    read_at: datetime


class KeyRing:
    """Hands out the keys, and looks into the database again every half minute.

    Args:
        database: where the keys are; its vault opens the private halves.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Keys | None = None
        self._reading = threading.Lock()

    def signer(self, *, now: datetime) -> ECKey:
        """The active key; the first caller ever makes it."""
        keys = self._keys(now)
        if keys.signer is None:
            with self._database.transaction() as db:
                ensure(db, now=now)
            self._known = None
            keys = self._keys(now)
        assert keys.signer is not None
        return keys.signer

    def public(self, *, now: datetime) -> KeySet:
        """Every key a mandate may be signed with, coming and going ones too."""
        self.signer(now=now)
        return self._keys(now).public

    def _keys(self, now: datetime) -> Keys:
        with self._reading:
            known = self._known
            if known is None or now - known.read_at > _CACHED_FOR:
                known = self._known = self._read(now)
            return known

    def _read(self, now: datetime) -> Keys:
        with self._database.reading() as db:
            rows = db.scalars(select(MandateKey).order_by(MandateKey.created_at)).all()
            active = next((_private(row) for row in rows if rules.signs(row.phase)), None)
            public = KeySet([ECKey.import_key(row.public) for row in rows])
        return Keys(active, public, now)


def ensure(db: Session, *, now: datetime) -> None:
    """There is an active and a next key."""
    db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ELECTION})
    present = set(db.scalars(select(MandateKey.phase)))
    for phase in (KeyPhase.ACTIVE, KeyPhase.NEXT):
        if phase not in present:
            db.add(_make(phase, now))
    db.flush()


def turn(db: Session, *, now: datetime) -> str | None:
    """next → active → retired → gone, when it is time.

    Returns: the kid that began to sign, if one did.
    """
    db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ELECTION})
    gone = MandateKey.retired_at < now - rules.KEY_KEPT_AFTER
    db.execute(delete(MandateKey).where(MandateKey.phase == KeyPhase.RETIRED, gone))
    active = db.scalar(
        select(MandateKey).where(
            MandateKey.phase == KeyPhase.ACTIVE,
            MandateKey.activated_at <= now - rules.KEY_ACTIVE_FOR,
        )
    )
    following = db.scalar(
        select(MandateKey).where(
            MandateKey.phase == KeyPhase.NEXT,
            MandateKey.created_at <= now - rules.KEY_PUBLISHED_BEFORE,
        )
    )
    if active is None or following is None:
        return None
    active.phase, active.retired_at = KeyPhase.RETIRED, now
    db.flush()  # the index allows one active key at any moment
    following.phase, following.activated_at = KeyPhase.ACTIVE, now
    db.flush()
    db.add(_make(KeyPhase.NEXT, now))
    db.flush()
    return following.kid


def _make(phase: KeyPhase, now: datetime) -> MandateKey:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": rules.ALGORITHM}, private=True)
    return MandateKey(
        kid=key.thumbprint(),
        phase=phase,
        public=key.as_dict(private=False) | {"kid": key.thumbprint()},
        private=PersonalText(json.dumps(key.as_dict(private=True))),
        created_at=now,
        activated_at=now if rules.signs(phase) else None,
    )


def _private(row: MandateKey) -> ECKey:
    return ECKey.import_key(json.loads(row.private.expose()) | {"kid": row.kid})
