"""Which versions an account accepted."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.accounts import agreements
from identity.accounts.agreements import Agreement
from identity.accounts.model import Acceptance, Account
from identity.accounts.rules import Kind
from identity.agreements import rules


def list_acceptances(db: Session, account_id: str) -> list[Acceptance]:
    """Everything that was ever accepted, the newest first; there are never many."""
    wanted = select(Acceptance).where(Acceptance.account_id == account_id)
    return list(db.scalars(wanted.order_by(Acceptance.accepted_at.desc()).limit(200)))


def list_owed(db: Session, account: Account) -> list[Agreement]:
    """What the owner must accept before going on; officers sign elsewhere."""
    if account.kind is Kind.OFFICER:
        return []
    owed = rules.owed(list_acceptances(db, account.id), agreements.in_force())
    return [each for each in agreements.all_agreements() if each.name in owed]


def has_consent(db: Session, account_id: str, name: str) -> bool:
    """Did the person consent separately, to the version in force, and not take it back?"""
    wanted = agreements.find(name)
    if wanted is None:
        return False
    return rules.holds(list_acceptances(db, account_id), name, wanted.version)
