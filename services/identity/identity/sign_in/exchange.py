"""Token exchange (RFC 8693): a person's token and a mandate become a token to act for a unit."""

from __future__ import annotations

from typing import Any, Final

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from identity.accounts.rules import Kind
from identity.sign_in import mandates, rules, sessions, store, tokens
from identity.sign_in.acting import MandateRefused
from identity.sign_in.grants import AUTH_METHODS, ProvenClient
from identity.sign_in.sessions import Subject
from servicekit.db import new_id

JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type
_ONCE: Final = (
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "scope",
)


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]
    """RFC 8693, 2.2.2: a token for somebody else is not to be had here."""

    error = "invalid_target"


class ExchangeGrant(ProvenClient, BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """subject_token is the mandate, actor_token the person's own access token."""

    GRANT_TYPE = rules.TOKEN_EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def validate_token_request(self) -> None:
        """Check client and form; RFC 8693 answers ``invalid_request`` to a bad token too."""
        client = self.authenticate_token_endpoint_client()
        self.request.client = client
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("The client may not exchange tokens.")
        form = self.request.form
        if any(len(form.getlist(name)) > 1 for name in _ONCE):
            raise InvalidRequestError("A parameter is given twice.")
        if form.get("subject_token_type") != JWT or not form.get("subject_token"):
            raise InvalidRequestError("'subject_token' is a mandate, of type jwt.")
        if form.get("actor_token_type") != ACCESS_TOKEN or not form.get("actor_token"):
            raise InvalidRequestError("'actor_token' is the person's access token.")
        if form.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
            raise InvalidRequestError("Only access tokens are issued.")
        if form.get("resource") or form.get("audience", rules.AUDIENCE) != rules.AUDIENCE:
            raise InvalidTargetError("Tokens are for this suite's services only.")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Redeem the mandate; the answer begins a refresh chain of its own."""
        server, db = self.server, self.server.db
        person, scope = self._actor()
        try:
            mandate = server.mandates.read(self.request.form["subject_token"], now=server.now())
            subject = mandates.redeem(db, mandate, person, now=server.now())
        except MandateRefused as refusal:
            raise InvalidRequestError(str(refusal)) from None
        self.request.user = subject
        token: dict[str, Any] = self.generate_token(
            user=subject, scope=scope, include_refresh_token=False
        )
        token["issued_token_type"] = ACCESS_TOKEN
        if self.client.check_grant_type("refresh_token"):
            token["refresh_token"] = store.begin_chain(
                db,
                family_id=new_id(),
                client_id=self.client.client_id,
                subject=subject,
                scope=scope,
                dpop_thumbprint=self._bound_to(),
                now=server.now(),
            )
        return 200, token, self.TOKEN_RESPONSE_HEADER

    def _actor(self) -> tuple[Subject, str]:
        """The person whose access token came with it, and the scope it may hand on."""
        server = self.server
        claims = tokens.read_access_token(
            self.request.form["actor_token"],
            issuer=server.issuer,
            keys=server.keys,
            now=server.now(),
        )
        if claims is None or claims.get("client_id") != self.client.client_id:
            raise InvalidRequestError("The actor token is not good, or not this client's.")
        if claims.get("act") or claims.get("sub_type") != Kind.PERSON:
            raise InvalidRequestError("Who acts for a unit already hands nothing on.")
        bound = (claims.get("cnf") or {}).get("jkt")
        if bound is not None and bound != server.thumbprint:
            raise InvalidRequestError("The actor token is bound to another key.")
        subject = sessions.by_id(server.db, str(claims.get("sid")), now=server.now())
        if subject is None or subject.account.id != claims.get("sub"):
            raise InvalidRequestError("The actor's session has ended.")
        had = str(claims.get("scope", "")).split()
        asked = (self.request.payload.scope or "").split()
        if not set(asked) <= set(had):
            raise InvalidScopeError
        return subject, " ".join(asked or had)
