"""Questions of the gateway's own to services: one request a connection, a bounded answer."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final

from frontdoor.chunked import BadChunk, Chunked
from frontdoor.responses import BadResponse, has_body, read_response
from frontdoor.sites import Address

PATIENCE: Final = 5.0
LONGEST_ANSWER: Final = 256 << 10


class NoAnswer(Exception):
    """Nobody answered in time, or not in HTTP; the text says how."""


class TooLong(NoAnswer):
    """There is an answer, and it is longer than it may be."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a service said.

    Args:
        lines: the fields as they would be passed on, without framing.
    """

    status: int
    lines: tuple[bytes, ...]
    body: bytes

    def value(self, name: bytes) -> bytes | None:
        """A field's value, several joined; ``name`` in small letters."""
        found = [
            v.strip() for k, _, v in (x.partition(b":") for x in self.lines) if k.lower() == name
        ]
        return b", ".join(found) if found else None


async def ask(
    address: Address,
    head: bytes,
    body: bytes = b"",
    *,
    tls: ssl.SSLContext | None = None,
    patience: float = PATIENCE,
    longest: int = LONGEST_ANSWER,
) -> Answered:
    """Send a request and read its answer.

    Args:
        address: who is asked.
        head: request line and fields, each with its line end, without the empty line; it must
            say ``Connection: close``.
        body: of the length the head says.
        tls: speak TLS, checked for the address' host.
        patience: seconds for all of it.
        longest: bytes of the answer's body.

    Raises:
        TooLong: the answer's body is longer.
        NoAnswer: there is none.
    """
    try:
        async with asyncio.timeout(patience):
            reader, writer = await asyncio.open_connection(
                address.host, address.port, ssl=tls, limit=LONGEST_ANSWER
            )
            try:
                writer.write(head + b"\r\n" + body)
                return await _read_answer(reader, head.partition(b" ")[0], longest)
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError, BadResponse, BadChunk, ValueError) as error:
        raise NoAnswer(type(error).__name__) from error
    except asyncio.LimitOverrunError as error:
        raise NoAnswer("head too long") from error


async def _read_answer(reader: asyncio.StreamReader, method: bytes, longest: int) -> Answered:
    data = await reader.readuntil(b"\r\n\r\n")
    head = read_response(data, len(data) - 4)
    lines = tuple(x for x in head.lines[1:] if not x.lower().startswith(b"content-length:"))
    if not has_body(head, method):
        return Answered(head.status, lines, b"")
    if head.length > longest:
        raise TooLong("too long")
    if head.length >= 0:
        return Answered(head.status, lines, await reader.readexactly(head.length))
    raw = await reader.read(longest + 1)
    while len(raw) <= longest and not reader.at_eof():
        raw += await reader.read(longest + 1)
    if len(raw) > longest:
        raise TooLong("too long")
    if not head.chunked:
        return Answered(head.status, lines, raw)
    body, rest = Chunked(unwrap=True).feed(raw)
    if rest is None:
        raise NoAnswer("incomplete")
    return Answered(head.status, lines, body)
