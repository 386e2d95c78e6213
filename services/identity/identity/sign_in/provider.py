"""The OpenID provider: Authlib's server with our clients, grants and endpoints."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload, FlaskOAuth2Request
from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oidc.rpinitiated import EndSessionEndpoint
from flask import Request, g, request
from joserfc.jwk import KeySet
from sqlalchemy.orm import Session

from identity.sign_in import exchange, grants, rules, sessions, store, tokens
from identity.sign_in.client_model import Client
from identity.sign_in.keys import ALGORITHMS, KeyRing
from identity.sign_in.mandates import MandateReader
from identity.sign_in.model import SignInSession
from identity.sign_in.rules import EndReason


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """A registered client in the words Authlib asks with."""

    row: Client

    @property
    def client_id(self) -> str:
        return self.row.client_id

    @property
    def id_token_signed_response_alg(self) -> str:
        return self.row.id_token_alg

    @property
    def client_metadata(self) -> dict[str, Any]:
        return {"post_logout_redirect_uris": list(self.row.post_logout_redirect_uris)}

    def get_client_id(self) -> str:
        return self.row.client_id

    def get_default_redirect_uri(self) -> str | None:
        return None  # always asked for: what is left out cannot be compared

    def get_allowed_scope(self, scope: str | None) -> str:
        allowed = [s for s in self.row.scopes if s in rules.TOKEN_SCOPES]
        return rules.granted_scopes(scope, allowed)

    @property
    def system_scopes(self) -> list[str]:
        return [s for s in self.row.scopes if s in rules.SYSTEM_SCOPES]

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.row.redirect_uris  # exactly (RFC 9700 2.1)

    def check_client_secret(self, client_secret: str) -> bool:
        kept = self.row.secret_hash
        return kept is not None and hmac.compare_digest(kept, rules.hash_secret(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self.row.auth_methods

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.row.grant_types


class ProviderRequest(FlaskOAuth2Request):  # type: ignore[misc]
    """A request as the public sees it: behind the gateway the transport is the gateway's."""

    def __init__(self, flask_request: Request, public_url: str) -> None:
        OAuth2Request.__init__(
            self,
            method=flask_request.method,
            uri=public_url + flask_request.full_path,
            headers=flask_request.headers,
        )
        self._request = flask_request
        self.payload = FlaskOAuth2Payload(flask_request)


class Provider(AuthorizationServer):  # type: ignore[misc]
    """One per application; the request's transaction is lent to it by :meth:`using`.

    Args:
        issuer: the public address of this service.
        public_url: the public address of the gateway.
        keys: the signing keys.
        mandates: reads what employer-auth signed.
        now: the clock.
    """

    def __init__(
        self,
        *,
        issuer: str,
        public_url: str,
        keys: KeyRing,
        mandates: MandateReader,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__()
        self.scopes_supported = list(rules.TOKEN_SCOPES)
        self.issuer = issuer
        self.keys = keys
        self.mandates = mandates
        self.now = now
        self._public_url = public_url
        self.register_token_generator("default", tokens.AccessTokens(issuer, keys, now))
        with_id = tokens.id_tokens(tokens.CodeIdTokens, issuer, keys, now)
        self.register_grant(grants.CodeGrant, [grants.AlwaysPkce(), with_id])
        again = tokens.id_tokens(tokens.IdTokens, issuer, keys, now)
        self.register_grant(grants.RefreshGrant, [again])
        self.register_grant(grants.SystemGrant)
        self.register_grant(exchange.ExchangeGrant)
        self.register_endpoint(Revocation(self))
        self.register_endpoint(EndSession(self))

    def using(self, db: Session) -> Provider:
        """Work in this transaction until the request ends."""
        g.identity_db = db
        return self

    @property
    def db(self) -> Session:
        """The request's transaction."""
        db: Session = g.identity_db
        return db

    def query_client(self, client_id: str) -> ClientFacts | None:
        """The client, or None."""
        row = self.db.get(Client, client_id)
        return None if row is None else ClientFacts(row)

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Access tokens are not kept; the grants keep the refresh tokens."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, ignored: object) -> ProviderRequest:
        """The request being answered."""
        return ProviderRequest(request, self._public_url)


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009: a refresh token ends its family; an access token ends its session."""

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
        session = self.server.db.get(SignInSession, token.claims["sid"])
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
