"""Reads what limits requests: zones and their use, who may come at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from frontdoor import units
from frontdoor.given import Given
from frontdoor.reading import Statement
from frontdoor.sites import InHand, Limit, Network, Zone
from frontdoor.upstream_reading import Options

KEYS: Final = (
    "$binary_remote_addr",
    "$remote_addr",
    "$jwt_claim_sub",
    "$jwt_claim_client_id",
    "$server_name",
)
_SMALLEST_ZONE: Final = 32 << 10  # nginx: eight pages

Zones = Mapping[str, Zone]


def read_zone(statement: Statement) -> Zone:
    """A ``limit_req_zone`` or a ``limit_conn_zone``.

    Raises:
        BadConfiguration: with file and line.
    """
    key, *words = statement.arguments
    if key not in KEYS:
        raise statement.wrong(f'a zone cannot be keyed by "{key}"')
    options = Options(statement, tuple(words))
    name, _, size_text = options.take("zone", str, "").partition(":")
    counts = statement.name == "limit_conn_zone"
    rate = 0.0 if counts else options.take("rate", units.rate, "")
    try:
        size = units.size(size_text)
    except ValueError as error:
        raise statement.wrong(str(error)) from error
    options.end()
    if not name or size < _SMALLEST_ZONE:
        raise statement.wrong(f'zone "{name}" is too small')
    return Zone(name, key, size, rate)


def read_limit(statement: Statement, zones: Zones) -> Limit:
    """A ``limit_req``.

    Raises:
        BadConfiguration: with file and line.
    """
    given = dict(word.partition("=")[::2] for word in statement.arguments)
    zone = zones.get(given.pop("zone", ""))
    if zone is None or not zone.rate:
        raise statement.wrong("limit_req names no limit_req_zone")
    burst, nodelay = given.pop("burst", "0"), given.pop("nodelay", None)
    if given or not burst.isdecimal() or (burst != "0" and nodelay is None):
        raise statement.wrong("limit_req is zone=name [burst=n nodelay]; nothing is delayed")
    return Limit(zone, int(burst))


def read_in_hand(statement: Statement, zones: Zones) -> InHand:
    """A ``limit_conn``.

    Raises:
        BadConfiguration: with file and line.
    """
    name, most = statement.arguments
    zone = zones.get(name)
    if zone is None or zone.rate:
        raise statement.wrong("limit_conn names no limit_conn_zone")
    if not most.isdecimal() or most == "0":
        raise statement.wrong(f'invalid number "{most}" in "limit_conn"')
    return InHand(zone, int(most))


def read_ahead(given: Given) -> int:
    """``proxy_buffers`` while ``proxy_buffering`` is on: bytes of one answer.

    Raises:
        BadConfiguration: with file and line.
    """
    number, size = given.words("proxy_buffers")
    longest = given.checked("proxy_buffers", units.number, number)
    longest *= given.checked("proxy_buffers", units.size, size)
    return longest if given.flag("proxy_buffering") else 0


def read_bodies(given: Given, folder: Path) -> dict[str, Any]:
    """Where bodies wait while ``proxy_request_buffering`` is on.

    Args:
        given: the location.
        folder: where the main file is.

    Returns:
        ``longest_gathered`` and ``body_folder`` of a location.

    Raises:
        BadConfiguration: there is no such folder, or nothing can be written there.
    """
    longest = given.checked("client_body_buffer_size", units.size)
    where = _body_folder(given, folder)
    if not given.flag("proxy_request_buffering"):
        return {}
    return {"longest_gathered": longest, "body_folder": where}


def _body_folder(given: Given, folder: Path) -> Path | None:
    name = given.word("client_body_temp_path")
    if name == "off":
        return None
    found = folder / name
    if not found.is_dir() or not os.access(found, os.W_OK | os.X_OK):
        wrong = given.inherited("client_body_temp_path")[0].wrong
        raise wrong(f"cannot write to {found}")
    return found


def read_access(given: Given) -> tuple[tuple[bool, Network | None], ...]:
    """``allow`` and ``deny`` in the order of the file; None is everybody.

    Raises:
        BadConfiguration: with file and line.
    """
    block: Given | None = given
    while block is not None:
        rules = [s for s in block.statement.block or () if s.name in ("allow", "deny")]
        if rules:
            return tuple((s.name == "allow", _network(s)) for s in rules)
        block = block.parent
    return ()


def _network(statement: Statement) -> Network | None:
    text = statement.arguments[0]
    if text == "all":
        return None
    try:
        return ip_network(text)
    except ValueError as error:
        raise statement.wrong(f'"{text}" is no address or network') from error
