"""One id for a request everywhere: it is the trace id too, and says who the client was."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from frontdoor.exchange import Exchange, Inward, Outward
from frontdoor.fields import OUR_NAME
from frontdoor.filters import Passive
from frontdoor.sites import Location

_LAST = 0xFFFFFFFF
_MOST_ABOUT = 1024


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
        self._start = self._short = b""
        self._count = _LAST
        self._about: dict[tuple[bytes, bytes | None], bytes] = {}

    def inward(self, location: Location) -> Inward | None:
        return self._begin

    def outward(self, location: Location) -> Outward | None:
        return self._show

    def _begin(self, exchange: Exchange) -> None:
        self._count += 1
        if self._count > _LAST:  # also in a new worker: its ids begin anew
            self._start = secrets.token_hex(12).encode()
            self._short = self._start[:8]
            self._count = 0
        number = b"%08x" % self._count
        exchange.request_id = name = self._start + number
        who = (exchange.address, exchange.fields.host)
        about = self._about.get(who) or self._tell(*who)
        exchange.upstream_lines = b"".join(
            (b"X-Request-Id: ", name, b"\r\ntraceparent: 00-", name, b"-", self._short, number,
             b"-01\r\n", about)
        )  # fmt: skip

    def _tell(self, address: bytes, host: bytes | None) -> bytes:
        """Who the client is, and whom it asked."""
        if len(self._about) >= _MOST_ABOUT:
            self._about.clear()
        told = b"X-Forwarded-For: %b\r\n%b" % (address, self._forwarded)
        if host is not None:
            told += b"X-Forwarded-Host: %b\r\n" % host
        self._about[address, host] = told
        return told

    def _show(self, exchange: Exchange, status: int, present: int) -> None:
        exchange.response_lines += b"X-Request-Id: " + exchange.request_id + b"\r\n"
