"""Puts the gateway together: the chain of filters, the routes, the doors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from frontdoor import answers
from frontdoor.answers import go
from frontdoor.catching_up import CatchingUp
from frontdoor.door import Door, Site
from frontdoor.exchange import Exchange, Inward, Route, Step
from frontdoor.filters import Filter
from frontdoor.filters.access_log import AccessLog
from frontdoor.filters.body_limit import BodyLimit
from frontdoor.filters.browser_session import BrowserSession
from frontdoor.filters.if_match import IfMatch
from frontdoor.filters.rate_limit import BY_ADDRESS, BY_SUBJECT, RateLimit
from frontdoor.filters.request_id import RequestId
from frontdoor.filters.security_headers import SecurityHeaders
from frontdoor.filters.tokens import Tokens
from frontdoor.filters.upgrades import Upgrades
from frontdoor.health import health
from frontdoor.identity_client import IdentityClient
from frontdoor.limits import Buckets
from frontdoor.measures import Measures
from frontdoor.pools import Pool
from frontdoor.proofs import Proofs
from frontdoor.returning import returning
from frontdoor.revocations import Revocations
from frontdoor.routing import Hosts, Paths
from frontdoor.sessions import basic
from frontdoor.settings import Settings
from frontdoor.sign_on import SignOn
from frontdoor.sites import Address, Configuration, Location, Return, Server
from frontdoor.verifying import Keys, Verifier


@dataclass(frozen=True)
class Gateway:
    """Everything one worker runs. Made in the master: limits and figures are shared memory."""

    settings: Settings
    configuration: Configuration
    chain: tuple[Filter, ...]
    doors: dict[Address, Door]
    pools: dict[str, Pool]
    keys: Keys
    revocations: Revocations
    measures: Measures
    access_log: AccessLog
    catching_up: CatchingUp
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def sweep(self) -> None:
        """What is due a few times a second: deadlines, idle connections, the log."""
        for door in self.doors.values():
            door.sweep()
            if door.draining:
                door.drain()
        now = time.monotonic()
        for pool in self.pools.values():
            pool.close_idle(now - pool.upstream.keepalive_timeout)
        self.access_log.tick()

    @property
    def connections(self) -> int:
        """Open client connections of this worker."""
        return sum(len(door.connections) for door in self.doors.values())


def build(
    settings: Settings,
    configuration: Configuration,
    *,
    now: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> Gateway:
    """Make a gateway; nothing listens yet.

    Args:
        settings: addresses and secrets.
        configuration: routes and limits.
        now: monotonic seconds.
        wall: seconds since 1970.
    """
    client = IdentityClient(settings.identity_url)
    keys = Keys(client, configuration.keys_path, now)
    revocations = Revocations(now, wall)
    verifier = Verifier(
        keys,
        issuer=settings.issuer,
        audiences=configuration.audiences,
        revocations=revocations,
        now=now,
        wall=wall,
    )
    pools = {name: Pool(upstream, now) for name, upstream in configuration.upstreams.items()}
    sign_on = SignOn(
        settings,
        client,
        verifier,
        mandates=configuration.mandates,
        addresses=lambda name: _addresses(pools[name]),
        now=now,
        wall=wall,
    )
    zones = {zone.name: Buckets(zone.size, zone.rate) for zone in configuration.zones.values()}
    access_log = AccessLog(now)

    # The order is the reading order: first in, last out.
    chain: tuple[Filter, ...] = (
        RequestId(settings.public_url),
        access_log,
        SecurityHeaders(tls=urlsplit(settings.public_url).scheme == "https"),
        RateLimit(BY_ADDRESS, zones, now),
        BodyLimit(),
        Upgrades(sign_on.own_pages),
        IfMatch(),
        BrowserSession(sign_on),
        Tokens(verifier, Proofs(settings.public_url, now, wall), now),
        RateLimit(BY_SUBJECT, zones, now),
    )

    maker = _Routes(configuration, chain, pools, sign_on, keys)
    maker.measures = Measures(maker.names, settings.workers, now)
    doors = maker.doors(now)
    catching_up = CatchingUp(
        configuration.sources,
        lambda name: _addresses(pools[name]),
        client,
        basic(settings.client_secret),
        revocations,
        now=now,
        wall=wall,
    )
    return Gateway(
        settings=settings,
        configuration=configuration,
        chain=chain,
        doors=doors,
        pools=pools,
        keys=keys,
        revocations=revocations,
        measures=maker.measures,
        access_log=access_log,
        catching_up=catching_up,
    )


def _addresses(pool: Pool) -> list[Address]:
    return [peer.server.address for peer in pool.peers]


class _Routes:
    """Turns locations into routes."""

    measures: Measures

    def __init__(
        self,
        configuration: Configuration,
        chain: Sequence[Filter],
        pools: dict[str, Pool],
        sign_on: SignOn,
        keys: Keys,
    ) -> None:
        self._configuration = configuration
        self._chain = chain
        self._pools = pools
        self._sign_on = sign_on
        self._keys = keys
        locations = [(s, loc) for s in configuration.servers for loc in s.locations]
        self.names = [f"{loc.modifier} {loc.path}".strip() for _, loc in locations] + ["none"]

    def doors(self, now: Callable[[], float]) -> dict[Address, Door]:
        """One per address, each with the sites that listen there."""
        number, sites = 0, []
        for server in self._configuration.servers:
            sites.append((server, self._site(server, number)))
            number += len(server.locations)
        return {
            address: Door(Hosts(sites, address), now) for address in self._configuration.addresses
        }

    def _site(self, server: Server, first: int) -> Site:
        last = len(self.names) - 1
        found = server.returns or Return(answers.NOT_FOUND.status, "")
        stray = self._route(server.fallback, [returning(found)], last)
        routes = []
        for number, location in enumerate(server.locations, first):
            ends: list[Inward] = []
            if server.returns is not None:
                ends.append(returning(server.returns))
            elif location.returns is not None:
                ends.append(returning(location.returns))
            elif location.health is not None:
                ends.append(health(location.health, self._keys))
            elif location.step is not None:
                ends.append(self._sign_on.step(location.step))
            routes.append((location, self._route(location, ends, number)))
        slash = self._route(server.fallback, [_add_slash], last)
        return Site(server, Paths(routes, stray, slash), stray)

    def _route(self, location: Location, ends: list[Inward], number: int) -> Route:
        inward = [go_in for f in self._chain if (go_in := f.inward(location))]
        outward = [go_out for f in self._chain if (go_out := f.outward(location))]
        finished = [end for f in self._chain if (end := f.finished(location))]
        return Route(
            location=location,
            inward=(*inward, *ends),
            outward=tuple(outward),
            finished=(*finished, self.measures.counter(number)),
            pool=None if location.proxy_pass is None else self._pools[location.proxy_pass],
        )


def _add_slash(exchange: Exchange) -> Step:
    path, mark, query = exchange.head.target.partition(b"?")
    return go((path + b"/" + mark + query).decode("ascii"), 301)
