"""WebSocket passes where a location says so; a library of others speaks it on both sides."""

from __future__ import annotations

import asyncio
import threading

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from frontdoor.testing.running import Running
from frontdoor.testing.service import Received, Service, answer

PASS = """proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    location / { proxy_pass http://service; }"""
ASK = (
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class Echo(Service):
    """Says back what it hears, by WebSocket."""

    heads: list[dict[str, str]]
    closed: threading.Event
    _websocket: Server

    async def start(self) -> None:
        self.heads, self.closed = [], threading.Event()
        self._websocket = await serve(self._echo, "127.0.0.1", 0, max_size=1 << 24)
        self.port = next(iter(self._websocket.sockets)).getsockname()[1]

    async def stop(self) -> None:
        self._websocket.close(close_connections=False)
        for connection in list(self._websocket.connections):
            connection.transport.abort()

    async def _echo(self, client: ServerConnection) -> None:
        assert client.request is not None
        self.heads.append({name.lower(): value for name, value in client.request.headers.items()})
        try:
            async for message in client:
                if message == "leave":
                    await client.close(4000, "as you wish")
                await client.send(message)
        except ConnectionClosed:
            pass
        finally:
            self.closed.set()


def url(gateway: Running) -> str:
    return f"ws://127.0.0.1:{gateway.port}/chat"


@pytest.mark.req("GW-05")
def test_websocket_passes_both_ways_however_large_and_closes_as_either_says(start) -> None:
    service = Echo()
    gateway = start(PASS, {"service": service})
    with connect(url(gateway), max_size=1 << 24) as client:
        for message in ("a", "就业", b"\x00\xff" * 1_000_000, ""):
            client.send(message)
            assert client.recv(timeout=10) == message
        client.send("leave")
        with pytest.raises(ConnectionClosed) as closing:
            client.recv(timeout=10)
        assert closing.value.rcvd is not None
        assert closing.value.rcvd.code == 4000
    with connect(url(gateway)) as client:
        client.send("b")
        assert client.recv(timeout=10) == "b"
    assert service.closed.wait(10)
    (head, _) = service.heads
    assert head["connection"].lower() == "upgrade"
    assert head["x-forwarded-for"] == "127.0.0.1"


def test_a_location_that_does_not_say_so_lets_nobody_switch(start) -> None:
    gateway = start("location / { proxy_pass http://service; }", {"service": Service()})
    with pytest.raises(InvalidStatus), connect(url(gateway)):
        pass
    (request,) = gateway._services["service"].received
    assert request.one("upgrade") is None
    assert request.one("connection") is None


@pytest.mark.parametrize(
    "asking",
    [
        ASK.replace(b"websocket", b"h2c"),
        ASK.replace(b"Connection: Upgrade\r\n", b""),
        ASK.replace(b"GET", b"POST"),
        ASK.replace(b"HTTP/1.1", b"HTTP/1.0"),
        ASK + b"Content-Length: 1\r\n",
    ],
)
def test_only_websocket_is_switched_to_and_only_as_its_standard_says(start, asking) -> None:
    service = Service()
    gateway = start(PASS, {"service": service})
    body = b"x" if b"Length" in asking else b""
    end = b"Connection: close\r\n\r\n" if b"HTTP/1.1" in asking else b"\r\n"
    said = gateway.raw(asking + end + body)
    assert said.startswith(b"HTTP/1.1 200 ")
    (request,) = service.received
    assert request.one("upgrade") is None


def test_a_service_that_switches_unasked_or_to_something_else_is_broken(start) -> None:
    said = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: %b\r\n\r\n"

    async def switch(request: Received, writer: asyncio.StreamWriter) -> None:
        other = request.one("upgrade") is not None
        writer.write(said % (b"h2c" if other else b"websocket"))

    gateway = start(PASS, {"service": Service(switch)})
    assert gateway.raw(ASK + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 502 ")
    assert gateway.ask("/").status == 502


def test_a_service_that_refuses_is_heard_and_the_connection_goes_on(start) -> None:
    async def refuse(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"no", "403 Forbidden"))

    gateway = start(PASS, {"service": Service(refuse)})
    last = b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    said = gateway.raw(ASK + b"\r\n" + last)
    assert said.count(b"HTTP/1.1 403 ") == 2


@pytest.mark.req("GW-02")
def test_another_sites_page_cannot_open_a_websocket_with_our_cookie(start) -> None:
    """Browsers send cookies with every WebSocket; only the origin tells the pages apart."""
    service = Service()
    gateway = start(PASS, {"service": service})
    cookie = b"Connection: close\r\nCookie: __Host-jiuye-session=abc\r\nOrigin: %b\r\n\r\n"
    said = gateway.raw(ASK + cookie % b"https://evil.example")
    assert said.startswith(b"HTTP/1.1 403 ")
    assert service.received == []
    said = gateway.raw(ASK + cookie % gateway.public_url.encode())
    assert said.startswith(b"HTTP/1.1 200 ")


@pytest.mark.req("GW-04")
def test_a_silent_tunnel_ends_and_one_that_nobody_reads_holds_back(start) -> None:
    async def switch(request: Received, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello"
        writer.write(head)
        await writer.drain()
        await asyncio.sleep(60)

    gateway = start("proxy_read_timeout 5s; " + PASS, {"service": Service(switch)})
    (door,) = gateway.gateway.doors.values()
    with gateway.connect() as client:
        client.sendall(ASK + b"\r\n")
        said = b""
        while not said.endswith(b"hello"):
            said += client.recv(1000)
        client.setblocking(False)
        sent = 0
        try:
            while sent < 100 << 20:
                sent += client.send(b"x" * (1 << 20))
        except BlockingIOError:
            pass
        assert sent < 60 << 20

        def ended() -> bool:
            gateway.clock.advance(6)
            gateway.gateway.sweep()
            return not door.connections

        gateway.until(ended)
