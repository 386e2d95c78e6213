"""A service that records exactly what reached it, and answers as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Received:
    """A request as its bytes said it."""

    line: bytes
    fields: list[tuple[str, str]]
    body: bytes
    raw_head: bytes
    trailers: tuple[bytes, ...] = ()

    @property
    def method(self) -> str:
        """The request line's first word."""
        return self.line.split(b" ")[0].decode()

    @property
    def target(self) -> str:
        """The request line's second word."""
        return self.line.split(b" ")[1].decode()

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for key, value in self.fields if key == name.lower()]

    def one(self, name: str) -> str | None:
        """The only value of a field, or None."""
        found = self.all(name)
        assert len(found) < 2, found  # noqa: PLR2004
        return found[0] if found else None


Answering = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes = b"ok", status: str = "200 OK", fields: str = "") -> bytes:
    """A plain response."""
    head = f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def say_ok(request: Received, writer: asyncio.StreamWriter) -> None:
    """200, ok."""
    writer.write(answer())


@dataclass
class Service:
    """Listens on a free port of 127.0.0.1 in the running loop."""

    answering: Answering = say_ok
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    keep_bodies: bool = True
    port: int = 0
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more and drop every connection."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def drop_connections(self) -> None:
        """Close what is open, as a restarted service does."""
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                request = await self._read(head, reader)
                self.received.append(request)
                await self.answering(request, writer)
                await writer.drain()
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the gateway closed the connection, or the test is over
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _read(self, head: bytes, reader: asyncio.StreamReader) -> Received:
        line, *lines = head[:-4].split(b"\r\n")
        fields = []
        for text in lines:
            name, _, value = text.partition(b":")
            fields.append((name.decode().lower(), value.strip().decode("latin-1")))
        request = Received(line, fields, b"", head)
        length, coding = request.one("content-length"), request.one("transfer-encoding")
        assert length is None or coding is None, "an ambiguous request got through"
        body, trailers = b"", tuple[bytes, ...]()
        if length is not None:
            body = await self._read_length(reader, int(length))
        elif coding is not None:
            body, trailers = await self._read_chunks(reader)
        return Received(line, fields, body, head, trailers)

    async def _read_length(self, reader: asyncio.StreamReader, left: int) -> bytes:
        parts = []
        while left:
            part = await reader.read(min(left, 1 << 18))
            if not part:
                raise EOFError
            left -= len(part)
            if self.keep_bodies:
                parts.append(part)
        return b"".join(parts)

    async def _read_chunks(self, reader: asyncio.StreamReader) -> tuple[bytes, tuple[bytes, ...]]:
        parts, trailers = [], []
        while size := int(await reader.readline(), 16):
            part = await reader.readexactly(size)
            assert await reader.readexactly(2) == b"\r\n"
            if self.keep_bodies:
                parts.append(part)
        while (line := await reader.readline()) != b"\r\n":
            trailers.append(line.removesuffix(b"\r\n"))
        return b"".join(parts), tuple(trailers)
