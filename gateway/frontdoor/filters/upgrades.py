"""Lets WebSocket pass where the location says so (RFC 6455); other protocols are not switched to.

``proxy_set_header Upgrade $http_upgrade`` is nginx's way to say it.
"""

from __future__ import annotations

from typing import Final

from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.filters import Passive
from frontdoor.own_pages import FOREIGN_PAGE, OwnPages
from frontdoor.sites import Location

_WEBSOCKET: Final = b"websocket"


class Upgrades(Passive):
    """Comes before the browser's session becomes a token.

    Args:
        own_pages: tells our pages from others': a browser lets any page open a WebSocket, with
            our cookies.
    """

    def __init__(self, own_pages: OwnPages) -> None:
        self._own_pages = own_pages

    def inward(self, location: Location) -> Inward | None:
        return self._ask if location.upgrade else None

    def _ask(self, exchange: Exchange) -> Step:
        fields = exchange.fields
        if fields.upgrade is None or fields.upgrade.lower() != _WEBSOCKET:
            return None  # RFC 9110 7.8: a server may go on as if nobody had asked
        whole = not fields.chunked and fields.length <= 0 and exchange.head.minor == 1
        if exchange.method != b"GET" or not whole or b"upgrade" not in (fields.named or ()):
            return None
        if fields.sealed is not None and not self._own_pages.sent(fields):
            return FOREIGN_PAGE
        exchange.upgrade = _WEBSOCKET
        exchange.upstream_lines += b"Connection: upgrade\r\nUpgrade: websocket\r\n"
        return None
