"""A registered client in the words Authlib asks with, and which addresses of it are its own."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from identity.sign_in import rules
from identity.sign_in.client_model import Client

_LOOPBACK: Final = frozenset({"127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """A client at this moment."""

    row: Client
    now: datetime

    @property
    def client_id(self) -> str:
        return self.row.client_id

    @property
    def sector(self) -> str | None:
        return self.row.sector

    @property
    def id_token_signed_response_alg(self) -> str:
        return self.row.id_token_alg

    @property
    def client_metadata(self) -> dict[str, Any]:
        return {"post_logout_redirect_uris": list(self.row.post_logout_redirect_uris)}

    @property
    def system_scopes(self) -> list[str]:
        known = (*rules.SYSTEM_SCOPES, *rules.TEST_SCOPES)
        return [s for s in self.row.scopes if s in known]

    def get_client_id(self) -> str:
        return self.row.client_id

    def get_default_redirect_uri(self) -> str | None:
        return None  # always asked for: what is left out cannot be compared

    def get_allowed_scope(self, scope: str | None) -> str:
        allowed = [s for s in self.row.scopes if s in rules.TOKEN_SCOPES]
        return rules.granted_scopes(scope, allowed)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Exactly (RFC 9700, 2.1); only a native program's loopback port may differ."""
        known = self.row.redirect_uris
        if redirect_uri in known:
            return True
        is_native = self.row.auth_methods == ["none"]
        bare = _without_port(redirect_uri) if is_native else None
        return bare is not None and bare in {_without_port(each) for each in known}

    def check_client_secret(self, client_secret: str) -> bool:
        """The present secret, or for a while the one before."""
        given = rules.hash_secret(client_secret)
        kept = self.row.secret_hash
        if kept is not None and hmac.compare_digest(kept, given):
            return True
        former, until = self.row.former_secret_hash, self.row.former_secret_until
        return (
            former is not None
            and until is not None
            and until > self.now
            and hmac.compare_digest(former, given)
        )

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self.row.auth_methods

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.row.grant_types


def _without_port(uri: str) -> str | None:
    """RFC 8252, 7.3: an http address of this very machine, without its port."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    host = parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc
    if parts.scheme != "http" or host not in _LOOPBACK or parts.fragment:
        return None
    return urlunsplit(("http", host, parts.path, parts.query, ""))
