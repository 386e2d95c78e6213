"""Who the client is when a balancer stands before the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

_MOST_KNOWN = 10_000


class Balancers:
    """Those whose X-Forwarded-For counts.

    Args:
        networks: where they are.
    """

    def __init__(self, networks: Sequence[IPv4Network | IPv6Network]) -> None:
        self._networks = networks
        self._known: dict[tuple[bytes, bytes], bytes] = {}

    def trusts(self, address: bytes) -> bool:
        """Is it one of ours?"""
        try:
            found = ip_address(address.decode("ascii"))
        except ValueError:
            return False
        return any(found in network for network in self._networks)

    def client(self, address: bytes, forwarded_for: bytes) -> bytes:
        """The last address that is no balancer's; what stands before it anybody may have written.

        Args:
            address: the connection's.
            forwarded_for: the field's value.
        """
        key = (address, forwarded_for)
        known = self._known.get(key)
        if known is None:
            known = self._client(address, forwarded_for)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = known
        return known

    def _client(self, address: bytes, forwarded_for: bytes) -> bytes:
        client = address
        for part in reversed(forwarded_for.split(b",")):
            if not self.trusts(client):
                break
            try:
                client = str(ip_address(part.strip().decode("ascii"))).encode()
            except ValueError:
                break
        return client
