"""Signs what a certificate says, so that anyone can check it without asking us.

Keys are P-256, named by their thumbprint (RFC 7638), made and turned by the kit's ring. A paper has
no end of its own, so a key that signs no more stays published as long as a certificate of its time
is valid. One that has leaked is published no more, and the status list names it. What is signed is
no more than the verification page tells.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jwt
from sqlalchemy import select

from employment_registry.certificate.model import Certificate, CertificateKey
from employment_registry.certificate.rules import Validity
from servicekit import regions
from servicekit.clock import shanghai_date
from servicekit.db import Database
from servicekit.key_rings import ES256, KeyLife, KeyRing, SigningKey

CERTIFICATE_TYPE: Final = "employment-certificate+jwt"
STATUS_LIST_TYPE: Final = "statuslist+jwt"  # draft-ietf-oauth-status-list
STATUS_LIST_LIFE: Final = timedelta(minutes=15)
BITS: Final = 2  # of a certificate in the status list
_STATUS: Final = {Validity.VALID: 0, Validity.REVOKED: 1, Validity.REPLACED: 3}
LAST: Final = 4
# Who checks without us fetches the keys once a year: the next key is made when the one before it
# begins to sign. Only one made anew, since the next had leaked, is published for less.
_LIFE: Final = KeyLife(
    published_before=timedelta(days=30),
    active_for=timedelta(days=365),
    kept_after=timedelta(days=366),  # the copies in wallets, a year each, tell their end meanwhile
)


def key_ring(database: Database) -> KeyRing:
    """The keys of certificates, to be published at ``/certificate-keys``."""
    of_its_time = Certificate.issued_at < CertificateKey.retired_at
    valid = select(Certificate.id).where(Certificate.validity == Validity.VALID, of_its_time)
    return KeyRing(database, CertificateKey, _LIFE, needed=valid.exists())


class Signer:
    """The registry's hand.

    Args:
        keys: the ring of certificates.
        issuer: ``iss`` of what is signed, and the front of the published addresses.
    """

    def __init__(self, keys: KeyRing, issuer: str) -> None:
        self._keys = keys
        self.issuer = issuer

    def jwks(self, now: datetime) -> dict[str, Any]:
        """The public keys, for whoever checks a signature."""
        return self._keys.jwks(now=now)

    def sign_certificate(self, certificate: Certificate, now: datetime) -> str:
        """What a certificate says, as a compact JWS (RFC 7515)."""
        listed = {"idx": certificate.position, "uri": self.status_list_address}
        claims = {**facts_of(certificate), "status": {"status_list": listed}}
        return self.sign(CERTIFICATE_TYPE, claims, now, by=self.key(now))

    def sign_status_list(
        self, ended: Iterable[tuple[int, Validity]], places: int, now: datetime
    ) -> str:
        """What every certificate is worth, two bits each, as a status list token."""
        claims = {
            "sub": self.status_list_address,
            "exp": int((now + STATUS_LIST_LIFE).timestamp()),
            "ttl": int(STATUS_LIST_LIFE.total_seconds()),
            "status_list": {"bits": BITS, "lst": packed(ended, places)},
            # Who fetched the keys long ago learns here which of them have leaked.
            "withdrawn_keys": self._keys.withdrawn(now=now),
        }
        return self.sign(STATUS_LIST_TYPE, claims, now, by=self.key(now))

    @property
    def status_list_address(self) -> str:
        """Where the list is published."""
        return f"{self.issuer}/certificate-status-list"

    def key(self, now: datetime) -> SigningKey:
        """The key that signs now."""
        return self._keys.signer(now=now)

    def sign(self, kind: str, claims: dict[str, Any], at: datetime, *, by: SigningKey) -> str:
        """Any claims as a compact JWS of this type.

        Args:
            at: when it says it was signed, which for copies in wallets is no more than the hour.
            by: ``key`` of this very moment.
        """
        header = {"alg": ES256, "typ": kind, "kid": by.kid}
        said = {"iss": self.issuer, "iat": int(at.timestamp()), **claims}
        return jwt.encode(header, said, by, algorithms=[ES256])


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
