"""Asks where names lead and keeps groups of servers up to date (headless services)."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, cast

import structlog

from frontdoor.dns_messages import AAAA, A, BadMessage, Truncated, addresses, question
from frontdoor.pools import Pool
from frontdoor.sites import Address, PeerServer, Resolver

log = structlog.get_logger(__name__)

PATIENCE: Final = 2.0  # for one name server
SHORTEST, LONGEST = 1.0, 300.0  # seconds between two questions
AFTER_FAILURE: Final = 2.0
LOCAL_LIFE: Final = 10.0  # the system does not say how long its answers hold


class NoSuchName(Exception):
    """Nobody knows the name, or nobody answers."""


class _Once(asyncio.DatagramProtocol):
    """One question by UDP from a port of its own, so that answers are hard to forge."""

    def __init__(self, asked: bytes) -> None:
        self._asked = asked
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.DatagramTransport, transport).sendto(self._asked)

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.answer.done() and data[:2] == self._asked[:2]:
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


class Names:
    """Answers where a name leads.

    Args:
        resolver: whom to ask.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def look_up(self, name: str) -> tuple[Sequence[str], float]:
        """A name's addresses, in a steady order, and the seconds they hold.

        Raises:
            NoSuchName: there are none to be had.
        """
        found, life = await (
            self._ask_system(name) if not self._resolver.servers else self._ask(name)
        )
        if not found:
            raise NoSuchName(name)
        life = life if self._resolver.valid is None else self._resolver.valid
        return sorted(set(found)), min(max(life, SHORTEST), LONGEST)

    @staticmethod
    async def _ask_system(name: str) -> tuple[Sequence[str], float]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                name, None, type=socket.SOCK_STREAM
            )
        except OSError as error:
            raise NoSuchName(name) from error
        return [str(entry[4][0]) for entry in found], LOCAL_LIFE

    async def _ask(self, name: str) -> tuple[Sequence[str], float]:
        for server in self._resolver.servers:
            try:
                both = [await self._ask_one(server, name, kind) for kind in (A, AAAA)]
            except (OSError, TimeoutError, BadMessage, EOFError) as error:
                log.warning("no answer from a name server", cause=type(error).__name__)
                continue
            found = [address for addresses_, _ in both for address in addresses_]
            return found, min((life for addresses_, life in both if addresses_), default=0.0)
        raise NoSuchName(name)

    @staticmethod
    async def _ask_one(server: Address, name: str, kind: int) -> tuple[Sequence[str], float]:
        number = secrets.randbelow(1 << 16)
        asked = question(number, name, kind)
        async with asyncio.timeout(PATIENCE):
            transport, once = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Once(asked), remote_addr=(server.host, server.port)
            )
            try:
                data = await once.answer
            finally:
                transport.close()
            try:
                return addresses(data, number, name, kind)
            except Truncated:
                return addresses(await _ask_by_tcp(server, asked), number, name, kind)


async def _ask_by_tcp(server: Address, asked: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        writer.write(len(asked).to_bytes(2, "big") + asked)
        length = int.from_bytes(await reader.readexactly(2), "big")
        return await reader.readexactly(length)
    finally:
        writer.close()


class Following:
    """Keeps one group where its names lead.

    Args:
        pool: the group.
        resolver: whom to ask.
    """

    def __init__(self, pool: Pool, resolver: Resolver | None) -> None:
        assert resolver is not None  # the configuration sees to it
        self._pool = pool
        self._names = Names(resolver)
        self._last: dict[str, Sequence[str]] = {}
        self.looked = asyncio.Event()

    async def run(self) -> None:
        """Ask again and again; what cannot be asked stays as it was. Never ends."""
        while True:
            life = await self._look()
            self.looked.set()
            await asyncio.sleep(life * random.uniform(0.9, 1.0))

    async def _look(self) -> float:
        servers: list[PeerServer] = []
        lives = [LONGEST]
        for server in self._pool.upstream.servers:
            if not server.resolve or server.down:
                continue
            name = server.address.host
            try:
                self._last[name], life = await self._names.look_up(name)
                lives.append(life)
            except (NoSuchName, ValueError):
                log.warning("a name leads nowhere", upstream=self._pool.upstream.name, name=name)
                lives.append(AFTER_FAILURE)
            places = [Address(host, server.address.port) for host in self._last.get(name, ())]
            servers += [replace(server, address=place) for place in places]
        self._pool.now_at(servers)
        return min(lives)
