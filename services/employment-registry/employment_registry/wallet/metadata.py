"""What wallets and verifiers read first: who issues, what, with which keys, and where to ask."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

from employment_registry.certificate.signing import Signer
from employment_registry.wallet import issuing, proofs, rules
from servicekit.key_rings import ES256

PREFIX: Final = "/wallet"
SIGNED_TYPE: Final = "openidvci-issuer-metadata+jwt"  # OpenID4VCI 1.0, 12.2.3
LOCALES: Final = ("zh-CN", "en")
_NAMES: Final = (("zh-CN", "就业创业证"), ("en", "Employment and Entrepreneurship Certificate"))
_OFFICES: Final = (("zh-CN", "广东省公共就业服务"), ("en", "Guangdong public employment service"))
_COLOR: Final = "#a31515"


def address(signer: Signer, path: str) -> str:
    """Where an endpoint of the wallet's protocol stands, beside the issuer's own address."""
    issuer = urlsplit(signer.issuer)
    return f"{issuer.scheme}://{issuer.netloc}{PREFIX}{path}"


def credential_issuer(signer: Signer) -> dict[str, Any]:
    """OpenID4VCI 1.0, 12.2.4; no ``authorization_servers``, for the issuer gives tokens itself."""
    return {
        "credential_issuer": signer.issuer,
        "credential_endpoint": address(signer, "/credential"),
        "nonce_endpoint": address(signer, "/nonce"),
        "notification_endpoint": address(signer, "/notification"),
        "batch_credential_issuance": {"batch_size": rules.BATCH},
        "display": _display(_OFFICES),
        "credential_configurations_supported": {
            rules.CONFIGURATION: {
                "format": issuing.FORMAT,
                "vct": issuing.type_of(signer),
                "cryptographic_binding_methods_supported": ["jwk"],
                "credential_signing_alg_values_supported": [ES256],
                "proof_types_supported": {
                    "jwt": {"proof_signing_alg_values_supported": [proofs.ALGORITHM]}
                },
                "credential_metadata": {
                    "display": [
                        {**each, "background_color": _COLOR, "text_color": "#ffffff"}
                        for each in _display(_NAMES)
                    ],
                    "claims": [
                        {"path": [name], "display": _display(zip(LOCALES, names, strict=True))}
                        for name, names in issuing.CLAIMS.items()
                    ],
                },
            }
        },
    }


def signed_credential_issuer(signer: Signer, now: datetime) -> str:
    """The same, signed, for wallets that ask for ``application/jwt``."""
    claims = {"sub": signer.issuer, **credential_issuer(signer)}
    return signer.sign(SIGNED_TYPE, claims, now, by=signer.key(now))


def authorization_server(signer: Signer) -> dict[str, Any]:
    """RFC 8414: a token endpoint for one grant, and nothing else."""
    return {
        "issuer": signer.issuer,
        "token_endpoint": address(signer, "/token"),
        "token_endpoint_auth_methods_supported": ["none"],
        "response_types_supported": [],
        "grant_types_supported": [rules.PRE_AUTHORIZED],
        "pre-authorized_grant_anonymous_access_supported": True,
    }


def jwt_vc_issuer(signer: Signer, now: datetime) -> dict[str, Any]:
    """The keys behind ``iss`` (SD-JWT VC draft, section 5)."""
    return {"issuer": signer.issuer, "jwks": signer.jwks(now)}


def credential_type(signer: Signer) -> dict[str, Any]:
    """What ``vct`` names (SD-JWT VC draft, section 6)."""
    return {
        "vct": issuing.type_of(signer),
        "name": _NAMES[0][1],
        "description": "证明持证人已办理就业或失业登记，全国通用。",
        "display": [{"locale": locale, "name": name} for locale, name in _NAMES],
        "claims": [
            {
                "path": [name],
                "sd": "always",
                "display": [
                    {"locale": locale, "label": label}
                    for locale, label in zip(LOCALES, labels, strict=True)
                ],
            }
            for name, labels in issuing.CLAIMS.items()
        ],
    }


def offer_link(signer: Signer, code: str) -> str:
    """The credential offer as a link that a wallet opens (OpenID4VCI 1.0, 4.1)."""
    said = {
        "credential_issuer": signer.issuer,
        "credential_configuration_ids": [rules.CONFIGURATION],
        "grants": {
            rules.PRE_AUTHORIZED: {
                "pre-authorized_code": code,
                "tx_code": {"input_mode": "numeric", "length": rules.CODE_DIGITS},
            }
        },
    }
    text = json.dumps(said, separators=(",", ":"))
    return f"openid-credential-offer://?credential_offer={quote(text, safe='')}"


def _display(names: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "locale": locale} for locale, name in names]
