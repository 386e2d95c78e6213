"""Puts the gateway together: the chain of filters, the routes, the doors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from frontdoor.catching_up import CatchingUp
from frontdoor.checking import Checking
from frontdoor.door import Door
from frontdoor.filters import Filter
from frontdoor.filters.access import Access
from frontdoor.filters.access_log import AccessLog
from frontdoor.filters.body_limit import BodyLimit
from frontdoor.filters.browser_session import BrowserSession
from frontdoor.filters.cache import Cache
from frontdoor.filters.cors import CrossOrigin
from frontdoor.filters.if_match import IfMatch
from frontdoor.filters.in_hand_limit import InHandLimit
from frontdoor.filters.keys import EARLY, LATE
from frontdoor.filters.rate_limit import RateLimit
from frontdoor.filters.request_id import RequestId
from frontdoor.filters.rewriting import Rewriting
from frontdoor.filters.security_headers import SecurityHeaders
from frontdoor.filters.tokens import Tokens
from frontdoor.filters.upgrades import Upgrades
from frontdoor.identity_client import IdentityClient
from frontdoor.in_hand import InHand
from frontdoor.kept_answers import Memory
from frontdoor.limits import Buckets
from frontdoor.measures import Measures
from frontdoor.names import Following
from frontdoor.pools import Pool
from frontdoor.proofs import Proofs
from frontdoor.revocations import Revocations
from frontdoor.routes import Routes
from frontdoor.sessions import basic
from frontdoor.settings import Settings
from frontdoor.shared_health import SharedHealth
from frontdoor.sign_on import SignOn
from frontdoor.sites import Address, Configuration
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
    in_hand: Mapping[str, InHand]
    checking: Sequence[Checking]
    following: Sequence[Following]
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def work_in(self, worker: int) -> None:
        """Count as this worker from now on."""
        self.measures.work_in(worker)
        for zone in self.in_hand.values():
            zone.work_in(worker)

    def sweep(self) -> None:
        """What is due a few times a second: deadlines, idle connections, the log."""
        for door in self.doors.values():
            door.sweep()
            if door.draining:
                door.drain()
        for pool in self.pools.values():
            pool.sweep()
        for checking in self.checking:
            checking.sweep()
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
    shared = SharedHealth()
    pools = {
        name: Pool(upstream, now, shared, workers=settings.workers)
        for name, upstream in configuration.upstreams.items()
    }
    sign_on = SignOn(
        settings,
        client,
        verifier,
        mandates=configuration.mandates,
        addresses=lambda name: pools[name].addresses,
        now=now,
        wall=wall,
    )
    zones = {z.name: Buckets(z.size, z.rate) for z in configuration.zones.values() if z.rate}
    in_hand = {
        z.name: InHand(z.size, settings.workers) for z in configuration.zones.values() if not z.rate
    }
    access_log = AccessLog(now)

    # The order is the reading order: first in, last out.
    chain: tuple[Filter, ...] = (
        RequestId(settings.public_url),
        access_log,
        SecurityHeaders(tls=urlsplit(settings.public_url).scheme == "https"),
        Access(),
        CrossOrigin(),
        RateLimit(EARLY, zones),
        InHandLimit(EARLY, in_hand),
        BodyLimit(),
        Upgrades(sign_on.own_pages),
        IfMatch(),
        BrowserSession(sign_on),
        Tokens(verifier, Proofs(settings.public_url, now, wall), now),
        RateLimit(LATE, zones),
        InHandLimit(LATE, in_hand),
        Rewriting(),
        Cache(_memories(configuration, now), pools, now),
    )

    maker = Routes(configuration, chain, pools, sign_on, keys, now, settings.public_url)
    maker.measures = Measures(maker.names, settings.workers, now)
    doors = maker.doors()
    catching_up = CatchingUp(
        configuration.sources,
        lambda name: pools[name].addresses,
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
        in_hand=in_hand,
        checking=[Checking(p, c, now) for p in pools.values() if (c := p.upstream.check)],
        following=[
            Following(pool, resolver)
            for pool in pools.values()
            if (resolver := pool.upstream.resolver)
            and any(s.resolve for s in pool.upstream.servers)
        ],
    )


def _memories(configuration: Configuration, now: Callable[[], float]) -> dict[str, Memory]:
    """A memory for each zone some location uses."""
    locations = [loc for server in configuration.servers for loc in server.locations]
    zones = {loc.caching.zone for loc in locations if loc.caching is not None}
    return {zone.name: Memory(zone.size, zone.inactive, now) for zone in zones}
