"""Refuses who asks too often: by address before anything costs, by account once it is known."""

from __future__ import annotations

from collections.abc import Mapping

from frontdoor.answers import Answer, refusal
from frontdoor.exchange import Exchange, Inward, Outward, Step
from frontdoor.filters import Passive
from frontdoor.filters.keys import Key
from frontdoor.limits import Buckets
from frontdoor.sites import Limit, Location


class RateLimit(Passive):
    """limit_req for some kinds of keys.

    Args:
        keys: the kinds.
        zones: the shared memory of each zone.
    """

    def __init__(self, keys: Mapping[str, Key], zones: Mapping[str, Buckets]) -> None:
        self._keys = keys
        self._zones = zones

    def inward(self, location: Location) -> Inward | None:
        limits = self._mine(location)
        if not limits:
            return None
        too_many = _too_many(location.limit_status, limits)
        uses: dict[Key, list[tuple[Buckets, int]]] = {}
        for limit in limits:
            zone = (self._zones[limit.zone.name], limit.burst)
            uses.setdefault(self._keys[limit.zone.key], []).append(zone)
        by_key = list(uses.items())
        if len(limits) == 1:
            ((only, ((buckets, burst),)),) = by_key
            return _one_zone(only, buckets, burst, too_many)

        def check(exchange: Exchange) -> Step:
            now = exchange.started
            for key_of, zones in by_key:
                key = key_of(exchange)
                if key is None:
                    continue
                for buckets, burst in zones:
                    if not buckets.take(key, burst, now):
                        return too_many
            return None

        return check

    def outward(self, location: Location) -> Outward | None:
        limits = self._mine(location)
        if not limits or not location.limit_headers:
            return None
        shown = [_Shown(self._keys[x.zone.key], self._zones[x.zone.name], x) for x in limits]

        def add(exchange: Exchange, status: int, present: int) -> None:
            lines = [line for one in shown if (line := one.line(exchange))]
            exchange.response_lines += b"".join(lines)

        return add

    def _mine(self, location: Location) -> list[Limit]:
        return [limit for limit in location.limits if limit.zone.key in self._keys]


def _one_zone(key_of: Key, buckets: Buckets, burst: int, too_many: Answer) -> Inward:
    """The usual case, without loops."""
    take = buckets.take

    def check(exchange: Exchange) -> Step:
        key = key_of(exchange)
        if key is None or take(key, burst, exchange.started):
            return None
        return too_many

    return check


class _Shown:
    """RateLimit and RateLimit-Policy of one limit (draft-ietf-httpapi-ratelimit-headers)."""

    def __init__(self, key: Key, buckets: Buckets, limit: Limit) -> None:
        self._key = key
        self._buckets = buckets
        self._burst = limit.burst
        quota = limit.burst + 1
        window = max(round(quota / limit.zone.rate), 1)
        name = limit.zone.name.encode()
        self._policy = b'RateLimit-Policy: "%b";q=%d;w=%d\r\nRateLimit: "%b";' % (
            name,
            quota,
            window,
            name,
        )

    def line(self, exchange: Exchange) -> bytes:
        key = self._key(exchange)
        if key is None:
            return b""
        left, reset = self._buckets.left(key, self._burst, exchange.started)
        return b"%br=%d;t=%d\r\n" % (self._policy, left, reset)


def _too_many(status: int, limits: list[Limit]) -> Answer:
    wait = max(1, *(round(1 / limit.zone.rate) for limit in limits))
    retry = b"Retry-After: %d" % wait
    return refusal(status, "too-many", "操作过于频繁，请稍后再试", retry)
