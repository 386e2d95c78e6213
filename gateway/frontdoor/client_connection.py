"""One client's connection: reads its requests, runs the filters, answers or has them passed on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final, cast

import structlog

from frontdoor import answers, http1
from frontdoor.answers import Answer
from frontdoor.chunked import BadChunk, Chunked
from frontdoor.exchange import Exchange
from frontdoor.fields import BadHead, read_fields

if TYPE_CHECKING:
    from frontdoor.door import Door

log = structlog.get_logger(__name__)

NEVER: Final = float("inf")
MOST_WAITING: Final = 64 << 10  # bytes kept from a client while it is not its turn
LINGER_SECONDS: Final = 2.0  # for a client that still sends to hear why nobody reads
MOST_LINGERING: Final = 32 << 20
CLIENT_LEFT: Final = 499  # nginx's word for it

# Reading a head; waiting for a filter or a connection; passing the body on; waiting for the answer
# or passing it back; reading what nobody wants, so that the client hears the answer; over.
HEAD, WAITING, BODY, ANSWERING, LINGERING, CLOSED = range(6)


class ClientConnection(asyncio.Protocol):
    """Takes requests one after another; what comes early waits. `proxying` passes them on.

    Args:
        door: the address it came in at.
    """

    transport: asyncio.Transport
    exchange: Exchange

    def __init__(self, door: Door) -> None:
        self.door = door
        self.deadline = NEVER
        self.state = HEAD
        self.keep = False
        self.stalled = False  # the client does not read what we write
        self.left = 0  # bytes of a body of known length
        self.chunked: Chunked | None = None
        self._paused = False
        self._admitted = False
        self._buffer = b""
        self._address = b"-"
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._address = peer[0].encode() if peer else b"-"
        self._admitted = self.door.admit(self, self._address)
        if self._admitted:
            self.deadline = self.door.now() + self.door.server.header_timeout
        else:
            self.state = CLOSED
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.state in (WAITING, BODY, ANSWERING):
            self.exchange.status = self.exchange.status or CLIENT_LEFT
            self._done()
        self.state = CLOSED
        if self._admitted:
            self.door.forget(self, self._address)
        if self._task is not None:
            self._task.cancel()
        self.drop_link()

    def eof_received(self) -> bool:
        return False

    def data_received(self, data: bytes) -> None:
        state = self.state
        if state == HEAD:
            self._read_head(self._buffer + data if self._buffer else data)
        elif state == BODY:
            self.read_body(data)
        elif state == LINGERING:
            self.left += len(data)
            if self.left > MOST_LINGERING:
                self.close()
        elif state != CLOSED:
            self._buffer += data
            if len(self._buffer) > MOST_WAITING:
                self.pause_body()

    def expire(self) -> None:
        """The deadline has passed."""
        if self.state == HEAD and self._buffer:
            self._refuse(answers.LATE_HEAD)
        elif self.state in (BODY, ANSWERING):
            self.expire_exchange()
        elif self.state == CLOSED:
            self.transport.abort()  # what was written is not read
        else:
            self.close()

    def is_idle(self) -> bool:
        """Is it between two requests?"""
        return self.state == HEAD and not self._buffer

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

    def forward(self) -> None:
        """Send the request to a service."""
        raise NotImplementedError

    def read_body(self, data: bytes) -> None:
        """Send on what came of the body."""
        raise NotImplementedError

    def drop_link(self) -> None:
        """End the connection to the service, if there is one."""
        raise NotImplementedError

    def expire_exchange(self) -> None:
        """Client or service took too long."""
        raise NotImplementedError

    def _read_head(self, data: bytes) -> None:
        if data.startswith(b"\r\n"):
            data = data[2:]  # RFC 9112 2.2: an empty line before a request is ignored
        end = data.find(b"\r\n\r\n")
        server = self.door.server
        if end < 0 or end > server.longest_head:
            self._wait_for_head(data)
            return
        self._buffer = data[end + 4 :]
        try:
            first = data.find(b"\r\n", 0, end + 2)
            head = http1.read_line(data[:first], server.longest_line)
            fields = read_fields(data[first + 2 : end], server.longest_line)
            http1.check(head, fields)
        except BadHead as bad:
            self._refuse(bad.answer)
            return
        self.exchange = self.door.exchange(head, fields, self._address)
        self.state = WAITING
        self.deadline = NEVER
        self.chunked = Chunked() if fields.chunked else None
        self.left = max(fields.length, 0)
        self._run(0)

    def _wait_for_head(self, data: bytes) -> None:
        server = self.door.server
        if len(data) > server.longest_line and b"\n" not in data[: server.longest_line]:
            self._refuse(answers.LONG_TARGET)
        elif len(data) > server.longest_head:
            self._refuse(answers.LONG_HEAD)
        elif data.count(b"\n") != data.count(b"\r\n"):
            self._refuse(answers.BAD_REQUEST)  # a bare LF never becomes a line end by waiting
        else:
            if data and not self._buffer:
                self.deadline = self.door.now() + server.header_timeout
            self._buffer = data

    def _run(self, first: int) -> None:
        """Run the filters from one on; then the request goes to its service."""
        exchange = self.exchange
        inward = exchange.route.inward
        try:
            for number in range(first, len(inward)):
                step = inward[number](exchange)
                if step is None:
                    continue
                if isinstance(step, Answer):
                    self.answer(step)
                else:
                    self._task = asyncio.ensure_future(self._wait(step, number + 1))
                return
        except Exception:
            log.exception("filter failed", request_id=exchange.request_id.decode())
            self.answer(answers.BROKEN)
            return
        self.forward()

    async def _wait(self, step: Awaitable[Answer | None], following: int) -> None:
        answer: Answer | None = answers.BROKEN
        try:
            answer = await step
        except Exception:
            log.exception("filter failed", request_id=self.exchange.request_id.decode())
        self._task = None
        if self.state == CLOSED:
            return
        if answer is None:
            self._run(following)
        else:
            self.answer(answer)

    def take_buffer(self) -> bytes:
        """What the client sent before its turn."""
        data, self._buffer = self._buffer, b""
        return data

    def put_back(self, data: bytes) -> None:
        """What came after the body belongs to the next request."""
        self._buffer = data

    def body_is_complete(self) -> bool:
        """Has the whole request come? Small bodies nobody wants are taken from the buffer."""
        if self.state == ANSWERING:
            return True
        data = self.take_buffer()
        if self.chunked is not None:
            try:
                _, rest = self.chunked.feed(data)
            except BadChunk:
                return False
            self._buffer = rest or b""
            return rest is not None
        self._buffer = data[self.left :]
        self.left = max(self.left - len(data), 0)
        return self.left == 0

    def _refuse(self, answer: Answer) -> None:
        """Answer what never became a request."""
        self.exchange = self.door.stray(self._address)
        self.state = ANSWERING
        self.answer(answer)

    def answer(self, answer: Answer) -> None:
        """Answer in place of a service."""
        exchange = self.exchange
        self.drop_link()
        complete = self.body_is_complete()
        self.keep = exchange.keeps_alive and complete and not (answer.close or self.door.draining)
        exchange.status = answer.status
        exchange.replied = True
        for outward in exchange.route.outward:
            outward(exchange, answer.status, answer.present)
        body = answer.render(exchange.request_id)
        exchange.sent = len(body)
        head = answer.head(
            len(body), date=self.door.date, keep=self.keep, minor=exchange.head.minor
        )
        out = head + exchange.response_lines + b"\r\n"
        self.transport.write(out if exchange.method == b"HEAD" else out + body)
        self.finish(complete=complete)

    def finish(self, *, complete: bool) -> None:
        """The answer is written: on to the next request, or to the end."""
        self._done()
        if complete and self.keep:
            self.state = HEAD
            door = self.door
            self.deadline = door.now() + door.server.keepalive_timeout
            self.resume_body()
            if self._buffer:  # not at once: a pipeline would become a recursion
                asyncio.get_running_loop().call_soon(self._read_early)
        elif complete:
            self.close()
        else:
            self._linger()

    def _read_early(self) -> None:
        if self.state == HEAD:
            self._read_head(self.take_buffer())

    def _linger(self) -> None:
        """Closing now would reset the connection before the client has read the answer."""
        self.state = LINGERING
        self.left = 0
        self.deadline = self.door.now() + LINGER_SECONDS
        if not self.transport.is_closing() and self.transport.can_write_eof():
            self.transport.write_eof()
        self.resume_body()

    def _done(self) -> None:
        for finished in self.exchange.route.finished:
            finished(self.exchange)

    def close(self) -> None:
        """Over, when everything is written."""
        self.state = CLOSED
        patience = self.exchange.route.location.send_timeout if self.stalled else LINGER_SECONDS
        self.deadline = self.door.now() + patience
        self.transport.close()
