"""Checks access tokens (RFC 9068) by identity's keys, each token once."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from frontdoor.identity_client import IdentityClient, IdentityUnavailable
from frontdoor.revocations import Revocations

log = structlog.get_logger(__name__)

ALGORITHMS: Final = ["ES256", "RS256"]
LEEWAY: Final = 60.0  # of other machines' clocks, for tokens from the future
MOST_KNOWN: Final = 10_000  # twice that many tokens are held
LONGEST_TOKEN: Final = 6 << 10
KEYS_PAUSE: Final = 10.0  # between two looks for an unknown key
KEYS_AGE: Final = 300.0

_COMPACT: Final = re.compile(rb"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class BadToken(Exception):
    """The token is worth nothing."""


class UnknownKey(Exception):
    """The token names a key we have not seen; there may be a new one."""


class Identity:
    """Who a token speaks for.

    Args:
        claims: the token's, checked.
        expires: monotonic seconds.
    """

    __slots__ = ("claims", "epoch", "expires", "session_id", "subject")

    def __init__(self, claims: Mapping[str, Any], expires: float) -> None:
        self.claims = claims
        self.expires = expires
        self.epoch = -1
        self.subject: bytes = claims["sub"].encode()
        self.session_id: str | None = claims.get("sid")


class Keys:
    """identity's public keys, by their ``kid``.

    Args:
        client: asks identity.
        path: of the key set.
        now: monotonic seconds.
    """

    def __init__(self, client: IdentityClient, path: str, now: Callable[[], float]) -> None:
        self._client = client
        self._path = path
        self._now = now
        self._keys: dict[str, ECKey | RSAKey] = {}
        self._asked = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Is there any key?"""
        return bool(self._keys)

    def find(self, kid: object) -> ECKey | RSAKey:
        """The key of that name.

        Raises:
            UnknownKey: there is none.
        """
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise UnknownKey
        return key

    def may_ask(self) -> bool:
        """Was the last look long enough ago?"""
        return self._asking is not None or self._now() - self._asked > KEYS_PAUSE

    async def refresh(self) -> None:
        """Ask for the keys; many who ask at once wait for one answer. Old keys stay on failure."""
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._refresh())
        await asyncio.shield(self._asking)

    async def keep_fresh(self) -> None:
        """Ask again and again."""
        while True:
            await self.refresh()
            await asyncio.sleep(KEYS_AGE if self._keys else 1.0)

    async def _refresh(self) -> None:
        try:
            status, body = await self._client.get(self._path)
            found = KeySet.import_key_set(orjson.loads(body)) if status == 200 else None  # noqa: PLR2004
            if found is not None:
                self._keys = {
                    key.kid: key
                    for key in found.keys
                    if key.kid and isinstance(key, ECKey | RSAKey)
                }
        except (IdentityUnavailable, JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("no keys from identity", cause=type(error).__name__)
        finally:
            self._asked = self._now()
            self._asking = None


class Verifier:
    """Knows which tokens are good; every good one is checked once and then remembered.

    Args:
        keys: identity's.
        issuer: the only ``iss`` that counts.
        audience: must be in ``aud``.
        revocations: what ended meanwhile.
        now: monotonic seconds.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str,
        audience: str,
        revocations: Revocations,
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.keys = keys
        self._issuer = issuer
        self._audience = audience
        self._revocations = revocations
        self._now = now
        self._wall = wall
        self._young: dict[bytes, Identity] = {}
        self._old: dict[bytes, Identity] = {}

    def known(self, header: bytes) -> Identity | None:
        """The identity of an Authorization value checked before, if it still holds."""
        identity = self._young.get(header)
        if identity is None:
            identity = self._old.get(header)
            if identity is None:
                return None
            self._remember(header, identity)
        if identity.expires <= self._now():
            return None
        if identity.epoch != self._revocations.epoch and not self._holds(identity):
            return None
        return identity

    def check(self, header: bytes) -> Identity:
        """Check an Authorization value, and remember it.

        Raises:
            BadToken: it holds no token, or one that is worth nothing.
            UnknownKey: a look at identity's keys may help.
        """
        identity = self.known(header)
        if identity is None:
            scheme, _, token = header.partition(b" ")
            if scheme.lower() != b"bearer":
                raise BadToken
            identity = self._verify(token.strip())
            self._remember(header, identity)
        return identity

    def _verify(self, token: bytes) -> Identity:
        key = self.keys.find(self._header(token).get("kid"))
        try:
            claims = jwt.decode(token.decode(), key, algorithms=ALGORITHMS).claims
            identity = self._read(claims)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadToken from error
        if not self._holds(identity):
            raise BadToken
        return identity

    def _header(self, token: bytes) -> dict[str, Any]:
        found = _COMPACT.fullmatch(token) if len(token) <= LONGEST_TOKEN else None
        if found is None:
            raise BadToken
        try:
            header = orjson.loads(base64.urlsafe_b64decode(found[1] + b"=="))
        except ValueError as error:
            raise BadToken from error
        if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS:
            raise BadToken
        if str(header.get("typ")).lower() not in ("at+jwt", "application/at+jwt"):
            raise BadToken
        return header

    def _read(self, claims: Mapping[str, Any]) -> Identity:
        wall, audience = self._wall(), claims["aud"]
        audiences = audience if isinstance(audience, list) else [audience]
        future = max(claims["iat"], claims.get("nbf", 0)) - wall
        if claims["iss"] != self._issuer or self._audience not in audiences:
            raise ValueError("iss or aud")
        if claims["exp"] <= wall or future > LEEWAY or not claims["sub"]:
            raise ValueError("time or sub")
        return Identity(claims, self._now() + claims["exp"] - wall)

    def _holds(self, identity: Identity) -> bool:
        claims = identity.claims
        actor = claims.get("act")
        accounts = (claims["sub"], actor["sub"]) if isinstance(actor, dict) else (claims["sub"],)
        if self._revocations.is_revoked(identity.session_id, accounts, claims["iat"]):
            return False
        identity.epoch = self._revocations.epoch
        return True

    def _remember(self, header: bytes, identity: Identity) -> None:
        """Two generations bound the memory without a move on every hit."""
        if len(self._young) >= MOST_KNOWN:
            self._old, self._young = self._young, {}
        self._young[header] = identity
