"""What people let other systems know about them: given once, remembered, withdrawn at will."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity.sign_in.client_model import Client, Consent
from identity.sign_in.model import RefreshToken, SignInSession


def given_at(
    db: Session, account_id: str, client_id: str, scopes: Iterable[str]
) -> datetime | None:
    """When the person consented to all of this; None when not, or not any more."""
    row = db.get(Consent, (account_id, client_id))
    if row is None or row.withdrawn_at is not None or not set(scopes) <= set(row.scopes):
        return None
    return row.given_at


def give(
    db: Session, account_id: str, client_id: str, scopes: Iterable[str], *, now: datetime
) -> None:
    """Remember a consent, beside what was consented to before."""
    known = db.get(Consent, (account_id, client_id), with_for_update=True)
    before = known.scopes if known is not None and known.withdrawn_at is None else []
    values = {"scopes": sorted({*before, *scopes}), "given_at": now, "withdrawn_at": None}
    row = insert(Consent).values(account_id=account_id, client_id=client_id, **values)
    db.execute(row.on_conflict_do_update(index_elements=["account_id", "client_id"], set_=values))
    db.expire_all()


def withdraw(db: Session, account_id: str, client_id: str, *, now: datetime) -> bool:
    """Take a consent back; the system's tokens cannot be renewed from now on.

    Returns: whether there was one.
    """
    row = db.get(Consent, (account_id, client_id))
    if row is None or row.withdrawn_at is not None:
        return False
    row.withdrawn_at = now
    own = select(SignInSession.id).where(SignInSession.account_id == account_id)
    theirs = (
        RefreshToken.client_id == client_id,
        RefreshToken.revoked_at.is_(None),
        RefreshToken.session_id.in_(own),
    )
    db.execute(
        update(RefreshToken)
        .where(*theirs)
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    return True


def list_given(db: Session, account_id: str) -> list[tuple[Consent, Client]]:
    """What holds, the newest first."""
    wanted = (
        select(Consent, Client)
        .join(Client, Client.client_id == Consent.client_id)
        .where(Consent.account_id == account_id, Consent.withdrawn_at.is_(None))
        .order_by(Consent.given_at.desc())
        .limit(100)
    )
    return [(row.Consent, row.Client) for row in db.execute(wanted)]
