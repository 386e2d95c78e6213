"""What a field of a request is to the gateway, by its name."""

from __future__ import annotations

import re
from typing import Final

# What a field is to us. Those up to KEPT go to the service as they came, DROPPED ones never.
PLAIN, KEPT, DROPPED = 0, 20, 30
HOST, TYPE, KEY, AUTHORIZATION = 1, 2, 3, 4
LENGTH, CODING, CONNECTION, EXPECT, COOKIE, VIA, CLIENT, UPGRADE, TE = range(21, 30)

_NAMES: Final = {
    b"host": HOST, b"content-type": TYPE, b"idempotency-key": KEY,
    b"authorization": AUTHORIZATION, b"content-length": LENGTH,
    b"transfer-encoding": CODING, b"connection": CONNECTION, b"expect": EXPECT,
    b"cookie": COOKIE, b"via": VIA, b"x-forwarded-for": CLIENT, b"upgrade": UPGRADE,
    b"te": TE,
}  # fmt: skip
# A client must not have the gateway hide from the service what the gateway decides by.
NOT_HOP_BY_HOP: Final = frozenset(_NAMES) - {b"upgrade", b"te"} | frozenset(
    (b"origin", b"accept", b"sec-fetch-site", b"cache-control", b"dpop", b"range", b"if-none-match")
)
# Hop by hop, written anew by us, or able to pass for somebody: none reaches a service.
_FORBIDDEN: Final = re.compile(
    rb"keep-alive|proxy-.*|te|trailer|upgrade|http2-settings|proxy|forwarded|via"
    rb"|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|x-request-id|traceparent|tracestate"
    rb"|script-name|path-info|remote-user|x-remote-.*|x-user.*|x-auth.*|x-principal.*|x-account.*"
    rb"|x-actor.*|x-subject.*|x-role.*|x-jwt.*|x-original-.*|x-rewrite-.*|x-http-method.*"
    rb"|x-method-override|x-ssl-.*|ssl-client-.*|x-client-cert.*|.*_.*"
)

_kinds: dict[bytes, int] = {}
_MOST: Final = 2048
_LONGEST_KEPT: Final = 64


def kind_of(name: bytes) -> int:
    """What a name, in whatever letters, is to us."""
    kind = _kinds.get(name)
    if kind is None:
        small = name.lower()
        kind = _NAMES.get(small, PLAIN)
        if kind == PLAIN and _FORBIDDEN.fullmatch(small):
            kind = DROPPED
        if len(name) <= _LONGEST_KEPT:
            if len(_kinds) >= _MOST:
                _kinds.clear()
            _kinds[name] = kind
    return kind


def may_be_trailer(name: bytes) -> bool | None:
    """May a trailer of that name pass? None when it would change how the message is read.

    Args:
        name: in whatever letters.
    """
    kind, small = kind_of(name), name.lower()
    if kind == PLAIN:
        return not (small in NOT_HOP_BY_HOP or small.startswith(b"content-"))
    return False if kind in (DROPPED, VIA, CLIENT) else None
