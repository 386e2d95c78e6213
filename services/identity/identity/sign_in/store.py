"""Codes and refresh chains: each step is one statement, so of two at once one wins."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from identity.sign_in import rules, sessions
from identity.sign_in.model import AuthorizationCode, RefreshToken, SignInSession
from identity.sign_in.rules import EndReason
from identity.sign_in.sessions import Subject
from servicekit.personal import PersonalText


def find_code(db: Session, code: str, *, client_id: str, now: datetime) -> AuthorizationCode | None:
    """The client's code; a used one is still found, so that its replay can be answered."""
    row = db.get(AuthorizationCode, rules.hash_secret(code))
    if row is None or row.client_id != client_id:
        return None
    return row if row.used_at is not None or row.expires_at > now else None


def use_code(db: Session, row: AuthorizationCode, *, now: datetime) -> bool:
    """Use a code up. A second use ends everything the first one gave (ASVS 10.4.2)."""
    once = (
        update(AuthorizationCode)
        .where(AuthorizationCode.code_hash == row.code_hash, AuthorizationCode.used_at.is_(None))
        .values(used_at=now)
        .returning(AuthorizationCode.code_hash)
        .execution_options(synchronize_session=False)
    )
    if db.execute(once).one_or_none() is not None:
        return True
    _end_family(db, row.family_id, row.session_id, EndReason.CODE_REPLAY, now=now)
    return False


def begin_chain(
    db: Session,
    *,
    family_id: str,
    client_id: str,
    subject: Subject,
    scope: str,
    dpop_thumbprint: str | None,
    now: datetime,
) -> str:
    """The first refresh token of a family; the chain ends with the session's twelve hours."""
    token = rules.new_secret()
    db.add(
        RefreshToken(
            token_hash=rules.hash_secret(token),
            family_id=family_id,
            client_id=client_id,
            session_id=subject.session.id,
            scope=scope,
            acting=subject.acting.as_json() if subject.acting else None,
            dpop_thumbprint=dpop_thumbprint,
            created_at=now,
            expires_at=subject.session.created_at + rules.LONGEST,
        )
    )
    return token


def find_refresh(db: Session, token: str) -> RefreshToken | None:
    """The link a token stands for, used or not."""
    return db.get(RefreshToken, rules.hash_secret(token))


def rotate(db: Session, row: RefreshToken, *, now: datetime) -> str | None:
    """Exchange a refresh token for its successor (ID-40).

    One conditional UPDATE decides. Whoever comes second within thirty seconds lost an answer and
    gets the same successor; later it is a stolen token, and the family and session end.

    Returns: the successor, or None.
    """
    successor = rules.new_secret()
    once = (
        update(RefreshToken)
        .where(
            RefreshToken.token_hash == row.token_hash,
            RefreshToken.used_at.is_(None),
            RefreshToken.revoked_at.is_(None),
            RefreshToken.expires_at > now,
        )
        .values(used_at=now, successor=PersonalText(successor))
        .returning(RefreshToken.token_hash)
        .execution_options(synchronize_session=False)
    )
    if db.execute(once).one_or_none() is not None:
        db.add(_successor(row, successor, now))
        return successor
    db.refresh(row)
    if row.revoked_at is not None or row.used_at is None or row.successor is None:
        return None
    if now - row.used_at <= rules.REFRESH_GRACE:
        return row.successor.expose()
    _end_family(db, row.family_id, row.session_id, EndReason.REFRESH_REUSE, now=now)
    return None


def revoke_family(db: Session, family_id: str, *, now: datetime) -> None:
    """No token of this family can be refreshed any more."""
    alive = (RefreshToken.family_id == family_id, RefreshToken.revoked_at.is_(None))
    db.execute(update(RefreshToken).where(*alive).values(revoked_at=now))


def forget_old(db: Session, *, now: datetime) -> None:
    """Remove codes and tokens whose replay no longer matters."""
    for table in (RefreshToken, AuthorizationCode):
        db.execute(delete(table).where(table.expires_at < now - rules.LONGEST))


def _end_family(
    db: Session, family_id: str, session_id: str, reason: EndReason, *, now: datetime
) -> None:
    revoke_family(db, family_id, now=now)
    session = db.scalar(select(SignInSession).where(SignInSession.id == session_id))
    if session is not None:
        sessions.end(db, session, reason, now=now)


def _successor(row: RefreshToken, token: str, now: datetime) -> RefreshToken:
    return RefreshToken(
        token_hash=rules.hash_secret(token),
        family_id=row.family_id,
        client_id=row.client_id,
        session_id=row.session_id,
        scope=row.scope,
        acting=row.acting,
        dpop_thumbprint=row.dpop_thumbprint,
        created_at=now,
        expires_at=row.expires_at,
    )
