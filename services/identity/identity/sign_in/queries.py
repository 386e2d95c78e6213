"""What userinfo says, scope by scope; and which logins and accounts ended lately."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from identity.sign_in.model import SignInSession
from identity.sign_in.sessions import Subject
from identity.verification.queries import list_valid
from identity.verification.rules import Scale
from servicekit.db import OUTBOX
from servicekit.revocations import KEPT

_CLOSING: Final = ("identity.account.locked.v1", "identity.account.cancelled.v1")
_LEVEL: Final = "identity.account.level-changed.v1"
_CLIENT: Final = "identity.client.suspended.v1"
_KEY: Final = "identity.signing-key.withdrawn.v1"
_HELD_UP: Final = timedelta(minutes=1)  # two clocks of ours never differ by more
_MOST: Final = 20_000
_PROVED: Final = 2  # 二级
PROVED_CLAIMS: Final = ("name", "birthdate", "document_type", "document_number")


def claims_of(
    db: Session, subject: Subject, scopes: Sequence[str], *, now: datetime
) -> dict[str, Any]:
    """The standard claims, and ours for the document, as the granted scopes allow.

    Args:
        subject: whose session the token names; the person, or a unit by its own password.
        scopes: of the access token.
    """
    claims: dict[str, Any] = {"sub": subject.account.id, "acr": subject.acr}
    person = subject.account.person
    if subject.officer is not None and "profile" in scopes:
        claims["name"] = subject.officer.name.expose()
    if person is not None and {"profile", "real_name"} & set(scopes):
        claims["name"] = person.name.expose()
        claims["birthdate"] = person.birth_date.expose()
        claims["gender"] = person.sex.expose()
    if person is not None and "real_name" in scopes:
        claims["document_type"] = person.document_type
        claims["document_number"] = person.document_number.expose()
        verified = _verified_claims(db, subject, claims, now=now)
        claims |= {} if verified is None else {"verified_claims": verified}
    if "phone" in scopes:
        claims["phone_number"] = subject.account.phone.expose()
        claims["phone_number_verified"] = True
    return claims


def _verified_claims(
    db: Session, subject: Subject, claims: dict[str, Any], *, now: datetime
) -> dict[str, Any] | None:
    """What was proved, by whom and when (OpenID Identity Assurance); None at 一级."""
    proofs = [e for e in list_valid(db, subject.account.id, now=now) if e.scale is Scale.HRSS]
    if not proofs or subject.account.level < _PROVED:
        return None
    evidence = [
        {
            "type": "electronic_record",
            "check_details": [
                {
                    "check_method": "data",
                    "organization": each.provider,
                    "txn": each.reference,
                    "time": each.verified_at.isoformat(),
                }
            ],
            "record": {"type": each.channel, "source": {"name": each.provider}},
        }
        for each in proofs
    ]
    return {
        "verification": {
            "trust_framework": "cn_hrss",
            "assurance_level": f"ial{subject.account.level}",
            "time": max(each.verified_at for each in proofs).isoformat(),
            "evidence": evidence,
        },
        "claims": {name: claims[name] for name in PROVED_CLAIMS if name in claims},
    }


def list_revocations(db: Session, since: datetime, *, now: datetime) -> dict[str, Any]:
    """Sessions, accounts, systems and keys whose tokens from before are worth nothing.

    The announced facts themselves are asked, so nothing is true here that was not told.

    Args:
        since: older than a quarter of an hour means a quarter of an hour: no token lives longer.
    """
    since = max(since, now - KEPT)
    ended = (
        select(SignInSession.id, SignInSession.ended_at)
        .where(SignInSession.ended_at >= since)
        .order_by(SignInSession.ended_at)
        .limit(_MOST)
    )
    told = (
        select(OUTBOX.c.type, OUTBOX.c.subject, OUTBOX.c.data, OUTBOX.c.time)
        .where(
            OUTBOX.c.type.in_((*_CLOSING, _LEVEL, _CLIENT, _KEY)),
            OUTBOX.c.time >= since,
            or_(OUTBOX.c.published_at.is_(None), OUTBOX.c.published_at >= since - _HELD_UP),
        )
        .order_by(OUTBOX.c.position)
        .limit(_MOST)
    )
    rows = db.execute(told).all()
    accounts = [
        {"account_id": row.subject, "at": row.time}
        for row in rows
        if row.type != _KEY and (row.type != _LEVEL or row.data["level"] < row.data["before"])
    ]
    keys = [{"kid": row.subject, "at": row.time} for row in rows if row.type == _KEY]
    sessions = [{"session_id": row.id, "at": row.ended_at} for row in db.execute(ended)]
    return {"now": now, "sessions": sessions, "accounts": accounts, "keys": keys}
