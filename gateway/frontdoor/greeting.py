"""Accepts clients where TLS is spoken: each counts from its first moment, not once it can speak."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from frontdoor.proxying import ProxyConnection

if TYPE_CHECKING:
    from frontdoor.door import Door

log = structlog.get_logger(__name__)

AT_ONCE: Final = 64  # accepted in one turn of the loop
_PAUSE: Final = 1.0  # seconds, when there are no descriptors left


class Listening(Protocol):
    """What listens for a door."""

    def close(self) -> None:
        """Accept nobody more."""


class _Greeting:
    """One handshake; its place among the address' connections is given to the connection."""

    def __init__(self, door: Door, address: bytes) -> None:
        self._door = door
        self._address = address
        self._over = False

    def end(self) -> None:
        """It is over, well or not."""
        if not self._over:
            self._over = True
            self._door.end_greeting(self._address)


class _Greeted(ProxyConnection):
    """A client's connection after its handshake."""

    def __init__(self, door: Door, greeting: _Greeting) -> None:
        super().__init__(door)
        self._greeting = greeting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._greeting.end()
        super().connection_made(transport)


class Greeter:
    """Listens at one socket in the running loop.

    Args:
        door: where TLS is spoken.
        sock: listens already.
    """

    def __init__(self, door: Door, sock: socket.socket) -> None:
        self._door = door
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waits: asyncio.TimerHandle | None = None
        sock.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Accept nobody more; handshakes that began go on."""
        if self._waits is not None:
            self._waits.cancel()
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def _listen(self) -> None:
        self._loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                client, peer = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log.error("cannot accept", cause=error.strerror)
                self._loop.remove_reader(self._sock)
                self._waits = self._loop.call_later(_PAUSE, self._listen)
                return
            address = peer[0].encode()
            if self._door.begin_greeting(address):
                greeting = _Greeting(self._door, address)
                task = self._loop.create_task(self._greet(client, greeting))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                client.close()

    async def _greet(self, client: socket.socket, greeting: _Greeting) -> None:
        door = self._door
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.connect_accepted_socket(
                lambda: _Greeted(door, greeting),
                client,
                ssl=door.tls,
                ssl_handshake_timeout=door.server.header_timeout,
            )
        except OSError:  # no TLS, none of ours, or not in time
            client.close()
        finally:
            greeting.end()


async def listen(door: Door, sock: socket.socket, backlog: int) -> Listening:
    """Let clients in at a door.

    Args:
        door: the door.
        sock: bound.
        backlog: how many may wait to be accepted.
    """
    if door.tls is not None:
        sock.listen(backlog)
        return Greeter(door, sock)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: ProxyConnection(door), sock=sock, backlog=backlog)
