"""Sends what a turn of the loop wrote at the turn's end, one thing right after the other.

Between two sends lies a request's worth of Python: enough for whoever was sent to to fall asleep
again, so that each send wakes somebody, and for the kernel's code to leave the processor's caches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

MOST: Final = 64  # things held; the first of a long turn must not wait for all of it

Soon = Callable[[Callable[[], None]], object]


def _at_the_end(send: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(send)


class Turn:
    """What waits for the end of a turn.

    Args:
        soon: has something called at the end of the turn.
    """

    __slots__ = ("_soon", "_waiting")

    def __init__(self, soon: Soon = _at_the_end) -> None:
        self._soon = soon
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []

    def write(self, transport: asyncio.Transport, data: bytes) -> None:
        """Write at the end of the turn; `flush` before anything else is done to the transport."""
        waiting = self._waiting
        waiting.append((transport, data))
        count = len(waiting)
        if count == 1:
            self._soon(self.flush)
        elif count == MOST:
            self.flush()

    def flush(self) -> None:
        """Write what waits now."""
        waiting, self._waiting = self._waiting, []
        for transport, data in waiting:
            if not transport.is_closing():
                transport.write(data)
