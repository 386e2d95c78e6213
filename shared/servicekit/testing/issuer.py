"""A small OpenID issuer for tests: a real HTTP server with keys and userinfo, signing any token."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from servicekit.clock import Clock, SystemClock
from servicekit.columns import new_id

AUDIENCE = "urn:jiuye:api"
LIFE_SECONDS = 300
SCOPES = "openid profile phone real_name"
# Which scope lets which claim out at userinfo.
_CLAIMS_OF = {
    "profile": ("name", "birthdate", "gender"),
    "phone": ("phone_number", "phone_number_verified"),
    "real_name": ("document_type", "document_number"),
}


@cache
def _key(name: str) -> ECKey:
    """One key per name and test session; making them is slow."""
    return ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True)


@dataclass
class Issuer:
    """Signs tokens as identity does, and answers for them.

    Args:
        public_url: the suite's address; ``iss`` is ``{public_url}/identity``.
        url: where the server listens, as a service's ``identity_url``; empty without a server.
    """

    clock: Clock = field(default_factory=SystemClock)
    public_url: str = "http://127.0.0.1:8080"
    url: str = ""
    down: bool = False
    requests: list[str] = field(default_factory=list)
    key: ECKey = field(default_factory=lambda: _key("first"))
    _people: dict[str, dict[str, Any]] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)

    @property
    def issuer(self) -> str:
        """``iss`` of every token."""
        return f"{self.public_url}/identity"

    def token(
        self,
        kind: Literal["person", "unit", "officer", "system"] = "person",
        *,
        sub: str | None = None,
        level: int = 2,
        region: str | None = None,
        roles: Iterable[str] = (),
        businesses: Iterable[str] = (),
        acting: str | None = None,
        permissions: Iterable[str] = (),
        via: str | None = None,
        sid: str | None = None,
        scope: str = SCOPES,
        expires_in: int = LIFE_SECONDS,
        **claims: Any,
    ) -> str:
        """A good token, as identity would sign it.

        Args:
            level: of the person, or of the unit on the province's own scale.
            acting: the person of 二级 who acts for the unit ``sub``.
            permissions: what the binding grants, ``<business>:<action>``.
            via: the agency between unit and person, for a chain mandate.
            claims: further ones, or others in place of the usual; None leaves one out.
        """
        now = int(self.clock.now().timestamp())
        values: dict[str, Any] = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": sub or new_id(),
            "sub_type": kind,
            "client_id": "jiuye-gateway",
            "scope": scope,
            "sid": sid or new_id(),
            "jti": new_id(),
            "iat": now,
            "exp": now + expires_in,
            "auth_time": now,
            "acr": _acr(kind, level),
            "amr": ["pwd", "otp"] if kind == "officer" else ["pwd"],
        }
        if kind == "officer":
            values |= {"roles": list(roles), "region": region, "businesses": list(businesses)}
        if acting is not None:
            values |= _acting(acting, via) | {"permissions": list(permissions)}
        values |= claims
        return self.sign({name: value for name, value in values.items() if value is not None})

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        """Sign any claims with this issuer's key; ``header`` replaces what is usual there."""
        usual = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.thumbprint()}
        return _sign({**usual, **header}, claims, self.key)

    def expired(self, **how: Any) -> str:
        """Good until a second ago."""
        return self.token(expires_in=-1, **how)

    def foreign(self, **how: Any) -> str:
        """The same claims under the same key id, signed by a stranger."""
        values = jwt.decode(self.token(**how), self.key, algorithms=["ES256"]).claims
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self.key.thumbprint()}
        return _sign(header, values, _key("stranger"))

    def tampered(self, **how: Any) -> str:
        """One claim changed after the signature: the account of somebody else."""
        ours, theirs = self.token(**how).split("."), self.token().split(".")
        return ".".join((ours[0], theirs[1], ours[2]))

    def rotate(self, name: str = "second") -> None:
        """Sign with another key from now on; the JWKS holds it alone."""
        self.key = _key(name)

    def know(self, sub: str, **claims: Any) -> None:
        """What userinfo says of a person: name, document_type, document_number, birthdate …"""
        self._people[sub] = claims

    def end_session(self, sid: str) -> None:
        """Userinfo refuses this session's tokens from now on."""
        self._ended.add(sid)

    def jwks(self) -> dict[str, Any]:
        """The public keys."""
        public = self.key.as_dict(private=False) | {"kid": self.key.thumbprint()}
        return {"keys": [public]}

    def userinfo(self, authorization: str) -> dict[str, Any] | None:
        """The claims the token's scopes let out; None when the token is not good."""
        try:
            text = authorization.partition(" ")[2]
            values = jwt.decode(text, KeySet([self.key]), algorithms=["ES256"]).claims
        except Exception:  # whatever is wrong with it, the answer is 401
            return None
        if values["exp"] <= self.clock.now().timestamp() or values["sid"] in self._ended:
            return None
        sub = values.get("act", {}).get("sub", values["sub"])
        known = self._people.get(sub, {})
        allowed = {n for s in str(values["scope"]).split() for n in _CLAIMS_OF.get(s, ())}
        return {"sub": sub, **{n: v for n, v in known.items() if n in allowed}}


@contextmanager
def serve(issuer: Issuer, port: int = 0) -> Iterator[Issuer]:
    """Listen on a port of this machine, a free one unless given; ``issuer.url`` says which."""

    class Handler(_Handler):
        asked = issuer

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="issuer")
    thread.start()
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    asked: Issuer

    def do_GET(self) -> None:
        self.asked.requests.append(self.path)
        if self.asked.down:
            self._answer(503, {})
        elif self.path == "/identity/jwks.json":
            self._answer(200, self.asked.jwks())
        elif self.path == "/identity/userinfo":
            found = self.asked.userinfo(self.headers.get("Authorization", ""))
            self._answer(401 if found is None else 200, found or {"error": "invalid_token"})
        else:
            self._answer(404, {})

    def _answer(self, status: int, document: Mapping[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Tests read ``requests``."""


def _acr(kind: str, level: int) -> str:
    if kind == "officer":
        return "urn:gdhrss:aal:2"
    return f"urn:gdprov:ial:{level}" if kind == "unit" else f"urn:gdhrss:ial:{level}"


def _acting(person: str, agency: str | None) -> dict[str, Any]:
    act: dict[str, Any] = {"sub": person, "acr": "urn:gdhrss:ial:2"}
    if agency is not None:
        act["act"] = {"sub": agency}
    return {"act": act, "binding": new_id(), "bver": 1}


def _sign(header: dict[str, Any], claims: Mapping[str, Any], key: ECKey | RSAKey) -> str:
    return jwt.encode(header, dict(claims), key, algorithms=[str(header["alg"])])
