"""What a configuration holds: upstreams, sites, and locations with all they inherit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen or connect."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class PeerServer:
    """One server of an upstream."""

    address: Address
    weight: int
    max_fails: int
    fail_timeout: float
    down: bool


@dataclass(frozen=True, slots=True)
class Upstream:
    """A group of servers that answer alike."""

    name: str
    servers: tuple[PeerServer, ...]
    least_conn: bool
    keepalive: int
    keepalive_timeout: float


@dataclass(frozen=True, slots=True)
class Zone:
    """A shared memory of how often each key asked."""

    name: str
    key: str
    size: int
    rate: float


@dataclass(frozen=True, slots=True)
class Limit:
    """The use of a zone."""

    zone: Zone
    burst: int


@dataclass(frozen=True, slots=True)
class Return:
    """An answer that stands in the configuration: a text, or an address to go to."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Location:
    """What holds for some paths.

    Args:
        modifier: ``""``, ``=``, ``^~``, ``~`` or ``~*``.
        proxy_pass: the upstream's name.
        returns: the answer of a ``return``.
        step: the step of a browser's session that answers here.
        health: the question about the gateway that is answered here.
    """

    modifier: str
    path: str
    proxy_pass: str | None
    returns: Return | None
    step: str | None
    health: str | None
    connect_timeout: float
    read_timeout: float
    write_timeout: float
    next_upstream: frozenset[str]
    max_body: int
    body_timeout: float
    send_timeout: float
    realm: str | None
    token_optional: bool
    limits: tuple[Limit, ...]
    limit_status: int
    headers: tuple[tuple[str, str, bool], ...]
    log_path: str | None
    log_format: str


@dataclass(frozen=True, slots=True)
class Server:
    """A site: its hosts, its paths, and what holds before the path is known."""

    names: tuple[str, ...]
    listen: tuple[Address, ...]
    default_for: tuple[Address, ...]
    returns: Return | None
    locations: tuple[Location, ...]
    fallback: Location
    header_timeout: float
    keepalive_timeout: float
    longest_line: int
    longest_head: int
    max_connections: int
    balancers: tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole file."""

    upstreams: Mapping[str, Upstream]
    zones: Mapping[str, Zone]
    servers: tuple[Server, ...]
    keys_path: str
    audience: str

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Everywhere a site listens, in the order of the file."""
        return tuple(dict.fromkeys(a for server in self.servers for a in server.listen))
