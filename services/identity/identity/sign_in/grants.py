"""The code grant and the refresh grant, with PKCE for everyone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749 import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from sqlalchemy.orm import Session

from identity.sign_in import mandates, rules, sessions, store
from identity.sign_in.acting import Acting, MandateRefused
from identity.sign_in.model import AuthorizationCode, RefreshToken
from identity.sign_in.sessions import Subject

CONFIDENTIAL_METHODS: Final = ["private_key_jwt", "client_secret_basic", "client_secret_post"]
AUTH_METHODS: Final = [*CONFIDENTIAL_METHODS, "none"]
_LONGEST_NONCE: Final = 400


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """A code in the words Authlib asks with; the login's facts come from the session."""

    row: AuthorizationCode

    @property
    def code_challenge(self) -> str:
        return self.row.code_challenge

    @property
    def code_challenge_method(self) -> str:
        return "S256"

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri

    def get_scope(self) -> str:
        return self.row.scope

    def get_nonce(self) -> str | None:
        return self.row.nonce

    def get_auth_time(self) -> None:
        return None

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class RefreshFacts:
    """A refresh token in the words Authlib asks with."""

    row: RefreshToken

    def check_client(self, client: Any) -> bool:
        return bool(self.row.client_id == client.client_id)

    def get_scope(self) -> str:
        return self.row.scope


def acting_for(db: Session, row: AuthorizationCode | RefreshToken, subject: Subject) -> Subject:
    """The subject of a code or a refresh token: for its unit, while that holds (ID-41)."""
    if row.acting is None:
        return subject
    try:
        return mandates.in_force(db, Acting.of_json(row.acting), subject)
    except MandateRefused as refusal:
        raise InvalidGrantError(str(refusal)) from None


class ProvenClient:
    """A grant whose client has shown the DPoP proof it must show, before anything is used up."""

    server: Any

    def authenticate_token_endpoint_client(self) -> Any:
        """The client, and its proof where one is required (RFC 9449, 5)."""
        client = super().authenticate_token_endpoint_client()  # type: ignore[misc]
        if client.row.requires_dpop and self.server.thumbprint is None:
            raise InvalidDpopProofError("This client's tokens are bound to a key.")
        return client

    def _bound_to(self) -> str | None:
        """The key a refresh chain is bound to: a public client's, which has no other proof."""
        is_public = self.request.auth_method == "none"  # type: ignore[attr-defined]
        bound: str | None = self.server.thumbprint if is_public else None
        return bound


def check_bound(thumbprint: str | None, proved: str | None) -> None:
    """A code or a refresh token bound to a key is worth nothing without its proof."""
    if thumbprint is not None and thumbprint != proved:
        raise InvalidGrantError("It is bound to another key.")


class InvalidDpopProofError(OAuth2Error):  # type: ignore[misc]
    """RFC 9449, 5."""

    error = "invalid_dpop_proof"


class AlwaysPkce(CodeChallenge):  # type: ignore[misc]
    """S256 for confidential clients too, asked for at the authorization endpoint (ASVS 10.4.6).

    Authlib's own ``required=True`` looks only at public clients, and only when the code is spent.
    """

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - Authlib's name

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without a challenge, or with a plain one, or with a novel as nonce."""
        asked = grant.request.payload.data
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE with S256 is required", redirect_uri=redirect_uri)
        if len(asked.get("nonce", "")) > _LONGEST_NONCE:
            raise InvalidRequestError("'nonce' is too long", redirect_uri=redirect_uri)
        super().validate_code_challenge(grant, redirect_uri)


class CodeGrant(ProvenClient, AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes live a minute, are spent once, and are kept hashed."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def generate_authorization_code(self) -> str:
        """256 bits."""
        return rules.new_secret()

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        """Bind the code to client, address, challenge and session."""
        asked = request.payload.data
        self.server.db.add(
            AuthorizationCode(
                code_hash=rules.hash_secret(code),
                client_id=request.client.client_id,
                session_id=request.user.session.id,
                acting=request.user.acting.as_json() if request.user.acting else None,
                redirect_uri=request.payload.redirect_uri,
                scope=request.scope,
                nonce=asked.get("nonce"),
                code_challenge=asked["code_challenge"],
                dpop_thumbprint=asked.get("dpop_jkt"),
                expires_at=self.server.now() + rules.CODE_LIFE,
            )
        )

    def query_authorization_code(self, code: str, client: Any) -> CodeFacts | None:
        """The code, if it is this client's."""
        now = self.server.now()
        row = store.find_code(self.server.db, code, client_id=client.client_id, now=now)
        if row is None:
            return None
        check_bound(row.dpop_thumbprint, self.server.thumbprint)
        return CodeFacts(row)

    def authenticate_user(self, authorization_code: CodeFacts) -> Subject | None:
        """Spend the code: by now client, address and verifier were found right."""
        now, db = self.server.now(), self.server.db
        if not store.use_code(db, authorization_code.row, now=now):
            return None
        subject = sessions.by_id(db, authorization_code.row.session_id, now=now)
        return None if subject is None else acting_for(db, authorization_code.row, subject)

    def generate_token(self, user: Any = None, scope: Any = None, **options: Any) -> dict[str, Any]:
        """An access token, and the first link of a refresh chain."""
        wants_refresh = options.pop("include_refresh_token", False)
        token: dict[str, Any] = super().generate_token(
            user=user, scope=scope, include_refresh_token=False, **options
        )
        if wants_refresh:
            row = self.request.authorization_code.row
            token["refresh_token"] = store.begin_chain(
                self.server.db,
                family_id=row.family_id,
                client_id=row.client_id,
                subject=user,
                scope=row.scope,
                dpop_thumbprint=self._bound_to(),
                now=self.server.now(),
            )
        return token

    def delete_authorization_code(self, authorization_code: CodeFacts) -> None:
        """Kept until it can no longer be replayed."""


class RefreshGrant(ProvenClient, RefreshTokenGrant):  # type: ignore[misc]
    """Rotation by one conditional update, with a grace for lost answers."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshFacts | None:
        """Look the token up; whether it may still be used is decided when it is used."""
        row = store.find_refresh(self.server.db, refresh_token)
        if row is None:
            return None
        check_bound(row.dpop_thumbprint, self.server.thumbprint)
        return RefreshFacts(row)

    def authenticate_user(self, refresh_token: RefreshFacts) -> Subject:
        """Who it is now: an ended session or a locked account refreshes nothing."""
        now, db = self.server.now(), self.server.db
        subject = sessions.by_id(db, refresh_token.row.session_id, now=now)
        if subject is None:
            raise InvalidGrantError("The session has ended.")
        return acting_for(db, refresh_token.row, subject)

    def issue_token(self, user: Subject, refresh_token: RefreshFacts) -> dict[str, Any]:
        """Rotate first, then sign."""
        successor = store.rotate(self.server.db, refresh_token.row, now=self.server.now())
        if successor is None:
            raise InvalidGrantError("The refresh token is no longer valid.")
        scope = self.request.payload.scope or refresh_token.row.scope
        token: dict[str, Any] = self.generate_token(
            user=user, scope=scope, include_refresh_token=False
        )
        token["refresh_token"] = successor
        return token

    def revoke_old_credential(self, refresh_token: RefreshFacts) -> None:
        """Done by the rotation itself."""


class SystemGrant(ProvenClient, ClientCredentialsGrant):  # type: ignore[misc]
    """A program's own token (RFC 6749, 4.4): for confidential clients, with their system scopes."""

    TOKEN_ENDPOINT_AUTH_METHODS = CONFIDENTIAL_METHODS

    def validate_requested_scope(self) -> None:
        """Only what the client was registered with; asked for nothing, it gets all of that."""
        asked = (self.request.payload.scope or "").split()
        allowed = self.request.client.system_scopes
        if not set(asked) <= set(allowed):
            raise InvalidScopeError
        self.request.scope = " ".join(dict.fromkeys(asked or allowed))

    def generate_token(self, **options: Any) -> dict[str, Any]:
        """The resolved scopes, not the asked ones."""
        options["scope"] = self.request.scope
        token: dict[str, Any] = super().generate_token(**options)
        return token
