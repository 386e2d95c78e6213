"""private_key_jwt (RFC 7523): a client proves itself by its own key instead of a shared secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from identity.sign_in.client_model import Client
from servicekit.client import Client as Caller
from servicekit.clock import Clock
from servicekit.web.keys import RemoteKeys

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS: Final = ("ES256", "RS256", "PS256")
LIFE: Final = timedelta(minutes=5)
SKEW: Final = timedelta(seconds=30)
_MOST: Final = 4096


class BadAssertion(Exception):
    """``invalid_client``, whatever is wrong with it."""


class ClientKeys:
    """The public keys of clients: registered with them, or fetched from where they say.

    Args:
        timeout: seconds for a fetch.
    """

    def __init__(self, clock: Clock, *, timeout: float) -> None:
        self._clock = clock
        self._timeout = timeout
        self._lock = threading.Lock()
        self._remote: dict[str, RemoteKeys] = {}

    def find(self, client: Client, kid: str | None) -> ECKey | RSAKey | None:
        """The key of that id; without an id the only one registered.

        Raises:
            Unavailable: the client's own address does not answer.
        """
        if client.jwks_uri is not None:
            return self._at(client.jwks_uri).find(kid) if kid else None
        keys = KeySet.import_key_set(client.jwks or {"keys": []}).keys  # type: ignore[arg-type]
        fitting = [k for k in keys if isinstance(k, ECKey | RSAKey) and kid in (None, k.kid)]
        return fitting[0] if len(fitting) == 1 else None

    def _at(self, url: str) -> RemoteKeys:
        with self._lock:
            if url not in self._remote:
                caller = Caller("", timeout=self._timeout, name="client-keys")
                self._remote[url] = RemoteKeys(url, self._clock, client=caller)
            return self._remote[url]


def client_of(text: str) -> str | None:
    """Whom the assertion says it is of; believed only once it is checked."""
    try:
        claims = json.loads(jws.extract_compact(text.encode()[:_MOST]).payload)
    except (JoseError, ValueError, TypeError, AttributeError):
        return None
    return claims.get("sub") if isinstance(claims, dict) else None


def check(
    text: str, client: Client, *, keys: ClientKeys, audiences: frozenset[str], now: datetime
) -> tuple[str, datetime]:
    """Check signature, issuer, subject, audience and times.

    Args:
        audiences: our issuer's name, and the token endpoint's address.

    Returns: its ``jti`` and until when that may not come again; using it up is the caller's.

    Raises:
        BadAssertion: whatever is wrong.
        Unavailable: the client's keys cannot be fetched.
    """
    try:
        return _check(text, client, keys, audiences, now)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise BadAssertion from None


def _check(
    text: str, client: Client, keys: ClientKeys, audiences: frozenset[str], now: datetime
) -> tuple[str, datetime]:
    header = jws.extract_compact(text.encode()).headers()
    if len(text) > _MOST or header.keys() - {"alg", "typ", "kid"}:
        raise BadAssertion
    key = keys.find(client, header.get("kid"))
    if key is None or header.get("alg") not in ALGORITHMS:
        raise BadAssertion
    claims: Mapping[str, Any] = jwt.decode(text, key, algorithms=list(ALGORITHMS)).claims
    audience = claims["aud"]
    named = audience if isinstance(audience, list) else [audience]
    expires = datetime.fromtimestamp(claims["exp"], UTC)
    begins = datetime.fromtimestamp(claims.get("nbf", claims.get("iat", 0)), UTC)
    token_id = claims["jti"]
    right = (
        claims["iss"] == claims["sub"] == client.client_id
        and len(named) == 1  # an assertion for several servers is one any of them could replay
        and named[0] in audiences
        and now < expires <= now + LIFE
        and begins <= now + SKEW
        and isinstance(token_id, str)
        and 1 <= len(token_id) <= 200  # noqa: PLR2004 - a limit
    )
    if not right:
        raise BadAssertion
    return token_id, expires
