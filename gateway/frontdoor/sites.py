"""What a configuration holds: upstreams, sites, and locations with all they inherit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from frontdoor.content import Caching, Compression, Cors, Demand, Files, OpenApi

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen or connect."""

    host: str
    port: int

    def __str__(self) -> str:
        """As files and addresses of pages have it: an IPv6 address stands in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class PeerServer:
    """One server of an upstream.

    Args:
        max_conns: requests in hand at once, over all workers' shares; 0 is any.
        slow_start: seconds in which a server that comes back grows to its weight.
        backup: asked only when none of the others can be.
        resolve: the name is asked for again and again; each address is a server.
    """

    address: Address
    weight: int
    max_fails: int
    fail_timeout: float
    down: bool
    max_conns: int = 0
    slow_start: float = 0.0
    backup: bool = False
    resolve: bool = False


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How servers are asked whether they are well.

    Args:
        uri: answered with 2xx or 3xx by one that is.
        fails: so many failures in a row and it is not.
        passes: so many good answers in a row and it is again.
    """

    uri: str
    interval: float
    timeout: float
    fails: int
    passes: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """When a server is left alone even if it is the only one.

    Args:
        failures: in a row.
        rest: seconds until one request tries again.
    """

    failures: int
    rest: float


@dataclass(frozen=True, slots=True)
class Queue:
    """How many requests may wait for a server below its max_conns, and how long."""

    length: int
    timeout: float


@dataclass(frozen=True, slots=True)
class Resolver:
    """Whom to ask for names.

    Args:
        servers: name servers; none is the system's.
        valid: seconds an answer holds whatever it says itself; None believes it.
    """

    servers: tuple[Address, ...]
    valid: float | None


@dataclass(frozen=True, slots=True)
class Upstream:
    """A group of servers that answer alike."""

    name: str
    servers: tuple[PeerServer, ...]
    least_conn: bool
    keepalive: int
    keepalive_timeout: float
    check: HealthCheck | None = None
    breaker: Breaker | None = None
    queue: Queue | None = None
    resolver: Resolver | None = None

    @property
    def moves(self) -> bool:
        """Do its names lead somewhere else now and then?"""
        return any(server.resolve and not server.down for server in self.servers)


@dataclass(frozen=True, slots=True)
class Zone:
    """A shared memory of how often each key asked; a rate of 0 counts what is in hand instead."""

    name: str
    key: str
    size: int
    rate: float


@dataclass(frozen=True, slots=True)
class Limit:
    """The use of a zone of limit_req."""

    zone: Zone
    burst: int


@dataclass(frozen=True, slots=True)
class InHand:
    """The use of a zone of limit_conn: how many requests of a key at once."""

    zone: Zone
    most: int


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
        rewrite: in place of the location's path when the request is passed on; None leaves it.
        returns: the answer of a ``return``.
        step: the step of a browser's session that answers here.
        health: the question about the gateway that is answered here.
        tries: servers asked at most for one request.
        upgrade: WebSocket passes.
        longest_ahead: bytes of one answer held for a client that reads slower than its server.
        longest_answer_head: bytes.
        longest_gathered: bytes of a body taken whole into memory before a server is asked.
        body_folder: where longer ones are taken whole into files; None streams them.
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
    rewrite: str | None = None
    tries: int = 3
    limit_headers: bool = False
    files: Files | None = None
    caching: Caching | None = None
    cors: Cors | None = None
    demand: Demand | None = None
    in_hand: tuple[InHand, ...] = ()
    in_hand_status: int = 503
    access: tuple[tuple[bool, Network | None], ...] = ()
    compression: Compression | None = None
    upgrade: bool = False
    openapi: OpenApi | None = None
    longest_ahead: int = 0
    longest_answer_head: int = 64 << 10
    longest_gathered: int = 0
    body_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """What a site shows to those who come by https."""

    certificate: Path
    key: Path
    protocols: frozenset[str]


@dataclass(frozen=True, slots=True)
class Server:
    """A site: its hosts, its paths, and what holds before the path is known.

    Args:
        listen: every address; those in ``secure`` speak TLS.
        most_ahead: bytes of all answers held at an address and worker.
        most_gathered: bytes of all bodies held there, in memory.
        most_spooled: the same in files.
    """

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
    balancers: tuple[Network, ...]
    most_ahead: int = 0
    most_gathered: int = 0
    most_spooled: int = 0
    secure: tuple[Address, ...] = ()
    tls: Tls | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A path of a service behind an upstream that the gateway itself asks."""

    upstream: str
    path: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole file."""

    upstreams: Mapping[str, Upstream]
    zones: Mapping[str, Zone]
    servers: tuple[Server, ...]
    keys_path: str
    audience: str
    sources: tuple[Source, ...] = ()
    mandates: Source | None = None

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Everywhere a site listens, in the order of the file."""
        return tuple(dict.fromkeys(a for server in self.servers for a in server.listen))

    @property
    def audiences(self) -> frozenset[str]:
        """Every audience that counts anywhere."""
        demands = [loc.demand for server in self.servers for loc in server.locations]
        return frozenset((self.audience, *(a for d in demands if d for a in d.audiences)))
