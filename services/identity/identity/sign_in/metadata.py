"""What this provider can do, as discovery says it: nothing that does not hold, nothing left out."""

from __future__ import annotations

from typing import Any, Final

from identity.sign_in import client_assertions, dpop, grants, queries, rules
from identity.sign_in.asking import PROMPTS
from identity.sign_in.keys import ALGORITHMS

_PROOFS: Final = list(client_assertions.ALGORITHMS)


def discovery(issuer: str) -> dict[str, Any]:
    """OpenID Connect Discovery 1.0, RFC 8414 and the metadata of each extension."""
    return {
        "issuer": issuer,
        **_addresses(issuer),
        **_authentication(),
        **_people(),
        "require_pushed_authorization_requests": False,  # of each client, as it is registered
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            rules.TOKEN_EXCHANGE,
        ],
        "id_token_signing_alg_values_supported": list(ALGORITHMS),
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": list(PROMPTS),
        "ui_locales_supported": ["zh-CN"],
    }


def _addresses(issuer: str) -> dict[str, str]:
    return {
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks.json",
        "revocation_endpoint": f"{issuer}/revoke",
        "introspection_endpoint": f"{issuer}/introspect",
        "end_session_endpoint": f"{issuer}/logout",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
    }


def _authentication() -> dict[str, list[str]]:
    return {
        "token_endpoint_auth_methods_supported": grants.AUTH_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": _PROOFS,
        "revocation_endpoint_auth_methods_supported": grants.AUTH_METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": _PROOFS,
        "introspection_endpoint_auth_methods_supported": grants.CONFIDENTIAL_METHODS,
        "introspection_endpoint_auth_signing_alg_values_supported": _PROOFS,
    }


def _people() -> dict[str, Any]:
    """What is told of people, and how well it is known."""
    return {
        "scopes_supported": list(rules.TOKEN_SCOPES),
        "subject_types_supported": ["public", "pairwise"],
        "acr_values_supported": [
            *(f"urn:gdhrss:ial:{n}" for n in (1, 2, 3)),
            *(f"urn:gdprov:ial:{n}" for n in (2, 3, 4, 5)),
            "urn:gdhrss:aal:2",
        ],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            *("sub", "iss", "aud", "exp", "iat", "sid", "auth_time", "acr", "amr", "nonce"),
            *("name", "birthdate", "gender", "phone_number", "phone_number_verified"),
            *("document_type", "document_number", "verified_claims"),
        ],
        "verified_claims_supported": True,
        "trust_frameworks_supported": ["cn_hrss"],
        "evidence_supported": ["electronic_record"],
        "claims_in_verified_claims_supported": list(queries.PROVED_CLAIMS),
    }
