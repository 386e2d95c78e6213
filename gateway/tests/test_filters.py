"""What locations say of who may come, how often, from which pages, and under which path."""

from __future__ import annotations

import asyncio
import socket
import threading
from http.client import HTTPConnection

import orjson
import pytest

from frontdoor.in_hand import InHand
from frontdoor.testing.service import Received, Service, answer

HOME = "http://portal.example"


@pytest.mark.req("GW-04")
def test_only_named_sites_pages_may_ask(start) -> None:
    service = Service()
    locations = f"""
        auth_jwt jiuye;
        location /api/ {{
            auth_jwt_optional on; cors_origin {HOME} http://other.example:81; cors_max_age 5m;
            proxy_pass http://service;
        }}
        location /own/ {{ auth_jwt_optional on; proxy_pass http://service; }}
        location /public/ {{ auth_jwt off; cors_origin *; cors_methods GET; return 200 ok; }}
    """
    gateway = start(locations, {"service": service})
    ask = {"Access-Control-Request-Method": "POST"}
    first = gateway.ask("/api/x", "OPTIONS", {"Origin": HOME, **ask})
    assert first.status == 204
    assert first.one("access-control-allow-origin") == HOME
    assert "POST" in first.one("access-control-allow-methods")
    assert "Idempotency-Key" in first.one("access-control-allow-headers")
    assert first.one("access-control-max-age") == "300"
    assert first.one("access-control-allow-credentials") is None
    assert service.received == []
    got = gateway.ask("/api/x", fields={"Origin": HOME})
    assert got.one("access-control-allow-origin") == HOME
    assert "ETag" in got.one("access-control-expose-headers")
    assert got.one("vary") == "Origin"
    for origin in ("http://evil.example", "null", f"{HOME}.evil.example", HOME.upper()):
        assert gateway.ask("/api/x", "OPTIONS", {"Origin": origin, **ask}).status == 204
        for method in ("OPTIONS", "GET"):
            fields = {"Origin": origin, **(ask if method == "OPTIONS" else {})}
            said = gateway.ask("/api/x", method, fields)
            assert said.one("access-control-allow-origin") is None, origin
    assert gateway.ask("/own/x", fields={"Origin": HOME}).one("vary") is None
    assert len(service.received) == 6
    for method, fields in (("OPTIONS", ask), ("GET", {})):
        said = gateway.ask("/public/x", method, {"Origin": "http://evil.example", **fields})
        assert said.one("access-control-allow-origin") == "*"
        assert said.one("access-control-allow-credentials") is None


@pytest.mark.req("GW-04")
def test_what_a_service_says_of_other_sites_itself_is_not_said_twice(start) -> None:
    async def say(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(fields="Access-Control-Allow-Origin: *\r\n"))

    gateway = start(
        f"cors_origin {HOME}; location / {{ proxy_pass http://service; }}",
        {"service": Service(say)},
    )
    assert gateway.ask("/", fields={"Origin": HOME}).all("access-control-allow-origin") == ["*"]


@pytest.mark.req("GW-04")
def test_preflights_count_among_the_requests_of_an_address(start) -> None:
    gateway = start(
        f"limit_req zone=z; limit_req_status 429; cors_origin {HOME}; location / {{ return 200; }}",
        {},
        outside="limit_req_zone $binary_remote_addr zone=z:1m rate=1r/m;",
    )
    asked = {"Origin": HOME, "Access-Control-Request-Method": "POST"}
    said = [gateway.ask("/", "OPTIONS", asked) for _ in range(2)]
    assert [one.status for one in said] == [204, 429]
    assert [one.one("access-control-allow-origin") for one in said] == [HOME, HOME]


@pytest.mark.req("GW-04")
def test_addresses_may_be_let_in_and_kept_out(start) -> None:
    gateway = start(
        """
        location /here/ { allow 127.0.0.0/8; deny all; return 200 in; }
        location /there/ { allow 10.0.0.0/8; deny all; return 200 in; }
        location /not-you/ { deny 127.0.0.1; return 200 in; }
        location /all/ { return 200 in; }
        """,
        {},
    )
    statuses = {path: gateway.ask(f"/{path}/").status for path in ("here", "there", "not-you")}
    assert statuses == {"here": 200, "there": 403, "not-you": 403}
    assert gateway.ask("/all/").status == 200


REWRITES = """
    location /a/ { proxy_pass http://service/b/c/; }
    location /plain/ { proxy_pass http://service; }
    location = /one { proxy_pass http://service/two; }
    location /word { proxy_pass http://service/other; }
    location /x/ { proxy_pass http://service/; }
"""


@pytest.mark.req("GW-01")
def test_the_path_of_proxy_pass_stands_in_for_the_locations_as_in_nginx(
    start, nginx, tmp_path
) -> None:
    service = Service()
    gateway = start(REWRITES, {"service": service})
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    text = (tmp_path / "gateway.conf").read_text("utf-8").replace(str(gateway.port), str(port))
    targets = (
        "/a/", "/a/x?y=%2F&z", "/a/%20%23%3F%25", "/a/%E4%BA%BA;q", "/plain/%20x", "/one", "/one?a",
        "/word", "/words/x", "/x/y/z", "/a/%41", "/a/~.'()*!",
    )  # fmt: skip
    with nginx("events { }\n" + text, port):
        for target in targets:
            client = HTTPConnection("127.0.0.1", port, timeout=10)
            client.request("GET", target)
            client.getresponse().read()
            client.close()
            assert gateway.ask(target).status == 200
            theirs, ours = service.received[-2:]
            assert ours.target == theirs.target, target


@pytest.mark.req("GW-04")
def test_a_client_is_told_what_is_left_to_it(start) -> None:
    gateway = start(
        """
        limit_req zone=z burst=4 nodelay; limit_req_status 429; limit_req_headers on;
        location / { return 200; }
        location /quiet/ { limit_req_headers off; return 200; }
        """,
        {},
        outside="limit_req_zone $binary_remote_addr zone=z:1m rate=30r/m;",
    )
    got = [gateway.ask("/") for _ in range(6)]
    assert [a.status for a in got] == [200] * 5 + [429]
    assert got[0].one("ratelimit-policy") == '"z";q=5;w=10'
    left = ((4, 2), (3, 4), (2, 6), (1, 8), (0, 10), (0, 10))
    assert [a.one("ratelimit") for a in got] == [f'"z";r={r};t={t}' for r, t in left]
    assert got[-1].one("retry-after") == "2"
    assert gateway.ask("/quiet/").one("ratelimit") is None


@pytest.mark.req("GW-04")
def test_a_place_as_a_whole_may_be_limited(start) -> None:
    gateway = start(
        "location / { limit_req zone=place burst=1 nodelay; return 200; }",
        {},
        outside="limit_req_zone $server_name zone=place:1m rate=1r/m;",
    )
    assert [gateway.ask("/").status for _ in range(3)] == [200, 200, 503]


@pytest.mark.req("GW-03", "GW-04")
def test_nobody_has_more_in_hand_than_allowed(start) -> None:
    release = asyncio.Event()

    async def slow(request, writer) -> None:
        await release.wait()
        writer.write(answer())

    service = Service(answering=slow)
    gateway = start(
        "limit_conn z 2; limit_conn_status 429; location / { proxy_pass http://service; }",
        {"service": service},
        outside="limit_conn_zone $binary_remote_addr zone=z:64k;",
    )
    statuses: list[int] = []
    askers = [
        threading.Thread(target=lambda: statuses.append(gateway.ask("/").status)) for _ in range(2)
    ]
    for asker in askers:
        asker.start()
    gateway.until(lambda: len(service.received) == 2)
    refused = gateway.ask("/")
    assert (refused.status, orjson.loads(refused.body)["code"]) == (429, "too-many-in-hand")
    with gateway.connect() as gone:
        gone.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")  # refused too

    async def let_go() -> None:
        release.set()

    gateway.call(let_go)
    for asker in askers:
        asker.join()
    assert statuses == [200, 200]
    assert gateway.ask("/").status == 200


def test_workers_count_together_and_a_new_one_begins_at_nothing() -> None:
    zone = InHand(32 << 10, 2)
    zone.work_in(0)
    slots = [zone.begin(b"a", 3) for _ in range(2)]
    zone.work_in(1)
    assert zone.begin(b"a", 3) >= 0
    assert zone.begin(b"a", 3) == -1
    assert zone.begin(b"b", 1) >= 0
    zone.work_in(2)  # stands in for the first, which died
    assert [zone.begin(b"a", 3) >= 0 for _ in range(3)] == [True, True, False]
    zone.end(slots[0])
    assert zone.begin(b"a", 3) >= 0


@pytest.mark.req("GW-02")
def test_what_nobody_serves_is_not_found_by_visitors_too(start) -> None:
    gateway = start("auth_jwt jiuye; location /api/ { return 200; }", {})
    assert gateway.ask("/nothing").status == 404
    assert gateway.ask("/api/x").status == 401
