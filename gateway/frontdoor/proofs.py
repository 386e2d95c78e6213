"""Proof that who sends a token holds the key it is bound to: DPoP (RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from frontdoor.limits import AllBuckets

ALGORITHMS: Final = ["ES256", "RS256", "PS256", "Ed25519"]
LONGEST: Final = 4 << 10
WINDOW: Final = 60.0  # seconds a proof counts, before and after its iat
MEMORY: Final = 4 << 20
_COMPACT: Final = re.compile(rb"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_PRIVATE: Final = frozenset(("d", "p", "q", "dp", "dq", "qi", "k"))
_KINDS: Final[dict[str, type[ECKey | RSAKey | OKPKey]]] = {
    "EC": ECKey, "RSA": RSAKey, "OKP": OKPKey,
}  # fmt: skip


class BadProof(Exception):
    """The proof proves nothing."""


class Proofs:
    """Checks proofs, each once: the memory of those seen is shared by the workers.

    Args:
        public_url: where people reach the gateway; a proof names it.
        now: monotonic seconds.
        wall: seconds since 1970.
        buckets: where those seen are remembered.
    """

    def __init__(
        self,
        public_url: str,
        now: Callable[[], float],
        wall: Callable[[], float],
        buckets: AllBuckets,
    ) -> None:
        self._public_url = public_url
        self._now = now
        self._wall = wall
        self._seen = buckets.of("proofs", MEMORY, 1 / (2 * WINDOW + 1))

    def check(self, proof: bytes | None, method: bytes, path: str, token: bytes, jkt: str) -> None:
        """Check the ``DPoP`` field of a request.

        Args:
            proof: the field's value.
            method: the request's.
            path: the request's, without the query, as it was sent.
            token: the access token.
            jkt: the thumbprint the token is bound to.

        Raises:
            BadProof: it does not belong to this request, this token, this minute or this key.
        """
        if proof is None or len(proof) > LONGEST:
            raise BadProof
        try:
            claims = self._read(proof, jkt)
            digest = base64.urlsafe_b64encode(hashlib.sha256(token).digest()).decode().rstrip("=")
            good = (
                claims["htm"] == method.decode()
                and claims["htu"].partition("?")[0].partition("#")[0] == self._public_url + path
                and claims["ath"] == digest
                and abs(self._wall() - claims["iat"]) <= WINDOW
            )
            name = f"{jkt} {claims['jti']}".encode()
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadProof from error
        if not good or not self._seen.take(name, 0, self._now()):
            raise BadProof

    @staticmethod
    def _read(proof: bytes, jkt: str) -> dict[str, Any]:
        found = _COMPACT.fullmatch(proof)
        if found is None:
            raise ValueError("form")
        header = orjson.loads(base64.urlsafe_b64decode(found[1] + b"=="))
        jwk = header["jwk"]
        if header["typ"] != "dpop+jwt" or header["alg"] not in ALGORITHMS or _PRIVATE & set(jwk):
            raise ValueError("header")
        key = _KINDS[jwk["kty"]].import_key(jwk)
        if key.thumbprint() != jkt:
            raise ValueError("key")
        claims: dict[str, Any] = jwt.decode(proof.decode(), key, algorithms=ALGORITHMS).claims
        return claims
