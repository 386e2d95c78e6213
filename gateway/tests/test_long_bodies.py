"""Bodies too long for the memory wait in files until they are whole (client_body_temp_path)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest

from frontdoor import configuration
from frontdoor.reading import BadConfiguration
from frontdoor.testing.running import Running, read_all
from frontdoor.testing.service import Received, Service, answer

PASS = "client_max_body_size 0; location / { proxy_pass http://service; }"
POST = b"POST /x HTTP/1.1\r\nHost: a\r\n"
NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
BODY = bytes(range(256)) * (12 << 10)  # 3 MiB
CODINGS = {
    "length": [b"Content-Length: %d\r\n\r\n" % len(BODY), BODY],
    "chunked": [
        b"Transfer-Encoding: chunked\r\n\r\n",
        b"100000\r\n" + BODY[: 1 << 20] + b"\r\n200000\r\n" + BODY[1 << 20 :] + b"\r\n0\r\n\r\n",
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "bodies"
    found.mkdir()
    return found


def spooling(folder: Path, more: str = "") -> str:
    return f"client_body_temp_path {folder}; {more}{PASS}"


@pytest.mark.req("GW-04", "GW-05")
@pytest.mark.parametrize("coding", CODINGS)
def test_a_service_is_asked_when_the_long_body_is_whole(start, folder, coding) -> None:
    service = Service()
    gateway: Running = start(spooling(folder), {"service": service})
    (door,) = gateway.gateway.doors.values()
    fields, body = CODINGS[coding]
    with gateway.connect() as client:
        client.sendall(POST + fields + body[:-1])
        gateway.until(lambda: door.spooled.total >= len(body) - 8)
        assert service.connections == 0
        assert door.bodies.total == 0
        assert list(folder.iterdir()) == []  # the file has no name
        client.sendall(body[-1:] + NEXT)
        assert read_all(client).count(b"HTTP/1.1 200 OK") == 2
    assert [request.body for request in service.received] == [BODY, b""]
    assert door.spooled.total == 0


@pytest.mark.req("GW-03")
def test_a_long_body_goes_whole_to_the_next_server(start, folder) -> None:
    async def unable(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(status="503 No"))

    services = {"a": Service(unable), "b": Service()}
    start("location / { return 200; }", services)
    servers = " ".join(f"server 127.0.0.1:{s.port};" for s in services.values())
    gateway: Running = start(
        f"client_body_temp_path {folder}; client_max_body_size 0;"
        " proxy_next_upstream http_503; location / { proxy_pass http://both; }",
        {},
        outside=f"upstream both {{ {servers} }}",
    )
    for number in range(2):
        assert gateway.ask("/", "PUT", {"Idempotency-Key": str(number)}, BODY).status == 200
    assert [request.body for request in services["b"].received] == [BODY, BODY]
    (door,) = gateway.gateway.doors.values()
    assert door.spooled.total == 0


@pytest.mark.req("GW-04")
def test_one_client_fills_neither_memory_nor_disk_for_the_others(start, folder) -> None:
    service = Service()
    limits = "client_body_buffers_total 4k; client_body_temp_total 4m; set_real_ip_from 127.0.0.1; "
    gateway: Running = start(spooling(folder, limits), {"service": service})
    (door,) = gateway.gateway.doors.values()
    one, other = {"X-Forwarded-For": "203.0.113.1"}, {"X-Forwarded-For": "203.0.113.2"}
    held = []
    for _ in range(3):
        client = gateway.connect()
        held.append(client)
        client.sendall(POST + b"X-Forwarded-For: 203.0.113.1\r\nContent-Length: 400001\r\n\r\n")
        client.sendall(bytes(400_000 if len(held) < 3 else 300_000))
    with held[2] as third:
        said = read_all(third)
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: " in said
    assert gateway.ask("/", "POST", one, bytes(3000)).status == 200  # memory holds it
    assert gateway.ask("/", "POST", other, bytes(400_001)).status == 200
    assert len(service.received) == 2
    for client in held[:2]:
        client.sendall(b"x")
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        client.close()
    assert (door.spooled.total, door.bodies.total) == (0, 0)


@pytest.mark.req("GW-04")
def test_many_short_bodies_that_never_end_go_to_the_disk_and_hold_no_service(start, folder) -> None:
    service = Service()
    gateway: Running = start(
        spooling(folder, "client_body_buffers_total 4k; "), {"service": service}
    )
    (door,) = gateway.gateway.doors.values()
    clients = [gateway.connect() for _ in range(20)]
    for client in clients:
        client.sendall(POST + b"Content-Length: 1000\r\n\r\n" + bytes(999))
    gateway.until(lambda: door.bodies.total + door.spooled.total == 20 * 999)
    assert door.bodies.total <= 4 << 10
    assert service.connections == 0
    for client in clients:
        client.close()
    gateway.until(lambda: door.bodies.total + door.spooled.total == 0)


@pytest.mark.req("GW-05")
def test_a_disk_that_says_no_is_told_to_the_client(start, folder, capfd) -> None:
    gateway: Running = start(spooling(folder), {"service": Service()})
    folder.rmdir()
    said = gateway.ask("/", "POST", body=BODY)
    assert (said.status, orjson.loads(said.body)["code"]) == (503, "unavailable")
    assert "a body cannot be kept" in capfd.readouterr().out
    assert gateway.ask("/", "POST", body=b"short").status == 200


@pytest.mark.req("GW-05")
def test_a_service_may_answer_before_it_has_read_a_long_body(start, folder) -> None:
    async def refuse(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"no", "413 No", "Connection: close\r\n"))

    class Hasty(Service):
        async def _read(self, head: bytes, reader: asyncio.StreamReader) -> Received:
            return Received(head, [], b"", head)

    gateway: Running = start(spooling(folder), {"service": Hasty(refuse)})
    for _ in range(3):
        assert gateway.ask("/", "POST", body=BODY * 4).status == 413
    (door,) = gateway.gateway.doors.values()
    assert door.spooled.total == 0


@pytest.mark.req("GW-03", "GW-05")
def test_a_service_that_reads_no_further_is_left_in_time(start, folder) -> None:
    release = asyncio.Event()

    class Deaf(Service):
        async def _read(self, head: bytes, reader: asyncio.StreamReader) -> Received:
            await release.wait()
            raise EOFError

    gateway: Running = start(spooling(folder, "proxy_send_timeout 7s; "), {"service": Deaf()})
    (peer,) = gateway.gateway.pools["service"].peers
    with gateway.connect() as client:
        client.sendall(POST + b"Content-Length: %d\r\n\r\n" % (20 * len(BODY)))
        client.sendall(BODY * 20)
        (door,) = gateway.gateway.doors.values()
        (connection,) = door.connections
        gateway.until(lambda: peer.busy == 1 and connection._link is not None)
        gateway.until(lambda: connection._link.transport.get_write_buffer_size() > 200_000)
        held = gateway.call(lambda: _later(connection._link.transport.get_write_buffer_size))
        assert held < 1 << 20
        gateway.clock.advance(8)
        gateway.sweep()
        assert client.recv(1000).startswith(b"HTTP/1.1 504 ")
    gateway.call(lambda: _later(release.set))
    gateway.until(lambda: door.spooled.total == 0)


async def _later(call):  # type: ignore[no-untyped-def]
    return call()


def test_a_folder_that_cannot_be_written_is_told_with_file_and_line(tmp_path) -> None:
    path = tmp_path / "gateway.conf"
    path.write_text(
        "http { server { listen 1;\nclient_body_temp_path nowhere;\nlocation / { return 200; } } }"
    )
    with pytest.raises(BadConfiguration, match=r"cannot write to .*nowhere in .*gateway\.conf:2$"):
        configuration.load(path)
