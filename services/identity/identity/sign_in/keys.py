"""The provider's signing keys: made once, sealed in the database, rotated without a logout."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from joserfc.jwk import ECKey, Key, KeyParameters, KeySet, RSAKey
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from identity.sign_in import rules
from identity.sign_in.model import SigningKey
from identity.sign_in.rules import KeyPhase
from servicekit.db import Database
from servicekit.personal import PersonalText

ACCESS_ALGORITHM: Final = "ES256"
ALGORITHMS: Final = ("ES256", "RS256")  # RS256 must be listed (OpenID Discovery 3)
_RSA_BITS: Final = 2048
_CACHED_FOR: Final = timedelta(seconds=30)
_ELECTION: Final = 0x6B657973  # advisory lock: one process makes or turns keys at a time


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys as they stand: who signs, and what anybody may verify with."""

    signers: Mapping[str, ECKey | RSAKey]
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

    def signer(self, algorithm: str, *, now: datetime) -> ECKey | RSAKey:
        """The active key of an algorithm; the first caller ever makes it."""
        keys = self._keys(now)
        if algorithm not in keys.signers:
            with self._database.transaction() as db:
                ensure(db, algorithm, now=now)
            self.forget()
            keys = self._keys(now)
        return keys.signers[algorithm]

    def public(self, *, now: datetime) -> KeySet:
        """Every key a token may be signed with, coming and going ones too."""
        self.signer(ACCESS_ALGORITHM, now=now)
        return self._keys(now).public

    def forget(self) -> None:
        """Read again at the next question."""
        self._known = None

    def _keys(self, now: datetime) -> Keys:
        known = self._known
        if known is None or now - known.read_at > _CACHED_FOR:
            with self._reading:
                known = self._known
                if known is None or now - known.read_at > _CACHED_FOR:
                    known = self._known = self._read(now)
        return known

    def _read(self, now: datetime) -> Keys:
        with self._database.reading() as db:
            rows = db.scalars(select(SigningKey).order_by(SigningKey.created_at)).all()
            signers = {r.algorithm: _import(r) for r in rows if r.phase is KeyPhase.ACTIVE}
            public: list[Key] = [_key_class(r.algorithm).import_key(r.public) for r in rows]
        return Keys(signers, KeySet(public), now)


def ensure(db: Session, algorithm: str, *, now: datetime) -> None:
    """There is an active and a next key of this algorithm."""
    db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ELECTION})
    phases = select(SigningKey.phase).where(SigningKey.algorithm == algorithm)
    present = set(db.scalars(phases))
    for phase in (KeyPhase.ACTIVE, KeyPhase.NEXT):
        if phase not in present:
            db.add(_make(algorithm, phase, now))
    db.flush()


def rotate(db: Session, *, now: datetime) -> list[str]:
    """Turn what is due: next → active → retired → gone (ID-44).

    A next key has been published for an hour before it signs, and a retired one is kept for a
    day, so nobody's token ever names a key that is not in the JWKS.

    Returns: the kids that began to sign.
    """
    db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ELECTION})
    gone = SigningKey.retired_at < now - rules.KEY_KEPT_AFTER
    db.execute(delete(SigningKey).where(SigningKey.phase == KeyPhase.RETIRED, gone))
    started = []
    for active in db.scalars(select(SigningKey).where(SigningKey.phase == KeyPhase.ACTIVE)).all():
        following = db.scalar(
            select(SigningKey).where(
                SigningKey.algorithm == active.algorithm,
                SigningKey.phase == KeyPhase.NEXT,
                SigningKey.created_at <= now - rules.KEY_PUBLISHED_BEFORE,
            )
        )
        if following is None or (active.activated_at or now) > now - rules.KEY_ACTIVE_FOR:
            continue
        active.phase, active.retired_at = KeyPhase.RETIRED, now
        db.flush()  # the index allows one active key at any moment
        following.phase, following.activated_at = KeyPhase.ACTIVE, now
        db.flush()
        db.add(_make(active.algorithm, KeyPhase.NEXT, now))
        started.append(following.kid)
    return started


def _make(algorithm: str, phase: KeyPhase, now: datetime) -> SigningKey:
    parameters: KeyParameters = {"use": "sig", "alg": algorithm}
    key: ECKey | RSAKey
    if algorithm == ACCESS_ALGORITHM:
        key = ECKey.generate_key("P-256", parameters, private=True)
    else:
        key = RSAKey.generate_key(_RSA_BITS, parameters, private=True)
    public = key.as_dict(private=False) | {"kid": key.thumbprint()}
    return SigningKey(
        kid=key.thumbprint(),
        algorithm=algorithm,
        phase=phase,
        public=public,
        private=PersonalText(json.dumps(key.as_dict(private=True))),
        created_at=now,
        activated_at=now if phase is KeyPhase.ACTIVE else None,
    )


def _import(row: SigningKey) -> ECKey | RSAKey:
    private = json.loads(row.private.expose()) | {"kid": row.kid}
    return _key_class(row.algorithm).import_key(private)


def _key_class(algorithm: str) -> type[ECKey] | type[RSAKey]:
    return ECKey if algorithm == ACCESS_ALGORITHM else RSAKey
