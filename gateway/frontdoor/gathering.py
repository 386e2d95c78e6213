"""Takes a body whole before a server is asked, so that a slow sender holds none of it."""

from __future__ import annotations

import structlog

from frontdoor import answers
from frontdoor.answers import Answer
from frontdoor.bodies import Spool
from frontdoor.chunked import BadChunk
from frontdoor.client_socket import ANSWERING, GATHERING, NEVER, WAITING
from frontdoor.file_connection import FileConnection
from frontdoor.sending import Sending

log = structlog.get_logger(__name__)


class Gathering(FileConnection):
    """A client's connection whose bodies are gathered; `attempting` finds who gets them."""

    _body = bytearray()  # of the request at hand, each with one of its own
    _held = 0  # bytes of it the door counts
    _spool: Spool | None = None  # holds it in place of the memory
    _is_long = False  # goes to a file
    _upload: Sending | None = None  # from there to a service

    def begin_gathering(self) -> bool:
        """Take the body first; False when it is to be streamed."""
        location = self.exchange.route.location
        longest = location.longest_gathered
        self._is_long = self.left > longest
        if not longest or (self._is_long and location.body_folder is None):
            return False
        self._body = bytearray()
        self.state = GATHERING
        self.progress()
        early = self.take_buffer()
        if early:
            self.gather_on(early)
        if self.state == GATHERING:
            self.resume_body()
        return True

    def gather_on(self, data: bytes) -> None:
        """More of the body came; what becomes too much goes to a file, or is streamed from here."""
        part = self.part_of_body(data)
        if part is None:
            return
        data, rest = part
        streams = False
        if not self._is_long:
            fits = self._keep(data)
            if rest is None and not fits:
                streams = self.exchange.route.location.body_folder is None
                data = b"" if streams else self._take_out()
        if self._is_long and not self._write(data):
            return
        if rest is not None:
            self.put_back(rest)
            self.chunked = None
        elif not streams:
            self.progress()
            return
        if self._spool is None:
            self.exchange.kept_body = bytes(self._body)
        self._body = bytearray()
        self.state = WAITING
        self.deadline = NEVER
        self.ask()

    def _keep(self, data: bytes) -> bool:
        """Keep it in memory; False when that is too much."""
        self._body += data
        self._held += len(data)
        fits = self.door.bodies.add(self.exchange.address, len(data))
        return fits and len(self._body) <= self.exchange.route.location.longest_gathered

    def _take_out(self) -> bytes:
        """What was kept in memory goes to a file."""
        self.door.bodies.drop(self.exchange.address, self._held)
        self._held = 0
        self._is_long = True
        data, self._body = bytes(self._body), bytearray()
        return data

    def _write(self, data: bytes) -> bool:
        """Keep it in a file; False when the client was told that it cannot be."""
        folder = self.exchange.route.location.body_folder
        assert folder is not None  # else nothing is long
        try:
            if self._spool is None:
                self._spool = Spool(folder)
            self._spool.write(data)
        except OSError as error:
            log.error("a body cannot be kept", folder=str(folder), cause=error.strerror)
            self.fail(answers.UNAVAILABLE)
            return False
        self._held += len(data)
        if not self.door.spooled.add(self.exchange.address, len(data)):
            self.fail(answers.UNAVAILABLE)
            return False
        return True

    def let_go(self) -> None:
        """The body will not be sent again."""
        held = self.door.bodies if self._spool is None else self.door.spooled
        held.drop(self.exchange.address, self._held)
        if self._spool is not None:
            self._spool.close()
            self._spool = None
        self._held = 0
        self._body = bytearray()
        self.exchange.kept_body = None

    def uploaded(self) -> None:
        """The service has all of the body."""
        self._upload = None
        self.state = ANSWERING
        self.progress()

    def pause_body(self) -> None:
        """The service reads slower than the body comes."""
        if self._upload is None:
            super().pause_body()
        else:
            self._upload.hold()

    def resume_body(self) -> None:
        """The service has caught up."""
        if self._upload is None:
            super().resume_body()
        else:
            self._upload.release()

    def end_upload(self) -> None:
        """Send no more of the body from its file."""
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.kill()

    def part_of_body(self, data: bytes) -> tuple[bytes, bytes | None] | None:
        """What of this belongs to the body, as it goes on, and what came after the body.

        The latter is None while the body is not over; nothing at all when it was refused.
        """
        if self.chunked is None:
            self.left -= len(data)
            if self.left > 0:
                return data, None
            end = len(data) + self.left
            self.left = 0
            return data[:end], data[end:]
        try:
            data, rest = self.chunked.feed(data)
        except BadChunk:
            self.fail(answers.BAD_CHUNK)
            return None
        if 0 < self.exchange.route.location.max_body < self.chunked.content:
            self.fail(answers.TOO_LARGE)
            return None
        return data, rest

    def ask(self) -> None:
        """Find a server."""
        raise NotImplementedError

    def fail(self, answer: Answer) -> None:
        """Answer in place of the service."""
        raise NotImplementedError
