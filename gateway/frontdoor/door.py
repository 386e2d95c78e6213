"""An address the gateway listens at: who may come in, which route holds, what took too long."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from email.utils import formatdate
from typing import TYPE_CHECKING

from frontdoor.balancers import Balancers
from frontdoor.bodies import Held
from frontdoor.exchange import Exchange, Route
from frontdoor.fields import Fields
from frontdoor.http1 import RequestHead
from frontdoor.routing import Hosts, Paths
from frontdoor.sites import Server
from frontdoor.turns import Turn

if TYPE_CHECKING:
    from frontdoor.client_socket import ClientSocket

DRAIN_IDLE = 2.0  # an idle client is asked to go when it was silent for so long

_MOST_HOSTS = 16
_MOST_ROUTES = 1024
_LONGEST_KEPT = 256

_NO_REQUEST = RequestHead(b"-", b"-", 1, b"-")


class Site:
    """One server block, ready to run.

    Args:
        server: the configuration's.
        paths: its routes.
        stray: what handles that which never became a request.
    """

    def __init__(self, server: Server, paths: Paths[Route], stray: Route) -> None:
        self.server = server
        self.paths = paths
        self.stray = stray


class Door:
    """One listening address.

    Args:
        hosts: the sites here.
        now: monotonic seconds.
        tls: what clients meet where TLS is spoken.
    """

    def __init__(
        self,
        hosts: Hosts[Site],
        now: Callable[[], float],
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.tls = tls
        self.hosts = hosts
        self.server = hosts.default.server
        self.now = now
        self.turn = Turn()  # whole answers wait for its end
        self.draining = False
        self.ahead = 0  # bytes of answers held for clients that read slowly
        self.bodies = Held(self.server.most_gathered)  # until they are whole, or answered
        self.spooled = Held(self.server.most_spooled)  # the same in files
        self.date = formatdate(usegmt=True).encode()
        self.connections: set[ClientSocket] = set()
        self.greeted = 0  # clients whose TLS handshake is under way
        networks = self.server.balancers
        self._balancers = Balancers(networks) if networks else None
        self._per_address: dict[bytes, int] = {}
        self._routes: dict[bytes | None, dict[bytes, Route]] = {}

    def admit(self, connection: ClientSocket, address: bytes) -> bool:
        """May this address have one more connection?"""
        admitted = self._count(address)
        if admitted:
            self.connections.add(connection)
        return admitted

    def forget(self, connection: ClientSocket, address: bytes) -> None:
        """The connection is over."""
        self.connections.discard(connection)
        self._uncount(address)

    def begin_greeting(self, address: bytes) -> bool:
        """May this address begin one more TLS handshake? It is a connection already."""
        admitted = self._count(address)
        self.greeted += admitted
        return admitted

    def end_greeting(self, address: bytes) -> None:
        """The handshake is over, well or not."""
        self.greeted -= 1
        self._uncount(address)

    def _count(self, address: bytes) -> bool:
        count = self._per_address.get(address, 0)
        limited = self._balancers is None or not self._balancers.trusts(address)
        if limited and 0 < self.server.max_connections <= count:
            return False
        self._per_address[address] = count + 1
        return True

    def _uncount(self, address: bytes) -> None:
        left = self._per_address.get(address, 1) - 1
        if left:
            self._per_address[address] = left
        else:
            self._per_address.pop(address, None)

    def exchange(self, head: RequestHead, fields: Fields, address: bytes) -> Exchange:
        """The request with its route."""
        if self._balancers is not None and fields.forwarded_for is not None:
            address = self._balancers.client(address, fields.forwarded_for)
        host, path = fields.host, head.path
        routes = self._routes.get(host)
        route = None if routes is None else routes.get(path)
        if route is None:
            route = self._find(host, path)
        return Exchange(head, fields, route, address, self.now())

    def _find(self, host: bytes | None, path: bytes) -> Route:
        """The route, remembered."""
        route = self.hosts.find(host or b"").paths.find(path)
        routes = self._routes.setdefault(host, {})
        if len(routes) >= _MOST_ROUTES or len(self._routes) > _MOST_HOSTS:
            self._routes.clear()
        elif len(path) <= _LONGEST_KEPT:
            routes[path] = route
        return route

    def stray(self, address: bytes) -> Exchange:
        """Stands for what never became a request."""
        route = self.hosts.default.stray
        exchange = Exchange(_NO_REQUEST, Fields(), route, address, self.now())
        exchange.route.inward[0](exchange)  # the chain begins with the request's id
        return exchange

    def sweep(self) -> None:
        """Look for deadlines that have passed; called a few times a second."""
        now = self.now()
        self.date = formatdate(usegmt=True).encode()
        for connection in [c for c in self.connections if c.deadline < now]:
            connection.expire()

    def drain(self) -> None:
        """Close clients that have been idle for a while; busy ones hear it with their answer.

        Closing all idle clients at once would reset those that are just about to send.
        """
        self.draining = True
        longest = self.server.keepalive_timeout - DRAIN_IDLE
        until = self.now() + max(longest, 0.0)
        for connection in [c for c in self.connections if c.is_idle() and c.deadline < until]:
            if not connection.has_unread():
                connection.close()
