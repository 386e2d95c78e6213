"""DPoP (RFC 9449): a proof that whoever sends a token holds the key it is bound to."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from servicekit.vault import Vault

TYPE: Final = "dpop+jwt"
ALGORITHMS: Final = ("ES256", "RS256", "PS256", "Ed25519")
FRESH: Final = timedelta(seconds=60)  # how old a proof may be, with clocks that differ
NONCE_LIFE: Final = timedelta(minutes=5)
KEPT: Final = 2 * FRESH
_MOST: Final = 4096
_LEAST_RSA_BITS: Final = 2048
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_KEYS: Final[Mapping[str, type[ECKey] | type[RSAKey] | type[OKPKey]]] = {
    "EC": ECKey,
    "RSA": RSAKey,
    "OKP": OKPKey,
}


class BadProof(Exception):
    """``invalid_dpop_proof``; the sentence is for the developer of the client."""


class NonceNeeded(Exception):
    """``use_dpop_nonce``: the proof is right but for the nonce we hand out."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that was found right, but for its ``jti``, which may come once."""

    thumbprint: str  # RFC 7638, SHA-256
    token_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Nonces:
    """Nonces that need no table: an HMAC of the five minutes they are given out in."""

    vault: Vault

    def current(self, now: datetime) -> str:
        """The nonce of this moment."""
        return self._of(self._slot(now))

    def is_fresh(self, nonce: str, now: datetime) -> bool:
        """Was it given out in these five minutes or in the five before?"""
        slots = (self._slot(now), self._slot(now) - 1)
        return any(hmac.compare_digest(nonce.encode(), self._of(s).encode()) for s in slots)

    def _of(self, slot: int) -> str:
        return self.vault.index(str(slot), "dpop.nonce").hex()

    @staticmethod
    def _slot(now: datetime) -> int:
        return int(now.timestamp() // NONCE_LIFE.total_seconds())


def check(
    text: str,
    *,
    method: str,
    url: str,
    now: datetime,
    nonces: Nonces | None = None,
    access_token: str | None = None,
) -> Proof:
    """Check a proof (RFC 9449, 4.3); its ``jti`` is the caller's to use up.

    Args:
        method, url: of the request; query and fragment do not count.
        nonces: asked for one of ours, where given.
        access_token: what the proof must have hashed, at a resource.

    Raises:
        BadProof: whatever is wrong with it.
        NonceNeeded: it lacks a nonce of ours.
    """
    try:
        return _check(text, method, url, now, nonces, access_token)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise BadProof("The proof is malformed or its signature is wrong.") from None


def _check(
    text: str,
    method: str,
    url: str,
    now: datetime,
    nonces: Nonces | None,
    access_token: str | None,
) -> Proof:
    if len(text) > _MOST:
        raise BadProof("The proof is too long.")
    header = jws.extract_compact(text.encode()).headers()
    if header.get("typ") != TYPE or header.keys() - {"typ", "alg", "jwk"}:
        raise BadProof("The header is typ, alg and jwk.")
    if header.get("alg") not in ALGORITHMS:
        raise BadProof("The algorithm is not one of ours.")
    key = _key(header["jwk"])
    claims = jwt.decode(text, key, algorithms=list(ALGORITHMS)).claims
    if claims["htm"] != method or not _same_target(claims["htu"], url):
        raise BadProof("The proof is for another request.")
    issued = _whole(claims["iat"])
    if abs(now.timestamp() - issued) > FRESH.total_seconds():
        raise BadProof("The proof is too old or from the future.")
    token_id = claims["jti"]
    if not isinstance(token_id, str) or not 1 <= len(token_id) <= 200:  # noqa: PLR2004 - a limit
        raise BadProof("'jti' is missing or too long.")
    _check_hash(claims, access_token)
    if nonces is not None and not nonces.is_fresh(str(claims.get("nonce", "")), now):
        raise NonceNeeded
    return Proof(key.thumbprint(), token_id, now + KEPT)


def _key(jwk: Any) -> ECKey | RSAKey | OKPKey:
    if not isinstance(jwk, dict) or _PRIVATE & jwk.keys():
        raise BadProof("'jwk' is the public key.")
    if is_short(jwk):
        raise BadProof("The key is too short.")
    return _KEYS[jwk["kty"]].import_key({k: v for k, v in jwk.items() if k != "kid"})


def is_short(jwk: Mapping[str, Any]) -> bool:
    """Is it an RSA key of fewer than 2048 bits (RFC 8725, 3.5)?"""
    if jwk["kty"] != "RSA":
        return False
    text = str(jwk["n"])
    modulus = int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return modulus.bit_length() < _LEAST_RSA_BITS


def _check_hash(claims: Mapping[str, Any], access_token: str | None) -> None:
    if access_token is None:
        return
    digest = hashlib.sha256(access_token.encode()).digest()
    wanted = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if not hmac.compare_digest(str(claims.get("ath", "")).encode(), wanted.encode()):
        raise BadProof("The proof is not for this access token.")


def _same_target(given: Any, url: str) -> bool:
    return isinstance(given, str) and _bare(given) == _bare(url)


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path, "", ""))


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value
