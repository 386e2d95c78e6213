"""Identifiers that come once: the unique key decides, whoever asks at the same moment."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity.sign_in import rules
from identity.sign_in.client_model import UsedTokenId


def use(db: Session, purpose: str, owner: str, token_id: str, *, until: datetime) -> bool:
    """Take an identifier. Of forty at once one gets True; the others wait for it and get False.

    Args:
        purpose: what kind of token it is of; kinds never meet.
        owner: whoever must not repeat it: an issuer, a client, a key.
        until: from when on the token is too old to come again.
    """
    row = insert(UsedTokenId).values(digest=_digest(purpose, owner, token_id), expires_at=until)
    taken = row.on_conflict_do_nothing().returning(UsedTokenId.digest)
    return db.execute(taken).one_or_none() is not None


def is_used(db: Session, purpose: str, owner: str, token_id: str) -> bool:
    """Was it taken before?"""
    wanted = select(UsedTokenId.digest).where(
        UsedTokenId.digest == _digest(purpose, owner, token_id)
    )
    return db.execute(wanted).one_or_none() is not None


def forget_old(db: Session, *, now: datetime) -> None:
    """Remove those whose tokens have expired."""
    db.execute(delete(UsedTokenId).where(UsedTokenId.expires_at < now))


def _digest(purpose: str, owner: str, token_id: str) -> bytes:
    return rules.hash_secret(f"{purpose}\n{owner}\n{token_id}")
