"""Headers that make browsers careful, wherever the service has not said it better."""

from __future__ import annotations

from typing import Final

from frontdoor import responses
from frontdoor.exchange import Exchange, Outward
from frontdoor.filters import Passive
from frontdoor.sites import Location

_CAREFUL: Final = (
    (responses.NOSNIFF, b"X-Content-Type-Options: nosniff\r\n"),
    (responses.FRAME_OPTIONS, b"X-Frame-Options: DENY\r\n"),
    (responses.REFERRER, b"Referrer-Policy: same-origin\r\n"),
    (responses.OPENER, b"Cross-Origin-Opener-Policy: same-origin\r\n"),
    (responses.CSP, b"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"),
    (responses.CACHE_CONTROL, b"Cache-Control: no-store\r\n"),
)
_TLS_ONLY: Final = (
    (responses.HSTS, b"Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"),
)
# nginx's list for add_header without "always"
_GOOD: Final = frozenset((200, 201, 204, 206, 301, 302, 303, 304, 307, 308))


class SecurityHeaders(Passive):
    """The suite's own headers, and add_header.

    Args:
        tls: people come by https.
    """

    def __init__(self, *, tls: bool) -> None:
        self._careful = _CAREFUL + _TLS_ONLY if tls else _CAREFUL
        self._missing: dict[int, bytes] = {}

    def outward(self, location: Location) -> Outward | None:
        always = b"".join(_line(name, value) for name, value, all_ in location.headers if all_)
        good = b"".join(_line(name, value) for name, value, all_ in location.headers if not all_)

        def add(exchange: Exchange, status: int, present: int) -> None:
            lines = self._missing.get(present)
            if lines is None:
                lines = b"".join(line for bit, line in self._careful if not present & bit)
                self._missing[present] = lines
            exchange.response_lines += lines
            if always:
                exchange.response_lines += always
            if good and status in _GOOD:
                exchange.response_lines += good

        return add


def _line(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode()
