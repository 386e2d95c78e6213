"""A small real OpenID provider: authorization code with PKCE, refresh with rotation, keys."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from frontdoor.sessions import CLIENT_ID
from frontdoor.testing.running import SECRET
from frontdoor.testing.service import Received, Service, answer

LIN = "01890a5d-ac96-774b-bcce-b302099a8057"
SESSION = "01890a5d-ac96-774b-bcce-b302099a8058"


def new_key(kid: str) -> ECKey:
    """A signing key."""
    return ECKey.generate_key("P-256", parameters={"kid": kid, "use": "sig", "alg": "ES256"})


@dataclass
class Provider:
    """identity, as far as the gateway sees it.

    Args:
        issuer: set when the gateway's address is known.
        wall: seconds since 1970.
    """

    issuer: str = ""
    wall: Callable[[], float] = time.time
    keys: list[ECKey] = field(default_factory=lambda: [new_key("first")])
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refresh_tokens: set[str] = field(default_factory=set)
    token_requests: list[dict[str, str]] = field(default_factory=list)
    away: bool = False
    mandates: set[str] = field(default_factory=set)  # good ones, each for once
    acting: dict[str, Any] = field(default_factory=dict)  # claims of tokens to act with
    chains: dict[str, dict[str, Any]] = field(default_factory=dict)  # by refresh token

    def service(self) -> Service:
        """The provider as something that listens."""
        return Service(answering=self._answer)

    def token(self, **changes: Any) -> str:
        """An access token; ``changes`` replace claims, None removes one."""
        now = self.wall()
        claims = {
            "iss": self.issuer,
            "aud": "urn:jiuye:api",
            "sub": LIN,
            "sub_type": "person",
            "client_id": CLIENT_ID,
            "sid": SESSION,
            "jti": secrets.token_hex(8),
            "iat": int(now),
            "exp": int(now) + 300,
            "acr": "urn:gdhrss:ial:2",
        }
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self.keys[-1].kid}
        header |= changes.pop("header", {})
        header = {k: v for k, v in header.items() if v is not None}
        key = changes.pop("key", self.keys[-1])
        claims = {k: v for k, v in (claims | changes).items() if v is not None}
        return jwt.encode(header, claims, key)

    def id_token(self, nonce: str) -> str:
        """An id token."""
        now = int(self.wall())
        claims = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": LIN, "sid": SESSION, "nonce": nonce,
            "iat": now, "exp": now + 300,
        }  # fmt: skip
        header = {"alg": "ES256", "kid": self.keys[-1].kid}
        return jwt.encode(header, claims, self.keys[-1])

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(request.target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if self.away:
            writer.close()
        elif parts.path == "/identity/jwks.json":
            keys = KeySet(list(self.keys)).as_dict(private=False)
            writer.write(answer(orjson.dumps(keys)))
        elif parts.path == "/identity/authorize":
            writer.write(answer(status="302 Found", fields=self._authorize(query)))
        elif parts.path == "/identity/token":
            status, body = self._token(request)
            writer.write(answer(orjson.dumps(body), status=status))
        else:
            writer.write(answer(b"identity"))

    def _authorize(self, query: dict[str, str]) -> str:
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer}
        return f"Location: {query['redirect_uri']}?{urlencode(back)}\r\n"

    def _token(self, request: Received) -> tuple[str, dict[str, Any]]:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.token_requests.append(form)
        basic = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
        if request.one("authorization") != f"Basic {basic}":
            return "401 Unauthorized", {"error": "invalid_client"}
        nonce, claims = "", {}
        if form["grant_type"] == "client_credentials":
            system = {"sub": CLIENT_ID, "sub_type": "system", "sid": None, "scope": form["scope"]}
            token = self.token(**system)
            return "200 OK", {"access_token": token, "expires_in": 300, "token_type": "Bearer"}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return "400 Bad Request", {"error": "invalid_grant"}
            self.refresh_tokens.remove(form["refresh_token"])
            claims = self.chains.pop(form["refresh_token"], {})
        elif form["grant_type"] != "authorization_code":
            if form["subject_token"] not in self.mandates:
                return "400 Bad Request", {"error": "invalid_request"}
            self.mandates.remove(form["subject_token"])
            claims = self.acting
        else:
            asked = self.codes.pop(form["code"], None)
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            if asked is None or asked["code_challenge"] != challenge:
                return "400 Bad Request", {"error": "invalid_grant"}
            nonce = asked["nonce"]
        refresh = secrets.token_urlsafe(32)
        self.refresh_tokens.add(refresh)
        self.chains[refresh] = claims
        body = {
            "access_token": self.token(**claims), "token_type": "Bearer", "expires_in": 300,
            "refresh_token": refresh, "id_token": self.id_token(nonce),
        }  # fmt: skip
        return "200 OK", body
