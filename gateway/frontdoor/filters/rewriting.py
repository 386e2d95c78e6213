"""Puts the path of proxy_pass in place of the location's, as nginx does."""

from __future__ import annotations

import re
from typing import Final

from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.filters import Passive
from frontdoor.sites import Location

_ESCAPED: Final = re.compile(rb'[\x00-\x20"#%<>?\\^`{|}\x7f-\xff]')


class Rewriting(Passive):
    """proxy_pass with a path."""

    def inward(self, location: Location) -> Inward | None:
        if location.rewrite is None:
            return None
        start, cut = location.rewrite.encode(), len(location.path.encode())

        def rewrite(exchange: Exchange) -> Step:
            rest = _ESCAPED.sub(_escape, exchange.path[cut:])
            _, mark, query = exchange.head.target.partition(b"?")
            target = b"%b%b%b%b" % (start, rest, mark, query)
            exchange.service_line = b"%b %b HTTP/1.1\r\n" % (exchange.method, target)
            return None

        return rewrite


def _escape(found: re.Match[bytes]) -> bytes:
    return b"%%%02X" % found[0][0]
