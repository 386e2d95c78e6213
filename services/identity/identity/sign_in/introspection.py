"""What a token is worth at this moment (RFC 7662): for its own client, and for resource servers."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from identity.sign_in import mandates, replays, sessions, store, tokens
from identity.sign_in.acting import Acting, MandateRefused
from identity.sign_in.client_facts import ClientFacts
from identity.sign_in.provider import REVOKED, Provider
from identity.sign_in.sessions import Subject

INACTIVE: dict[str, Any] = {"active": False}


def describe(provider: Provider, db: Session, text: str, client: ClientFacts) -> dict[str, Any]:
    """Every claim of a token that holds; of any other only that it does not.

    A client learns about its own tokens; about others' only when it was registered to.
    """
    now = provider.now()
    claims = tokens.read_access_token(text, issuer=provider.issuer, keys=provider.keys, now=now)
    if claims is not None:
        return _access(provider, db, claims, client)
    row = store.find_refresh(db, text)
    if row is None or row.client_id != client.client_id:
        return INACTIVE
    subject = sessions.by_id(db, row.session_id, now=now)
    used_up = row.used_at is not None or row.revoked_at is not None or row.expires_at <= now
    if used_up or subject is None or not _may_act(db, row.acting, subject):
        return INACTIVE
    return {
        "active": True,
        "client_id": row.client_id,
        "scope": row.scope,
        "sub": provider.subjects.subject(client, subject.account.id),
        "iss": provider.issuer,
        "iat": int(row.created_at.timestamp()),
        "exp": int(row.expires_at.timestamp()),
    }


def is_revoked(db: Session, claims: dict[str, Any]) -> bool:
    """Was this very access token taken back?"""
    return replays.is_used(db, REVOKED, "", str(claims.get("jti")))


def _access(
    provider: Provider, db: Session, claims: dict[str, Any], client: ClientFacts
) -> dict[str, Any]:
    if claims.get("client_id") != client.client_id and not client.row.introspects:
        return INACTIVE
    issued_to = provider.query_client(str(claims.get("client_id")))
    if issued_to is None or is_revoked(db, claims):
        return INACTIVE
    if claims.get("sub_type") != "system":
        subject = sessions.by_id(db, provider.session_of(claims), now=provider.now())
        if subject is None or not _holds(db, claims, subject):
            return INACTIVE
    kind = "DPoP" if "cnf" in claims else "Bearer"
    said = {name: value for name, value in claims.items() if name != "ref"}
    return {"active": True, "token_type": kind, **said}


def _holds(db: Session, claims: dict[str, Any], subject: Subject) -> bool:
    """Is the level still what the token says, and the binding?"""
    if "act" not in claims:
        return bool(claims.get("acr", "") <= subject.acr)
    acting = Acting(
        unit=claims["sub"],
        person=claims["act"]["sub"],
        binding=claims["binding"],
        version=claims["bver"],
        agency=(claims["act"].get("act") or {}).get("sub"),
    )
    return _may_act(db, acting.as_json(), subject)


def _may_act(db: Session, acting: dict[str, Any] | None, subject: Subject) -> bool:
    if acting is None:
        return True
    try:
        mandates.in_force(db, Acting.of_json(acting), subject)
    except MandateRefused:
        return False
    return True
