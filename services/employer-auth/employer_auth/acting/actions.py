"""Makes a mandate: the signed word that a person may act for a unit, for one minute, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwt
from sqlalchemy.orm import Session

from employer_auth.acting import rules
from employer_auth.bindings import queries as bindings
from employer_auth.bindings.model import Binding
from employer_auth.bindings.rules import BindingNotFound, NotBound, check_active
from employer_auth.grants.queries import mandated
from employer_auth.validity import is_over
from servicekit.applications import Actor
from servicekit.clock import shanghai_date
from servicekit.db import new_id
from servicekit.key_rings import SigningKey


@dataclass(frozen=True, slots=True)
class Mandate:
    """The JWT and when it is worth nothing any more."""

    mandate: str
    expires_at: datetime


def make_mandate(
    db: Session,
    *,
    unit_id: str,
    binding_id: str,
    actor: Actor,
    now: datetime,
    signer: SigningKey,
    issuer: str,
    audience: str,
) -> Mandate:
    """Sign what identity exchanges for an acting token (RFC 8693).

    Raises:
        BindingNotFound: no such binding of this person and this unit.
        NotBound, BindingSuspended: it does not work now.
    """
    binding = bindings.find_of_person(db, binding_id, actor)
    if binding.unit_id != unit_id:
        raise BindingNotFound
    check_active(binding.state, binding.suspended_for)
    if is_over(binding.valid_until, shanghai_date(now)):
        raise NotBound
    expires_at = now + rules.MANDATE_LASTS
    claims = _claims(db, binding, now) | {
        "iss": issuer,
        "aud": audience,
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
        "jti": new_id(),
    }
    header = {"alg": rules.ALGORITHM, "typ": rules.MANDATE_TYPE, "kid": signer.kid}
    return Mandate(jwt.encode(header, claims, signer, algorithms=[rules.ALGORITHM]), expires_at)


def _claims(db: Session, binding: Binding, now: datetime) -> dict[str, Any]:
    permissions, regions = mandated(db, binding, today=shanghai_date(now))
    claims: dict[str, Any] = {
        "sub": binding.unit_id,
        "may_act": {"sub": binding.person_id},
        "binding": binding.id,
        "bver": binding.version,
        "permissions": permissions,
    }
    if regions:
        claims["regions"] = regions
    return claims if binding.via is None else claims | {"via": binding.via}
