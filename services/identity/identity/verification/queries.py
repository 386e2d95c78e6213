"""What was proved about an account."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.verification import rules
from identity.verification.model import Evidence
from identity.verification.rules import Channel


def list_evidence(db: Session, account_id: str) -> list[Evidence]:
    """Everything that was ever proved, the newest first; there are never many."""
    wanted = select(Evidence).where(Evidence.account_id == account_id)
    return list(db.scalars(wanted.order_by(Evidence.verified_at.desc()).limit(200)))


def list_valid(
    db: Session, account_id: str, *, channels: Collection[Channel] = (), now: datetime
) -> list[Evidence]:
    """What still holds, of some channels or of all."""
    return [
        each
        for each in list_evidence(db, account_id)
        if rules.is_valid(each, now=now) and (not channels or each.channel in channels)
    ]
