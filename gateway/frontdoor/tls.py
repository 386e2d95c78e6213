"""TLS at the front: 1.2 and 1.3, each site with its certificate, found by the name asked for (SNI).

OCSP answers are not stapled: Python's ssl cannot.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Final

from frontdoor.routing import Hosts
from frontdoor.sites import Address, Server, Tls

# Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else.
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
_VERSIONS: Final = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


def context(site: Tls) -> ssl.SSLContext:
    """What one site shows.

    Raises:
        ValueError: certificate or key are none, or not each other's.
    """
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.minimum_version = min(_VERSIONS[name] for name in site.protocols)
    found.maximum_version = max(_VERSIONS[name] for name in site.protocols)
    found.set_ciphers(_CIPHERS)
    found.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    found.set_alpn_protocols(["http/1.1"])
    try:
        found.load_cert_chain(site.certificate, site.key, password=_no_password)
    except (ssl.SSLError, OSError) as error:
        raise ValueError(f"{site.certificate.name} and {site.key.name}: {error}") from error
    return found


def context_at(servers: Sequence[Server], address: Address) -> ssl.SSLContext | None:
    """What a client meets at an address; None where TLS is not spoken."""
    secure = [s for s in servers if address in s.secure and s.tls is not None]
    if not secure:
        return None
    sites = Hosts([(server, context(server.tls)) for server in secure if server.tls], address)

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        try:
            connection.context = sites.find((name or "").encode("ascii"))
        except UnicodeEncodeError:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None

    sites.default.sni_callback = choose
    return sites.default


def _no_password() -> str:
    raise ValueError("the key needs a password, and there is nobody to give it")
