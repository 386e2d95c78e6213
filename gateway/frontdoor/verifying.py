"""Checks access tokens (RFC 9068) by identity's keys, each token once."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from frontdoor.identity_client import IdentityClient, IdentityUnavailable
from frontdoor.revocations import Revocations

if TYPE_CHECKING:
    from frontdoor.content import Demand
    from frontdoor.demands import Refusal

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
        kid: the key that signed it.
    """

    __slots__ = (
        "accounts", "admitted", "audiences", "claims", "client", "epoch", "expires", "jkt",
        "kid", "session_id", "subject",
    )  # fmt: skip

    def __init__(self, claims: Mapping[str, Any], expires: float, kid: str) -> None:
        self.claims = claims
        self.kid = kid
        self.expires = expires
        self.epoch = -1
        self.subject: bytes = claims["sub"].encode()
        self.client: bytes = str(claims.get("client_id", "")).encode()
        self.session_id: str | None = claims.get("sid")
        audience = claims["aud"]
        self.audiences = frozenset(audience if isinstance(audience, list) else [audience])
        self.accounts = tuple(_speaks_for(claims))
        self.jkt = _confirmation(claims)
        self.admitted: dict[Demand, Refusal | None] = {}  # what locations said, kept for the next


def _speaks_for(claims: Mapping[str, Any]) -> Iterator[str]:
    """``sub``, and everybody who acts in its name (RFC 8693 4.1)."""
    inner: Any = claims
    while isinstance(inner, dict):
        yield str(inner["sub"])
        inner = inner.get("act")


def _confirmation(claims: Mapping[str, Any]) -> str | None:
    """The thumbprint of the key a token is bound to (RFC 9449 6.1); ValueError for other kinds."""
    if "cnf" not in claims:
        return None
    found = claims["cnf"]["jkt"]
    if not isinstance(found, str) or len(claims["cnf"]) != 1:
        raise ValueError("cnf")
    return found


class Keys:
    """identity's public keys, by their ``kid``.

    Args:
        client: asks identity.
        path: of the key set.
        now: monotonic seconds.
        revocations: which keys have leaked.
    """

    def __init__(
        self,
        client: IdentityClient,
        path: str,
        now: Callable[[], float],
        revocations: Revocations,
    ) -> None:
        self._client = client
        self._path = path
        self._now = now
        self._revocations = revocations
        self._withdrawn = 0  # how many had leaked when we last asked
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
        if key is None or self._revocations.has_withdrawn(kid):
            raise UnknownKey
        return key

    def may_ask(self) -> bool:
        """Was the last look long enough ago, or before a key was withdrawn?"""
        late = self._now() - self._asked > KEYS_PAUSE
        return self._asking is not None or late or self._withdrawn < self._revocations.withdrawn

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
        withdrawn = self._revocations.withdrawn
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
            self._asked, self._withdrawn = self._now(), withdrawn
            self._asking = None


class Verifier:
    """Knows which tokens are good; every good one is checked once and then remembered.

    Args:
        keys: identity's.
        issuer: the only ``iss`` that counts.
        audiences: one of them must be in ``aud``; what a location wants is `demands`'.
        revocations: what ended meanwhile.
        now: monotonic seconds.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str,
        audiences: frozenset[str],
        revocations: Revocations,
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.keys = keys
        self._issuer = issuer
        self.audiences = audiences
        self._revocations = revocations
        self._now = now
        self._wall = wall
        self._young: dict[bytes, Identity] = {}
        self._old: dict[bytes, Identity] = {}

    def known(self, header: bytes, now: float) -> Identity | None:
        """The identity of an Authorization value checked before, if it still holds at that time."""
        identity = self._young.get(header)
        if identity is None:
            identity = self._old.get(header)
            if identity is None:
                return None
            self._remember(header, identity)
        if identity.expires <= now:
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
        identity = self.known(header, self._now())
        if identity is None:
            scheme, _, token = header.partition(b" ")
            if scheme.lower() not in (b"bearer", b"dpop"):
                raise BadToken
            identity = self._verify(token.strip())
            if (identity.jkt is not None) != (scheme.lower() == b"dpop"):
                raise BadToken  # a bound token is no bearer's, and no other needs a proof
            self._remember(header, identity)
        return identity

    def names_withdrawn_key(self, token: str) -> bool:
        """Is the token signed with a key that has leaked, whatever else it says?"""
        if not self._revocations.withdrawn:
            return False
        try:
            return self._revocations.has_withdrawn(self._header(token.encode()).get("kid"))
        except BadToken:
            return False

    def _verify(self, token: bytes) -> Identity:
        kid = self._header(token).get("kid")
        key = self.keys.find(kid)
        try:
            claims = jwt.decode(token.decode(), key, algorithms=ALGORITHMS).claims
            identity = self._read(claims, str(kid))
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

    def _read(self, claims: Mapping[str, Any], kid: str) -> Identity:
        wall = self._wall()
        future = max(claims["iat"], claims.get("nbf", 0)) - wall
        if claims["iss"] != self._issuer:
            raise ValueError("iss")
        if claims["exp"] <= wall or future > LEEWAY or not claims["sub"]:
            raise ValueError("time or sub")
        identity = Identity(claims, self._now() + claims["exp"] - wall, kid)
        if self.audiences.isdisjoint(identity.audiences):
            raise ValueError("aud")
        return identity

    def _holds(self, identity: Identity) -> bool:
        claims = identity.claims
        if self._revocations.has_withdrawn(identity.kid) or self._revocations.is_revoked(
            identity.session_id,
            identity.accounts,
            claims["iat"],
            claims.get("binding"),
            claims.get("bver", 0),
        ):
            return False
        identity.epoch = self._revocations.epoch
        return True

    def _remember(self, header: bytes, identity: Identity) -> None:
        """Two generations bound the memory without a move on every hit."""
        if len(self._young) >= MOST_KNOWN:
            self._old, self._young = self._young, {}
        self._young[header] = identity
