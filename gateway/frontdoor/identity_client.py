"""The few calls the gateway itself makes to identity: keys, codes for tokens, fresh tokens."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from frontdoor.chunked import BadChunk, Chunked
from frontdoor.responses import BadResponse, has_body, read_response

PATIENCE: Final = 5.0
LONGEST_ANSWER: Final = 256 << 10


class IdentityUnavailable(Exception):
    """identity did not answer, or not in HTTP."""


class IdentityClient:
    """One request a connection; nothing here is on the way of ordinary requests.

    Args:
        url: ``http(s)://host[:port]``.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._authority = parts.netloc.encode()

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body.

        Raises:
            IdentityUnavailable: no answer in time.
        """
        return await self._ask(b"GET %b HTTP/1.1\r\n" % path.encode(), b"", b"")

    async def post_form(
        self, path: str, form: Mapping[str, str], authorization: bytes
    ) -> tuple[int, bytes]:
        """Status and body of a form's answer.

        Raises:
            IdentityUnavailable: no answer in time.
        """
        body = urlencode(form).encode()
        lines = (
            b"Content-Type: application/x-www-form-urlencoded\r\nAuthorization: %b\r\n"
            b"Content-Length: %d\r\n" % (authorization, len(body))
        )
        return await self._ask(b"POST %b HTTP/1.1\r\n" % path.encode(), lines, body)

    async def _ask(self, first: bytes, lines: bytes, body: bytes) -> tuple[int, bytes]:
        head = b"%bHost: %b\r\nAccept: application/json\r\nConnection: close\r\n%b\r\n"
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection(
                    self._host, self._port, ssl=self._tls, limit=LONGEST_ANSWER
                )
                try:
                    writer.write(head % (first, self._authority, lines) + body)
                    return await _read_answer(reader, first.partition(b" ")[0])
                finally:
                    writer.close()
        except (OSError, EOFError, TimeoutError, BadResponse, BadChunk, ValueError) as error:
            raise IdentityUnavailable(type(error).__name__) from error


async def _read_answer(reader: asyncio.StreamReader, method: bytes) -> tuple[int, bytes]:
    data = await reader.readuntil(b"\r\n\r\n")
    head = read_response(data, len(data) - 4)
    if not has_body(head, method):
        return head.status, b""
    if head.length > LONGEST_ANSWER:
        raise BadResponse("too long")
    if head.length >= 0:
        return head.status, await reader.readexactly(head.length)
    raw = await reader.read(LONGEST_ANSWER)
    while len(raw) < LONGEST_ANSWER and not reader.at_eof():
        raw += await reader.read(LONGEST_ANSWER)
    if not head.chunked:
        return head.status, raw
    body, rest = Chunked(unwrap=True).feed(raw)
    if rest is None:
        raise BadResponse("incomplete")
    return head.status, body
