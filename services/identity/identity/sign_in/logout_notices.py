"""Telling clients that a login ended (OpenID Connect Back-Channel Logout 1.0), after the fact.

The notices are written in the transaction that ends the session and sent by the events worker:
a client that is down or hangs holds up nobody, and is told when it is back.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jwt
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from identity.sign_in.client_model import Client, LogoutNotice
from identity.sign_in.subjects import Subjects
from servicekit.key_rings import KeyRing

TYPE: Final = "logout+jwt"
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFE: Final = timedelta(minutes=2)
LEASE: Final = timedelta(seconds=60)  # a worker that dies has its notices sent by another
FIRST_WAIT: Final = timedelta(seconds=5)
TRIES: Final = 10  # 5 s, 10 s, … 43 min: an afternoon's outage is survived
KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Notice:
    """One client to be told now."""

    id: str
    uri: str
    client: Client
    session_id: str
    account_id: str


def claim(db: Session, *, now: datetime, most: int) -> list[Notice]:
    """Take what is due; another worker does not get it for a minute."""
    due = (
        select(LogoutNotice, Client)
        .join(Client, Client.client_id == LogoutNotice.client_id)
        .where(LogoutNotice.finished_at.is_(None), LogoutNotice.due_at <= now)
        .order_by(LogoutNotice.due_at)
        .limit(most)
        .with_for_update(of=LogoutNotice, skip_locked=True)
    )
    taken = []
    for notice, client in db.execute(due):
        notice.tries += 1
        notice.due_at = now + LEASE
        uri = client.backchannel_logout_uri
        if uri is None or client.suspended_at is not None:
            notice.result, notice.finished_at = "no-longer-wanted", now
            continue
        taken.append(Notice(notice.id, uri, client, notice.session_id, notice.account_id))
    return taken


def finish(db: Session, notice_id: str, result: str, *, is_over: bool, now: datetime) -> None:
    """Keep what came of it; unless it is over, try again later, each time twice as late."""
    row = db.get_one(LogoutNotice, notice_id)
    row.result = result
    if is_over or row.tries >= TRIES:
        row.finished_at = now
    else:
        row.due_at = now + FIRST_WAIT * 2 ** (row.tries - 1)


def logout_token(
    notice: Notice, *, issuer: str, keys: KeyRing, subjects: Subjects, now: datetime
) -> str:
    """The token a client ends its own session by; made when it is sent, good for two minutes."""
    algorithm = notice.client.id_token_alg
    key = keys.signer(algorithm, now=now)
    issued = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": notice.client.client_id,
        "sub": subjects.subject(notice.client, notice.account_id),
        "sid": subjects.session(notice.client, notice.session_id),
        "iat": issued,
        "exp": issued + int(LIFE.total_seconds()),
        "jti": secrets.token_urlsafe(16),
        "events": {EVENT: {}},
    }
    header = {"alg": algorithm, "typ": TYPE, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[algorithm])


def forget_old(db: Session, *, now: datetime) -> None:
    """Remove results nobody asks for any more."""
    db.execute(delete(LogoutNotice).where(LogoutNotice.finished_at < now - KEPT))
