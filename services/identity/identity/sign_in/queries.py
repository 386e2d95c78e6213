"""What userinfo says, scope by scope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from identity.sign_in.sessions import Subject


def claims_of(subject: Subject, scopes: Sequence[str]) -> dict[str, Any]:
    """The standard claims, and ours for the document, as the granted scopes allow.

    Args:
        subject: whose session the token names; the person, never a unit.
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
    if "phone" in scopes:
        claims["phone_number"] = subject.account.phone.expose()
        claims["phone_number_verified"] = True
    return claims
