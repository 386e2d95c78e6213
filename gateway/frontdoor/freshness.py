"""Which answers may be kept for others and how long they are fresh (RFC 9111)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from frontdoor.asking import Answered

_DIRECTIVE: Final = re.compile(
    rb"([a-z0-9-]+)(?:\s*=\s*(?:\"([^\"]*)\"|([^\s,]*)))?", re.IGNORECASE
)
_KEPT_STATUSES: Final = frozenset((200, 203, 204, 300, 301, 308, 404, 410))
LONGEST: Final = 10 * 365 * 86400.0

Directives = Mapping[bytes, bytes]


def directives(field: bytes | None) -> Directives:
    """The directives of a Cache-Control, names in small letters, the first of each."""
    found: dict[bytes, bytes] = {}
    for match in _DIRECTIVE.finditer(field or b""):
        found.setdefault(match[1].lower(), match[2] or match[3] or b"")
    return found


def wants_the_service(field: bytes | None, pragma: bytes | None) -> bool:
    """Does a request's Cache-Control ask for an answer that was not kept (5.2.1)?"""
    found = directives(field)
    if field is None:
        return b"no-cache" in (pragma or b"").lower()
    return bool({b"no-cache", b"no-store"} & found.keys()) or found.get(b"max-age") == b"0"


def may_be_kept(answered: Answered, valid: Mapping[int, float]) -> bool:
    """May anybody else see this answer (3)?

    Args:
        answered: to a request of a visitor: without Authorization, without cookies.
        valid: statuses the configuration keeps.
    """
    control = directives(answered.value(b"cache-control"))
    if {b"no-store", b"private"} & control.keys() or answered.value(b"vary") == b"*":
        return False
    if answered.value(b"set-cookie") is not None or answered.status == 206:  # noqa: PLR2004
        return False
    if answered.status not in _KEPT_STATUSES and answered.status not in valid:
        return False
    return lifetime(answered, valid) > 0 or has_validator(answered)


def has_validator(answered: Answered) -> bool:
    """Can it be asked for again on a condition?"""
    return bool(answered.value(b"etag") or answered.value(b"last-modified"))


def lifetime(answered: Answered, valid: Mapping[int, float]) -> float:
    """Seconds it is fresh from its making (4.2.1)."""
    control = directives(answered.value(b"cache-control"))
    if b"no-cache" in control:
        return 0.0
    for name in (b"s-maxage", b"max-age"):
        if name in control:
            return _seconds(control[name])
    expires = answered.value(b"expires")
    if expires is not None:
        until, made = _date(expires), _date(answered.value(b"date"))
        return min(max(until - made, 0.0), LONGEST) if until and made else 0.0
    return valid.get(answered.status, 0.0)


def age(answered: Answered) -> float:
    """How old it was when it came."""
    return _seconds(answered.value(b"age") or b"0")


def may_be_stale(answered: Answered) -> float:
    """Seconds it may be shown beyond its time when the service cannot answer (RFC 5861)."""
    control = directives(answered.value(b"cache-control"))
    if {b"must-revalidate", b"proxy-revalidate", b"s-maxage", b"no-cache"} & control.keys():
        return 0.0
    return _seconds(control.get(b"stale-if-error", b"0"))


def _seconds(text: bytes) -> float:
    return min(float(text), LONGEST) if text.isdigit() else 0.0


def _date(value: bytes | None) -> float:
    try:
        return parsedate_to_datetime((value or b"").decode("ascii")).timestamp()
    except (ValueError, TypeError):
        return 0.0
