"""Health and metrics for those who run the gateway, at an address of their own."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

from frontdoor import answers, measures, status
from frontdoor.answers import Answer
from frontdoor.health import ALIVE, readiness

if TYPE_CHECKING:
    from frontdoor.app import Gateway

PATIENCE: Final = 5.0


class Admin:
    """Answers ``/livez``, ``/readyz``, ``/metrics`` and ``/status``, one request a connection.

    Args:
        gateway: the worker's.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head))
                await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass  # whoever asked is gone or does not speak HTTP
        finally:
            writer.close()

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        answer = self._find(rest.partition(b" ")[0]) if method == b"GET" else answers.BAD_METHOD
        body = answer.render(b"-")
        date = formatdate(usegmt=True).encode()
        return answer.head(len(body), date=date, keep=False, minor=1) + b"\r\n" + body

    def _find(self, path: bytes) -> Answer:
        gateway = self._gateway
        if path == b"/livez":
            return ALIVE
        if path == b"/readyz":
            return readiness(gateway.keys)
        if path == b"/metrics":
            more = status.as_figures(gateway, time.monotonic())
            text = gateway.measures.render(connections=gateway.connections, more=more)
            return Answer(200, text, content_type=measures.CONTENT_TYPE)
        if path == b"/status":
            return answers.as_json(status.as_json(gateway, time.monotonic()))
        return answers.NOT_FOUND
