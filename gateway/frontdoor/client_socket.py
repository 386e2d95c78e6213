"""What every connection of a client has: a deadline, a state, bytes that came early, an end."""

from __future__ import annotations

import asyncio
import fcntl
import termios
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from frontdoor.door import Door
    from frontdoor.exchange import Exchange

NEVER: Final = float("inf")
MOST_WAITING: Final = 64 << 10  # bytes kept from a client while it is not its turn
MOST_UNREAD: Final = 16 << 10  # bytes written for a client before its service has to wait
LINGER_SECONDS: Final = 2.0  # for a client that still sends to hear why nobody reads
MOST_LINGERING: Final = 32 << 20

# Reading a head; waiting for a filter or a connection; taking a body whole; passing the body on as
# it comes, or from its file; waiting for the answer or passing it back; another protocol than ours;
# reading what nobody wants, so that the client hears the answer; over.
HEAD, WAITING, GATHERING, BODY, UPLOADING, ANSWERING, TUNNEL, LINGERING, CLOSED = range(9)


class ClientSocket(asyncio.Protocol):
    """The transport's side of a client's connection.

    Args:
        door: the address it came in at.
    """

    transport: asyncio.Transport
    exchange: Exchange

    def __init__(self, door: Door) -> None:
        self.door = door
        self.deadline = NEVER
        self.state = HEAD
        self.stalled = False  # the client does not read what we write
        self.left = 0  # bytes of a body of known length
        self._paused = False
        self._admitted = False
        self._buffer = b""
        self._address = b"-"
        self._promised = 0  # bytes of the answer taken ahead of the client
        self._unread = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._address = peer[0].encode() if peer else b"-"
        transport.set_write_buffer_limits(high=MOST_UNREAD)
        self._admitted = self.door.admit(self, self._address)
        if self._admitted:
            self.deadline = self.door.now() + self.door.server.header_timeout
        else:
            self.state = CLOSED
            self.transport.abort()

    def write(self, data: bytes) -> None:
        """Send now, after what waits for the end of the turn."""
        self.door.turn.flush()
        self.transport.write(data)

    def take_ahead(self, left: int) -> bool:
        """May the rest of an answer be held here, so that its service is free?"""
        door = self.door
        longest = self.exchange.route.location.longest_ahead
        if not 0 <= left <= longest or door.ahead + left > door.server.most_ahead:
            return False
        self.door.ahead += left
        self._promised += left
        self._unread = self.transport.get_write_buffer_size() + left
        return True

    def caught_up(self) -> None:
        """The client has read nearly all, or never will."""
        self.door.ahead -= self._promised
        self._promised = 0

    def reads_on(self, patience: float) -> bool:
        """Has the client read anything since the last look? Then it may go on."""
        unread = self.transport.get_write_buffer_size()
        if not self.stalled or unread >= self._unread:
            return False
        self._unread = unread
        self.deadline = self.door.now() + patience
        return True

    def expire(self) -> None:
        """The deadline has passed."""
        raise NotImplementedError

    def eof_received(self) -> bool:
        self.door.turn.flush()  # it may still read
        return False

    def is_idle(self) -> bool:
        """Is it between two requests?"""
        return self.state == HEAD and not self._buffer

    def has_unread(self) -> bool:
        """Has the client sent what a late loop has not yet read? Then it is not idle."""
        if self.transport.is_closing():
            return False
        taken = self.transport.get_extra_info("socket")
        return any(fcntl.ioctl(taken.fileno(), termios.FIONREAD, bytes(4)))

    def pause_body(self) -> None:
        """Read no more for now."""
        if not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def resume_body(self) -> None:
        """Read on."""
        if self._paused and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()

    def go_on(self) -> None:
        """Read the next request, when it has come already; more is read when few wait."""
        if self._paused and len(self._buffer) <= MOST_WAITING:
            self.resume_body()
        if self._buffer:  # not at once: a pipeline would become a recursion
            asyncio.get_running_loop().call_soon(self._read_early)

    def _read_early(self) -> None:
        if self.state == HEAD and not self.stalled:
            self.data_received(self.take_buffer())

    def take_buffer(self) -> bytes:
        """What the client sent before its turn."""
        data, self._buffer = self._buffer, b""
        return data

    def put_back(self, data: bytes) -> None:
        """What came after the body belongs to the next request."""
        self._buffer = data

    def linger(self) -> None:
        """Closing now would reset the connection before the client has read the answer."""
        self.door.turn.flush()
        self.state = LINGERING
        self.left = 0
        self.deadline = self.door.now() + LINGER_SECONDS
        if not self.transport.is_closing() and self.transport.can_write_eof():
            self.transport.write_eof()
        self.resume_body()

    def close(self) -> None:
        """Over, when everything is written."""
        self.door.turn.flush()
        self.state = CLOSED
        patience = self.exchange.route.location.send_timeout if self.stalled else LINGER_SECONDS
        self.deadline = self.door.now() + patience
        self.transport.close()
