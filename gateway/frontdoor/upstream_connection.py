"""One connection to a service: its response is read strictly and streamed to the caller."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Literal, Protocol, cast

from frontdoor.chunked import BadChunk, Chunked
from frontdoor.exchange import Exchange
from frontdoor.responses import (
    FIRST_FINAL,
    UNKNOWN,
    BadResponse,
    ResponseHead,
    has_body,
    learn_opening,
    read_response,
)

if TYPE_CHECKING:
    from frontdoor.peers import Peer
    from frontdoor.pools import Pool

Reason = Literal["error", "timeout"]

_IDLE, _HEAD, _LENGTH, _CHUNKED, _TO_THE_END, _TUNNEL, _DEAD = range(7)
_SWITCHING: Final = 101


class Caller(Protocol):
    """Whoever sent the request: the client's side of the exchange."""

    exchange: Exchange

    def response_begins(self, head: ResponseHead, data: bytes, *, framed: bool, more: bool) -> None:
        """The head came, with the first bytes of the body as they go to the client.

        Args:
            head: status and fields.
            data: of the body.
            framed: its end is known without the end of the connection.
            more: it is not over.
        """

    def packs(self, head: ResponseHead) -> bool:
        """Will the body be compressed? Then the caller wants its content, without the chunks."""

    def tunnel_begins(self, head: ResponseHead, data: bytes) -> None:
        """The service speaks the protocol the client asked for; bytes pass as they are."""

    def response_goes_on(self, data: bytes) -> None:
        """More of the body."""

    def response_ends(self) -> None:
        """The body is complete."""

    def response_breaks(self, connection: UpstreamConnection, *, heard: bool) -> None:
        """The service went away, or what it says makes no sense."""

    def request_is_complete(self) -> bool:
        """Has all of the request been sent?"""

    def pause_body(self) -> None:
        """The service reads slower than the client writes."""

    def resume_body(self) -> None:
        """The service has caught up."""


class UpstreamConnection(asyncio.Protocol):
    """Carries one request at a time.

    Args:
        pool: where it belongs.
        peer: the server.
    """

    __slots__ = (
        "_buffer", "_chunked", "_heard", "_held", "_left", "_opening", "_reusable", "_state",
        "caller", "fresh", "idle_since", "peer", "pool", "transport",
    )  # fmt: skip

    transport: asyncio.Transport

    def __init__(self, pool: Pool, peer: Peer) -> None:
        self.pool = pool
        self.peer = peer
        self.caller: Caller | None = None
        self.fresh = True
        self.idle_since = 0.0
        self._state = _IDLE
        self._buffer = b""
        self._heard = self._held = self._reusable = False
        self._left = 0
        self._opening = UNKNOWN

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def begin(self, caller: Caller, head: bytes, *, more: bool) -> None:
        """Send a request's head and what is known of the body; there may be more to come of it."""
        self.caller = caller
        self._state = _HEAD
        self._heard = False
        self.peer.busy += 1
        if more:
            self.transport.write(head)
        else:
            self.pool.turn.write(self.transport, head)

    @property
    def left(self) -> int:
        """Bytes of the answer's body that are to come; -1 when nobody can know."""
        return self._left if self._state == _LENGTH else -1

    def hold(self) -> None:
        """The client does not read: read no more for now."""
        if not self._held and self._state != _DEAD:
            self._held = True
            self.transport.pause_reading()

    def release(self) -> None:
        """Read on."""
        if self._held and self._state != _DEAD:
            self._held = False
            self.transport.resume_reading()

    def kill(self) -> None:
        """End it at once; the caller hears nothing."""
        if self._state != _DEAD:
            self._leave(_DEAD)
            self.transport.abort()

    def pause_writing(self) -> None:
        if self.caller is not None:
            self.caller.pause_body()

    def resume_writing(self) -> None:
        if self.caller is not None:
            self.caller.resume_body()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        caller, state = self.caller, self._state
        if state == _IDLE and self in self.peer.idle:
            self.peer.idle.remove(self)
        self._leave(_DEAD)
        if caller is None or state in (_IDLE, _DEAD):
            return
        if state in (_TO_THE_END, _TUNNEL) and exc is None:
            caller.response_ends()
        else:
            caller.response_breaks(self, heard=self._heard)

    def data_received(self, data: bytes) -> None:
        state, caller = self._state, self.caller
        if caller is None:
            self.kill()  # bytes nobody asked for: never trust it again
        elif state == _HEAD:
            self._heard = True
            if self._buffer:
                data = self._buffer + data
            try:
                while data:
                    data = self._read_head(caller, data)
            except (BadResponse, BadChunk):
                self._give_up(caller)
        elif state == _LENGTH:
            self._read_length(caller, data)
        elif state == _CHUNKED:
            try:
                self._read_chunks(caller, data)
            except BadChunk:
                self._give_up(caller)
        elif state in (_TO_THE_END, _TUNNEL):
            caller.response_goes_on(data)

    def _give_up(self, caller: Caller) -> None:
        self.kill()
        caller.response_breaks(self, heard=True)

    def _read_head(self, caller: Caller, data: bytes) -> bytes:
        """Read one head; what follows an interim one is to be read next."""
        end = data.find(b"\r\n\r\n")
        longest = caller.exchange.route.location.longest_answer_head
        if not 0 <= end <= longest:
            if len(data) > longest:
                raise BadResponse("too long")
            self._buffer = data
            return b""
        self._buffer = b""
        opening = self._opening
        head = read_response(data, end, opening)
        if opening is UNKNOWN or not data.startswith(opening.block):
            self._opening = learn_opening(data, end)
        rest = data[end + 4 :]
        if head.status < FIRST_FINAL:
            return self._read_interim(caller, head, rest)
        self._reusable = head.reusable
        if self.peer.suspect or head.status > 501:  # noqa: PLR2004 - it is able to answer
            self.pool.answered(self.peer, head.status)
        if head.length == len(rest) and rest and has_body(head, caller.exchange.method):
            self._left = 0  # everything is here already, as most answers are
            self._state = _LENGTH
            caller.response_begins(head, rest, framed=True, more=False)
            if self.caller is caller:
                self._finish(caller)
        else:
            self._begin_body(caller, head, rest)
        return b""

    def _read_interim(self, caller: Caller, head: ResponseHead, rest: bytes) -> bytes:
        if head.status == _SWITCHING:
            if head.upgrade is None or head.upgrade.lower() != caller.exchange.upgrade:
                raise BadResponse("switching")  # to what nobody asked for
            self._state = _TUNNEL
            self._reusable = False
            caller.tunnel_begins(head, rest)
            return b""
        return rest

    def _begin_body(self, caller: Caller, head: ResponseHead, rest: bytes) -> None:
        if not has_body(head, caller.exchange.method):
            self._left = 0
            self._begin_length(caller, head, rest, b"")
        elif head.chunked:
            self._begin_chunks(caller, head, rest)
        elif head.length >= 0:
            self._left = head.length
            self._begin_length(caller, head, rest[head.length :], rest[: head.length])
        else:
            self._state = _TO_THE_END
            self._reusable = False
            caller.response_begins(head, rest, framed=False, more=True)

    def _begin_length(
        self, caller: Caller, head: ResponseHead, surplus: bytes, data: bytes
    ) -> None:
        self._state = _LENGTH
        self._left -= len(data)
        if surplus:
            self._reusable = False
        done = self._left == 0
        caller.response_begins(head, data, framed=True, more=not done)
        if done and self.caller is caller:
            self._finish(caller)

    def _begin_chunks(self, caller: Caller, head: ResponseHead, data: bytes) -> None:
        knows_chunks = caller.exchange.head.minor == 1
        unwrap = not knows_chunks or caller.packs(head)
        self._state = _CHUNKED
        self._chunked = Chunked(unwrap=unwrap, pass_on=caller.exchange.fields.trailers)
        out, rest = self._chunked.feed(data)
        caller.response_begins(head, out, framed=knows_chunks, more=rest is None)
        if rest is not None and self.caller is caller:
            self._finish(caller, rest)

    def _read_length(self, caller: Caller, data: bytes) -> None:
        left = self._left - len(data)
        if left < 0:
            data = data[: self._left]
            self._reusable = False
            left = 0
        self._left = left
        caller.response_goes_on(data)
        if left == 0 and self.caller is caller:
            self._finish(caller)

    def _read_chunks(self, caller: Caller, data: bytes) -> None:
        out, rest = self._chunked.feed(data)
        if out:
            caller.response_goes_on(out)
        if rest is not None and self.caller is caller:
            self._finish(caller, rest)

    def _finish(self, caller: Caller, surplus: bytes = b"") -> None:
        if self._reusable and not surplus and caller.request_is_complete():
            self.peer.busy -= 1
            self._state = _IDLE
            self.caller = None
            self.fresh = False
            if self._held:
                self.release()  # its next client reads
            self.pool.give_back(self)
        else:
            self.kill()
        caller.response_ends()

    def _leave(self, state: int) -> None:
        """No longer in anybody's hand."""
        if self._state not in (_IDLE, _DEAD):
            self.peer.busy -= 1
            if self.pool.waiting:
                self.pool.wake()
        self._state = state
        self.caller = None
