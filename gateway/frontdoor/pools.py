"""Upstream groups: which server is next, which ones rest, and the connections kept to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from frontdoor.sites import PeerServer, Upstream
from frontdoor.upstream_connection import Caller, UpstreamConnection

RETRY_SHARE: Final = 0.2  # of the requests may be sent a second time (R8)
RETRY_RESERVE: Final = 10.0
WRITE_BUFFER: Final = 256 << 10

Clock = Callable[[], float]


class Peer:
    """One server, its idle connections and its failures."""

    __slots__ = ("busy", "current", "failed_at", "fails", "idle", "rests_until", "server")

    def __init__(self, server: PeerServer) -> None:
        self.server = server
        self.idle: list[UpstreamConnection] = []
        self.busy = 0
        self.current = 0
        self.fails = 0
        self.failed_at = 0.0
        self.rests_until = 0.0


class Pool:
    """A group in use.

    Args:
        upstream: what the configuration says.
        now: monotonic seconds.
    """

    def __init__(self, upstream: Upstream, now: Clock) -> None:
        self.upstream = upstream
        self.peers = [Peer(server) for server in upstream.servers if not server.down]
        self.budget = RETRY_RESERVE
        self._now = now
        self._keepalive = upstream.keepalive
        self._keepalive_timeout = upstream.keepalive_timeout
        self._tasks: set[asyncio.Task[None]] = set()

    def choose(self, avoiding: Peer | None = None) -> Peer | None:
        """The next server: weighted round robin or fewest requests, among those not resting."""
        if len(self.peers) == 1:
            return None if avoiding else self.peers[0]
        now = self._now()
        able = [p for p in self.peers if p.rests_until <= now and p is not avoiding]
        if not able and avoiding is None:
            able = self.peers  # nginx too tries again when nobody is left
        if not able:
            return None
        if self.upstream.least_conn:
            fewest = min(p.busy / p.server.weight for p in able)
            able = [p for p in able if p.busy / p.server.weight == fewest]
        total = 0
        for peer in able:
            peer.current += peer.server.weight
            total += peer.server.weight
        best = max(able, key=lambda p: p.current)
        best.current -= total
        return best

    def failed(self, peer: Peer) -> None:
        """Count a failure; after ``max_fails`` within ``fail_timeout`` the server rests."""
        now, server = self._now(), peer.server
        if now - peer.failed_at > server.fail_timeout:
            peer.fails = 0
        peer.fails += 1
        peer.failed_at = now
        if 0 < server.max_fails <= peer.fails:
            peer.rests_until = now + server.fail_timeout
            self._drop_idle(peer)

    def succeeded(self, peer: Peer) -> None:
        """The server answers."""
        if peer.fails:
            peer.fails = 0
            peer.rests_until = 0.0

    def earn(self) -> None:
        """A first attempt earns a share of a second one, up to a reserve."""
        self.budget += RETRY_SHARE

    def spend(self) -> bool:
        """May one more request be sent a second time?"""
        if self.budget < 1:
            return False
        self.budget -= 1
        return True

    def take(self, peer: Peer) -> UpstreamConnection | None:
        """An idle connection, the one used last."""
        idle = peer.idle  # a connection that ends leaves it by itself
        if not idle:
            return None
        connection = idle.pop()
        if connection.idle_since >= self._now() - self._keepalive_timeout:
            return connection
        connection.kill()  # the others have been idle for longer
        self._drop_idle(peer)
        return None

    def give_back(self, connection: UpstreamConnection) -> None:
        """Keep a connection for the next request."""
        idle = connection.peer.idle
        if len(idle) >= self._keepalive:
            connection.kill()
        else:
            connection.idle_since = self._now()
            idle.append(connection)

    def connect(self, peer: Peer, caller: Caller, patience: float) -> None:
        """Open a connection; the caller hears ``connected`` or ``not_connected``."""
        task = asyncio.get_running_loop().create_task(self._connect(peer, caller, patience))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, peer: Peer, caller: Caller, patience: float) -> None:
        loop, address = asyncio.get_running_loop(), peer.server.address
        try:
            async with asyncio.timeout(patience):
                transport, connection = await loop.create_connection(
                    lambda: UpstreamConnection(self, peer), address.host, address.port
                )
        except (OSError, TimeoutError) as error:
            caller.not_connected(peer, "timeout" if isinstance(error, TimeoutError) else "error")
            return
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        caller.connected(connection)

    def close_idle(self, older_than: float) -> None:
        """Close what nobody used since."""
        for peer in self.peers:
            for connection in [c for c in peer.idle if c.idle_since < older_than]:
                peer.idle.remove(connection)
                connection.kill()

    def _drop_idle(self, peer: Peer) -> None:
        idle, peer.idle = peer.idle, []
        for connection in idle:
            connection.kill()
