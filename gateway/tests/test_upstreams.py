"""Servers that fail, hang, come back, have their hands full: who is asked, who waits."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import orjson
import pytest

from frontdoor.peers import Peer
from frontdoor.pools import Pool
from frontdoor.shared_health import SharedHealth
from frontdoor.sites import Address, Breaker, PeerServer, Upstream
from frontdoor.testing.running import Clock
from frontdoor.testing.service import Service, answer


def pool(clock: Clock, *servers: dict, shared: SharedHealth | None = None, **options) -> Pool:
    usual = {"weight": 1, "max_fails": 1, "fail_timeout": 10.0, "down": False}
    made = tuple(
        PeerServer(Address("127.0.0.1", number), **(usual | server))
        for number, server in enumerate(servers, 1)
    )
    upstream = Upstream("u", made, options.pop("least_conn", False), 32, 60.0, **options)
    return Pool(upstream, clock.monotonic, shared, workers=options.pop("workers", 1))


def ports(group: Pool, count: int) -> Counter:
    found = (group.choose() for _ in range(count))
    return Counter(peer.server.address.port if peer else None for peer in found)


@pytest.mark.req("GW-03")
def test_a_backup_is_asked_only_when_nobody_else_can_be() -> None:
    clock = Clock()
    group = pool(clock, {}, {"backup": True}, {"backup": True})
    assert ports(group, 5) == {1: 5}
    group.failed(group.peers[0])
    assert ports(group, 4) == {2: 2, 3: 2}
    clock.advance(11)
    assert ports(group, 2) == {1: 2}
    group.peers[0].unwell = True
    assert ports(group, 2) == {2: 1, 3: 1}


@pytest.mark.req("GW-03")
def test_a_server_that_comes_back_starts_slowly() -> None:
    clock = Clock()
    group = pool(clock, {"slow_start": 100.0}, {"slow_start": 100.0})
    assert ports(group, 10) == {1: 5, 2: 5}
    first = group.peers[0]
    group.failed(first)
    clock.advance(11)
    group.answered(first, 200)
    clock.advance(10)
    assert ports(group, 110)[1] in range(8, 13)  # a tenth of its weight
    clock.advance(40)
    assert ports(group, 150)[1] in range(46, 54)
    clock.advance(60)
    assert ports(group, 10) == {1: 5, 2: 5}


@pytest.mark.req("GW-03")
def test_the_breaker_leaves_even_the_only_server_alone_and_tries_with_one_request() -> None:
    clock = Clock()
    group = pool(clock, {}, breaker=Breaker(3, 5.0))
    (only,) = group.peers
    for _ in range(2):
        group.failed(only)
    assert group.choose() is only
    group.answered(only, 200)  # in a row, not altogether
    for status in (502, 503, 504):
        assert group.choose() is only
        group.answered(only, status)
    assert group.choose() is None
    clock.advance(5.1)
    assert group.choose() is only  # the one that tries
    assert group.choose() is None
    group.failed(only)
    clock.advance(4)
    assert group.choose() is None
    clock.advance(1.2)
    assert group.choose() is only
    group.answered(only, 200)
    assert ports(group, 3) == {1: 3}


@pytest.mark.req("GW-03")
def test_what_one_worker_finds_out_the_others_know_a_moment_later() -> None:
    clock, shared = Clock(), SharedHealth()
    one, two = (pool(clock, {}, {}, shared=shared) for _ in range(2))
    one.failed(one.peers[0])
    two.sweep()
    assert ports(two, 4) == {2: 4}
    one.peers[1].row.unwell = True
    two.sweep()
    assert ports(two, 2) == {1: 2}  # unwell is worse than resting
    assert [two.peers[0].row.is_due(clock.monotonic(), 5.0) for _ in range(2)] == [True, False]
    rows = [shared.row(f"server {n}") for n in range(5000)]  # more than there is room for
    rows[-1].unwell = True
    assert shared.row("server 4999").unwell


def test_hands_are_shared_among_workers() -> None:
    server = PeerServer(Address("a", 1), 1, 1, 10.0, down=False, max_conns=5)
    group = Pool(Upstream("u", (server,), False, 32, 60.0), Clock().monotonic, workers=2)
    assert isinstance(group.peers[0], Peer)
    assert group.peers[0].most == 3


class Gate:
    """A service that answers when it is told to."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.service = Service(answering=self._answer)

    async def let_go(self) -> None:
        self.open.set()

    async def _answer(self, request, writer) -> None:
        await self.open.wait()
        writer.write(answer())


def asking(gateway, statuses: list[int], count: int) -> list[threading.Thread]:
    threads = [
        threading.Thread(target=lambda: statuses.append(gateway.ask("/").status))
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads


@pytest.mark.req("GW-03")
def test_more_than_a_server_takes_waits_in_a_queue_and_more_than_that_is_refused(start) -> None:
    gate = Gate()
    first = start("location / { return 200; }", {"gate": gate.service})
    place = f"127.0.0.1:{gate.service.port}"
    gateway = start(
        "location / { proxy_pass http://full; }",
        {},
        outside=f"upstream full {{ server {place} max_conns=2; queue 2 timeout=5s; }}",
    )
    group = gateway.gateway.pools["full"]
    statuses: list[int] = []
    threads = asking(gateway, statuses, 4)
    gateway.until(lambda: len(group.waiting) == 2)
    refused = gateway.ask("/")
    assert (refused.status, refused.one("retry-after")) == (503, "5")
    assert orjson.loads(refused.body)["code"] == "unavailable"
    assert len(gate.service.received) == 2
    gateway.clock.advance(6)
    gateway.sweep()
    gateway.until(lambda: len(statuses) == 2)
    assert statuses == [503, 503]
    threads += asking(gateway, statuses, 2)
    gateway.until(lambda: len(group.waiting) == 2)
    first.call(gate.let_go)
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 4 + [503] * 2
    assert not group.waiting


@pytest.mark.req("GW-03")
def test_who_leaves_the_queue_leaves_the_place_to_somebody_else(start) -> None:
    gate = Gate()
    first = start("location / { return 200; }", {"gate": gate.service})
    gateway = start(
        "location / { proxy_pass http://full; }",
        {},
        outside=f"""upstream full {{ server 127.0.0.1:{gate.service.port} max_conns=1;
        queue 2 timeout=5s; }}""",
    )
    group = gateway.gateway.pools["full"]
    statuses: list[int] = []
    threads = asking(gateway, statuses, 1)
    gateway.until(lambda: len(gate.service.received) == 1)
    leaving = [gateway.connect() for _ in range(2)]
    for client in leaving:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    gateway.until(lambda: len(group.waiting) == 2)
    for client in leaving:
        client.close()
    gateway.until(lambda: not group.waiting)
    threads += asking(gateway, statuses, 2)
    gateway.until(lambda: len(group.waiting) == 2)
    first.call(gate.let_go)
    for thread in threads:
        thread.join()
    assert statuses == [200, 200, 200]


@pytest.mark.req("GW-03")
def test_health_checks_take_a_server_out_and_bring_it_back(start) -> None:
    well = {"one": True, "two": True}
    asked: list[str] = []

    def named(name: str) -> Service:
        async def say(request, writer) -> None:
            if request.target == "/readyz":
                asked.append(name)
                writer.write(answer(status="200 OK" if well[name] else "503 No"))
            else:
                writer.write(answer(name.encode()))

        return Service(answering=say)

    services = {name: named(name) for name in well}
    first = start("location / { return 200; }", services)
    servers = "".join(f"server 127.0.0.1:{s.port}; " for s in services.values())
    gateway = start(
        "location / { proxy_pass http://both; }",
        {},
        outside=f"upstream both {{ {servers} health_check interval=3s fails=2 passes=1; }}",
    )
    assert first.ask("/").status == 200
    group = gateway.gateway.pools["both"]

    def check() -> None:
        count = len(asked)
        gateway.clock.advance(3.1)
        gateway.sweep()
        gateway.until(lambda: len(asked) >= count + 2)
        gateway.sweep()

    def answering() -> set[bytes]:
        return {gateway.ask("/").body for _ in range(6)}

    check()
    assert answering() == {b"one", b"two"}
    well["one"] = False
    check()
    assert answering() == {b"one", b"two"}  # once is not yet unwell
    check()
    gateway.until(lambda: group.peers[0].unwell)
    assert answering() == {b"two"}
    well["two"] = False
    check()
    check()
    gateway.until(lambda: group.peers[1].unwell)
    assert answering() == {b"one", b"two"}  # better somebody than nobody
    well["one"] = True
    check()
    gateway.until(lambda: not group.peers[0].unwell)
    assert answering() == {b"one"}


@pytest.mark.req("GW-03")
def test_requests_go_no_further_than_the_tries_say(start) -> None:
    async def unable(request, writer) -> None:
        writer.write(answer(status="503 No"))

    services = {name: Service(answering=unable) for name in "abcd"}
    first = start("location / { return 200; }", services)
    servers = "".join(f"server 127.0.0.1:{s.port} max_fails=0; " for s in services.values())
    gateway = start(
        """proxy_next_upstream error timeout http_503;
        location /two/ { proxy_next_upstream_tries 2; proxy_pass http://all; }
        location /any/ { proxy_next_upstream_tries 0; proxy_pass http://all; }
        location /usual/ { proxy_pass http://all; }""",
        {},
        outside=f"upstream all {{ {servers} }}",
    )
    assert first.ask("/").status == 200

    def count(path: str) -> int:
        before = sum(len(s.received) for s in services.values())
        assert gateway.ask(path).status == 503
        return sum(len(s.received) for s in services.values()) - before

    assert count("/two/") == 2
    assert count("/usual/") == 3
    assert 4 <= count("/any/") <= 11
