"""One request on its way through the gateway, and what handles it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from frontdoor.answers import Answer
from frontdoor.http1 import Fields, RequestHead
from frontdoor.sites import Location

if TYPE_CHECKING:
    from frontdoor.pools import Pool
    from frontdoor.verifying import Identity

# Repeating one of these has the effect of sending it once (RFC 9110 9.2.2).
_IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))
MOST_KEPT = 64 << 10  # of a request's body, to send it again


class Exchange:
    """A request, what the filters found out, and how it was answered.

    Args:
        head: the request's head.
        path: the decoded path.
        route: what handles it.
        address: the client's.
        started: monotonic seconds.
    """

    __slots__ = (
        "address", "authorization", "body_sent", "fields", "head", "identity", "kept_body",
        "method", "path", "replied", "request_id", "response_lines", "route", "sent", "started",
        "status", "tries", "upstream_lines",
    )  # fmt: skip

    def __init__(
        self, head: RequestHead, path: bytes, route: Route, address: bytes, started: float
    ) -> None:
        self.head = head
        self.fields: Fields = head.fields
        self.method = head.method
        self.path = path
        self.route = route
        self.address = address
        self.started = started
        self.request_id = b"-"
        self.authorization = head.fields.authorization
        self.identity: Identity | None = None
        self.upstream_lines = b""
        self.response_lines = b""
        self.status = 0
        self.sent = 0
        self.replied = False
        self.tries = 0
        self.body_sent = 0
        self.kept_body: bytes | None = b""

    @property
    def repeatable(self) -> bool:
        """May the request be sent again, and can it?

        A keyed one may: the services answer the same to the same key (AL-05).
        """
        safe = self.method in _IDEMPOTENT or self.fields.idempotency_key is not None
        return safe and self.kept_body is not None and not self.replied

    def keep(self, data: bytes) -> None:
        """Remember what was sent of the body, while it is small."""
        self.body_sent += len(data)
        if self.kept_body is not None:
            self.kept_body = self.kept_body + data if self.body_sent <= MOST_KEPT else None

    def head_for_service(self) -> bytes:
        """The head as the service gets it."""
        parts = [
            self.method, b" ", self.head.target, b" HTTP/1.1\r\n",
            self.fields.lines, self.upstream_lines,
        ]  # fmt: skip
        if self.authorization is not None:
            parts += (b"Authorization: ", self.authorization, b"\r\n")
        parts.append(b"\r\n")
        return b"".join(parts)


Step = Answer | Awaitable[Answer | None] | None
Inward = Callable[[Exchange], Step]
Outward = Callable[[Exchange, int, int], None]
Finished = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class Route:
    """A location, ready to run.

    Args:
        inward: the filters on the way in; None goes on, an answer ends, an awaitable is awaited.
        outward: the filters on the way out, with the status and the fields already present.
        finished: the filters after the last byte.
        pool: where the request goes; without one the last of ``inward`` answers.
    """

    location: Location
    inward: tuple[Inward, ...]
    outward: tuple[Outward, ...]
    finished: tuple[Finished, ...]
    pool: Pool | None
