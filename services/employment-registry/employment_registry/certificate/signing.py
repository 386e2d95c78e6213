"""Signs what a certificate says, so that anyone can check it without asking us.

Keys are P-256, named by their thumbprint (RFC 7638) and published; the newest signs, older ones
still verify. What is signed is no more than the verification page tells.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from employment_registry.certificate.model import Certificate
from employment_registry.certificate.rules import Validity
from servicekit import regions
from servicekit.clock import shanghai_date

ALGORITHM: Final = "ES256"
CERTIFICATE_TYPE: Final = "employment-certificate+jwt"
STATUS_LIST_TYPE: Final = "statuslist+jwt"  # draft-ietf-oauth-status-list
STATUS_LIST_LIFE: Final = timedelta(minutes=15)
BITS: Final = 2  # of a certificate in the status list
_STATUS: Final = {Validity.VALID: 0, Validity.REVOKED: 1, Validity.REPLACED: 3}
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
LAST: Final = 4


class Signer:
    """The registry's keys.

    Args:
        keys: ``k2:<base64 of 32 bytes>,k1:…``, the newest first.
        issuer: ``iss`` of what is signed, and the front of the published addresses.
    """

    def __init__(self, keys: str, issuer: str) -> None:
        seeds = [base64.b64decode(part.partition(":")[2]) for part in keys.split(",")]
        self._keys = [_key(seed) for seed in seeds]
        self.issuer = issuer

    def jwks(self) -> dict[str, Any]:
        """The public keys, for whoever checks a signature."""
        return {"keys": [key.as_dict(private=False) for key in self._keys]}

    def sign_certificate(self, certificate: Certificate, now: datetime) -> str:
        """What a certificate says, as a compact JWS (RFC 7515)."""
        listed = {"idx": certificate.position, "uri": self.status_list_address}
        claims = {**facts_of(certificate), "status": {"status_list": listed}}
        return self.sign(CERTIFICATE_TYPE, claims, now)

    def sign_status_list(
        self, ended: Iterable[tuple[int, Validity]], places: int, now: datetime
    ) -> str:
        """What every certificate is worth, two bits each, as a status list token."""
        claims = {
            "sub": self.status_list_address,
            "exp": int((now + STATUS_LIST_LIFE).timestamp()),
            "ttl": int(STATUS_LIST_LIFE.total_seconds()),
            "status_list": {"bits": BITS, "lst": packed(ended, places)},
        }
        return self.sign(STATUS_LIST_TYPE, claims, now)

    @property
    def status_list_address(self) -> str:
        """Where the list is published."""
        return f"{self.issuer}/certificate-status-list"

    def sign(self, kind: str, claims: dict[str, Any], now: datetime) -> str:
        """Any claims as a compact JWS of this type, by the newest key."""
        key = self._keys[0]
        header = {"alg": ALGORITHM, "typ": kind, "kid": key.kid}
        said = {"iss": self.issuer, "iat": int(now.timestamp()), **claims}
        return jwt.encode(header, said, key, algorithms=[ALGORITHM])


def facts_of(certificate: Certificate) -> dict[str, str]:
    """All that anyone is told of a certificate: enough to compare it with the person before one."""
    return {
        "number": certificate.number,
        "name": certificate.person_name.mask(),
        "document_ends_with": certificate.document_number.expose()[-LAST:],
        "region": certificate.region,
        "region_name": regions.full_name(certificate.region),
        "issued_on": shanghai_date(certificate.issued_at).isoformat(),
    }


def packed(ended: Iterable[tuple[int, Validity]], places: int) -> str:
    """The statuses by place, two bits each from the lowest bit up, compressed, base64url.

    Args:
        ended: the places of what is no longer valid; two million are packed in a blink, for
            hardly any of them has ended.
        places: how many there are; counted after what has ended.
    """
    statuses = bytearray(-(-places * BITS // 8))
    for place, validity in ended:
        bit = place * BITS
        statuses[bit // 8] |= _STATUS[validity] << (bit % 8)
    return base64.urlsafe_b64encode(zlib.compress(bytes(statuses), 9)).rstrip(b"=").decode()


def _key(seed: bytes) -> ECKey:
    scalar = int.from_bytes(seed, "big") % (_ORDER - 1) + 1
    private = ec.derive_private_key(scalar, ec.SECP256R1())
    key = ECKey.import_key(private, {"use": "sig", "alg": ALGORITHM})
    key.ensure_kid()
    return key
