"""Registers other systems' clients, changes and suspends them, and keeps who did it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from identity.events import FACTS, ClientSuspended
from identity.sign_in import client_rules, rules
from identity.sign_in.client_model import Client, ClientChange
from identity.sign_in.client_rules import Registration
from identity.sign_in.model import RefreshToken
from servicekit.applications import Actor
from servicekit.db import new_id
from servicekit.errors import ChangedMeanwhile
from servicekit.outbox import announce

FORMER_SECRET_FOR: Final = timedelta(hours=24)  # the old secret holds while the system takes it in
_PROVINCE: Final = 2  # digits of the province's own region code


def register(
    db: Session, wanted: Registration, *, by: Actor, is_production: bool, now: datetime
) -> tuple[Client, str | None]:
    """Register a client; people are asked for consent before it learns anything.

    Returns: the client, and its secret, which is kept nowhere and shown once.

    Raises:
        ProvinceOnly: the admin is not the province's.
        ClientRefused: naming each wrong field.
    """
    check_admin(by)
    sector = client_rules.check(wanted, is_production=is_production)
    secret = rules.new_secret() if wanted.auth_method in client_rules.SECRET_METHODS else None
    client = Client(
        client_id=new_id(),
        secret_hash=None if secret is None else rules.hash_secret(secret),
        sector=sector,
        needs_consent=True,
        created_at=now,
        version=1,
    )
    _write(client, wanted)
    db.add(client)
    db.flush()
    _record(db, client, "registered", by=by, now=now)
    return client, secret


def change(
    db: Session,
    client: Client,
    wanted: Registration,
    *,
    by: Actor,
    version: int | None,
    is_production: bool,
    now: datetime,
) -> Client:
    """Write it anew. Subjects stay as they are: the sector of a client never changes.

    Raises:
        ClientRefused: naming each wrong field.
        ChangedMeanwhile: somebody else did.
    """
    if version is not None and version != client.version:
        raise ChangedMeanwhile
    sector = client_rules.check(wanted, is_production=is_production)
    if client.sector is None:
        client.sector = sector
    _write(client, wanted)
    if wanted.auth_method not in client_rules.SECRET_METHODS:
        client.secret_hash = client.former_secret_hash = None
    _touch(client, now)
    _record(db, client, "changed", by=by, now=now)
    return client


def rotate_secret(db: Session, client: Client, *, by: Actor, now: datetime) -> str:
    """A new secret; the old one holds for a day, so that nothing stops.

    Raises:
        NoSecret: it has none.
    """
    if not client_rules.SECRET_METHODS & set(client.auth_methods):
        raise client_rules.NoSecret
    secret = rules.new_secret()
    client.former_secret_hash = client.secret_hash
    client.former_secret_until = now + FORMER_SECRET_FOR
    client.secret_hash = rules.hash_secret(secret)
    _touch(client, now)
    _record(db, client, "secret-rotated", by=by, now=now)
    return secret


def suspend(db: Session, client: Client, *, by: Actor, now: datetime) -> Client:
    """No login, no token, no renewal from now on; what it holds is worth nothing anywhere."""
    if client.suspended_at is None:
        client.suspended_at = now
        alive = (RefreshToken.client_id == client.client_id, RefreshToken.revoked_at.is_(None))
        db.execute(update(RefreshToken).where(*alive).values(revoked_at=now))
        _touch(client, now)
        _record(db, client, "suspended", by=by, now=now)
        told = FACTS.of(
            ClientSuspended, subject=client.client_id, now=now, client_id=client.client_id
        )
        announce(db, told)
    return client


def resume(db: Session, client: Client, *, by: Actor, now: datetime) -> Client:
    """Let it work again; people log in anew."""
    if client.suspended_at is not None:
        client.suspended_at = None
        _touch(client, now)
        _record(db, client, "resumed", by=by, now=now)
    return client


def find(db: Session, client_id: str, *, by: Actor, lock: bool = False) -> Client:
    """Another system's client; the suite's own are written from the settings.

    Raises:
        ProvinceOnly, NoClient.
    """
    check_admin(by)
    client = db.get(Client, client_id, with_for_update=lock)
    if client is None or not client.needs_consent:
        raise client_rules.NoClient
    return client


def check_admin(by: Actor) -> None:
    """Raises: ProvinceOnly."""
    if not by.region or len(by.region) > _PROVINCE:
        raise client_rules.ProvinceOnly


def list_changes(db: Session, client: Client) -> Sequence[ClientChange]:
    """Its history, the newest first."""
    wanted = select(ClientChange).where(ClientChange.client_id == client.client_id)
    return db.scalars(
        wanted.order_by(ClientChange.at.desc(), ClientChange.id.desc()).limit(200)
    ).all()


def _write(client: Client, wanted: Registration) -> None:
    client.name = wanted.name
    client.redirect_uris = list(wanted.redirect_uris)
    client.post_logout_redirect_uris = list(wanted.post_logout_redirect_uris)
    client.backchannel_logout_uri = wanted.backchannel_logout_uri
    client.scopes = list(dict.fromkeys(wanted.scopes))
    client.grant_types = list(dict.fromkeys(wanted.grant_types))
    client.auth_methods = [wanted.auth_method]
    client.jwks = None if wanted.jwks is None else dict(wanted.jwks)
    client.jwks_uri = wanted.jwks_uri
    client.id_token_alg = wanted.id_token_alg
    client.requires_par = wanted.requires_par
    client.requires_dpop = wanted.requires_dpop
    client.introspects = wanted.introspects


def _touch(client: Client, now: datetime) -> None:
    client.version += 1
    client.updated_at = now


def _record(db: Session, client: Client, what: str, *, by: Actor, now: datetime) -> None:
    values: dict[str, Any] = {
        name: getattr(client, name)
        for name in (
            *("name", "redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri"),
            *("scopes", "grant_types", "auth_methods", "jwks", "jwks_uri", "id_token_alg"),
            *("sector", "requires_par", "requires_dpop", "introspects"),
        )
    }
    values["suspended"] = client.suspended_at is not None
    db.add(
        ClientChange(client_id=client.client_id, at=now, actor_id=by.id, change=what, values=values)
    )
    db.flush()
