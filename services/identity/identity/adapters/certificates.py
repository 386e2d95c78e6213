"""Certificates of units (网银证书, CA证书): a text signed by the key of a certificate we trust.

The certificate's subject names the unit (O or CN) and its USCC (serialNumber). Chain, validity
and signatures are OpenSSL's to judge; which certificates are revoked is read from the issuers'
lists, whose own signatures are checked the same way, SM2 ones included (OpenSSL 3.0 checks no
SM2-signed list by itself).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from identity.adapters import openssl
from identity.adapters.openssl import Workshop
from identity.adapters.proofing import Failed, Outcome, Proof, Started, Verified, Way, Wish
from identity.verification.rules import SIGNATURE_LIFE
from servicekit import logs
from servicekit.client import Answered, Client
from servicekit.clock import Clock
from servicekit.errors import OutsideFailed, Refusal, Unavailable
from servicekit.identifiers import check_uscc

log = logs.get_logger()

NONCE_BYTES: Final = 16  # 128 bits; at least 64 are asked for
LONGEST_SIGNED: Final = 24_000
MOST_CERTIFICATES: Final = 4
LIST_KEPT: Final = timedelta(minutes=10)
SKEW: Final = timedelta(minutes=5)  # between the authority's clock and ours
_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
)
_SIGNATURE: Final = re.compile(
    r"-----BEGIN SIGNATURE-----([A-Za-z0-9+/=\s]+)-----END SIGNATURE-----"
)
FAILURES: Final[Mapping[str, str]] = {
    "malformed": "签名结果不完整，请从证书助手中全部复制后粘贴",
    "signature": "签名验证不通过，请使用证书助手对本页显示的内容重新签名",
    "chain": "证书不是受信任的机构签发，或者不在有效期内，请更换证书或联系发证机构",
    "revoked": "该证书已被吊销，不能使用，请联系发证机构",
    "subject": "证书中没有统一社会信用代码，不能用于核验单位身份，请联系发证机构",
}


@dataclass
class TrustedIssuers:
    """Whom we trust, and what they revoked; one per authority and process.

    Args:
        client: where the lists are.
        roots: PEM of the roots; None in development, where the simulator makes its own anew.
    """

    client: Client
    roots: bytes | None
    _lists: tuple[datetime, bytes] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def trusted(self) -> bytes:
        """The roots."""
        return self.roots if self.roots is not None else self._read("/roots.pem")

    def revocation_lists(self, *, now: datetime) -> list[x509.CertificateRevocationList]:
        """The newest lists; ten minutes old at most, older ones while nothing newer is to be had.

        Raises:
            OutsideFailed: there is none that still holds; then nobody is believed.
        """
        with self._lock:
            known = self._lists
            if known is None or now - known[0] > LIST_KEPT:
                try:
                    known = self._lists = (now, self._read("/crl.pem"))
                except OutsideFailed:
                    if known is None:
                        raise
                    log.warning("the revocation list is not to be had; the last one counts")
        return [x509.load_pem_x509_crl(pem) for pem in _split(known[1], b"X509 CRL")]

    def forget(self) -> None:
        """Read the lists anew next time."""
        with self._lock:
            self._lists = None

    def _read(self, path: str) -> bytes:
        try:
            return self.client.get_bytes(path)
        except (Unavailable, Answered) as error:
            raise OutsideFailed from error


@dataclass(frozen=True, slots=True)
class CertificateChannel:
    """One authority's certificates.

    Args:
        provider: what evidence names.
        issuers: whom it trusts.
        origin: our public address, part of what is signed: a signature for another site is none.
        clock: the wall clock, by which certificates are valid.
    """

    provider: str
    issuers: TrustedIssuers
    origin: str
    clock: Clock

    def start(self, wish: Wish, *, now: datetime) -> Started:
        """A text to sign that nobody can have seen before."""
        text = f"{self.origin}|{self.provider}|{secrets.token_hex(NONCE_BYTES)}"
        return Started(Way.SIGNATURE, {"text": text}, text, now + SIGNATURE_LIFE)

    def advance(
        self, handle: Mapping[str, str], given: Mapping[str, str], *, now: datetime
    ) -> Outcome:
        """Check what the assistant handed out: certificates and signature, in PEM's manner."""
        signed = given.get("signed", "")
        chain, signature = _read_signed(signed)
        if not chain or signature is None:
            return _failed("malformed")
        today = self.clock.now()
        try:
            leaf, *between = (x509.load_pem_x509_certificate(pem) for pem in chain)
        except ValueError:
            return _failed("malformed")
        with openssl.workshop() as work:
            files = [work.file(f"certificate{n}.pem", pem) for n, pem in enumerate(chain)]
            trusted = self.issuers.trusted()
            if not _may_sign(leaf) or not _is_trusted(work, files, trusted, now=today):
                return _failed("chain")
            key = work.public_key(files[0])
            if key is None or not work.verifies(key, handle["text"].encode(), signature):
                return _failed("signature")
            if self._is_revoked(work, [leaf, *between], trusted, now=today):
                return _failed("revoked")
        return self._verified(leaf, chain[0])

    def health(self) -> bool:
        """Are lists to be had?"""
        try:
            return bool(self.issuers.revocation_lists(now=self.clock.now()))
        except OutsideFailed:
            return False

    def _verified(self, leaf: x509.Certificate, pem: bytes) -> Outcome:
        uscc = _subject(leaf, NameOID.SERIAL_NUMBER)
        name = _subject(leaf, NameOID.ORGANIZATION_NAME) or _subject(leaf, NameOID.COMMON_NAME)
        try:
            check_uscc(uscc)
        except Refusal:
            return _failed("subject")
        if not name:
            return _failed("subject")
        proof = Proof(
            provider=self.provider,
            reference=f"{leaf.serial_number:x}",
            kind="unit",
            name=name,
            number=uscc,
            answer_hash=hashlib.sha256(pem).digest(),
            expires_at=leaf.not_valid_after_utc,
        )
        return Verified(proof)

    def _is_revoked(
        self, work: Workshop, chain: list[x509.Certificate], roots: bytes, *, now: datetime
    ) -> bool:
        """Is one of the chain on its issuer's list? Without a good list nobody is believed."""
        lists = self.issuers.revocation_lists(now=now)
        tops = [x509.load_pem_x509_certificate(pem) for pem in _split(roots, b"CERTIFICATE")]
        for certificate in chain:
            if certificate.issuer == certificate.subject:
                continue
            issuers = [c for c in (*chain, *tops) if c.subject == certificate.issuer]
            good = [
                each
                for each in lists
                if each.issuer == certificate.issuer
                and _is_current(each, now=now)
                and any(_is_signed(work, each, issuer) for issuer in issuers)
            ]
            if not good:
                raise OutsideFailed
            number = certificate.serial_number
            if any(e.get_revoked_certificate_by_serial_number(number) for e in good):
                return True
        return False


def _is_trusted(work: Workshop, files: list[str], roots: bytes, *, now: datetime) -> bool:
    """Do the certificates, the unit's first, lead to one of the roots?"""
    leaf, between = files[0], files[1:]
    key = work.public_key(leaf)
    if key is None or not work.is_sm2(key):
        return key is not None and work.chains(leaf, between, roots, now=now)
    tops = [work.file(f"root{n}.pem", pem) for n, pem in enumerate(_split(roots, b"CERTIFICATE"))]
    child = leaf
    for below in range(MOST_CERTIFICATES):
        top = next((each for each in tops if work.links(child, each, now=now)), None)
        if top is not None:
            return _may_issue(top, below)
        issuer = next((each for each in between if work.links(child, each, now=now)), None)
        if issuer is None or issuer == child or not _may_issue(issuer, below):
            return False
        child = issuer
    return False


def _may_issue(path: str, below: int) -> bool:
    """May this authority have so many authorities between itself and the unit's certificate?"""
    certificate = x509.load_pem_x509_certificate(Path(path).read_bytes())
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return basic.ca and (basic.path_length is None or basic.path_length >= below)


def _failed(code: str) -> Failed:
    return Failed(code, FAILURES[code])


def _read_signed(text: str) -> tuple[list[bytes], bytes | None]:
    if len(text) > LONGEST_SIGNED or not text.isascii():
        return [], None
    chain = _CERTIFICATE.findall(text.encode())
    found = _SIGNATURE.search(text)
    if found is None or not 0 < len(chain) <= MOST_CERTIFICATES:
        return [], None
    try:
        return chain, base64.b64decode("".join(found[1].split()), validate=True)
    except binascii.Error:
        return [], None


def _split(pem: bytes, kind: bytes) -> list[bytes]:
    end = b"-----END " + kind + b"-----"
    return [part + end + b"\n" for part in pem.split(end)[:-1]]


def _may_sign(leaf: x509.Certificate) -> bool:
    """An end certificate whose key may sign."""
    try:
        extensions = leaf.extensions
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        return False
    except ValueError:
        return False
    return usage.digital_signature


def _subject(leaf: x509.Certificate, name: x509.ObjectIdentifier) -> str:
    found = leaf.subject.get_attributes_for_oid(name)
    return str(found[0].value).strip() if len(found) == 1 else ""


def _is_current(each: x509.CertificateRevocationList, *, now: datetime) -> bool:
    until = each.next_update_utc
    return each.last_update_utc <= now + SKEW and until is not None and now < until


def _is_signed(
    work: Workshop, each: x509.CertificateRevocationList, issuer: x509.Certificate
) -> bool:
    pem = issuer.public_bytes(Encoding.PEM)
    name = hashlib.sha256(pem).hexdigest()[:16]
    key = work.public_key(work.file(f"issuer-{name}.pem", pem))
    return key is not None and work.verifies(key, each.tbs_certlist_bytes, each.signature)


def load_roots(path: str | None) -> bytes | None:
    """The roots of a file."""
    return None if path is None else Path(path).read_bytes()
