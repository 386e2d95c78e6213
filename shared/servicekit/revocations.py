"""Which sessions, accounts, bindings and signing keys have ended (ID-43): nobody believes them.

identity and employer-auth announce the ends; every service's events worker writes them into the
service's own ``revocation`` table, and each web process reads that table: at its start, and
whenever a row is written. Nothing is forgotten when a process starts again or hears nothing for a
while, and with the bus down the 300 seconds a token lives are the bound.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from marshmallow import Schema, fields
from sqlalchemy import text
from sqlalchemy.orm import Session

from servicekit.clock import Clock
from servicekit.inbox import Envelope, Subscriptions

CHANNEL: Final = "revocation"
# Longer than a token lives (300 s) and than two clocks of ours ever disagree.
KEPT: Final = timedelta(minutes=15)
# A token may be signed while the transaction that locks its account commits.
UNDER_WAY: Final = timedelta(seconds=5)
LOOK_AT: Final = 1_000  # entries; only above them is it worth looking for old ones
SESSION: Final = "session"
ACCOUNT: Final = "account"
BINDING: Final = "binding"
KEY: Final = "key"

_NOTE: Final = text(
    "INSERT INTO revocation AS known (kind, key, at, version, heard_at) "
    "VALUES (:kind, :key, :at, :version, clock_timestamp()) "
    "ON CONFLICT (kind, key) DO UPDATE SET at = greatest(known.at, excluded.at), "
    "version = greatest(known.version, excluded.version), heard_at = excluded.heard_at "
    "RETURNING pg_notify('revocation', '')"
)
HEARD_SINCE: Final = (
    "SELECT kind, key, at, version, heard_at FROM revocation WHERE heard_at > %s ORDER BY heard_at"
)


class Revocations:
    """What one process knows; read at every request, so it is a handful of look-ups.

    Args:
        clock: says what may be forgotten.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._at: dict[tuple[str, str], float] = {}
        self._versions: dict[str, tuple[int, float]] = {}
        self._keys: frozenset[str] = frozenset()  # never forgotten: a forged token lives for ever
        self._crowded = LOOK_AT

    def end_session(self, session_id: str) -> None:
        """Every token that names this session."""
        self.note(SESSION, session_id, at=self._clock.now())

    def end_account(self, account_id: str) -> None:
        """Every token issued until now to this account, or to whoever acts as or for it."""
        self.note(ACCOUNT, account_id, at=self._clock.now())

    def revise_binding(self, binding_id: str, version: int) -> None:
        """Every token that names an older version of this binding."""
        self.note(BINDING, binding_id, at=self._clock.now(), version=version)

    def note(self, kind: str, key: str, *, at: datetime, version: int | None = None) -> None:
        """Know one end; what is older than any token can be is forgotten in time."""
        with self._lock:
            if kind == KEY:
                self._keys |= {key}
            elif kind == BINDING:
                known = self._versions.get(key, (0, 0.0))[0]
                self._versions[key] = (max(known, version or 0), at.timestamp())
            else:
                self._at[kind, key] = max(at.timestamp(), self._at.get((kind, key), 0.0))
            if len(self) > self._crowded:
                self._forget((self._clock.now() - KEPT).timestamp())
                self._crowded = 2 * len(self) + LOOK_AT

    def __len__(self) -> int:
        return len(self._at) + len(self._versions)

    def _forget(self, before: float) -> None:
        # New dictionaries: readers, who take no lock, go on with the old ones.
        self._at = {k: at for k, at in self._at.items() if at >= before}
        self._versions = {k: v for k, v in self._versions.items() if v[1] >= before}

    def has_withdrawn(self, kid: str) -> bool:
        """Has the signing key of this id leaked?"""
        return kid in self._keys

    def covers(
        self,
        *,
        session_id: str,
        accounts: Iterable[str | None],
        issued_at: float,
        binding: str | None = None,
        version: int = 0,
        key: str = "",
    ) -> bool:
        """Is a token worth nothing?

        Args:
            session_id: its ``sid``.
            accounts: everybody it speaks for: ``sub`` and each ``act.sub``.
            issued_at: its ``iat``, which is cut to seconds.
            binding, version: its ``binding`` and ``bver``.
            key: the ``kid`` of its header.
        """
        if (SESSION, session_id) in self._at or key in self._keys:
            return True
        if any(self._at.get((ACCOUNT, a or ""), -1.0) >= issued_at for a in accounts):
            return True
        return binding is not None and self._versions.get(binding, (0, 0.0))[0] > version


def note(db: Session, kind: str, key: str, *, at: datetime, version: int | None = None) -> None:
    """Write one end down, in the transaction of the event that tells it; twice is once."""
    db.execute(_NOTE, {"kind": kind, "key": key, "at": at, "version": version})


def subscribe(subscriptions: Subscriptions) -> None:
    """Hear every end; called for each service when it is declared, twice is once."""
    known = {heard.event_type for heard in subscriptions if heard.beside}
    for event_type, reads, handler in _HEARD:
        if event_type not in known:
            subscriptions.on(event_type, reads=reads, beside=True)(handler)


class _SessionSchema(Schema):
    session_id = fields.Str(required=True)


class _AccountSchema(Schema):
    account_id = fields.Str(required=True)


class _ClientSchema(Schema):
    client_id = fields.Str(required=True)


class _LevelSchema(_AccountSchema):
    level = fields.Int(required=True)
    before = fields.Int(required=True)


class _BindingSchema(Schema):
    binding_id = fields.Str(required=True)
    version = fields.Int(required=True)


class _KeySchema(Schema):
    kid = fields.Str(required=True)


def _session_ended(db: Session, ended: dict[str, Any], envelope: Envelope) -> None:
    note(db, SESSION, ended["session_id"], at=envelope.time)


def _account_closed(db: Session, account: dict[str, Any], envelope: Envelope) -> None:
    note(db, ACCOUNT, account["account_id"], at=envelope.time + UNDER_WAY)


def _client_suspended(db: Session, client: dict[str, Any], envelope: Envelope) -> None:
    # A system's own token names it as ``sub``, as an account's does.
    note(db, ACCOUNT, client["client_id"], at=envelope.time + UNDER_WAY)


def _level_changed(db: Session, changed: dict[str, Any], envelope: Envelope) -> None:
    if changed["level"] < changed["before"]:
        note(db, ACCOUNT, changed["account_id"], at=envelope.time)


def _key_withdrawn(db: Session, withdrawn: dict[str, Any], envelope: Envelope) -> None:
    note(db, KEY, withdrawn["kid"], at=envelope.time)


def _binding_revised(db: Session, binding: dict[str, Any], envelope: Envelope) -> None:
    note(db, BINDING, binding["binding_id"], at=envelope.time, version=binding["version"])


_HEARD: Final = (
    ("identity.session.ended.v1", _SessionSchema, _session_ended),
    ("identity.account.locked.v1", _AccountSchema, _account_closed),
    ("identity.account.cancelled.v1", _AccountSchema, _account_closed),
    ("identity.account.level-changed.v1", _LevelSchema, _level_changed),
    ("identity.client.suspended.v1", _ClientSchema, _client_suspended),
    ("employer-auth.binding.revised.v1", _BindingSchema, _binding_revised),
    ("identity.signing-key.withdrawn.v1", _KeySchema, _key_withdrawn),
    ("employer-auth.signing-key.withdrawn.v1", _KeySchema, _key_withdrawn),
)
