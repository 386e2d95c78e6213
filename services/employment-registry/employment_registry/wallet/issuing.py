"""Writes a copy of the certificate for one key: an SD-JWT VC whose holder chooses what to show.

RFC 9901 (SD-JWT) and draft-ietf-oauth-sd-jwt-vc: every fact about the person and the certificate is
behind a salted digest; issuer, type, key, times and status stand open, as the draft wants them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any, Final

from employment_registry.certificate.model import Certificate
from employment_registry.certificate.signing import Signer, facts_of
from employment_registry.wallet.model import WalletCopy
from servicekit.key_rings import SigningKey

FORMAT: Final = "dc+sd-jwt"
HASH: Final = "sha-256"
SALT_BYTES: Final = 16
TYPE_PATH: Final = "/credential-types/employment-certificate"
# What may be shown each by itself, in the order wallets list it.
CLAIMS: Final = {
    "name": ("姓名", "Name"),
    "sex": ("性别", "Sex"),
    "birth_year": ("出生年份", "Year of birth"),
    "document_kind": ("证件类型", "Kind of identity document"),
    "document_ends_with": ("证件号码后四位", "Last four of the document number"),
    "number": ("证号", "Certificate number"),
    "issued_on": ("发证日期", "Date of issue"),
    "region": ("发证地区划代码", "Region code of the issuing office"),
    "region_name": ("发证地", "Issuing office"),
}


def type_of(signer: Signer) -> str:
    """``vct``: the address where the type is described."""
    return f"{signer.issuer}{TYPE_PATH}"


def write(
    signer: Signer,
    certificate: Certificate,
    copy: WalletCopy,
    holder: dict[str, Any],
    *,
    by: SigningKey,
) -> str:
    """One copy, for the wallet's key alone.

    Args:
        holder: the public JWK that the holder will prove again to whoever is shown the copy.
        by: the key that signs it, which the copy's row names.
    """
    disclosures = [_disclosure(name, value) for name, value in _facts(certificate).items()]
    listed = {"idx": copy.position, "uri": signer.status_list_address}
    claims = {
        "vct": type_of(signer),
        "exp": int(copy.expires_at.timestamp()),
        "cnf": {"jwk": holder},
        "status": {"status_list": listed},
        "_sd": sorted(_digest(disclosure) for disclosure in disclosures),
        "_sd_alg": HASH,
    }
    signed = signer.sign(FORMAT, claims, copy.issued_at, by=by)
    return "~".join([signed, *disclosures, ""])


def _facts(certificate: Certificate) -> dict[str, str | int]:
    """What the certificate says, the name in clear: the holder decides who reads it."""
    facts: dict[str, str | int] = {
        **facts_of(certificate),
        "name": certificate.person_name.expose(),
        "sex": certificate.sex,
        "birth_year": certificate.born_on.day.year,
        "document_kind": certificate.document_kind,
    }
    return {name: facts[name] for name in CLAIMS}


def _disclosure(name: str, value: str | int) -> str:
    salt = _text(secrets.token_bytes(SALT_BYTES))
    return _text(json.dumps([salt, name, value], ensure_ascii=False).encode())


def _digest(disclosure: str) -> str:
    return _text(hashlib.sha256(disclosure.encode()).digest())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
