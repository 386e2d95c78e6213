"""Refuses who asks too often: by address before anything costs, by account once it is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from frontdoor.answers import Answer, refusal
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.filters import Passive
from frontdoor.limits import Buckets
from frontdoor.sites import Limit, Location

BY_ADDRESS: Final = ("$binary_remote_addr", "$remote_addr")
BY_SUBJECT: Final = ("$jwt_claim_sub",)


class RateLimit(Passive):
    """limit_req for some kinds of keys.

    Args:
        keys: the kinds.
        zones: the shared memory of each zone.
        now: monotonic seconds.
    """

    def __init__(
        self, keys: tuple[str, ...], zones: Mapping[str, Buckets], now: Callable[[], float]
    ) -> None:
        self._keys = keys
        self._zones = zones
        self._now = now

    def inward(self, location: Location) -> Inward | None:
        limits = [limit for limit in location.limits if limit.zone.key in self._keys]
        if not limits:
            return None
        uses = [(self._zones[limit.zone.name], limit.burst) for limit in limits]
        too_many = _too_many(location.limit_status, limits)
        by_address = self._keys is BY_ADDRESS

        def check(exchange: Exchange) -> Step:
            if by_address:
                key = exchange.address
            elif exchange.identity is not None:
                key = exchange.identity.subject
            else:
                return None
            now = exchange.started
            for buckets, burst in uses:
                if not buckets.take(key, burst, now):
                    return too_many
            return None

        return check


def _too_many(status: int, limits: list[Limit]) -> Answer:
    wait = max(1, *(round(1 / limit.zone.rate) for limit in limits))
    retry = b"Retry-After: %d" % wait
    return refusal(status, "too-many", "操作过于频繁，请稍后再试", retry)
