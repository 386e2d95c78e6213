"""Clients that send or read slowly cost the others nothing; the whole measure is in benchmarks."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from frontdoor.testing.running import Running, read_all
from frontdoor.testing.service import Received, Service, answer

SLOW = 30
TIMES = "client_header_timeout 5s; client_body_timeout 5s; send_timeout 5s; "
PASS = "client_max_body_size 0; location / { proxy_pass http://service; }"
BEGINNINGS = {
    "heads": b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    "bodies": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
    "chunks": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n",
    "readers": b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
}


async def say(request: Received, writer: asyncio.StreamWriter) -> None:
    """Something large, or ok."""
    writer.write(answer(b"x" * (4 << 20) if request.target == "/big" else b"ok"))
    await writer.drain()


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096


def open_slow(gateway: Running, beginning: bytes) -> socket.socket:
    """A client with a small window that sends this and no more."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", gateway.port))
    client.sendall(beginning)
    return client


@pytest.mark.req("GW-04", "GW-05")
@pytest.mark.parametrize("kind", BEGINNINGS)
def test_others_are_served_beside_many_slow_ones_and_their_time_ends(start, kind) -> None:
    gateway = start(TIMES + PASS, {"service": Service(say)})
    (door,) = gateway.gateway.doors.values()
    with ExitStack() as stack:
        clients = [open_slow(gateway, BEGINNINGS[kind]) for _ in range(SLOW)]
        for client in clients:
            stack.callback(client.close)
        gateway.until(lambda: len(door.connections) == SLOW)
        for number in range(10):
            clients[number].sendall(b"aa")  # a little now and then
            assert gateway.ask("/").status == 200
        gateway.sweep()
        assert len(door.connections) >= SLOW

        def ended() -> bool:
            gateway.clock.advance(6)
            gateway.gateway.sweep()
            return not door.connections

        gateway.until(ended)
    assert gateway.ask("/").status == 200


@pytest.mark.req("GW-05")
def test_an_answer_nobody_reads_is_held_by_the_service_not_by_us(start) -> None:
    written = 0

    async def pour(request: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 << 20))
        for _ in range(256):
            writer.write(bytes(256 << 10))
            await writer.drain()
            written += 256 << 10

    gateway = start(PASS, {"service": Service(pour)})
    (door,) = gateway.gateway.doors.values()
    with ExitStack() as stack:
        for _ in range(20):
            stack.callback(open_slow(gateway, BEGINNINGS["readers"]).close)
        gateway.until(lambda: sum(c.stalled for c in door.connections) == 20)
        held = gateway.call(lambda: _held(door))
        assert held < 20 * (128 << 10)
        assert written < 20 * (32 << 20)


@pytest.mark.req("GW-05")
@pytest.mark.parametrize(("length", "busy"), [(200 << 10, 0), (4 << 20, 1)])
def test_a_service_is_free_when_the_rest_of_its_answer_fits_here(start, length, busy) -> None:
    async def give(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(bytes(length)))

    gateway = start(PASS, {"service": Service(give)})
    (door,) = gateway.gateway.doors.values()
    (peer,) = gateway.gateway.pools["service"].peers
    with open_slow(gateway, b"") as client:
        gateway.until(lambda: len(door.connections) == 1)
        (connection,) = door.connections
        taken = connection.transport.get_extra_info("socket")
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 << 10)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        gateway.until(lambda: connection.stalled and peer.busy == busy)
        assert 0 <= door.ahead <= 256 << 10
        assert bool(door.ahead) == (busy == 0)
        assert len(read_all(client).partition(b"\r\n\r\n")[2]) == length
    gateway.until(lambda: door.ahead == 0)


BODY = {
    "length": (b"Content-Length: 9\r\n\r\n", [b"pay", b"roll", b"ed"]),
    "chunked": (
        b"Transfer-Encoding: chunked\r\n\r\n",
        [b"4\r\npayr\r", b"\n5\r\nolled\r\n0", b"\r\n\r\n"],
    ),
}
POST = b"POST /x HTTP/1.1\r\nHost: a\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.mark.req("GW-04", "GW-05")
@pytest.mark.parametrize("coding", BODY)
def test_a_short_body_is_whole_before_a_service_is_asked(start, coding) -> None:
    service = Service()
    gateway = start(PASS, {"service": service})
    (door,) = gateway.gateway.doors.values()
    head, pieces = BODY[coding]
    with gateway.connect() as client:
        client.sendall(POST + head)
        for piece in pieces[:-1]:
            before = door.bodies.total
            client.sendall(piece)
            gateway.until(lambda before=before: door.bodies.total > before)
            assert service.connections == 0
        client.sendall(pieces[-1] + NEXT)
        assert read_all(client).count(b"HTTP/1.1 200 OK") == 2
    post, following = service.received
    assert (post.body, following.target) == (b"payrolled", "/next")
    assert door.bodies.total == 0


@pytest.mark.req("GW-05")
@pytest.mark.parametrize(
    ("limits", "coding"),
    [
        ("client_body_buffer_size 8;", "length"),
        ("client_body_buffer_size 8;", "chunked"),
        ("client_body_buffers_total 2;", "length"),
        ("client_body_buffers_total 2;", "chunked"),
        ("proxy_request_buffering off;", "length"),
    ],
)
def test_what_is_too_much_to_gather_is_streamed(start, limits, coding) -> None:
    service = Service()
    gateway = start(limits + PASS, {"service": service})
    (door,) = gateway.gateway.doors.values()
    head, pieces = BODY[coding]
    with gateway.connect() as client:
        client.sendall(POST + head + b"".join(pieces[:-1]))
        gateway.until(lambda: service.connections == 1)
        client.sendall(pieces[-1] + NEXT)
        assert read_all(client).count(b"HTTP/1.1 200 OK") == 2
    assert [request.body for request in service.received] == [b"payrolled", b""]
    assert door.bodies.total == 0


@pytest.mark.req("GW-05")
def test_who_goes_within_a_body_or_breaks_its_coding_leaves_nothing_behind(start) -> None:
    service = Service()
    gateway = start(PASS, {"service": service})
    (door,) = gateway.gateway.doors.values()
    with gateway.connect() as client:
        client.sendall(POST + b"Content-Length: 9\r\n\r\npay")
        gateway.until(lambda: door.bodies.total == 3)
    gateway.until(lambda: door.bodies.total == 0)
    got = gateway.raw(POST + b"Transfer-Encoding: chunked\r\n\r\n4\r\npayr\r\nx\r\n")
    assert got.startswith(b"HTTP/1.1 400 ")
    assert (service.connections, door.bodies.total) == (0, 0)


@pytest.mark.req("GW-03")
def test_a_gathered_body_goes_whole_to_the_next_server_and_is_forgotten_then(start) -> None:
    async def unable(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(status="503 No"))

    services = {"a": Service(unable), "b": Service()}
    start("location / { return 200; }", services)
    servers = " ".join(f"server 127.0.0.1:{s.port};" for s in services.values())
    gateway = start(
        "proxy_next_upstream http_503; location / { proxy_pass http://both; }",
        {},
        outside=f"upstream both {{ {servers} }}",
    )
    (door,) = gateway.gateway.doors.values()
    body = bytes(range(256)) * 2048  # 512 KiB: more than a streamed one is remembered of
    for number in range(2):
        assert gateway.ask("/", "PUT", {"Idempotency-Key": str(number)}, body).status == 200
    assert [request.body for request in services["b"].received] == [body, body]
    assert door.bodies.total == 0


async def _held(door) -> int:
    return sum(connection.transport.get_write_buffer_size() for connection in door.connections)


@pytest.mark.req("GW-04")
def test_a_head_that_comes_in_pieces_and_never_ends_is_refused_by_its_length(start) -> None:
    gateway = start("large_client_header_buffers 4 1k; " + PASS, {"service": Service()})
    with gateway.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        for number in range(60):
            client.sendall(b"X-%d: %b\r\n" % (number, b"a" * 70))
        assert client.recv(100).startswith(b"HTTP/1.1 431 ")


@pytest.mark.req("GW-04")
@pytest.mark.parametrize("location", ["return 200 ok;", "proxy_pass http://service;"])
def test_who_asks_ahead_and_reads_nothing_is_held_in_little_memory(start, location) -> None:
    """Requests wait with their sender, not with us, and so do those that nobody's answers reach."""
    times = "keepalive_timeout 1h; send_timeout 5s; "
    gateway = start(f"{times} location / {{ {location} }}", {"service": Service()})
    (door,) = gateway.gateway.doors.values()
    with open_slow(gateway, b"") as client:
        gateway.until(lambda: len(door.connections) == 1)
        (connection,) = door.connections
        taken = connection.transport.get_extra_info("socket")
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 << 10)
        client.settimeout(0.5)
        sent, ahead = 0, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1000
        with suppress(TimeoutError):
            while sent < 64 << 20:
                sent += client.send(ahead)
        assert sent < 64 << 20
        gateway.until(lambda: connection.stalled)
        assert len(connection._buffer) <= 512 << 10
        assert connection.transport.get_write_buffer_size() < 64 << 10
        assert client.recv(12) == b"HTTP/1.1 200"
        gateway.clock.advance(6)
        gateway.sweep()
        gateway.clock.advance(6)
        gateway.sweep()
        gateway.until(lambda: not door.connections)


@pytest.mark.req("GW-04")
def test_a_long_pipeline_is_answered_to_its_end(start) -> None:
    gateway = start("location / { return 200 ok; }", {})
    one = b"GET / HTTP/1.1\r\nHost: a\r\n"
    with gateway.connect() as client:
        said: list[bytes] = []
        reading = threading.Thread(target=lambda: said.append(read_all(client)))
        reading.start()
        client.sendall((one + b"\r\n") * 20_000 + one + b"Connection: close\r\n\r\n")
        reading.join()
    assert said[0].count(b"HTTP/1.1 200 OK") == 20_001
