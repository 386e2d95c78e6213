"""gunicorn's master with sockets of ours: kept over reloads, opened and closed as the file says."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from typing import Any, Final

import structlog
from gunicorn.arbiter import Arbiter
from gunicorn.sock import TCP6Socket, TCPSocket

from frontdoor.reading import BadConfiguration
from frontdoor.sites import Address
from servicekit.settings import BadSettings

log = structlog.get_logger(__name__)

TRIES: Final = 5  # a program that is just ending may still listen
_PAUSE: Final = 1.0  # seconds between two of them

_Place = tuple[str, int]


class _Only6(TCP6Socket):  # type: ignore[misc]
    """As nginx's ``ipv6only=on``: ``listen 80; listen [::]:80;`` are two sockets.

    IPv4 clients would come as ``::ffff:a.b.c.d`` otherwise, which no network of IPv4 contains.
    """

    def bind(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().bind(sock)


class Master(Arbiter):  # type: ignore[misc]
    """The application needs ``addresses``, ``read()`` and ``gateway`` beside gunicorn's."""

    LISTENERS: list[Any]

    def start(self) -> None:
        """Listen, at the sockets of the program before when this one takes over (SIGUSR2)."""
        super().start()  # knows no address, but takes what it inherits
        for tries_left in reversed(range(TRIES)):
            try:
                self._listen(self.app.addresses)
                break
            except OSError as error:
                log.error("cannot listen", cause=str(error))
                if not tries_left:
                    raise SystemExit(1) from error
                time.sleep(_PAUSE)

    def reload(self) -> None:
        """Read everything again; when that or a new socket fails, the former stays in force."""
        try:
            gateway = self.app.read(self.app.gateway)
            self._listen(self.app.addresses_of(gateway))
        except (BadConfiguration, BadSettings, OSError) as problem:
            log.error("not reloaded", problem=str(problem))
            return
        self.app.gateway = gateway
        super().reload()

    def _listen(self, addresses: Sequence[Address]) -> None:
        """Have a socket per address, in their order; workers that go keep theirs to the end.

        Raises:
            OSError: an address is taken, or is none of this machine's; nothing has changed.
        """
        former = self.LISTENERS
        self.LISTENERS = self._listeners(addresses, {x.sock.getsockname()[:2]: x for x in former})
        for listener in former:
            if listener not in self.LISTENERS:
                listener.close()

    def _listeners(self, addresses: Sequence[Address], known: dict[_Place, Any]) -> list[Any]:
        listeners: list[Any] = []
        opened = []
        try:
            for address in addresses:
                kind, place = _find(address)
                found = known.get(place[:2])
                if found is None:
                    found = kind(place, self.cfg, self.log)
                    opened.append(found)
                listeners.append(found)
        except OSError as error:
            for one in opened:
                one.close()
            raise OSError(error.errno, f"{address}: {error.strerror}") from error
        return listeners


def _find(address: Address) -> tuple[type[TCPSocket], Any]:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    family, *_, place = found[0]
    return (_Only6 if family == socket.AF_INET6 else TCPSocket), place
