"""Pushed authorization requests (RFC 9126): brought by the client, fetched once by its browser."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from identity.sign_in import rules
from identity.sign_in.client_model import PushedRequest
from servicekit.personal import PersonalText

PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
LIFE: Final = timedelta(seconds=90)  # until the browser comes
STAY: Final = timedelta(minutes=30)  # until the person has logged in and chosen


def push(
    db: Session,
    client_id: str,
    parameters: Mapping[str, str],
    *,
    dpop_thumbprint: str | None,
    now: datetime,
) -> str:
    """Keep a request; sealed, because it may hint at who is to log in.

    Returns: the ``request_uri``.
    """
    reference = rules.new_secret()
    db.add(
        PushedRequest(
            reference_hash=rules.hash_secret(reference),
            client_id=client_id,
            parameters=PersonalText(json.dumps(dict(parameters))),
            dpop_thumbprint=dpop_thumbprint,
            created_at=now,
            expires_at=now + LIFE,
        )
    )
    return PREFIX + reference


def find(db: Session, request_uri: str, client_id: str, *, now: datetime) -> PushedRequest | None:
    """The client's request, if it was not used and has not expired.

    From the first look on the person has half an hour to log in and choose.
    """
    row = db.get(PushedRequest, rules.hash_secret(request_uri.removeprefix(PREFIX)))
    if row is None or row.client_id != client_id or row.used_at or row.expires_at <= now:
        return None
    if row.arrived_at is None:
        row.arrived_at, row.expires_at = now, now + STAY
    return row


def parameters_of(row: PushedRequest) -> dict[str, str]:
    """What the client pushed."""
    pushed: dict[str, str] = json.loads(row.parameters.expose())
    return pushed


def use(db: Session, row: PushedRequest, *, now: datetime) -> bool:
    """Use a request up; of two at once one gets True."""
    once = (
        update(PushedRequest)
        .where(PushedRequest.reference_hash == row.reference_hash, PushedRequest.used_at.is_(None))
        .values(used_at=now)
        .returning(PushedRequest.reference_hash)
        .execution_options(synchronize_session=False)
    )
    return db.execute(once).one_or_none() is not None


def forget_old(db: Session, *, now: datetime) -> None:
    """Remove what can no longer be fetched."""
    db.execute(delete(PushedRequest).where(PushedRequest.expires_at < now))
