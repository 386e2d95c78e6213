"""One client's connection: reads its requests, runs the filters, answers or has them passed on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

import structlog

from frontdoor import answers, http1
from frontdoor.answers import Answer
from frontdoor.chunked import BadChunk, Chunked
from frontdoor.client_socket import (
    ANSWERING,
    BODY,
    CLOSED,
    GATHERING,
    HEAD,
    LINGERING,
    MOST_LINGERING,
    MOST_WAITING,
    NEVER,
    TUNNEL,
    UPLOADING,
    WAITING,
    ClientSocket,
)
from frontdoor.compression import pack
from frontdoor.exchange import Inward
from frontdoor.field_lines import learn_beginning, read_fields
from frontdoor.fields import NOTHING, UNKNOWN, BadHead, Beginning
from frontdoor.sending import FilePart

if TYPE_CHECKING:
    from frontdoor.door import Door

log = structlog.get_logger(__name__)
CLIENT_LEFT: Final = 499  # nginx's word for it
MOST_LESSONS: Final = 8


class ClientConnection(ClientSocket):
    """Takes requests one after another; what comes early waits. `proxying` passes them on."""

    _arrived: asyncio.Future[None] | None = None  # somebody waits for more of the body
    _begun: Beginning = UNKNOWN  # how the client's heads begin
    _lessons = 0

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self.keep = False
        self.chunked: Chunked | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self.state in (WAITING, GATHERING, BODY, UPLOADING, ANSWERING, TUNNEL):
            self.exchange.status = self.exchange.status or CLIENT_LEFT
            self._done()
        self.state = CLOSED
        if self._admitted:
            self.door.forget(self, self._address)
        if self._task is not None:
            self._task.cancel()
        self.drop_link()

    def data_received(self, data: bytes) -> None:
        state = self.state
        if state == HEAD and not self.stalled:
            self._read_head(self._buffer + data if self._buffer else data)
            if len(self._buffer) > MOST_WAITING:
                super().pause_body()  # requests that came before their turn
        elif state in (BODY, GATHERING, TUNNEL):
            self.read_body(data)
        elif state == LINGERING:
            self.left += len(data)
            if self.left > MOST_LINGERING:
                self.close()
        elif state != CLOSED:
            self._buffer += data
            if len(self._buffer) > MOST_WAITING:
                super().pause_body()
            if self._arrived is not None and not self._arrived.done():
                self._arrived.set_result(None)

    async def gather(self, most: int) -> bytes | None:
        """A small body of known length, for an answer of our own; None when it is no such body."""
        location = self.exchange.route.location
        if self.chunked is not None or not 0 <= self.left <= min(most, MOST_WAITING):
            return None
        if self.exchange.fields.expects:
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            async with asyncio.timeout(location.body_timeout):
                while len(self._buffer) < self.left:
                    self._arrived = asyncio.get_running_loop().create_future()
                    await self._arrived
        except TimeoutError:
            return None
        finally:
            self._arrived = None
        return self._buffer[: self.left]

    def expire(self) -> None:
        """The deadline has passed."""
        if self.state == HEAD and self._buffer:
            self._refuse(answers.LATE_HEAD)
        elif self.state in (GATHERING, BODY, UPLOADING, ANSWERING, TUNNEL):
            self.expire_exchange()
        elif self.state == CLOSED:
            self.transport.abort()  # what was written is not read
        elif self.state != HEAD or not self.has_unread():
            self.close()

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
        door = self.door
        server = door.server
        if end < 0 or end > server.longest_head:
            self._wait_for_head(data)
            return
        self._buffer = data[end + 4 :]
        try:
            first = data.find(b"\r\n")
            head = http1.read_line(data[:first], server.longest_line)
            begun = self._begun
            if begun is not UNKNOWN and data.startswith(begun.block, first + 2):
                fields = read_fields(data, first + 2, end, server.longest_line, begun)
            else:
                fields = read_fields(data, first + 2, end, server.longest_line)
                self._learn(data, first + 2, end)
            if fields.host is None or head.odd:
                http1.check(head, fields)
        except BadHead as bad:
            self._refuse(bad.answer)
            return
        self.exchange = door.exchange(head, fields, self._address)
        self.state = WAITING
        self.deadline = NEVER
        self.chunked = Chunked(pass_on=True) if fields.chunked else None
        self.left = max(0, fields.length)
        self._run(0)

    def _learn(self, data: bytes, start: int, end: int) -> None:
        """Remember how this client's heads begin, unless each begins differently."""
        self._lessons += 1
        self._begun = NOTHING if self._lessons > MOST_LESSONS else learn_beginning(data, start, end)

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
        if first:
            inward = inward[first:]
        try:
            for check in inward:
                step = check(exchange)
                if step is not None:
                    self._step(step, check)
                    return
        except Exception:
            log.exception("filter failed", request_id=exchange.request_id.decode())
            self.answer(answers.BROKEN)
            return
        self.forward()

    def _step(self, step: Answer | Awaitable[Answer | None], check: Inward) -> None:
        if isinstance(step, Answer):
            self.answer(step)
        else:
            self.exchange.gather = self.gather
            following = self.exchange.route.inward.index(check) + 1
            self._task = asyncio.ensure_future(self._wait(step, following))

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

    def body_is_complete(self) -> bool:
        """Has the whole request come? Small bodies nobody wants are taken from the buffer."""
        if self.state in (ANSWERING, UPLOADING):
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
        complete = self.body_is_complete() and not answer.close
        self.keep = exchange.keeps_alive and complete and not (answer.close or self.door.draining)
        exchange.status = answer.status
        exchange.replied = True
        for outward in exchange.route.outward:
            outward(exchange, answer.status, answer.present)
        body = answer.render(exchange.request_id)
        file, compression = answer.file, exchange.route.location.compression
        if compression is not None and file is None:
            answer, body = pack(exchange, answer, body, compression)
        exchange.sent = len(body) if file is None else file.length
        head = answer.head(
            exchange.sent, date=self.door.date, keep=self.keep, minor=exchange.head.minor
        )
        out = head + exchange.response_lines + b"\r\n"
        if exchange.method == b"HEAD":
            body, file, exchange.sent = b"", None, 0
        self.write(out + body)
        if file is None:
            self.finish(complete=complete)
        else:
            self.state = ANSWERING
            self.send(file, complete=complete)

    def send(self, file: FilePart, *, complete: bool) -> None:
        """Send a file after its head; ``sent`` is called at its end."""
        raise NotImplementedError

    def finish(self, *, complete: bool) -> None:
        """The answer is written: on to the next request, or to the end."""
        door, exchange = self.door, self.exchange
        exchange.ended = now = door.now()
        for finished in exchange.route.finished:
            finished(exchange)
        if complete and self.keep:
            self.state = HEAD
            self.deadline = now + door.server.keepalive_timeout
            if self.stalled:  # what is written is to be read before more is
                self.deadline = now + exchange.route.location.send_timeout
            else:
                self.go_on()
        elif complete:
            self.close()
        else:
            self.linger()

    def _done(self) -> None:
        self.exchange.ended = self.door.now()
        for finished in self.exchange.route.finished:
            finished(self.exchange)
