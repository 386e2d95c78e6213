"""Requests and answers pass as streams; services that fail are met as nginx meets them."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
from pathlib import Path

import pytest

from frontdoor.testing.running import read_all
from frontdoor.testing.service import Received, Service, answer

PASS = "location / { proxy_pass http://service; }"
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
MIB = 1 << 20


def memory() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096


def says(data: bytes, *, close: bool = False) -> Service:
    """A service that answers with these bytes."""

    async def say(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        if close:
            writer.close()

    return Service(answering=say)


def connect_slowly(gateway) -> socket.socket:
    """A client whose connection holds next to nothing on either side."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.settimeout(10)
    slow.connect(("127.0.0.1", gateway.port))
    (door,) = gateway.gateway.doors.values()

    async def narrow() -> None:
        (connection,) = door.connections
        connection.transport.set_write_buffer_limits(high=0)
        ours = connection.transport.get_extra_info("socket")
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    gateway.until(lambda: bool(door.connections))
    gateway.call(narrow)
    return slow


@pytest.mark.req("GW-02", "GW-04")
def test_what_could_pass_for_somebody_never_reaches_a_service(start) -> None:
    service = Service()
    gateway = start(PASS, {"service": service})
    forged = {
        "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil", "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Prefix": "/x", "Forwarded": "for=1.2.3.4", "X-Real-IP": "1.2.3.4",
        "X-User": "admin", "X-User-Id": "1", "Remote-User": "admin", "X-Auth-Request-User": "a",
        "X_User": "admin", "SCRIPT_NAME": "/pub", "PATH_INFO": "/admin", "Script-Name": "/pub",
        "X-Original-URL": "/admin", "X-Rewrite-URL": "/admin", "X-HTTP-Method-Override": "DELETE",
        "X-Principal": "x", "X-Request-Id": "mine", "traceparent": "00-" + "a" * 32,
        "Proxy": "http://evil", "Proxy-Authorization": "x", "TE": "trailers", "Upgrade": "h2c",
        "X-Client-Cert": "x", "Connection": "close, X-Hop", "X-Hop": "1",
    }  # fmt: skip
    got = gateway.ask("/a?b=c", fields=forged | {"X-Kept": "1", "Authorization": "Basic eA=="})
    (request,) = service.received
    names = {name for name, _ in request.fields}
    assert names == {
        "host", "accept-encoding", "x-kept", "authorization", "x-request-id", "traceparent",
        "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "via",
    }  # fmt: skip
    assert request.one("x-forwarded-for") == "127.0.0.1"
    assert request.one("x-forwarded-host") == f"127.0.0.1:{gateway.port}"
    assert request.one("x-request-id") == got.one("x-request-id") != "mine"
    assert request.one("traceparent").split("-")[1] == got.one("x-request-id")
    assert request.target == "/a?b=c"


@pytest.mark.req("GW-04")
def test_answers_are_made_careful_where_the_service_was_not(start) -> None:
    fields = "Server: leaky\r\nContent-Security-Policy: mine\r\nX-Request-Id: theirs\r\n"
    service = says(answer(fields=fields))
    gateway = start("add_header A 1; " + PASS, {"service": service})
    got = gateway.ask("/")
    assert got.one("server") is None
    assert got.one("content-security-policy") == "mine"
    assert got.one("x-content-type-options") == "nosniff"
    assert got.one("cache-control") == "no-store"
    assert got.one("x-request-id") != "theirs"
    assert got.one("a") == "1"
    assert got.one("date")
    assert gateway.raw(b"G\r\n\r\n").count(b"X-Content-Type-Options: nosniff") == 1


@pytest.mark.slow
@pytest.mark.req("GW-05")
@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_hundred_mebibytes_pass_both_ways_in_flat_memory(start, coding) -> None:
    block, count = bytes(range(256)) * 1024, 400  # 100 MiB

    async def say(request: Received, writer: asyncio.StreamWriter) -> None:
        chunked = coding == "chunked"
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {100 * MIB}"
        writer.write(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())
        for _ in range(count):
            writer.write(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
            await writer.drain()
        writer.write(b"0\r\n\r\n" if chunked else b"")

    gateway = start("client_max_body_size 0; " + PASS, {"service": Service(say, keep_bodies=False)})
    gateway.ask("/warm", "POST", body=b"x" * MIB)
    before, most = memory(), 0
    client = gateway.connect()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    if coding == "chunked":
        client.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
    else:
        client.sendall(head + b"Content-Length: %d\r\n\r\n" % (100 * MIB))
    for _ in range(count):
        client.sendall(b"%x\r\n%b\r\n" % (len(block), block) if coding == "chunked" else block)
        most = max(most, memory())
    client.sendall(b"0\r\n\r\n" if coding == "chunked" else b"")
    digest, received = hashlib.sha256(), 0
    while part := client.recv(1 << 18):
        digest.update(part)
        received += len(part)
        most = max(most, memory())
    client.close()
    assert received > 100 * MIB
    assert most - before < 16 * MIB


@pytest.mark.req("GW-05")
def test_a_client_that_does_not_read_holds_its_service_back(start) -> None:
    written = [0]

    async def say(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        for _ in range(400):
            writer.write(b"x" * (256 << 10))
            await writer.drain()
            written[0] += 256 << 10

    gateway = start("send_timeout 5s; " + PASS, {"service": Service(say)})
    with gateway.connect() as client:
        client.sendall(GET)
        (door,) = gateway.gateway.doors.values()
        gateway.until(lambda: any(connection.stalled for connection in door.connections))
        gateway.call(lambda: asyncio.sleep(0.05))
        assert written[0] < 60 * MIB  # what the kernel's buffers and ours take, not all of it
        gateway.clock.advance(6)
        gateway.sweep()
        gateway.until(lambda: not door.connections)
        assert len(read_all(client)) < 100 * MIB


def test_a_connection_to_a_service_is_free_again_though_its_last_client_was_slow(start) -> None:
    """The answer is complete here before its client has read it."""
    service = says(answer(b"x" * 40_000))
    gateway = start("send_timeout 50s; " + PASS, {"service": service})
    (pool,) = gateway.gateway.pools.values()
    (door,) = gateway.gateway.doors.values()
    with connect_slowly(gateway) as slow:
        slow.sendall(GET)
        gateway.until(lambda: bool(pool.peers[0].idle))
        (connection,) = door.connections
        gateway.until(lambda: connection.stalled)
        service.answering = Service().answering
        assert gateway.ask("/").body == b"ok"
        assert service.connections == 1
        assert len(read_all(slow)) > 40_000


def test_a_client_that_does_not_read_a_short_answer_is_let_go_as_send_timeout_says(start) -> None:
    service = says(answer(b"x" * 40_000))
    gateway = start("send_timeout 5s; keepalive_timeout 500s; " + PASS, {"service": service})
    (door,) = gateway.gateway.doors.values()
    with connect_slowly(gateway) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        (connection,) = door.connections
        gateway.until(lambda: connection.stalled)
        for _ in range(2):
            gateway.clock.advance(6)
            gateway.sweep()
        gateway.until(lambda: not door.connections)


def test_a_client_that_never_reads_is_let_go_in_the_end(start) -> None:
    service = says(answer(b"x" * 9_000_000))
    gateway = start("send_timeout 5s; keepalive_timeout 5s; " + PASS, {"service": service})
    (door,) = gateway.gateway.doors.values()
    with gateway.connect() as client:
        client.sendall(GET)
        gateway.until(lambda: any(connection.stalled for connection in door.connections))
        for _ in range(3):
            gateway.clock.advance(6)
            gateway.sweep()
        gateway.until(lambda: not door.connections)


@pytest.mark.req("GW-05")
def test_events_pass_as_they_come(start) -> None:
    go_on = threading.Event()

    async def say(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        await writer.drain()
        await asyncio.get_running_loop().run_in_executor(None, go_on.wait, 10)
        writer.write(b"data: 2\n\n")
        writer.close()

    gateway = start(PASS, {"service": Service(say)})
    with gateway.connect() as client:
        client.sendall(GET)
        said = b""
        while not said.endswith(b"data: 1\n\n"):
            said += client.recv(1000)
        assert b"Connection: close" in said
        go_on.set()
        assert read_all(client) == b"data: 2\n\n"


BROKEN = {
    "no HTTP": b"hello\r\n\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "length and coding": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    ),
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "obs-fold": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a bare LF": b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\nContent-Length: 0\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching\r\n\r\n",
    "a chunk at once broken": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\nA: " + b"a" * 70_000,
    "nothing": b"",
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_answer_that_makes_no_sense_is_a_502(start, name) -> None:
    gateway = start(PASS, {"service": says(BROKEN[name], close=True)})
    got = gateway.ask("/")
    assert got.status == 502
    assert got.one("content-type") == "application/problem+json"
    assert got.one("date")


def test_a_truncated_answer_does_not_look_complete(start) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
    gateway = start(PASS, {"service": says(whole, close=True)})
    assert gateway.raw(GET).endswith(b"abc")
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
    gateway._services["service"].answering = says(chunked, close=True).answering
    assert not gateway.raw(GET).endswith(b"0\r\n\r\n")


def test_surplus_bytes_end_the_connection_to_the_service(start) -> None:
    service = says(answer(b"one") + answer(b"smuggled"))
    gateway = start(PASS, {"service": service})
    assert [gateway.ask("/").body for _ in range(3)] == [b"one"] * 3
    assert service.connections == 3


def test_answers_without_bodies_keep_the_connection(start) -> None:
    async def say(request: Received, writer: asyncio.StreamWriter) -> None:
        heads = {
            "/head": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "/204": b"HTTP/1.1 204 No Content\r\n\r\n",
            "/304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        }
        writer.write(heads[request.target])

    service = Service(say)
    gateway = start(PASS, {"service": service})
    assert gateway.ask("/head", "HEAD").one("content-length") == "5"
    assert gateway.ask("/chunked", "HEAD").status == 200
    assert gateway.ask("/204").body == b""
    assert gateway.ask("/304").status == 304
    assert service.connections == 1


def test_hints_before_the_answer_are_passed_over(start) -> None:
    data = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer(b"ok")
    gateway = start(PASS, {"service": says(data)})
    assert gateway.ask("/").body == b"ok"


def test_hints_without_end_are_passed_over_too(start) -> None:
    data = b"HTTP/1.1 102 Processing\r\n\r\n" * 5000 + answer(b"ok")
    gateway = start(PASS, {"service": says(data)})
    assert [gateway.ask("/").body for _ in range(2)] == [b"ok", b"ok"]


@pytest.mark.req("GW-05")
@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_an_answer_without_content_speaks_of_none(start, framing) -> None:
    gateway = start(PASS, {"service": says(b"HTTP/1.1 204 No Content\r\n%b\r\n\r\n" % framing)})
    one = b"GET / HTTP/1.1\r\nHost: a\r\n"
    said = gateway.raw(one + b"\r\n" + one + b"Connection: close\r\n\r\n")
    assert said.count(b"HTTP/1.1 204 ") == 2
    assert b"Content-Length" not in said
    assert b"Transfer-Encoding" not in said


@pytest.mark.req("GW-03")
def test_a_kept_connection_closed_meanwhile_is_no_failure_for_what_may_be_repeated(start) -> None:
    service = Service()
    gateway = start(PASS, {"service": service})
    assert gateway.ask("/").status == 200
    calls = 0

    async def close_once(request: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.close() if calls % 2 else writer.write(answer())

    service.answering = close_once
    assert gateway.ask("/again").status == 200
    key = {"Idempotency-Key": "k"}
    assert gateway.ask("/keyed", "POST", fields=key, body=b"abc").status == 200
    assert [r.body for r in service.received if r.target == "/keyed"] == [b"abc", b"abc"]
    assert gateway.ask("/plain", "POST", body=b"abc").status == 502
    assert len([r for r in service.received if r.target == "/plain"]) == 1


@pytest.mark.req("GW-03")
def test_a_service_that_is_away_is_a_503_with_a_time_to_come_back(start) -> None:
    service = Service()
    gateway = start(PASS, {"service": service})
    gateway.call(service.stop)
    got = gateway.ask("/", "POST", body=b"abc")
    assert got.status == 503
    assert got.one("retry-after") == "5"


@pytest.mark.req("GW-03")
def test_a_silent_service_is_a_504(start) -> None:
    async def nothing(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    service = Service(nothing)
    gateway = start("proxy_read_timeout 3s; " + PASS, {"service": service})
    with gateway.connect() as client:
        client.sendall(GET)
        gateway.until(lambda: bool(service.received))
        gateway.clock.advance(2)
        gateway.sweep()
        gateway.clock.advance(2)
        gateway.sweep()
        assert read_all(client).startswith(b"HTTP/1.1 504 ")


@pytest.mark.parametrize(
    ("sent", "seconds", "status"),
    [
        (b"GET / HT", 6, 408),
        (b"", 6, None),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", 11, 408),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", 11, 408),
    ],
)
@pytest.mark.parametrize("gathering", ["on", "off"])
@pytest.mark.req("GW-04")
def test_a_slow_client_is_told_to_hurry_up_and_go(start, sent, seconds, status, gathering) -> None:
    times = "client_header_timeout 5s; keepalive_timeout 5s; client_body_timeout 10s; "
    service = Service()
    gateway = start(f"{times} proxy_request_buffering {gathering}; {PASS}", {"service": service})
    (door,) = gateway.gateway.doors.values()
    with gateway.connect() as client:
        client.sendall(sent)
        gateway.until(lambda: bool(door.connections))
        if b"POST" in sent and gathering == "off":
            gateway.until(lambda: bool(service.connections))
        elif sent:
            gateway.until(lambda: all(not c.is_idle() for c in door.connections))
        gateway.sweep()
        assert door.connections
        gateway.clock.advance(seconds)
        gateway.sweep()
        gateway.clock.advance(3)  # the answer lingers a little
        gateway.sweep()
        said = read_all(client)
        assert said.startswith(f"HTTP/1.1 {status} ".encode()) if status else said == b""


@pytest.mark.req("GW-01")
@pytest.mark.parametrize("draining", [True, False])
def test_a_client_that_asks_just_when_it_would_be_closed_is_answered(start, draining) -> None:
    """A loop that comes late to its timers finds requests nobody has read."""
    gateway = start("keepalive_timeout 60s; " + PASS, {"service": Service()})
    (door,) = gateway.gateway.doors.values()
    with gateway.connect() as client:
        client.sendall(GET.replace(b"Connection: close\r\n", b""))
        while not client.recv(1000).endswith(b"ok"):
            pass
        gateway.until(lambda: any(connection.is_idle() for connection in door.connections))

        async def late() -> None:
            gateway.clock.advance(3 if draining else 61)
            client.sendall(GET)
            if draining:
                door.drain()
            else:
                door.sweep()

        gateway.call(late)
        assert read_all(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.req("GW-04")
def test_slow_clients_do_not_starve_others_and_an_address_has_only_so_many(start) -> None:
    gateway = start("client_max_connections 50; " + PASS, {"service": Service()})
    slow = [gateway.connect() for _ in range(49)]
    for client in slow:
        client.sendall(b"GET / HTTP/1.1\r\nX-")
    (door,) = gateway.gateway.doors.values()
    gateway.until(lambda: len(door.connections) == 49)
    assert gateway.ask("/").status == 200
    gateway.until(lambda: len(door.connections) == 49)
    slow.append(gateway.connect())
    gateway.until(lambda: len(door.connections) == 50)
    assert gateway.raw(GET) == b""
    for client in slow:
        client.close()
    gateway.until(lambda: not door.connections)
    assert gateway.ask("/").status == 200


@pytest.mark.req("GW-04")
def test_a_client_that_sends_too_much_hears_why(start) -> None:
    gateway = start("client_max_body_size 1k; " + PASS, {"service": Service()})
    with gateway.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n")
        for _ in range(40):
            client.sendall(b"x" * 100_000)
        assert read_all(client).startswith(b"HTTP/1.1 413 ")


@pytest.mark.req("GW-04")
def test_limits_are_per_address_and_per_zone(start) -> None:
    gateway = start(
        """limit_req_status 429;
        location /a { limit_req zone=z burst=2 nodelay; proxy_pass http://service; }
        location /b { proxy_pass http://service; }""",
        {"service": Service()},
        outside="limit_req_zone $binary_remote_addr zone=z:1m rate=30r/m;",
    )
    assert [gateway.ask("/a").status for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = gateway.ask("/a")
    assert refused.one("retry-after") == "2"
    assert gateway.ask("/b").status == 200
    gateway.clock.advance(2.1)
    assert [gateway.ask("/a").status for _ in range(2)] == [200, 429]


@pytest.mark.req("GW-04")
def test_behind_a_balancer_the_client_is_who_the_balancer_says(start) -> None:
    service = Service()
    gateway = start(
        """set_real_ip_from 127.0.0.0/8; limit_req_status 429; client_max_connections 1;
        location / { limit_req zone=z; proxy_pass http://service; }""",
        {"service": service},
        outside="limit_req_zone $binary_remote_addr zone=z:1m rate=1r/m;",
    )
    said = {"203.0.113.1": 200, "6.6.6.6, 203.0.113.2": 200, "1.1.1.1, 203.0.113.2": 429}
    said |= {"203.0.113.3, 127.0.0.9": 200, "nonsense": 200, "6.6.6.6, nonsense": 429}
    for value, status in said.items():
        assert gateway.ask("/", fields={"X-Forwarded-For": value}).status == status, value
    seen = [request.one("x-forwarded-for") for request in service.received]
    assert seen == ["203.0.113.1", "203.0.113.2", "203.0.113.3", "127.0.0.1"]


@pytest.mark.req("GW-04")
def test_the_log_has_no_queries_and_no_personal_numbers(start, tmp_path) -> None:
    for name in ("json", "combined"):
        path = tmp_path / f"{name}.log"
        gateway = start(f"access_log {path} {name}; " + PASS, {"service": Service()})
        gateway.ask("/list?phone=13800138000", fields={"User-Agent": "13800138000"})
        gateway.ask("/people/440106199001010012/13800138000")
        gateway.raw(b'GET /a"b HTTP/1.1\r\nHost: a\r\n\r\n')
        gateway.sweep()
        text = path.read_text("utf-8")
        assert text.count("\n") == 3
        assert "13800138000" not in text
        assert "440106199001010012" not in text
        assert "/people/***/***" in text


def test_figures_are_shown(start) -> None:
    gateway = start(PASS, {"service": Service()})
    gateway.ask("/")
    gateway.raw(b"nonsense\r\n\r\n")
    text = gateway.gateway.measures.render(connections=0).decode()
    assert 'jiuye_gateway_requests_total{location="/",status="2xx"} 1' in text
    assert 'jiuye_gateway_requests_total{location="none",status="4xx"} 1' in text
    assert 'jiuye_gateway_seconds_count{location="/"} 1' in text
