"""One request on its way through the gateway, and what handles it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from frontdoor.answers import Answer
from frontdoor.fields import Fields
from frontdoor.http1 import RequestHead
from frontdoor.sites import Location

if TYPE_CHECKING:
    from frontdoor.compression import Packer
    from frontdoor.in_hand import InHand
    from frontdoor.pools import Pool
    from frontdoor.verifying import Identity

# Repeating one of these has the effect of sending it once (RFC 9110 9.2.2).
_IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))
MOST_KEPT = 64 << 10  # of a request's body, to send it again


class Exchange:
    """A request, what the filters found out, and how it was answered.

    Args:
        head: the request line.
        fields: its fields.
        route: what handles it.
        address: the client's.
        started: monotonic seconds.
    """

    __slots__ = (
        "address", "authorization", "body_sent", "ended", "fields", "gather", "head", "identity",
        "in_hand", "kept_body", "method", "packer", "replied", "request_id", "response_lines",
        "route", "sent", "service_line", "started", "status", "tries", "upgrade", "upstream_lines",
    )  # fmt: skip

    def __init__(
        self, head: RequestHead, fields: Fields, route: Route, address: bytes, started: float
    ) -> None:
        self.head = head
        self.fields = fields
        self.method = head.method
        self.route = route
        self.address = address
        self.started = started
        self.ended = 0.0  # monotonic seconds
        self.authorization = fields.authorization
        self.request_id = b"-"
        self.identity: Identity | None = None
        self.upstream_lines = b""  # each with its line end, as all lines here
        self.response_lines = b""
        self.status = self.sent = self.tries = self.body_sent = 0
        self.replied = False
        self.kept_body: bytes | None = b""
        # The request line where it is not the client's.
        self.service_line: bytes | None = None
        # Compresses what is still to come of the answer.
        self.packer: Packer | None = None
        # The protocol the service may switch to, in small letters.
        self.upgrade: bytes | None = None
        # What limit_conn counts, to be given back.
        self.in_hand: tuple[tuple[InHand, int], ...] = ()
        # Hears the body within an awaited step.
        self.gather: Callable[[int], Awaitable[bytes | None]] | None = None

    @property
    def path(self) -> bytes:
        """The decoded path."""
        return self.head.path

    @property
    def keeps_alive(self) -> bool:
        """Does the client want to go on with the connection?"""
        return not self.fields.close if self.head.minor else self.fields.keep_alive

    @property
    def repeatable(self) -> bool:
        """May the request be sent again, and can it?

        A keyed one may: the services answer the same to the same key (AL-05).
        """
        safe = self.method in _IDEMPOTENT or self.fields.idempotency_key is not None
        return safe and self.kept_body is not None and not self.replied

    def remember(self, data: bytes) -> None:
        """Remember what was sent of the body, while it is small."""
        self.body_sent += len(data)
        if self.kept_body is not None:
            self.kept_body = self.kept_body + data if self.body_sent <= MOST_KEPT else None

    def head_for_service(self) -> bytes:
        """The head as the service gets it."""
        fields = self.fields
        lines = fields.lines
        if self.authorization is not fields.authorization:
            lines = fields.lines_with(self.authorization)
        first = self.service_line or self.head.line
        return b"".join((first, lines, self.upstream_lines, b"\r\n"))


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
