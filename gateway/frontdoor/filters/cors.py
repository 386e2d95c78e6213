"""Says which other sites' pages may ask, and what they may read (the Fetch standard's CORS)."""

from __future__ import annotations

from typing import Final

from frontdoor.answers import Answer
from frontdoor.content import Cors
from frontdoor.exchange import Exchange, Inward, Outward, Step
from frontdoor.filters import Passive
from frontdoor.responses import ORIGIN
from frontdoor.sites import Location

ANYBODY: Final = b"*"
_VARY: Final = b"Vary: Origin\r\n"


class CrossOrigin(Passive):
    """cors_origin and what begins with cors."""

    def inward(self, location: Location) -> Inward | None:
        return None if location.cors is None else _preflight(location.cors)

    def outward(self, location: Location) -> Outward | None:
        return None if location.cors is None else _permit(location.cors)


def _preflight(cors: Cors) -> Inward:
    """Answers what a browser asks before it lets another site's page ask."""
    origins = _encoded(cors)
    permission = Answer(
        204,
        b"",
        lines=(
            b"Access-Control-Allow-Methods: " + ", ".join(cors.methods).encode(),
            b"Access-Control-Allow-Headers: " + ", ".join(cors.headers).encode(),
            b"Access-Control-Max-Age: %d" % cors.max_age,
            b"Vary: Access-Control-Request-Method, Access-Control-Request-Headers",
        ),
    )
    silence = Answer(204, b"")

    def check(exchange: Exchange) -> Step:
        if exchange.method != b"OPTIONS":
            return None
        fields = exchange.fields
        if fields.origin is None or fields.value(b"access-control-request-method") is None:
            return None
        return permission if fields.origin in origins or ANYBODY in origins else silence

    return check


def _permit(cors: Cors) -> Outward:
    origins = _encoded(cors)
    anybody = ANYBODY in origins
    exposed = b"Access-Control-Expose-Headers: %b\r\n" % ", ".join(cors.exposed).encode()

    def add(exchange: Exchange, status: int, present: int) -> None:
        if present & ORIGIN:
            return  # the service says it itself; browsers take two for none
        origin = ANYBODY if anybody else exchange.fields.origin
        if origin in origins:
            exchange.response_lines += b"Access-Control-Allow-Origin: %b\r\n%b%b" % (
                origin,
                exposed,
                b"" if anybody else _VARY,
            )
        else:
            exchange.response_lines += _VARY

    return add


def _encoded(cors: Cors) -> frozenset[bytes]:
    return frozenset(origin.encode() for origin in cors.origins)
