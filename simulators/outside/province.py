"""The province's unified identity: a real OpenID provider, on Authlib, in memory."""

import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from flask import request
from joserfc.jwk import KeySet, RSAKey

from outside.province_accounts import Accounts, Person

CLIENT_ID = "jiuye"
CALLBACK_PATH = "/identity/province/callback"
CODE_SECONDS = 60
TOKEN_SECONDS = 300
KEPT = 5_000
ACR = "urn:gd:trust:{}"
ACCOUNT_TYPES = {"person": "person", "unit": "corp"}


def issuer() -> str:
    """Where this is asked is what it is called; a simulator has no other address."""
    return f"{request.host_url}province"


@dataclass
class Client:
    """The one client: us, as the province registered us."""

    secret: str = field(repr=False)
    client_id: str = CLIENT_ID

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(s for s in scope.split() if s in {"openid", "profile"})

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        parts = urlsplit(redirect_uri)
        return parts.path == CALLBACK_PATH and not parts.query and not parts.fragment

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(self.secret, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code:
    """A code on its way."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    sub: str
    level: int
    auth_time: int
    expires_at: float

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> str:
        return ACR.format(self.level)

    def get_amr(self) -> list[str]:
        return ["pwd"]


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes in memory, spent once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]  # noqa: RUF012 - Authlib's way

    def save_authorization_code(self, code: str, asked: OAuth2Request) -> None:
        data = asked.payload.data
        province: Province = self.server
        person: Person = asked.user
        province.keep(
            Code(
                code=code,
                redirect_uri=asked.payload.redirect_uri,
                scope=asked.scope,
                nonce=data.get("nonce"),
                code_challenge=data.get("code_challenge", ""),
                code_challenge_method=data.get("code_challenge_method", ""),
                sub=person.sub,
                level=person.level,
                auth_time=int(time.time()),
                expires_at=time.time() + CODE_SECONDS,
            )
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        found: Code | None = self.server.take(code)
        return found if found is not None and found.expires_at > time.time() else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Taken when it was asked for: once is once."""

    def authenticate_user(self, authorization_code: Code) -> Person | None:
        found: Person | None = self.server.accounts.by_sub(authorization_code.sub)
        return found


class IdToken(OpenIDCode):  # type: ignore[misc]
    """RS256, with account type and level."""

    def __init__(self, province: "Province") -> None:
        super().__init__(require_nonce=True)
        self._province = province

    def exists_nonce(self, nonce: str, asked: OAuth2Request) -> bool:
        return False

    def resolve_client_private_key(self, client: Client) -> KeySet:
        return self._province.keys

    def get_client_algorithm(self, client: Client) -> str:
        return "RS256"

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        now = int(time.time())
        return {"iss": issuer(), "iat": now, "exp": now + TOKEN_SECONDS}

    def generate_user_info(self, user: Person, scope: str) -> UserInfo:
        kind = ACCOUNT_TYPES[user.kind]
        return UserInfo(sub=user.sub, account_type=kind, level=user.level)


class Province(AuthorizationServer):  # type: ignore[misc]
    """The provider and what it remembers."""

    def __init__(self, client_secret: str) -> None:
        """Make a key and know the client."""
        super().__init__()
        self.accounts = Accounts()
        self.client = Client(client_secret)
        self._keys: KeySet | None = None
        self._codes: dict[str, Code] = {}
        self._tokens: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self.scopes_supported = ["openid", "profile"]
        self.register_grant(CodeGrant, [CodeChallenge(required=True), IdToken(self)])
        self.register_token_generator("default", self._new_token)

    @property
    def keys(self) -> KeySet:
        """The signing key, made when first needed."""
        with self._lock:
            if self._keys is None:
                key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
                self._keys = KeySet([key])
            return self._keys

    def query_client(self, client_id: str) -> Client | None:
        """Us or nobody."""
        return self.client if client_id == CLIENT_ID else None

    def save_token(self, token: dict[str, Any], asked: OAuth2Request) -> None:
        """Remember whose it is, for userinfo."""
        with self._lock:
            _bound(self._tokens)
            until = time.time() + TOKEN_SECONDS
            self._tokens[token["access_token"]] = (asked.user.sub, until)

    def person_of(self, token: str) -> Person | None:
        """Whose access token this is."""
        with self._lock:
            sub, until = self._tokens.get(token, ("", 0.0))
        return self.accounts.by_sub(sub) if until > time.time() else None

    def keep(self, code: Code) -> None:
        """Remember a code."""
        with self._lock:
            _bound(self._codes)
            self._codes[code.code] = code

    def take(self, code: str) -> Code | None:
        """Forget a code and tell what it was."""
        with self._lock:
            return self._codes.pop(code, None)

    def _new_token(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {
            "token_type": "Bearer",
            "access_token": secrets.token_urlsafe(32),
            "expires_in": TOKEN_SECONDS,
            "scope": "openid profile",
        }


def _bound(kept: dict[str, Any]) -> None:
    while len(kept) >= KEPT:
        del kept[next(iter(kept))]
