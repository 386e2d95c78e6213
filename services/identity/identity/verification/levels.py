"""Levels follow the evidence: added, revoked, lapsed; every change is announced."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from identity.accounts.model import Account
from identity.events import FACTS, AccountVerified, LevelChanged
from identity.messages import actions as messages
from identity.verification import queries, rules
from identity.verification.model import Evidence
from identity.verification.rules import Channel
from servicekit.db import new_id
from servicekit.outbox import announce
from servicekit.personal import PersonalText


@dataclass(frozen=True, slots=True)
class Found:
    """What a channel proved, as it is kept."""

    channel: Channel
    provider: str
    reference: str
    answer_hash: bytes
    level: int | None = None  # where the channel states one; else what the channel is worth
    expires_at: datetime | None = None
    masked: dict[str, str] = field(default_factory=dict, repr=False)
    recorded_by: str | None = None


def add_evidence(db: Session, account: Account, found: Found, *, now: datetime) -> Evidence:
    """Keep what was proved; the level follows and is announced (ID-07).

    What the province or a certificate said before is replaced by what it says now, so a level
    that is lower at the province today is lower here too.
    """
    effect = rules.effect_of(found.channel, account.kind)
    evidence = Evidence(
        id=new_id(),
        account_id=account.id,
        channel=found.channel,
        scale=effect.scale,
        level=effect.level if found.level is None else found.level,
        provider=found.provider,
        reference=found.reference,
        answer_hash=found.answer_hash,
        masked=PersonalText(json.dumps(found.masked, ensure_ascii=False)),
        recorded_by=found.recorded_by,
        verified_at=now,
        expires_at=found.expires_at,
    )
    for old in queries.list_valid(db, account.id, channels=(found.channel,), now=now):
        old.revoked_at, old.revoked_for = now, "replaced"
    db.add(evidence)
    db.flush()
    before = account.level
    recompute(db, account, now=now)
    if account.level > before:
        verified = FACTS.of(
            AccountVerified,
            subject=account.id,
            now=now,
            account_id=account.id,
            level=account.level,
            channel=found.channel,
        )
        announce(db, verified)
    return evidence


def revoke(
    db: Session,
    account: Account,
    *,
    reason: str,
    now: datetime,
    evidence_id: str | None = None,
    channels: Collection[Channel] = (),
) -> None:
    """Take evidence back, one piece or all of some channels; the level falls at once.

    Raises:
        NoEvidence: there is none that is valid.
    """
    valid = queries.list_valid(db, account.id, channels=channels, now=now)
    found = [e for e in valid if evidence_id in (None, e.id)]
    if not found:
        raise rules.NoEvidence
    for each in found:
        each.revoked_at, each.revoked_for = now, reason
    db.flush()
    recompute(db, account, now=now)


def recompute(db: Session, account: Account, *, now: datetime) -> None:
    """Set the level to what the evidence says, and announce rise and fall."""
    scale = rules.OWN_SCALE.get(account.kind)
    if scale is None:
        return  # an officer has no level; the second factor speaks for the login
    before = account.level
    level = rules.level_of(queries.list_evidence(db, account.id), scale, now=now)
    if level == before:
        return  # nothing to announce: evidence was added or lost below the highest
    account.level = level
    account.updated_at = now
    changed = FACTS.of(
        LevelChanged,
        subject=account.id,
        now=now,
        account_id=account.id,
        kind=account.kind,
        scale=scale,
        level=level,
        before=before,
    )
    announce(db, changed)
    if level < before:
        words = {"level": rules.LEVEL_NAMES[scale][level]}
        messages.tell(db, account.id, "level-fallen", words, subject=None, now=now)


def lapse(db: Session, *, now: datetime, most: int = 100) -> int:
    """Let levels fall whose evidence expired; a job's work.

    Returns: how many pieces of evidence lapsed.
    """
    expired = (
        select(Evidence)
        .where(
            Evidence.expires_at <= now,
            Evidence.revoked_at.is_(None),
            Evidence.lapsed_at.is_(None),
        )
        .order_by(Evidence.expires_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    found = list(db.scalars(expired))
    for each in found:
        each.lapsed_at = now
    db.flush()
    for account_id in dict.fromkeys(each.account_id for each in found):
        recompute(db, db.get_one(Account, account_id), now=now)
    return len(found)
