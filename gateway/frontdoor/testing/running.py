"""A gateway in a thread of its own, with the services behind it and a clock the test moves."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from frontdoor import configuration
from frontdoor.app import Gateway, build
from frontdoor.greeting import Listening, listen
from frontdoor.settings import Settings
from frontdoor.testing.service import Service

T = TypeVar("T")

PATIENCE = 10.0
BACKLOG = 1024
SECRET = "a-secret-only-tests-know-0123456789"  # noqa: S105 - a test's
COOKIE_KEY = base64.b64encode(bytes(range(32))).decode()


@dataclass
class Clock:
    """Monotonic seconds and the time of day, both moved by hand, both running otherwise."""

    offset: float = 0.0

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic() + self.offset

    def wall(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.offset += seconds


@dataclass(frozen=True)
class Answer:
    """A response as a client sees it."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def one(self, name: str) -> str | None:
        """The only value of a field, or None."""
        found = [value for key, value in self.fields if key.lower() == name.lower()]
        assert len(found) < 2, found  # noqa: PLR2004
        return found[0] if found else None

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for key, value in self.fields if key.lower() == name.lower()]


class Running:
    """A context manager: the gateway answers on ``port`` until it ends.

    Args:
        folder: where the configuration file is written.
        locations: the inside of the ``server`` block.
        services: upstreams by name.
        identity: plays identity; without it nobody does.
        outside: the inside of the ``http`` block beside; PORT stands for the port.
        options: more of each ``upstream`` block.
        site: of its ``listen``, as ``ssl``.
    """

    def __init__(
        self,
        folder: Path,
        locations: str,
        services: Mapping[str, Service],
        *,
        identity: Service | None = None,
        outside: str = "",
        options: str = "",
        site: str = "",
    ) -> None:
        self.clock = Clock()
        self.port = 0
        self.gateway: Gateway
        self._folder = folder
        self._texts = (locations, outside, options)
        self._site = site
        self._services = services
        self._identity = identity
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: Listening

    def __enter__(self) -> Running:
        self._thread.start()
        self.call(self._start)
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine where the gateway runs."""
        return asyncio.run_coroutine_threadsafe(function(), self._loop).result(PATIENCE)

    def sweep(self) -> None:
        """What happens a few times a second, now."""

        async def sweep() -> None:
            self.gateway.sweep()

        self.call(sweep)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds in the gateway's thread; fails after a while."""
        end = time.monotonic() + PATIENCE

        async def holds() -> bool:
            await asyncio.sleep(0.002)
            return condition()

        while not self.call(holds):
            assert time.monotonic() < end, "waited in vain"

    def connect(self) -> socket.socket:
        """A client's connection."""
        client = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def raw(self, data: bytes) -> bytes:
        """Send bytes; everything the gateway says until it closes."""
        with self.connect() as client:
            client.sendall(data)
            return read_all(client)

    def ask(
        self,
        target: str,
        method: str = "GET",
        fields: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        """One request on a connection of its own."""
        client = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            client.request(method, target, body, dict(fields or {}))
            got = client.getresponse()
            return Answer(got.status, got.getheaders(), got.read())
        finally:
            client.close()

    @property
    def public_url(self) -> str:
        """Where people reach it."""
        return f"http://127.0.0.1:{self.port}"

    async def _start(self) -> None:
        for service in self._services.values():
            await service.start()
        if self._identity is not None and not self._identity.port:
            await self._identity.start()
        listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.port = listener.getsockname()[1]
        path = self._folder / "gateway.conf"
        path.write_text(self._text(), "utf-8")
        identity = f"http://127.0.0.1:{self._identity.port if self._identity else 9}"
        settings = Settings(
            client_secret=SECRET,
            cookie_key=COOKIE_KEY,
            identity_url=identity,
            public_url=self.public_url,
        )
        found = configuration.load(path)
        self.gateway = build(settings, found, now=self.clock.monotonic, wall=self.clock.wall)
        (door,) = self.gateway.doors.values()
        self._server = await listen(door, listener, BACKLOG)

    def _text(self) -> str:
        locations, outside, options = self._texts
        upstreams = "".join(
            f"upstream {name} {{ server 127.0.0.1:{service.port}; {options} }}\n"
            for name, service in self._services.items()
        )
        server = f"server {{ listen 127.0.0.1:{self.port} {self._site};\n{locations}\n}}"
        outside = outside.replace("PORT", str(self.port))
        return f"http {{\n{upstreams}{outside}\n{server}\n}}\n"

    async def _stop(self) -> None:
        self._server.close()
        for door in self.gateway.doors.values():
            for connection in list(door.connections):
                connection.transport.abort()
        for service in (*self._services.values(), self._identity):
            if service is not None:
                await service.stop()
        for pool in self.gateway.pools.values():
            pool.close_idle(float("inf"))
        await asyncio.sleep(0)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def read_all(client: socket.socket) -> bytes:
    """Everything until the other side closes."""
    parts = []
    try:
        while part := client.recv(1 << 16):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
