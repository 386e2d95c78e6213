"""Lets come who may: allow and deny by address."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from frontdoor.answers import refusal
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.filters import Passive
from frontdoor.sites import Location, Network

FORBIDDEN: Final = refusal(403, "address-denied", "当前网络地址不能访问该服务")
_MOST_KNOWN: Final = 10_000


class Access(Passive):
    """allow and deny: the first that fits decides; when none does, everybody may come."""

    def inward(self, location: Location) -> Inward | None:
        rules = location.access
        if not rules:
            return None
        known: dict[bytes, bool] = {}

        def check(exchange: Exchange) -> Step:
            admitted = known.get(exchange.address)
            if admitted is None:
                if len(known) >= _MOST_KNOWN:
                    known.clear()
                admitted = known[exchange.address] = _judge(rules, exchange.address)
            return None if admitted else FORBIDDEN

        return check


def _judge(rules: tuple[tuple[bool, Network | None], ...], address: bytes) -> bool:
    try:
        found = ip_address(address.decode("ascii"))
    except ValueError:
        return False
    for allowed, network in rules:
        if network is None or found in network:
            return allowed
    return True
