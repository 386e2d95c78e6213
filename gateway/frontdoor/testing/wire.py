"""A gateway without sockets: bytes go in, bytes come out, in the caller's thread."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

from frontdoor import configuration
from frontdoor.app import Gateway, build
from frontdoor.proxying import ProxyConnection
from frontdoor.settings import Settings
from frontdoor.testing.running import COOKIE_KEY, SECRET
from frontdoor.turns import Turn
from frontdoor.upstream_connection import UpstreamConnection


class Transport:
    """Keeps what is written; stands for an asyncio transport."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False
        self.reading = True
        self.protocol: asyncio.Protocol | None = None

    def write(self, data: bytes) -> None:
        """As a transport's."""
        self.written.append(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        data = b"".join(self.written)
        self.written.clear()
        return data

    def close(self) -> None:
        """As a transport's, but at once."""
        if not self.closed:
            self.closed = True
            if self.protocol is not None:
                self.protocol.connection_lost(None)

    abort = close

    def write_eof(self) -> None:
        """As a transport's."""

    def is_closing(self) -> bool:
        """As a transport's."""
        return self.closed

    def can_write_eof(self) -> bool:
        """As a transport's."""
        return True

    def pause_reading(self) -> None:
        """As a transport's."""
        self.reading = False

    def resume_reading(self) -> None:
        """As a transport's."""
        self.reading = True

    def set_write_buffer_limits(self, high: int) -> None:
        """As a transport's."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As a transport's."""
        return ("127.0.0.1", 1) if name == "peername" else default

    def as_asyncio(self) -> asyncio.Transport:
        """For those who ask for a real one."""
        return cast(asyncio.Transport, self)


class Wire:
    """One client's connection to a gateway and the connections behind it.

    Args:
        gateway: with one door and one pool.
        links: how many connections to the service stand ready.
    """

    def __init__(self, gateway: Gateway, links: int = 4) -> None:
        (self.door,) = gateway.doors.values()
        (self.pool,) = gateway.pools.values()
        self.door.turn = self.pool.turn = Turn(lambda send: send())  # there may be no loop
        self.to_client = Transport()
        self.client = ProxyConnection(self.door)
        self.to_client.protocol = self.client
        self.client.connection_made(self.to_client.as_asyncio())
        self.links: list[tuple[UpstreamConnection, Transport]] = []
        peer = self.pool.peers[0]
        peer.idle.clear()
        for _ in range(links):
            link, transport = UpstreamConnection(self.pool, peer), Transport()
            transport.protocol = link
            link.connection_made(transport.as_asyncio())
            link.fresh = False
            link.idle_since = float("inf")
            peer.idle.append(link)
            self.links.append((link, transport))

    def busy(self) -> tuple[UpstreamConnection, Transport] | None:
        """The connection that carries a request now."""
        return next(((link, out) for link, out in self.links if link.caller is not None), None)


def quiet_gateway(folder: Path, locations: str) -> Gateway:
    """A gateway in front of one service that nobody plays."""
    path = folder / "wire.conf"
    path.write_text(
        "http { upstream service { server 127.0.0.1:9; keepalive 64; }\n"
        f"server {{ listen 127.0.0.1:1; {locations} }} }}",
        "utf-8",
    )
    settings = Settings(client_secret=SECRET, cookie_key=COOKIE_KEY)
    return build(settings, configuration.load(path))
