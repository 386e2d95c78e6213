"""Gives services back the entity tags they gave out, where compression made them weak."""

from __future__ import annotations

import re
from typing import Final

from frontdoor.exchange import Exchange, Inward
from frontdoor.filters import Passive
from frontdoor.sites import Location

_READING: Final = frozenset((b"GET", b"HEAD", b"OPTIONS"))
_IF_MATCH: Final = re.compile(rb"^if-match:[^\r]*", re.IGNORECASE | re.MULTILINE)


class IfMatch(Passive):
    """Only a strong tag can match (RFC 9110 13.1.1); `compression` weakens what it compresses."""

    def inward(self, location: Location) -> Inward | None:
        return None if location.compression is None else self._strengthen

    def _strengthen(self, exchange: Exchange) -> None:
        fields = exchange.fields
        if exchange.method not in _READING and b'W/"' in fields.lines:
            fields.lines = _IF_MATCH.sub(
                lambda found: found[0].replace(b'W/"', b'"'), fields.lines, count=1
            )
