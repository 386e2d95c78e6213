"""Is the wallet's key its own, and shown for us at this moment? Nonces and proofs of possession."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from employment_registry.wallet.rules import NONCE_LIFE, PROOF_SKEW, Error, Refused
from servicekit.vault import Vault

ALGORITHM: Final = "ES256"
TYPE: Final = "openid4vci-proof+jwt"
CURVE: Final = "P-256"
MAX_LENGTH: Final = 4096  # of one proof
_HEADERS: Final = frozenset({"alg", "typ", "jwk"})
_TIME_BYTES: Final = 8
_RANDOM_BYTES: Final = 16
_COLUMN: Final = "wallet_nonce"


@dataclass(frozen=True, slots=True)
class Proven:
    """What the proofs of one request show: the wallet's public keys, and the nonce they share."""

    keys: tuple[dict[str, Any], ...]
    nonce: str


def make_nonce(vault: Vault, now: datetime) -> str:
    """A nonce that says until when it is good; nothing is stored before one is used."""
    until = int((now + NONCE_LIFE).timestamp()).to_bytes(_TIME_BYTES, "big")
    body = until + secrets.token_bytes(_RANDOM_BYTES)
    return _text(body + vault.index(body.hex(), _COLUMN))


def nonce_ends(vault: Vault, nonce: str) -> float:
    """Until when a nonce is good, as a POSIX time.

    Raises:
        Refused: it is none of ours.
    """
    try:
        raw = base64.b64decode(nonce + "=" * (-len(nonce) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if _text(raw) != nonce:
        raw = b""  # another spelling of the same would be good a second time
    body, mac = raw[: _TIME_BYTES + _RANDOM_BYTES], raw[_TIME_BYTES + _RANDOM_BYTES :]
    if not hmac.compare_digest(mac, vault.index(body.hex(), _COLUMN)):
        raise Refused(Error.INVALID_NONCE, "Ask the nonce endpoint for another one.")
    return float(int.from_bytes(body[:_TIME_BYTES], "big"))


def check(proofs: Sequence[str], *, audience: str, now: datetime) -> Proven:
    """Verify every key proof of a request (OpenID4VCI 1.0, appendix F.4).

    Args:
        audience: the credential issuer's identifier.

    Raises:
        Refused: one of them is not good, brings another's nonce, or a key comes twice.
    """
    keys, nonces = [], set()
    for text in proofs:
        try:
            key, claims = _verified(text)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise _refused("A proof is not a signed JWT with the key that signed it.") from None
        keys.append(key)
        nonces.add(_checked(claims, audience, now))
    if len({ECKey.import_key(key).thumbprint() for key in keys}) < len(keys):
        raise _refused("Every proof shows a key of its own.")
    if len(nonces) > 1:
        raise Refused(Error.INVALID_NONCE, "The proofs of one request share one nonce.")
    return Proven(tuple(keys), nonces.pop())


def _verified(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(text) > MAX_LENGTH:
        raise ValueError("too long")
    header = jws.extract_compact(text.encode()).headers()
    if set(header) != _HEADERS or header["typ"] != TYPE or header["alg"] != ALGORITHM:
        raise ValueError("another kind of proof")  # kid and x5c name keys we do not know
    given = header["jwk"]
    if given["kty"] != "EC" or given["crv"] != CURVE or "d" in given:
        raise ValueError("another kind of key, or a private one")
    public = {name: given[name] for name in ("kty", "crv", "x", "y")}
    claims = jwt.decode(text, ECKey.import_key(public), algorithms=[ALGORITHM]).claims
    return public, claims


def _checked(claims: dict[str, Any], audience: str, now: datetime) -> str:
    issued, nonce = claims.get("iat"), claims.get("nonce")
    if claims.get("aud") != audience:
        raise _refused("'aud' is not this credential issuer.")
    if not isinstance(issued, int | float) or isinstance(issued, bool):
        raise _refused("'iat' is missing.")
    if not abs(now.timestamp() - issued) <= PROOF_SKEW.total_seconds():  # nor is NaN
        raise _refused("'iat' is not of this moment.")
    if not isinstance(nonce, str) or not nonce:
        raise _refused("'nonce' is missing.")
    return nonce


def _refused(description: str) -> Refused:
    return Refused(Error.INVALID_PROOF, description)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
