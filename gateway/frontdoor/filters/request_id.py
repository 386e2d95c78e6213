"""One id for a request everywhere: it is the trace id too, and says who the client was."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from frontdoor.exchange import Exchange, Inward, Outward
from frontdoor.fields import OUR_NAME
from frontdoor.filters import Passive
from frontdoor.sites import Location

_LAST = 0xFFFFFFFF


class RequestId(Passive):
    """Sets X-Request-Id, traceparent and X-Forwarded-*; the client's own never pass.

    Args:
        public_url: says with which scheme people come.
    """

    def __init__(self, public_url: str) -> None:
        self._forwarded = b"X-Forwarded-Proto: %b\r\nVia: 1.1 %b\r\n" % (
            urlsplit(public_url).scheme.encode(),
            OUR_NAME,
        )
        self._start = b""
        self._count = _LAST

    def inward(self, location: Location) -> Inward | None:
        return self._begin

    def outward(self, location: Location) -> Outward | None:
        return self._show

    def _begin(self, exchange: Exchange) -> None:
        self._count += 1
        if self._count > _LAST:  # also in a new worker: its ids begin anew
            self._start = secrets.token_hex(12).encode()
            self._count = 0
        number = b"%08x" % self._count
        exchange.request_id = name = self._start + number
        host = exchange.fields.host
        exchange.upstream_lines += b"".join(
            (
                b"X-Request-Id: ", name, b"\r\ntraceparent: 00-", name, b"-", self._start[:8],
                number, b"-01\r\nX-Forwarded-For: ", exchange.address, b"\r\n", self._forwarded,
                b"X-Forwarded-Host: %b\r\n" % host if host else b"",
            )
        )  # fmt: skip

    def _show(self, exchange: Exchange, status: int, present: int) -> None:
        exchange.response_lines += b"X-Request-Id: " + exchange.request_id + b"\r\n"
