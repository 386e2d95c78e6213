"""Upstream groups: which server is next, which ones rest, and the connections kept to them."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from frontdoor.peers import Peer
from frontdoor.shared_health import SharedHealth
from frontdoor.sites import Address, PeerServer, Upstream
from frontdoor.turns import Turn
from frontdoor.upstream_connection import Reason, UpstreamConnection

RETRY_SHARE: Final = 0.2  # of the requests may be sent a second time (R8)
RETRY_RESERVE: Final = 10.0
_UNABLE: Final = frozenset((502, 503, 504))
WRITE_BUFFER: Final = 256 << 10
READ_BUFFER: Final = 32 << 10  # what a client that does not read can make us hold of an answer

Clock = Callable[[], float]
Tell = Callable[[str], None]


class Connecting(Protocol):
    """Whoever wants a connection."""

    def connected(self, connection: UpstreamConnection) -> None:
        """It stands."""

    def not_connected(self, peer: Peer, reason: Reason) -> None:
        """The server could not be reached."""


class Waiter(Protocol):
    """A request that waits for a server with a free hand."""

    def turn(self, peer: Peer | None) -> bool:
        """Go there, or give up; False when nobody wants the server any more."""


def _tell_nobody(what: str) -> None:
    """Nobody counts."""


class Pool:
    """A group in use.

    Args:
        upstream: what the configuration says.
        now: monotonic seconds.
        health: what the workers know together.
        workers: share max_conns among so many.
        tell: counts ``failed``, ``repeated``, ``refused``, ``waited``.
    """

    def __init__(
        self,
        upstream: Upstream,
        now: Clock,
        health: SharedHealth | None = None,
        *,
        workers: int = 1,
        tell: Tell = _tell_nobody,
    ) -> None:
        self.upstream = upstream
        self.budget = RETRY_RESERVE
        self.waiting: deque[tuple[float, Waiter]] = deque()
        self.tell = tell
        self.turn = Turn()  # whole requests wait for its end
        self._now = now
        self._health = health or SharedHealth()
        self._workers = workers
        self._keepalive = upstream.keepalive
        self._keepalive_timeout = upstream.keepalive_timeout
        self._tasks: set[asyncio.Task[None]] = set()
        fixed = [s for s in upstream.servers if not s.down and not s.resolve]
        self.peers = [self._peer(server) for server in fixed]
        self._only = self.peers[0] if len(self.peers) == 1 else None

    def _peer(self, server: PeerServer) -> Peer:
        row = self._health.row(f"{self.upstream.name} {server.address}")
        most = -(-server.max_conns // self._workers)
        return Peer(server, row, most, self.upstream.breaker)

    def now_at(self, servers: Sequence[PeerServer]) -> None:
        """The names of the group lead to these servers now; who stays keeps what is known of it."""
        known = {(p.server.address, p.server.backup): p for p in self.peers if p.server.resolve}
        kept = [peer for peer in self.peers if not peer.server.resolve]
        for server in servers:
            peer = known.pop((server.address, server.backup), None)
            if peer is None:
                peer = self._peer(server)
                if self.peers:  # not at the start: everybody is new then
                    peer.row.back_since = self._now()
            kept.append(peer)
        for peer in known.values():
            peer.gone = True
            self._drop_idle(peer)
        self.peers = kept
        self._only = self.peers[0] if len(self.peers) == 1 else None
        self.wake()

    @property
    def addresses(self) -> list[Address]:
        """Where the group is now."""
        return [peer.server.address for peer in self.peers]

    def choose(self, avoiding: Peer | None = None) -> Peer | None:
        """The next server: weighted round robin or fewest requests, among those not resting.

        None when nobody may be asked now.
        """
        only = self._only
        if only is not None:
            if avoiding is not None:
                return None
            if not (only.shut or only.unwell or only.most):  # as nearly always
                return only
        now = self._now()
        peers = [p for p in self.peers if p is not avoiding and p.may_be_asked(now)]
        well = [p for p in peers if not p.unwell]
        able = [p for p in well if p.rests_until <= now and not p.server.backup]
        if not able:
            able = [p for p in well if p.rests_until <= now]  # the backups
        if not able and avoiding is None:
            # nginx too asks somebody when all rest; checks may be wrong about all at once.
            able = [p for p in well if not p.server.backup] or well or peers
        if not able:
            return None
        best = able[0] if len(able) == 1 else self._best(able, now)
        best.asked(now)
        return best

    def _best(self, able: list[Peer], now: float) -> Peer:
        weights = [peer.weight(now) for peer in able]
        if self.upstream.least_conn:
            loads = [peer.busy / weight for peer, weight in zip(able, weights, strict=True)]
            fewest = min(loads)
            able = [peer for peer, load in zip(able, loads, strict=True) if load == fewest]
            weights = [peer.weight(now) for peer in able]
        for peer, weight in zip(able, weights, strict=True):
            peer.current += weight
        best = max(able, key=lambda p: p.current)
        best.current -= sum(weights)
        return best

    def queue(self, waiter: Waiter) -> bool:
        """Let a request wait for a free hand; False when the queue is full or there is none."""
        queue = self.upstream.queue
        busy = any(0 < peer.most <= peer.busy for peer in self.peers)
        if queue is None or not busy or len(self.waiting) >= queue.length:
            self.tell("refused")
            return False
        self.waiting.append((self._now() + queue.timeout, waiter))
        self.tell("waited")
        return True

    def leave(self, waiter: Waiter) -> None:
        """Whoever waited is gone; the place in the queue is somebody else's."""
        self.waiting = deque(entry for entry in self.waiting if entry[1] is not waiter)

    def wake(self) -> None:
        """A hand is free: the one that waits longest goes on."""
        while self.waiting and (peer := self.choose()) is not None:
            if self.waiting.popleft()[1].turn(peer):
                return

    def sweep(self) -> None:
        """A few times a second: what other workers found, who waited too long, idle connections."""
        now = self._now()
        for peer in self.peers:
            peer.look()
        while self.waiting and self.waiting[0][0] <= now:
            self.tell("refused")
            self.waiting.popleft()[1].turn(None)
        if self.waiting:
            self.wake()
        self.close_idle(now - self._keepalive_timeout)

    def failed(self, peer: Peer) -> None:
        """Count a failure; after ``max_fails`` within ``fail_timeout`` the server rests."""
        self.tell("failed")
        if peer.failed(self._now()):
            self._drop_idle(peer)

    def answered(self, peer: Peer, status: int) -> None:
        """The server answers, well or badly."""
        if peer.breaker is not None and status in _UNABLE:
            self.tell("failed")
            peer.answered_badly(self._now())
        elif peer.suspect:
            peer.succeeded(self._now())

    def earn(self) -> None:
        """A first attempt earns a share of a second one, up to a reserve."""
        self.budget += RETRY_SHARE

    def spend(self) -> bool:
        """May one more request be sent a second time?"""
        if self.budget < 1:
            return False
        self.budget -= 1
        self.tell("repeated")
        return True

    def take(self, peer: Peer) -> UpstreamConnection | None:
        """An idle connection, the one used last; `sweep` closes those idle for too long."""
        idle = peer.idle  # a connection that ends leaves it by itself
        return idle.pop() if idle else None

    def give_back(self, connection: UpstreamConnection) -> None:
        """Keep a connection for the next request."""
        peer = connection.peer
        if len(peer.idle) >= self._keepalive or peer.gone:
            connection.kill()
        else:
            connection.idle_since = self._now()
            peer.idle.append(connection)
        if self.waiting:
            self.wake()

    def connect(self, peer: Peer, caller: Connecting, patience: float) -> None:
        """Open a connection; the caller hears ``connected`` or ``not_connected``."""
        peer.busy += 1  # what is being connected is in hand too
        task = asyncio.get_running_loop().create_task(self._connect(peer, caller, patience))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, peer: Peer, caller: Connecting, patience: float) -> None:
        loop, address = asyncio.get_running_loop(), peer.server.address
        try:
            async with asyncio.timeout(patience):
                transport, connection = await loop.create_connection(
                    lambda: UpstreamConnection(self, peer), address.host, address.port
                )
        except (OSError, TimeoutError) as error:
            peer.busy -= 1
            caller.not_connected(peer, "timeout" if isinstance(error, TimeoutError) else "error")
            return
        peer.busy -= 1
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        taken = transport.get_extra_info("socket")
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BUFFER)
        caller.connected(connection)

    def close_idle(self, older_than: float) -> None:
        """Close what nobody used since."""
        for peer in self.peers:
            _kill(peer, [c for c in peer.idle if c.idle_since < older_than])

    def _drop_idle(self, peer: Peer) -> None:
        _kill(peer, list(peer.idle))


def _kill(peer: Peer, connections: Iterable[UpstreamConnection]) -> None:
    for connection in connections:
        peer.idle.remove(connection)
        connection.kill()
