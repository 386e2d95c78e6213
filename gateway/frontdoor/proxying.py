"""Passes requests on: to the next server, body and answer streamed, repeated where that is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from frontdoor import answers
from frontdoor.attempting import Attempting
from frontdoor.bodies import ToService
from frontdoor.client_socket import ANSWERING, BODY, GATHERING, HEAD, TUNNEL, UPLOADING, WAITING
from frontdoor.compression import begin as begin_packing
from frontdoor.responses import DATE, ResponseHead
from frontdoor.sending import Sending
from frontdoor.upstream_connection import UpstreamConnection

if TYPE_CHECKING:
    from frontdoor.door import Door

STALE_ATTEMPTS: Final = 3  # at one request, with connections a server closed meanwhile


class ProxyConnection(Attempting):
    """A client's connection whose requests reach services; see `upstream_connection.Caller`."""

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self._link: UpstreamConnection | None = None

    def response_begins(self, head: ResponseHead, data: bytes, *, framed: bool, more: bool) -> None:
        """The head came, with the first bytes of the body as they go to the client."""
        exchange, status = self.exchange, head.status
        route = exchange.route
        if status > 500 and self._asks_elsewhere(status):  # noqa: PLR2004
            return
        exchange.replied = True
        exchange.status = status
        if self._held:
            self.let_go()
        asked = exchange.head
        self.keep = (
            framed
            and self.state != BODY
            and (not exchange.fields.close if asked.minor else exchange.fields.keep_alive)
            and not self.door.draining
        )
        for outward in route.outward:
            outward(exchange, status, head.present)
        if route.location.compression is not None:
            data = self._pack_first(head, data, more=more)
        lines = head.lines
        if not head.present & DATE:
            lines.append(b"Date: " + self.door.date)
        if head.chunked and asked.minor:
            lines.append(b"Transfer-Encoding: chunked")
        if not self.keep:
            lines.append(b"Connection: close")
        elif asked.minor == 0:
            lines.append(b"Connection: keep-alive")
        lines += (exchange.response_lines, data)  # the former end with a CRLF of their own
        exchange.sent = len(data)
        out = b"\r\n".join(lines)
        if more:
            self.write(out)
            self.progress()
        else:
            self.door.turn.write(self.transport, out)

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
        self.write(b"\r\n".join((*lines, exchange.response_lines, data)))
        early = self.take_buffer()
        if early:
            self.read_body(early)
        self.resume_body()
        self.progress()

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
        self.write(data)
        self.progress()

    def response_ends(self) -> None:
        """The body is complete."""
        self._link = None
        if self._upload is not None:
            self.end_upload()
        packer, self.exchange.packer = self.exchange.packer, None
        if packer is not None:
            last = packer.stream(b"", more=False)
            self.exchange.sent += len(last)
            self.write(last)
        self.finish(complete=self.state != BODY)

    def response_breaks(self, connection: UpstreamConnection, *, heard: bool) -> None:
        """The service went away, or what it says makes no sense."""
        self._link = None
        self.end_upload()
        exchange = self.exchange
        stale = not connection.fresh and not heard
        if stale and exchange.repeatable and exchange.tries < STALE_ATTEMPTS:
            # It closed a kept connection just when we used it; that is no failure.
            self.connect_to(connection.peer)
            return
        self.lost(connection.peer, "error", answers.BAD_GATEWAY, may_repeat=not heard)

    def request_is_complete(self) -> bool:
        """Has all of the request been sent?"""
        return self.state == ANSWERING

    def pause_writing(self) -> None:
        """The client does not read: neither do we."""
        self.stalled = True
        self._unread = self.transport.get_write_buffer_size()
        link = self._link
        if link is not None:
            if not self.take_ahead(link.left):
                link.hold()
        elif self.sending is not None:
            self.sending.hold()
        elif self.state == HEAD:
            self.take_ahead(0)  # the answer is over, and waits to be read
        else:
            return
        self.deadline = self.door.now() + self.exchange.route.location.send_timeout

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.stalled = False
        self.caught_up()
        source = self._link or self.sending
        if source is not None:
            source.release()
            self.progress()
        elif self.state == HEAD:
            self.deadline = self.door.now() + self.door.server.keepalive_timeout
            self.go_on()

    def read_body(self, data: bytes) -> None:
        """Send on what came of the body."""
        rest: bytes | None = None
        if self.state == GATHERING:
            self.gather_on(data)
            return
        if self.state == BODY:
            part = self.part_of_body(data)
            if part is None:
                return
            data, rest = part
        link = self._link
        if link is None:
            return
        if data:
            if self.state == BODY:
                self.exchange.remember(data)
                if self._held and self.exchange.kept_body is None:
                    self.let_go()
            link.transport.write(data)
        if rest is not None:
            self.put_back(rest)
            self.chunked = None
            self.state = ANSWERING
        self.progress()

    def drop_link(self) -> None:
        """End the connection to the service, if there is one."""
        self.end_upload()
        link, self._link = self._link, None
        if link is not None:
            link.kill()
        self.drop_file()

    def expire(self) -> None:
        """The deadline has passed."""
        if self.stalled and self.reads_on(self.exchange.route.location.send_timeout):
            return
        if self.stalled and self.state == HEAD:
            self.transport.abort()  # more answers would find no reader either
        else:
            super().expire()

    def connection_lost(self, exc: Exception | None) -> None:
        self.caught_up()
        if self._held or self._spool is not None:
            self.let_go()
        if self.state == WAITING:
            pool = self.exchange.route.pool
            if pool is not None and pool.waiting:
                pool.leave(self)
        super().connection_lost(exc)

    def expire_exchange(self) -> None:
        """Client or service took too long."""
        link = self._link
        if self.state == GATHERING:
            self.fail(answers.LATE_HEAD)
        elif self.stalled or link is None or self.state == TUNNEL:
            self.transport.abort()
        elif self.state == BODY and not self._paused:  # nor does the service stall
            self.fail(answers.LATE_HEAD)
        else:
            self.drop_link()
            self.lost(link.peer, "timeout", answers.LATE_ANSWER)

    def _asks_elsewhere(self, status: int) -> bool:
        """Is the answer one that another server may better?"""
        exchange, link = self.exchange, self._link
        wanted = f"http_{status}" in exchange.route.location.next_upstream
        return wanted and exchange.repeatable and link is not None and self.go_elsewhere(link.peer)

    def attach(self, link: UpstreamConnection) -> None:
        exchange = self.exchange
        exchange.tries += 1
        self._link = link
        head = exchange.head_for_service()
        if exchange.kept_body:
            head += exchange.kept_body
            exchange.body_sent = len(exchange.kept_body)
        streamed = bool(self.left) or self.chunked is not None
        link.begin(self, head, more=streamed or self._spool is not None)
        if self.stalled:
            link.hold()
        if self._spool is not None:
            self.state = UPLOADING
            exchange.body_sent = 0
            self._upload = Sending(ToService(self, link), self._spool.part())
            self.progress()
        elif streamed:
            self.state = BODY
            self.progress()
            early = self.take_buffer()
            if early:
                self.read_body(early)
            self.resume_body()
        else:
            self.state = ANSWERING
            self.deadline = self.door.now() + exchange.route.location.read_timeout

    def progress(self) -> None:
        """Something moved; the next thing may take as long as its directive says."""
        location = self.exchange.route.location
        if self.state in (ANSWERING, TUNNEL):
            patience = location.send_timeout if self.stalled else location.read_timeout
        else:
            service = self._paused or self.state == UPLOADING
            patience = location.write_timeout if service else location.body_timeout
        self.deadline = self.door.now() + patience
