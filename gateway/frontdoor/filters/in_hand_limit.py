"""Refuses who has too much in hand at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from frontdoor.answers import refusal
from frontdoor.exchange import Exchange, Finished, Inward, Step
from frontdoor.filters import Passive
from frontdoor.filters.keys import Key
from frontdoor.in_hand import InHand
from frontdoor.sites import Location

_RETRY: Final = b"Retry-After: 1"


class InHandLimit(Passive):
    """limit_conn for some kinds of keys.

    Args:
        keys: the kinds.
        zones: the shared memory of each zone.
    """

    def __init__(self, keys: Mapping[str, Key], zones: Mapping[str, InHand]) -> None:
        self._keys = keys
        self._zones = zones

    def inward(self, location: Location) -> Inward | None:
        uses = [
            (self._keys[use.zone.key], self._zones[use.zone.name], use.most)
            for use in location.in_hand
            if use.zone.key in self._keys
        ]
        if not uses:
            return None
        too_many = refusal(
            location.in_hand_status, "too-many-in-hand", "同时进行的操作过多，请稍后再试", _RETRY
        )

        def check(exchange: Exchange) -> Step:
            for key_of, zone, most in uses:
                key = key_of(exchange)
                if key is None:
                    continue
                slot = zone.begin(key, most)
                if slot < 0:
                    return too_many
                exchange.in_hand = (*exchange.in_hand, (zone, slot))
            return None

        return check

    def finished(self, location: Location) -> Finished | None:
        if not any(use.zone.key in self._keys for use in location.in_hand):
            return None

        def give_back(exchange: Exchange) -> None:
            taken, exchange.in_hand = exchange.in_hand, ()
            for zone, slot in taken:
                zone.end(slot)

        return give_back
