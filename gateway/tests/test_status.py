"""What those who run the gateway see: servers, events, figures per route and upstream."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from frontdoor.admin import Admin
from frontdoor.testing.running import Running
from frontdoor.testing.service import Service, answer


def ask_admin(gateway: Running, path: str) -> tuple[int, bytes]:
    async def ask() -> bytes:
        server = await asyncio.start_server(Admin(gateway.gateway).serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        said = await reader.read()
        writer.close()
        server.close()
        return said

    head, _, body = gateway.call(ask).partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.req("GW-04")
def test_servers_and_what_happened_to_them_are_shown(start) -> None:
    async def broken(request, writer) -> None:
        writer.close()

    services = {"good": Service(), "bad": Service(answering=broken)}
    gateway = start(
        "location /good/ { proxy_pass http://good; } location /more/ { proxy_pass http://good; }"
        " location /bad/ { proxy_pass http://bad; }",
        services,
        options="circuit_breaker failures=2 rest=60s;",
    )
    for path in ("/good/", "/more/", "/good/x"):
        assert gateway.ask(path).status == 200
    assert [gateway.ask("/bad/").status for _ in range(3)] == [502, 502, 503]
    status, body = ask_admin(gateway, "/status")
    assert status == 200
    found = orjson.loads(body)
    (good,) = found["upstreams"]["good"]["servers"]
    assert good == {
        "address": f"127.0.0.1:{services['good'].port}",
        "state": "up",
        "in_hand": 0,
        "idle": 1,
        "backup": False,
    }
    bad = found["upstreams"]["bad"]
    assert bad["servers"][0]["state"] == "shut"
    assert (bad["failed"], bad["refused"], bad["repeated"]) == (2, 1, 0)
    assert found["caught_up"] is True
    assert found["keys_ready"] is False
    status, body = ask_admin(gateway, "/metrics")
    text = body.decode()
    for line in (
        'jiuye_gateway_upstream_requests_total{upstream="good",status="2xx"} 3',
        'jiuye_gateway_upstream_requests_total{upstream="bad",status="5xx"} 3',
        'jiuye_gateway_upstream_events_total{upstream="bad",event="failed"} 2',
        'jiuye_gateway_upstream_servers{upstream="bad",state="shut"} 1',
        'jiuye_gateway_requests_total{location="/good/",status="2xx"} 2',
    ):
        assert f"{line}\n" in text, line
    assert ask_admin(gateway, "/nothing")[0] == 404


def test_what_is_repeated_is_counted(start) -> None:
    async def unable(request, writer) -> None:
        writer.write(answer(status="503 No"))

    services = {"a": Service(answering=unable), "b": Service()}
    first = start("location / { return 200; }", services)
    servers = " ".join(f"server 127.0.0.1:{s.port};" for s in services.values())
    gateway = start(
        "proxy_next_upstream http_503; location / { proxy_pass http://both; }",
        {},
        outside=f"upstream both {{ {servers} }}",
    )
    assert first.ask("/").status == 200
    assert {gateway.ask("/").status for _ in range(4)} == {200}
    found = orjson.loads(ask_admin(gateway, "/status")[1])["upstreams"]["both"]
    assert found["repeated"] == 2
