"""Asks servers whether they are well, once an interval by one of the workers (health_check)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from frontdoor.asking import NoAnswer, ask
from frontdoor.peers import Peer
from frontdoor.pools import Pool
from frontdoor.sites import HealthCheck

log = structlog.get_logger(__name__)

_GOOD: Final = range(200, 400)
LONGEST_ANSWER: Final = 64 << 10


class Checking:
    """The health checks of one group.

    Args:
        pool: the group.
        check: how they are asked.
        now: monotonic seconds.
    """

    def __init__(self, pool: Pool, check: HealthCheck, now: Callable[[], float]) -> None:
        self._pool = pool
        self._check = check
        self._now = now
        self._tasks: set[asyncio.Task[None]] = set()

    def sweep(self) -> None:
        """Begin what is due; called a few times a second in the running loop."""
        now = self._now()
        for peer in self._pool.peers:
            if peer.row.is_due(now, self._check.interval):
                task = asyncio.get_running_loop().create_task(self.ask(peer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def ask(self, peer: Peer) -> None:
        """Ask one server, and remember what it said for all workers."""
        head = (
            f"GET {self._check.uri} HTTP/1.1\r\nHost: {self._pool.upstream.name}\r\n"
            "User-Agent: jiuye-frontdoor\r\nAccept: */*\r\nConnection: close\r\n"
        )
        try:
            answered = await ask(
                peer.server.address,
                head.encode(),
                patience=self._check.timeout,
                longest=LONGEST_ANSWER,
            )
            good = answered.status in _GOOD
        except NoAnswer:
            good = False
        row, streak = peer.row, peer.row.note(good=good)
        if good and row.unwell and streak >= self._check.passes:
            row.unwell = False
            row.back_since = self._now()
        elif not good and not row.unwell and streak >= self._check.fails:
            row.unwell = True
        else:
            return
        peer.look()
        state = "unwell" if row.unwell else "well"
        log.warning(
            "a server's health changed",
            upstream=self._pool.upstream.name,
            server=str(peer.server.address),
            state=state,
        )
        self._pool.wake()
