"""The OpenID provider: Authlib's server with our clients, grants and endpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload, FlaskOAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oidc.rpinitiated import EndSessionEndpoint
from flask import Request, g, request
from joserfc.jwk import KeySet
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from identity.sign_in import (
    client_assertions,
    exchange,
    grants,
    replays,
    rules,
    sessions,
    store,
    tokens,
)
from identity.sign_in.client_assertions import BadAssertion, ClientKeys
from identity.sign_in.client_facts import ClientFacts
from identity.sign_in.client_model import Client
from identity.sign_in.keys import ALGORITHMS
from identity.sign_in.mandates import MandateReader
from identity.sign_in.model import SignInSession
from identity.sign_in.rules import EndReason
from identity.sign_in.sessions import Subject
from identity.sign_in.subjects import Subjects
from servicekit.key_rings import KeyRing

REVOKED: Final = "revoked"  # kind of used token id: an access token taken back


@dataclass(frozen=True, slots=True)
class Ourselves:
    """identity as the client of another service."""

    sector: None = None

    def get_client_id(self) -> str:
        return "identity"


OURSELVES: Final = Ourselves()


class AskedPayload(OAuth2Payload):  # type: ignore[misc]
    """Parameters that are not the request's own: pushed ones."""

    def __init__(self, asked: MultiDict[str, str]) -> None:
        self._asked = asked

    @property
    def data(self) -> MultiDict[str, str]:
        return self._asked

    @property
    def datalist(self) -> dict[str, list[str]]:
        return {name: self._asked.getlist(name) for name in self._asked}


class ProviderRequest(FlaskOAuth2Request):  # type: ignore[misc]
    """A request as the public sees it: behind the gateway the transport is the gateway's."""

    def __init__(
        self, flask_request: Request, public_url: str, asked: MultiDict[str, str] | None
    ) -> None:
        OAuth2Request.__init__(
            self,
            method=flask_request.method,
            uri=public_url + flask_request.full_path,
            headers=flask_request.headers,
        )
        self._request = flask_request
        self.payload = FlaskOAuth2Payload(flask_request) if asked is None else AskedPayload(asked)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the provider stands on; made once.

    Args:
        issuer: the public address of this service.
        public_url: the public address of the gateway.
        keys: the signing keys.
        mandates: reads what employer-auth signed.
        client_keys: other systems' public keys.
        subjects: what people are called at other systems.
        now: the clock.
    """

    issuer: str
    public_url: str
    keys: KeyRing
    mandates: MandateReader
    client_keys: ClientKeys
    subjects: Subjects
    now: Callable[[], datetime]


class Provider(AuthorizationServer):  # type: ignore[misc]
    """One per application; the request's transaction is lent to it by :meth:`using`."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__()
        self.scopes_supported = list(rules.TOKEN_SCOPES)
        self.issuer, self.keys, self.now = around.issuer, around.keys, around.now
        self.mandates, self.subjects = around.mandates, around.subjects
        self._client_keys = around.client_keys
        self._public_url = around.public_url
        shared = (around.issuer, around.keys, around.subjects)
        signing = tokens.AccessTokens(*shared, lambda: self.thumbprint, around.now)
        self.register_token_generator("default", signing)
        self._signing = signing
        with_id = tokens.id_tokens(tokens.CodeIdTokens, *shared, around.now)
        self.register_grant(grants.CodeGrant, [grants.AlwaysPkce(), with_id])
        again = tokens.id_tokens(tokens.IdTokens, *shared, around.now)
        self.register_grant(grants.RefreshGrant, [again])
        self.register_grant(grants.SystemGrant)
        self.register_grant(exchange.ExchangeGrant)
        self.register_client_auth_method("private_key_jwt", self._by_assertion)
        self.register_endpoint(Revocation(self))
        self.register_endpoint(EndSession(self))

    def using(self, db: Session, asked: MultiDict[str, str] | None = None) -> Provider:
        """Work in this transaction until the request ends.

        Args:
            asked: an authorization request's parameters, where they were pushed.
        """
        g.identity_db, g.identity_asked = db, asked
        return self

    @property
    def db(self) -> Session:
        """The request's transaction."""
        db: Session = g.identity_db
        return db

    @property
    def thumbprint(self) -> str | None:
        """The key of the request's DPoP proof."""
        found: str | None = g.get("identity_thumbprint")
        return found

    def prove(self, thumbprint: str) -> None:
        """The request's sender holds this key: its tokens are bound to it."""
        g.identity_thumbprint = thumbprint

    def query_client(self, client_id: str) -> ClientFacts | None:
        """The client; None for a suspended one too."""
        row = self.db.get(Client, client_id)
        if row is None or row.suspended_at is not None:
            return None
        return ClientFacts(row, self.now())

    def authenticate_client(
        self, request: OAuth2Request, methods: list[str], endpoint: str = "token"
    ) -> ClientFacts:
        """By one method, not by several at once (RFC 6749, 2.3)."""
        form = request.form
        shown = (
            "Authorization" in request.headers,
            "client_secret" in form,
            "client_assertion" in form,
        )
        if sum(shown) > 1:
            raise InvalidRequestError("The client authenticates in more than one way.")
        client: ClientFacts = super().authenticate_client(request, methods, endpoint)
        return client

    def generate_token(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Tokens bound to a key say so (RFC 9449, 5)."""
        token: dict[str, Any] = super().generate_token(*args, **options)
        if self.thumbprint is not None:
            token["token_type"] = "DPoP"  # noqa: S105 - a type
        return token

    def token_for(self, subject: Subject) -> str:
        """A person's token for ourselves, to ask another service in the person's name."""
        return self._signing.sign(OURSELVES, "", subject, "")

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Access tokens are not kept; the grants keep the refresh tokens."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, ignored: object) -> ProviderRequest:
        """The request being answered."""
        return ProviderRequest(request, self._public_url, g.get("identity_asked"))

    def _by_assertion(self, query_client: Any, asking: OAuth2Request) -> ClientFacts | None:
        """private_key_jwt (RFC 7523); each assertion once."""
        form = asking.form
        if form.get("client_assertion_type") != client_assertions.TYPE:
            return None
        text = form.get("client_assertion", "")
        client_id = client_assertions.client_of(text)
        if client_id is None or form.get("client_id", client_id) != client_id:
            return None
        client: ClientFacts | None = query_client(client_id)
        if client is None:
            return None
        audiences = frozenset({self.issuer, f"{self.issuer}/token", f"{self.issuer}/par"})
        try:
            token_id, until = client_assertions.check(
                text, client.row, keys=self._client_keys, audiences=audiences, now=self.now()
            )
        except BadAssertion:
            return None
        fresh = replays.use(self.db, "assertion", client_id, token_id, until=until)
        return client if fresh else None

    def session_of(self, claims: dict[str, Any]) -> str:
        """The session an access token stands for, another system's too."""
        if "ref" in claims:
            return self.subjects.open(str(claims["ref"])) or ""
        return str(claims.get("sid", ""))


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009: a refresh token ends its family; our own clients' access token its session."""

    CLIENT_AUTH_METHODS = grants.AUTH_METHODS

    def query_token(self, token: str, hint: str | None) -> Any:
        """The client's own token, or nothing."""
        row = store.find_refresh(self.server.db, token)
        if row is not None:
            return grants.RefreshFacts(row)
        server = self.server
        claims = tokens.read_access_token(
            token, issuer=server.issuer, keys=server.keys, now=server.now()
        )
        return None if claims is None else _AccessToken(claims)

    def revoke_token(self, token: Any, request: OAuth2Request) -> None:
        """Revoke it, with what hangs on it."""
        now = self.server.now()
        if isinstance(token, grants.RefreshFacts):
            store.revoke_family(self.server.db, token.row.family_id, now=now)
            return
        if "ref" in token.claims:  # another system signs nobody out of ours
            until = now + rules.ACCESS_LIFE
            replays.use(self.server.db, REVOKED, "", token.claims["jti"], until=until)
            return
        session = self.server.db.get(SignInSession, str(token.claims.get("sid", "")))
        if session is not None:
            sessions.end(self.server.db, session, EndReason.LOGOUT, now=now)


@dataclass(frozen=True, slots=True)
class _AccessToken:
    claims: dict[str, Any]

    def check_client(self, client: ClientFacts) -> bool:
        return bool(self.claims.get("client_id") == client.client_id)


class EndSession(EndSessionEndpoint):  # type: ignore[misc]
    """RP-initiated logout: the id token says whose session ends, and where to go after."""

    def get_server_jwks(self) -> KeySet:
        """Our keys, retired ones too."""
        keys: KeySet = self.server.keys.public(now=self.server.now())
        return keys

    def get_algorithms(self) -> list[str]:
        """What we sign id tokens with."""
        return list(ALGORITHMS)

    def end_session(self, end_session_request: Any) -> None:
        """End the session the id token names; the page ends the cookie's own."""
        claims = end_session_request.id_token_claims or {}
        session = self.server.db.get(SignInSession, str(claims.get("sid", "")))
        if session is not None and session.account_id == claims.get("sub"):
            sessions.end(self.server.db, session, EndReason.LOGOUT, now=self.server.now())
