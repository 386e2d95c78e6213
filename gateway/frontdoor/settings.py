"""The gateway's settings: addresses and secrets; routes and limits are configuration."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from servicekit.settings import BadSettings, setting

PREFIX: Final = "FRONTDOOR"
PACKAGED: Final = Path(__file__).parent / "frontdoor.conf"
KEY_BYTES: Final = 32


@dataclass(frozen=True)
class Settings:
    """What the gateway is told by its surroundings."""

    client_secret: str = setting(
        "Secret of the OAuth client jiuye-gateway; identity has the same.", secret=True
    )
    cookie_key: str = setting(
        "Keys of the session cookie, newest first: base64 of 32 bytes[,…].", secret=True
    )
    bus_url: str | None = setting(
        "The bus that tells of ended sessions: amqp://… or local://<PostgreSQL address>;"
        " without it an ended session ends with its token.",
        default=None,
        secret=True,
    )
    config: str | None = setting(
        "The configuration file in nginx's syntax; the suite's own without it.", default=None
    )
    upstreams: str | None = setting(
        "A file read wherever the configuration includes upstreams.conf.", default=None
    )
    listen: str | None = setting(
        "host:port in place of the configuration's one listen directive.", default=None
    )
    admin_listen: str = setting(
        "host:port of health and metrics; never public.", default="127.0.0.1:8081"
    )
    public_url: str = setting(
        "Where people reach the gateway; part of the token issuer.", default="http://127.0.0.1:8080"
    )
    identity_url: str = setting(
        "Where the gateway itself asks identity for keys and tokens.",
        default="http://127.0.0.1:8101",
    )
    environment: Literal["development", "production"] = setting(
        "production refuses weak secrets and a public address without TLS.", default="development"
    )
    workers: int = setting("Processes; one per core.", default=1)
    drain_seconds: int = setting("How long a stopping worker may finish what it began.", default=10)
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "The least important log line that is written.", default="info"
    )

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            BadSettings: naming each.
        """
        wrong = []
        if not all(_is_key(key) for key in self.cookie_key.split(",")):
            wrong.append("FRONTDOOR_COOKIE_KEY: each key is the base64 of 32 bytes")
        for name, url in (("PUBLIC", self.public_url), ("IDENTITY", self.identity_url)):
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
                wrong.append(f"FRONTDOOR_{name}_URL is not http(s)://host[:port]")
        if self.workers < 1:
            wrong.append("FRONTDOOR_WORKERS is less than one")
        if wrong:
            raise BadSettings("\n".join(wrong))

    @property
    def issuer(self) -> str:
        """The ``iss`` of every access token."""
        return f"{self.public_url}/identity"

    @property
    def config_path(self) -> Path:
        """The configuration file."""
        return PACKAGED if self.config is None else Path(self.config)

    @property
    def included(self) -> dict[str, Path]:
        """Files read in place of others the configuration includes, by the included name."""
        return {} if self.upstreams is None else {"upstreams.conf": Path(self.upstreams)}

    @property
    def cookie_keys(self) -> tuple[bytes, ...]:
        """The keys of the session cookie, newest first."""
        return tuple(base64.b64decode(key) for key in self.cookie_key.split(","))


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except (ValueError, binascii.Error):
        return False
