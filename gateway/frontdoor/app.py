"""Puts the gateway together: the chain of filters, the routes, the doors."""

from __future__ import annotations

import asyncio
import contextlib
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
from frontdoor.in_hand import InHand
from frontdoor.kept_answers import Memory
from frontdoor.limits import AllBuckets
from frontdoor.measures import Measures
from frontdoor.names import Following
from frontdoor.parts import Parts
from frontdoor.pools import Pool
from frontdoor.proofs import Proofs
from frontdoor.revocations import Revocations
from frontdoor.routes import Routes
from frontdoor.settings import Settings
from frontdoor.shared_ends import SharedEnds
from frontdoor.sites import Address, Configuration
from frontdoor.upstream_measures import UpstreamMeasures
from frontdoor.verifying import Keys


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
    upstream_measures: UpstreamMeasures
    memories: Mapping[str, Memory]
    ends: SharedEnds
    buckets: AllBuckets
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def work_in(self, worker: int) -> None:
        """Count as this worker from now on."""
        self.measures.work_in(worker)
        self.upstream_measures.work_in(worker)
        for zone in self.in_hand.values():
            zone.work_in(worker)

    async def look_around(self, patience: float) -> None:
        """Learn what must be known before the first request: ends, where names lead."""
        looks = [*(one.looked for one in self.following), self.catching_up.tried]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                for look in looks:
                    await look.wait()

    def sweep(self) -> None:
        """What is due a few times a second: deadlines, idle connections, the log."""
        for session_id in self.ends.news():
            self.revocations.end_session(session_id)
        for door in self.doors.values():
            door.sweep()
            if door.draining:
                door.drain()
        for pool in self.pools.values():
            pool.sweep()
        for checking in self.checking:
            checking.sweep()
        self.access_log.tick()
        self.measures.tick()

    @property
    def upstreams_of(self) -> list[str | None]:
        """The upstream of each location, in the order of the figures."""
        locations = [loc for server in self.configuration.servers for loc in server.locations]
        return [loc.proxy_pass for loc in locations] + [None]

    @property
    def connections(self) -> int:
        """Open client connections of this worker."""
        return sum(len(door.connections) + door.greeted for door in self.doors.values())


def build(
    settings: Settings,
    configuration: Configuration,
    *,
    now: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
    former: Gateway | None = None,
) -> Gateway:
    """Make a gateway; nothing listens yet.

    Args:
        settings: addresses and secrets.
        configuration: routes and limits.
        now: monotonic seconds.
        wall: seconds since 1970.
        former: the one before a reload; what it counted goes on to count.
    """
    parts = Parts(settings, configuration, now, wall, None if former is None else former.buckets)
    chain = _chain(parts)
    maker = Routes(
        configuration, chain, parts.pools, parts.sign_on, parts.keys, now, settings.public_url
    )
    maker.measures = Measures(maker.names, settings.workers)
    doors = maker.doors()
    return Gateway(
        settings=settings,
        configuration=configuration,
        chain=chain,
        doors=doors,
        pools=parts.pools,
        keys=parts.keys,
        revocations=parts.revocations,
        measures=maker.measures,
        access_log=parts.access_log,
        catching_up=parts.catching_up,
        in_hand=parts.in_hand,
        upstream_measures=parts.upstream_measures,
        memories=parts.memories,
        ends=parts.sign_on.ends,
        checking=parts.checking,
        following=parts.following,
        buckets=parts.buckets,
    )


def _chain(parts: Parts) -> tuple[Filter, ...]:
    """What every request passes. The order is the reading order: first in, last out."""
    now, wall, public_url = parts.now, parts.wall, parts.settings.public_url
    return (
        RequestId(public_url),
        parts.access_log,
        SecurityHeaders(tls=urlsplit(public_url).scheme == "https"),
        Access(),
        RateLimit(EARLY, parts.zones),
        InHandLimit(EARLY, parts.in_hand),
        CrossOrigin(),
        BodyLimit(),
        Upgrades(parts.sign_on.own_pages),
        IfMatch(),
        BrowserSession(parts.sign_on),
        Tokens(parts.verifier, Proofs(public_url, now, wall, parts.buckets), now, parts.buckets),
        RateLimit(LATE, parts.zones),
        InHandLimit(LATE, parts.in_hand),
        Rewriting(),
        Cache(parts.memories, parts.pools, now),
    )
