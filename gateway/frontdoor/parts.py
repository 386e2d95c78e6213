"""What the chain of filters and the worker stand on, made once from settings and configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from frontdoor.catching_up import CatchingUp
from frontdoor.checking import Checking
from frontdoor.filters.access_log import AccessLog
from frontdoor.identity_client import IdentityClient
from frontdoor.in_hand import InHand
from frontdoor.kept_answers import Memory
from frontdoor.limits import AllBuckets
from frontdoor.names import Following
from frontdoor.pools import Pool
from frontdoor.revocations import Revocations
from frontdoor.sessions import basic
from frontdoor.settings import Settings
from frontdoor.shared_health import SharedHealth
from frontdoor.sign_on import SignOn
from frontdoor.sites import Address, Configuration
from frontdoor.upstream_measures import UpstreamMeasures
from frontdoor.verifying import Keys, Verifier


class Parts:
    """Made in the master, before the workers fork: what is shared memory stays shared.

    Args:
        settings: addresses and secrets.
        configuration: routes and limits.
        now: monotonic seconds.
        wall: seconds since 1970.
        former: what was counted before a reload.
    """

    def __init__(
        self,
        settings: Settings,
        configuration: Configuration,
        now: Callable[[], float],
        wall: Callable[[], float],
        former: AllBuckets | None = None,
    ) -> None:
        self.buckets = AllBuckets(former)
        self.settings = settings
        self.configuration = configuration
        self.now = now
        self.wall = wall
        self.access_log = AccessLog(now)
        self._make_upstreams()
        self._make_zones()
        self._make_tokens()

    def addresses(self, upstream: str) -> Sequence[Address]:
        """The servers of an upstream, by its name."""
        return self.pools[upstream].addresses

    def _make_upstreams(self) -> None:
        upstreams, workers = self.configuration.upstreams, self.settings.workers
        shared = SharedHealth()
        self.upstream_measures = UpstreamMeasures(list(upstreams), workers)
        self.pools: dict[str, Pool] = {}
        for name, upstream in upstreams.items():
            tell = self.upstream_measures.teller(name)
            self.pools[name] = Pool(upstream, self.now, shared, workers=workers, tell=tell)
        pools = self.pools.values()
        self.checking = [Checking(p, c, self.now) for p in pools if (c := p.upstream.check)]
        self.following = [Following(p, p.upstream.resolver) for p in pools if p.upstream.moves]

    def _make_zones(self) -> None:
        zones = self.configuration.zones.values()
        self.zones = {
            zone.name: self.buckets.of(f"zone {zone.name} {zone.key}", zone.size, zone.rate)
            for zone in zones
            if zone.rate
        }
        self.in_hand = {
            zone.name: InHand(zone.size, self.settings.workers) for zone in zones if not zone.rate
        }
        locations = [loc for server in self.configuration.servers for loc in server.locations]
        caches = {loc.caching.zone for loc in locations if loc.caching is not None}
        self.memories = {zone.name: Memory(zone.size, zone.inactive, self.now) for zone in caches}

    def _make_tokens(self) -> None:
        settings, configuration, now, wall = self.settings, self.configuration, self.now, self.wall
        client = IdentityClient(settings.identity_url)
        self.revocations = Revocations(now, wall)
        self.keys = Keys(client, configuration.keys_path, now, self.revocations)
        self.verifier = Verifier(
            self.keys,
            issuer=settings.issuer,
            audiences=configuration.audiences,
            revocations=self.revocations,
            now=now,
            wall=wall,
        )
        self.sign_on = SignOn(
            settings,
            client,
            self.verifier,
            mandates=configuration.mandates,
            addresses=self.addresses,
            now=now,
            wall=wall,
        )
        self.catching_up = CatchingUp(
            configuration.sources,
            self.addresses,
            client,
            basic(settings.client_secret),
            self.revocations,
            now=now,
            wall=wall,
        )
