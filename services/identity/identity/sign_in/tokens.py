"""What stands in the tokens: access tokens for services, id tokens for clients."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oidc.core import OpenIDCode, OpenIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from identity.accounts.rules import Kind
from identity.sign_in import rules, sessions
from identity.sign_in.client_model import Client
from identity.sign_in.keys import ACCESS_ALGORITHM
from identity.sign_in.sessions import Subject
from identity.sign_in.subjects import Subjects
from servicekit.db import Database
from servicekit.key_rings import KeyRing
from servicekit.web.tokens import Claims

ACCESS_TYPE = "at+jwt"  # RFC 9068


class AccessTokens(BearerTokenGenerator):  # type: ignore[misc]
    """Signs RFC 9068 access tokens; refresh tokens are the grants' own business.

    Args:
        issuer: ``iss``.
        keys: who signs.
        subjects: what people are called at other systems.
        thumbprint: the key of the request's DPoP proof, if there is one.
        now: the clock.
    """

    def __init__(
        self,
        issuer: str,
        keys: KeyRing,
        subjects: Subjects,
        thumbprint: Callable[[], str | None],
        now: Callable[[], datetime],
    ) -> None:
        life = int(rules.ACCESS_LIFE.total_seconds())
        super().__init__(self.sign, None, lambda client, grant_type: life)
        self._issuer = issuer
        self._keys = keys
        self._subjects = subjects
        self._thumbprint = thumbprint
        self._now = now

    @staticmethod
    def get_allowed_scope(client: Any, scope: str | None) -> str:
        """What the grant has resolved already: people's and systems' scopes never mix."""
        return scope or ""

    def sign(self, client: Any, grant_type: str, user: Subject | None, scope: str) -> str:
        """One access token; ``kid`` is always written, verifiers hold several keys."""
        now = self._now()
        key = self._keys.signer(ACCESS_ALGORITHM, now=now)
        issued = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": rules.AUDIENCE,
            "client_id": client.get_client_id(),
            "scope": scope,
            "jti": secrets.token_urlsafe(16),
            "iat": issued,
            "exp": issued + int(rules.ACCESS_LIFE.total_seconds()),
            **self._subject(client, user),
        }
        thumbprint = self._thumbprint()
        if thumbprint is not None:
            claims["cnf"] = {"jkt": thumbprint}
        header = {"alg": ACCESS_ALGORITHM, "typ": ACCESS_TYPE, "kid": key.kid}
        return jwt.encode(header, claims, key, algorithms=[ACCESS_ALGORITHM])

    def _subject(self, client: Any, user: Subject | None) -> dict[str, Any]:
        if user is None:
            return system_claims(client)
        if client.sector is None:
            return subject_claims(user)
        # Another system's token is for userinfo alone, and its reader recognises nobody by it.
        return {
            **login_claims(user),
            "aud": self._issuer,
            "sub": self._subjects.subject(client, user.account.id),
            "sid": self._subjects.session(client, user.session.id),
            "ref": self._subjects.seal(user.session.id),
        }


def system_claims(client: Any) -> dict[str, Any]:
    """A program that asks on nobody's behalf: its scopes say what it may."""
    return {"sub": client.get_client_id(), "sub_type": "system"}


def subject_claims(user: Subject) -> dict[str, Any]:
    """Who it is, how well known, for whom; and for officers where and for what.

    Whoever acts for a unit is the actor; the unit is the subject, with its own level (RFC 8693).
    """
    claims = login_claims(user)
    if user.account.kind is Kind.OFFICER and user.officer is not None:
        claims["roles"] = list(user.officer.roles)
        claims["region"] = user.officer.region
        claims["businesses"] = list(user.officer.businesses)
    if user.acting is not None and user.unit is not None:
        actor: dict[str, Any] = {"sub": user.account.id, "acr": user.acr}
        if user.acting.agency is not None:
            actor["act"] = {"sub": user.acting.agency}
        claims |= {
            "sub": user.unit.id,
            "sub_type": str(user.unit.kind),
            "act": actor,
            "binding": user.acting.binding,
            "bver": user.acting.version,
            "permissions": list(user.acting.permissions),
            "acr": rules.unit_acr(user.unit.province_level),
        }
        if user.acting.regions:
            claims["regions"] = dict(user.acting.regions)
    if user.account.frozen_at is not None:
        claims["frozen"] = True  # EA-12: it reads, and does nothing
    unit = user.unit or user.account
    if unit.certificate_type is not None:
        claims["certificate_type"] = unit.certificate_type  # ID-26: what the unit registered by
    return claims


def login_claims(user: Subject) -> dict[str, Any]:
    """Who signed in, as id tokens say it: always the person, or a unit by its own password."""
    return {
        "sub": user.account.id,
        "sub_type": str(user.account.kind),
        "sid": user.session.id,
        "auth_time": user.auth_time,
        "acr": user.acr,
        "amr": list(user.session.amr),
    }


class IdTokens(OpenIDToken):  # type: ignore[misc]
    """Adds an id token to what a grant answers."""

    issuer: str
    keys: KeyRing
    subjects: Subjects
    now: Callable[[], datetime]

    def resolve_client_private_key(self, client: Any) -> Any:
        """The active key of the client's algorithm."""
        return self.keys.signer(client.id_token_signed_response_alg, now=self.now())

    def get_encode_header(self, client: Any) -> dict[str, str]:
        """Algorithm and ``kid``."""
        algorithm = client.id_token_signed_response_alg
        return {"alg": algorithm, "kid": self.keys.signer(algorithm, now=self.now()).kid}

    def get_compatible_claims(self, request: OAuth2Request) -> dict[str, Any]:
        """Issuer, audience and times; Authlib's own version reads the machine's clock."""
        issued = int(self.now().timestamp())
        client, user = request.client, request.user
        return {
            "iss": self.issuer,
            "aud": client.get_client_id(),
            "sub": self.subjects.subject(client, user.account.id),
            "sid": self.subjects.session(client, user.session.id),
            "iat": issued,
            "exp": issued + int(rules.ID_TOKEN_LIFE.total_seconds()),
        }

    def generate_user_info(self, user: Subject, scope: str) -> dict[str, Any]:
        """The person, never the data about the person: that is for userinfo alone."""
        known = login_claims(user)
        return {name: known[name] for name in ("auth_time", "acr", "amr")}


class CodeIdTokens(IdTokens, OpenIDCode):  # type: ignore[misc]
    """The same for the code grant, with the nonce of the request."""

    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
        """A nonce is the client's own defence; the code's single use is ours."""
        return False


def id_tokens(
    kind: type[IdTokens],
    issuer: str,
    keys: KeyRing,
    subjects: Subjects,
    now: Callable[[], datetime],
) -> IdTokens:
    """An extension for one grant."""
    made = kind()
    made.issuer, made.keys, made.subjects, made.now = issuer, keys, subjects, now
    return made


def read_access_token(
    token: str, *, issuer: str, keys: KeyRing, now: datetime
) -> dict[str, Any] | None:
    """The claims of an access token of ours; None for anything else, whatever it is.

    Its audience is our services, or ourselves alone: then it is another system's, for userinfo.
    """
    try:
        decoded = jwt.decode(token, keys.public(now=now), algorithms=[ACCESS_ALGORITHM])
    except (JoseError, ValueError):
        return None
    claims = decoded.claims
    fits = (
        decoded.header.get("typ") == ACCESS_TYPE
        and claims.get("iss") == issuer
        and claims.get("aud") in (rules.AUDIENCE, issuer)
        and isinstance(claims.get("exp"), int)
        and claims["exp"] > now.timestamp()
    )
    return dict(claims) if fits else None


class OwnKeys:
    """Our keys, for the kit's verifier: a service that is the issuer asks nobody else."""

    def __init__(self, keys: KeyRing, now: Callable[[], datetime]) -> None:
        self._keys = keys
        self._now = now

    def find(self, kid: str) -> ECKey | RSAKey | None:
        """The public key of that id; None when there is none."""
        for key in self._keys.public(now=self._now()):
            if key.kid == kid and isinstance(key, ECKey | RSAKey):
                return key
        return None


class OwnSessions:
    """Our sessions, for the kit's verifier: an ended one is worth nothing here at once (ID-43).

    A system's token names no session; it ends with its client, or while that is suspended.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def has_ended(self, claims: Claims) -> bool:
        """Has the session ended, or is its account locked?"""
        with self._database.reading() as db:
            if claims.kind == "system":
                client = db.get(Client, claims.client_id)
                return client is None or client.suspended_at is not None
            return sessions.has_ended(db, claims.session_id, now=self._now())
