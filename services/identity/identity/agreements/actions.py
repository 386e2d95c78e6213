"""Accept a version, give or take back a separate consent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from identity.accounts import agreements
from identity.accounts.model import Acceptance
from identity.agreements import rules


def accept(db: Session, account_id: str, name: str, version: str, *, now: datetime) -> None:
    """Accept what is in force; a second time changes nothing, after a withdrawal it counts anew.

    Raises:
        NoAgreement: there is none.
        OtherVersion: another version was read.
    """
    wanted = agreements.find(name)
    if wanted is None:
        raise rules.NoAgreement
    rules.check_version(version, wanted.version)
    keep(db, account_id, name, version, at=now)


def keep(db: Session, account_id: str, name: str, version: str, *, at: datetime) -> None:
    """Write down that a version was accepted, here or with something that was filed."""
    row = insert(Acceptance).values(
        account_id=account_id, agreement=name, version=version, accepted_at=at
    )
    anew = row.on_conflict_do_update(
        index_elements=[Acceptance.account_id, Acceptance.agreement, Acceptance.version],
        set_={"accepted_at": at, "withdrawn_at": None},
        where=Acceptance.withdrawn_at.is_not(None),
    )
    db.execute(anew)


def withdraw(db: Session, account_id: str, name: str, *, now: datetime) -> None:
    """Take a separate consent back; what was done on it stays done (个人信息保护法 15).

    Raises:
        NoAgreement: there is none.
        NeededForAccount: without it there is no account.
        NotGiven: it was not given, or was taken back before.
    """
    wanted = agreements.find(name)
    if wanted is None:
        raise rules.NoAgreement
    if wanted.needed:
        raise rules.NeededForAccount
    given = (
        Acceptance.account_id == account_id,
        Acceptance.agreement == name,
        Acceptance.withdrawn_at.is_(None),
    )
    taken = update(Acceptance).where(*given).values(withdrawn_at=now)
    if db.execute(taken.returning(Acceptance.version)).first() is None:
        raise rules.NotGiven
