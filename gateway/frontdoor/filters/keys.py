"""What a zone counts by: the key of a request, known before its token is checked or only after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from frontdoor.exchange import Exchange

Key = Callable[[Exchange], bytes | None]


def _address(exchange: Exchange) -> bytes | None:
    return exchange.address


def _site(exchange: Exchange) -> bytes | None:
    return b"site"  # a zone of its own for each place that is limited as a whole


def _subject(exchange: Exchange) -> bytes | None:
    return None if exchange.identity is None else exchange.identity.subject


def _client(exchange: Exchange) -> bytes | None:
    return None if exchange.identity is None else exchange.identity.client or None


EARLY: Final[dict[str, Key]] = {
    "$binary_remote_addr": _address,
    "$remote_addr": _address,
    "$server_name": _site,
}
LATE: Final[dict[str, Key]] = {
    "$jwt_claim_sub": _subject,
    "$jwt_claim_client_id": _client,
}
