"""Passes requests on: to the next server, body and answer streamed, repeated where that is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from frontdoor import answers
from frontdoor.answers import Answer
from frontdoor.chunked import BadChunk
from frontdoor.client_connection import ClientConnection
from frontdoor.client_socket import ANSWERING, BODY, CLOSED, NEVER, TUNNEL, WAITING
from frontdoor.compression import begin as begin_packing
from frontdoor.pools import RETRY_RESERVE, Peer, Pool
from frontdoor.responses import DATE, ResponseHead
from frontdoor.sending import FilePart, Sending
from frontdoor.upstream_connection import Reason, UpstreamConnection

if TYPE_CHECKING:
    from frontdoor.door import Door

MOST_ATTEMPTS: Final = 3


class ProxyConnection(ClientConnection):
    """A client's connection whose requests reach services; see `upstream_connection.Caller`."""

    _sending: Sending | None = None  # a file in place of a service's answer
    _complete = False

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self._link: UpstreamConnection | None = None

    def forward(self) -> None:
        """Send the request to a service."""
        exchange = self.exchange
        pool = exchange.route.pool
        assert pool is not None  # routes without one answer by themselves
        if exchange.fields.expects and (self.left or self.chunked):
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if pool.budget < RETRY_RESERVE:
            pool.earn()
        peer = pool.choose()
        assert peer is not None  # a pool always has one to try
        link = pool.take(peer)
        if link is not None:
            self._attach(link)
        else:
            self._connect(peer)

    def connected(self, connection: UpstreamConnection) -> None:
        """A new connection stands."""
        if self.state == CLOSED:
            connection.pool.give_back(connection)
        else:
            self._attach(connection)

    def not_connected(self, peer: Peer, reason: Reason) -> None:
        """The server could not be reached; nothing was sent, so any request may go elsewhere."""
        if self.state != CLOSED:
            self.exchange.tries += 1
            untouched = self.exchange.body_sent == 0
            self._lost(peer, reason, answers.UNAVAILABLE, may_repeat=untouched)

    def response_begins(self, head: ResponseHead, data: bytes, *, framed: bool, more: bool) -> None:
        """The head came, with the first bytes of the body as they go to the client."""
        exchange, status = self.exchange, head.status
        route = exchange.route
        if status > 500 and self._asks_elsewhere(status):  # noqa: PLR2004
            return
        exchange.replied = True
        exchange.status = status
        self.keep = (
            framed and self.state == ANSWERING and exchange.keeps_alive and not self.door.draining
        )
        for outward in route.outward:
            outward(exchange, status, head.present)
        if route.location.compression is not None:
            data = self._pack_first(head, data, more=more)
        lines = head.lines
        if not head.present & DATE:
            lines.append(b"Date: " + self.door.date)
        if head.chunked and exchange.head.minor:
            lines.append(b"Transfer-Encoding: chunked")
        if not self.keep:
            lines.append(b"Connection: close")
        elif exchange.head.minor == 0:
            lines.append(b"Connection: keep-alive")
        lines += (exchange.response_lines, data)  # the former end with a CRLF of their own
        exchange.sent = len(data)
        self.transport.write(b"\r\n".join(lines))
        if more:
            self._progress()

    def tunnel_begins(self, head: ResponseHead, data: bytes) -> None:
        """The service speaks another protocol from now on; bytes pass as they are."""
        exchange = self.exchange
        exchange.replied = True
        exchange.status = head.status
        self.keep = False
        self.state = TUNNEL
        for outward in exchange.route.outward:
            outward(exchange, head.status, head.present)
        lines = [*head.lines, b"Connection: upgrade", b"Upgrade: " + (head.upgrade or b"")]
        self.transport.write(b"\r\n".join((*lines, exchange.response_lines, data)))
        early = self.take_buffer()
        if early:
            self.read_body(early)
        self.resume_body()
        self._progress()

    def packs(self, head: ResponseHead) -> bool:
        """Will the body be compressed? Then the caller wants its content, without the chunks."""
        compression = self.exchange.route.location.compression
        if compression is not None:
            head.packer = begin_packing(self.exchange, head, compression)
        return head.packer is not None

    def _pack_first(self, head: ResponseHead, data: bytes, *, more: bool) -> bytes:
        """Compress what came with the head; its framing is new."""
        packer = head.packer
        if packer is None:
            if head.chunked or not self.packs(head):
                return data
            packer = head.packer
        assert packer is not None
        head.chunked = more
        if more:
            self.exchange.packer = packer
            return packer.stream(data, more=True)
        data = packer.feed(data, more=False)
        head.lines.append(b"Content-Length: %d" % len(data))
        return data

    def response_goes_on(self, data: bytes) -> None:
        """More of the body."""
        if self.exchange.packer is not None:
            data = self.exchange.packer.stream(data, more=True)
        self.exchange.sent += len(data)
        self.transport.write(data)
        self._progress()

    def response_ends(self) -> None:
        """The body is complete."""
        self._link = None
        packer, self.exchange.packer = self.exchange.packer, None
        if packer is not None:
            last = packer.stream(b"", more=False)
            self.exchange.sent += len(last)
            self.transport.write(last)
        self.finish(complete=self.state in (ANSWERING, TUNNEL))

    def response_breaks(self, connection: UpstreamConnection, *, heard: bool) -> None:
        """The service went away, or what it says makes no sense."""
        self._link = None
        exchange = self.exchange
        stale = not connection.fresh and not heard
        if stale and exchange.repeatable and exchange.tries < MOST_ATTEMPTS:
            # It closed a kept connection just when we used it; that is no failure.
            self._connect(connection.peer)
            return
        self._lost(connection.peer, "error", answers.BAD_GATEWAY, may_repeat=not heard)

    def request_is_complete(self) -> bool:
        """Has all of the request been sent?"""
        return self.state == ANSWERING

    def pause_writing(self) -> None:
        """The client does not read: neither do we."""
        self.stalled = True
        source = self._link or self._sending
        if source is not None:
            source.hold()
            self.deadline = self.door.now() + self.exchange.route.location.send_timeout

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.stalled = False
        source = self._link or self._sending
        if source is not None:
            source.release()
            self._progress()

    def send(self, file: FilePart, *, complete: bool) -> None:
        """Send a file after its head."""
        self._complete = complete
        self._sending = Sending(self, file)
        if self.stalled:
            self._sending.hold()
        self._progress()

    def moved(self) -> None:
        """A piece of the file is written."""
        self._progress()

    def sent(self) -> None:
        """The file is sent."""
        self._sending = None
        self.finish(complete=self._complete)

    def read_body(self, data: bytes) -> None:
        """Send on what came of the body."""
        rest: bytes | None = None
        location = self.exchange.route.location
        if self.state == TUNNEL:
            pass
        elif self.chunked is None:
            self.left -= len(data)
            if self.left <= 0:
                end = len(data) + self.left
                data, rest = data[:end], data[end:]
                self.left = 0
        else:
            try:
                data, rest = self.chunked.feed(data)
            except BadChunk:
                self._fail(answers.BAD_CHUNK)
                return
            if 0 < location.max_body < self.chunked.content:
                self._fail(answers.TOO_LARGE)
                return
        link = self._link
        if link is None:
            return
        if data:
            if self.state == BODY:
                self.exchange.remember(data)
            link.transport.write(data)
        if rest is not None:
            self.put_back(rest)
            self.chunked = None
            self.state = ANSWERING
        self._progress()

    def drop_link(self) -> None:
        """End the connection to the service, if there is one."""
        link, self._link = self._link, None
        if link is not None:
            link.kill()
        if self._sending is not None:
            self._sending.kill()
            self._sending = None

    def expire_exchange(self) -> None:
        """Client or service took too long."""
        link = self._link
        if self.stalled or link is None or self.state == TUNNEL:
            self.transport.abort()
        elif self.state == BODY and not self._service_stalls():
            self._fail(answers.LATE_HEAD)
        else:
            self.drop_link()
            self._lost(link.peer, "timeout", answers.LATE_ANSWER)

    def _service_stalls(self) -> bool:
        return self._paused

    def _asks_elsewhere(self, status: int) -> bool:
        """Is the answer one that another server may better?"""
        exchange, link = self.exchange, self._link
        wanted = f"http_{status}" in exchange.route.location.next_upstream
        return wanted and exchange.repeatable and link is not None and self._go_elsewhere(link.peer)

    def _pool(self) -> Pool:
        pool = self.exchange.route.pool
        assert pool is not None  # routes without one answer by themselves
        return pool

    def _send_to(self, peer: Peer) -> None:
        link = self._pool().take(peer)
        if link is not None:
            self._attach(link)
        else:
            self._connect(peer)

    def _connect(self, peer: Peer) -> None:
        self.state = WAITING
        self.deadline = NEVER  # connecting has its own
        patience = self.exchange.route.location.connect_timeout
        self._pool().connect(peer, self, patience)

    def _attach(self, link: UpstreamConnection) -> None:
        exchange = self.exchange
        exchange.tries += 1
        self._link = link
        head = exchange.head_for_service()
        if exchange.kept_body:
            head += exchange.kept_body
        link.begin(self, head)
        if self.stalled:
            link.hold()
        if self.left or self.chunked is not None:
            self.state = BODY
            self._progress()
            early = self.take_buffer()
            if early:
                self.read_body(early)
            self.resume_body()
        else:
            self.state = ANSWERING
            self.deadline = self.door.now() + exchange.route.location.read_timeout

    def _progress(self) -> None:
        """Something moved; the next thing may take as long as its directive says."""
        location = self.exchange.route.location
        if self.state in (ANSWERING, TUNNEL):
            patience = location.send_timeout if self.stalled else location.read_timeout
        else:
            patience = location.write_timeout if self._paused else location.body_timeout
        self.deadline = self.door.now() + patience

    def _lost(self, peer: Peer, reason: Reason, answer: Answer, *, may_repeat: bool = True) -> None:
        exchange, pool = self.exchange, self._pool()
        pool.failed(peer)
        if exchange.replied:
            self.transport.abort()  # a truncated answer must not look complete
            return
        wanted = reason in exchange.route.location.next_upstream
        untouched = exchange.body_sent == 0 and answer is answers.UNAVAILABLE
        may_repeat = wanted and may_repeat and (untouched or exchange.repeatable)
        if not (may_repeat and self._go_elsewhere(peer)):
            self._fail(answer)

    def _go_elsewhere(self, peer: Peer) -> bool:
        pool = self._pool()
        other = pool.choose(avoiding=peer)
        if other is None or self.exchange.tries >= MOST_ATTEMPTS or not pool.spend():
            return False
        self.drop_link()
        self._send_to(other)
        return True

    def _fail(self, answer: Answer) -> None:
        if self.exchange.replied:
            self.transport.abort()
        else:
            self.answer(answer)
