"""Turns locations into routes: the filters of each, and what answers at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from frontdoor import answers
from frontdoor.answers import go
from frontdoor.api_docs.answers import ApiDocs
from frontdoor.content import OpenApi
from frontdoor.door import Door, Site
from frontdoor.exchange import Exchange, Inward, Route, Step
from frontdoor.filters import Filter
from frontdoor.health import health
from frontdoor.measures import Measures
from frontdoor.pools import Pool
from frontdoor.returning import returning
from frontdoor.routing import Hosts, Paths
from frontdoor.sign_on import SignOn
from frontdoor.sites import Address, Configuration, Location, Return, Server
from frontdoor.static_files import serving
from frontdoor.tls import context_at
from frontdoor.verifying import Keys


class Routes:
    """Turns locations into routes.

    Args:
        configuration: what the file says.
        chain: the filters, first in, last out.
        pools: the upstreams.
        sign_on: the steps of a browser's session.
        keys: identity's.
        now: monotonic seconds.
        public_url: where people reach the gateway.
    """

    measures: Measures

    def __init__(
        self,
        configuration: Configuration,
        chain: Sequence[Filter],
        pools: dict[str, Pool],
        sign_on: SignOn,
        keys: Keys,
        now: Callable[[], float],
        public_url: str,
    ) -> None:
        self._configuration = configuration
        self._chain = chain
        self._pools = pools
        self._sign_on = sign_on
        self._keys = keys
        self._now = now
        self._public_url = public_url
        self._docs: dict[tuple[str, ...], ApiDocs] = {}
        locations = [(s, loc) for s in configuration.servers for loc in s.locations]
        self.names = [f"{loc.modifier} {loc.path}".strip() for _, loc in locations] + ["none"]

    def doors(self) -> dict[Address, Door]:
        """One per address, each with the sites that listen there."""
        number, sites = 0, []
        for server in self._configuration.servers:
            sites.append((server, self._site(server, number)))
            number += len(server.locations)
        return {
            address: Door(
                Hosts(sites, address),
                self._now,
                tls=context_at(self._configuration.servers, address),
            )
            for address in self._configuration.addresses
        }

    def _site(self, server: Server, first: int) -> Site:
        last = len(self.names) - 1
        found = server.returns or Return(answers.NOT_FOUND.status, "")
        stray = self._route(server.fallback, [returning(found)], last)
        routes = []
        for number, location in enumerate(server.locations, first):
            end = self._end(location) if server.returns is None else returning(server.returns)
            ends = [] if end is None else [end]
            routes.append((location, self._route(location, ends, number)))
        slash = self._route(server.fallback, [_add_slash], last)
        return Site(server, Paths(routes, stray, slash), stray)

    def _end(self, location: Location) -> Inward | None:
        """What answers in place of a service."""
        if location.returns is not None:
            return returning(location.returns)
        if location.health is not None:
            return health(location.health, self._keys)
        if location.step is not None:
            return self._sign_on.step(location.step)
        if location.files is not None:
            return serving(location.files, self._now)
        if location.openapi is not None:
            return self._api(location, location.openapi)
        return None

    def _api(self, location: Location, wanted: OpenApi) -> Inward:
        docs = self._docs.get(wanted.upstreams)
        if docs is None:
            docs = self._docs[wanted.upstreams] = ApiDocs(
                wanted.upstreams,
                lambda name: self._pools[name].addresses,
                self._public_url,
                self._now,
            )
        same = [
            loc.path
            for server in self._configuration.servers
            for loc in server.locations
            if loc.openapi == OpenApi("document", wanted.upstreams)
        ]
        return docs.end(wanted, location.path, same[0] if same else "")

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
