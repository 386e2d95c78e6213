"""One server of a group: what it has in hand, how it failed, whether it may be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frontdoor.shared_health import Row
from frontdoor.sites import Breaker, PeerServer

if TYPE_CHECKING:
    from frontdoor.upstream_connection import UpstreamConnection


class Peer:
    """A server in use.

    Args:
        server: what the configuration says.
        row: what the workers know of it together.
        most: requests in hand at once in this worker; 0 is any.
        breaker: when it is left alone even if nobody else is there.
    """

    __slots__ = (
        "breaker", "busy", "current", "gone", "idle", "most", "rests_until", "row", "server",
        "shut", "suspect", "unwell",
    )  # fmt: skip

    def __init__(
        self, server: PeerServer, row: Row, most: int = 0, breaker: Breaker | None = None
    ) -> None:
        self.server = server
        self.row = row
        self.most = most
        self.breaker = breaker
        self.idle: list[UpstreamConnection] = []
        self.busy = 0
        self.current = 0.0
        self.gone = False  # its name does not lead here any more
        self.look()

    def look(self) -> None:
        """Take over what other workers found out; called a few times a second."""
        row = self.row
        self.rests_until = row.rests_until
        self.unwell = row.unwell
        self.shut = row.open_until > 0  # the breaker is open
        self.suspect = row.is_suspect  # the next good answer is worth to be told

    def may_be_asked(self, now: float) -> bool:
        """Is its breaker closed or due for a try, and are its hands not full?"""
        if 0 < self.most <= self.busy:
            return False
        return not self.shut or self.row.open_until <= now

    def asked(self, now: float) -> None:
        """A request goes there; behind an open breaker it is the one that tries, of all workers."""
        if self.shut and self.breaker is not None and self.row.open_until:
            self.row.open_until = now + self.breaker.rest

    def failed(self, now: float) -> bool:
        """Count a failure; True when the server rests from now on."""
        server = self.server
        fails = self.row.failed(now, server.fail_timeout)
        self._count(now)
        if 0 < server.max_fails <= fails:
            self.rests_until = self.row.rests_until = now + server.fail_timeout
            return True
        return False

    def answered_badly(self, now: float) -> None:
        """It answers that it cannot (502, 503, 504): the breaker counts that too."""
        self._count(now)

    def _count(self, now: float) -> None:
        self.suspect = True
        in_a_row = self.row.failed_again()
        if self.breaker is not None and in_a_row >= self.breaker.failures:
            self.shut = True
            self.row.open_until = now + self.breaker.rest

    def succeeded(self, now: float) -> None:
        """It answers."""
        if self.row.open_until or self.row.rests_until:
            self.row.back_since = now
        self.row.succeeded()
        self.look()

    def weight(self, now: float) -> float:
        """Its weight, smaller for a while after it came back."""
        slow, since = self.server.slow_start, self.row.back_since
        if not slow or not since or now - since >= slow:
            return self.server.weight
        return self.server.weight * max((now - since) / slow, 0.05)
