"""Takes a short body whole before a server is asked, so that a slow sender holds none of it."""

from __future__ import annotations

from frontdoor import answers
from frontdoor.answers import Answer
from frontdoor.chunked import BadChunk
from frontdoor.client_socket import GATHERING, NEVER, WAITING
from frontdoor.file_connection import FileConnection


class Gathering(FileConnection):
    """A client's connection whose bodies are gathered; `attempting` finds who gets them."""

    _body = bytearray()  # of the request at hand, each with one of its own
    _held = 0  # bytes of it the door counts

    def begin_gathering(self) -> bool:
        """Take the body first; False when it is to be streamed."""
        longest = self.exchange.route.location.longest_gathered
        if not longest or self.left > longest:
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
        """More of the body came; what becomes too much is streamed from here on."""
        part = self.part_of_body(data)
        if part is None:
            return
        data, rest = part
        body, door = self._body, self.door
        body += data
        self._held += len(data)
        door.gathered += len(data)
        if rest is not None:
            self.put_back(rest)
            self.chunked = None
        elif (
            len(body) <= self.exchange.route.location.longest_gathered
            and door.gathered <= door.server.most_gathered
        ):
            self.progress()
            return
        self.exchange.kept_body = bytes(body)
        self._body = bytearray()
        self.state = WAITING
        self.deadline = NEVER
        self.ask()

    def let_go(self) -> None:
        """The body will not be sent again."""
        self.door.gathered -= self._held
        self._held = 0
        self._body = bytearray()
        self.exchange.kept_body = None

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
