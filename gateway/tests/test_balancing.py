"""Several servers of one kind: who is asked, who rests, what goes out twice."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter

import pytest

from frontdoor.pools import RETRY_RESERVE, Pool
from frontdoor.shared_health import SharedHealth
from frontdoor.sites import Address, Breaker, PeerServer, Upstream
from frontdoor.testing.running import Clock
from frontdoor.testing.service import Received, Service, answer


def pool(*weights: int, clock: Clock | None = None, least_conn: bool = False) -> Pool:
    servers = tuple(
        PeerServer(Address("127.0.0.1", number), weight, 2, 10.0, down=False)
        for number, weight in enumerate(weights, 1)
    )
    now = (clock or Clock()).monotonic
    return Pool(Upstream("u", servers, least_conn, 32, 60.0), now)


@pytest.mark.req("GW-03")
def test_servers_are_asked_by_their_weight_and_never_in_lumps() -> None:
    group = pool(5, 1, 1)
    chosen = [group.choose().server.address.port for _ in range(14)]
    assert Counter(chosen) == {1: 10, 2: 2, 3: 2}
    assert chosen[:7] == [1, 1, 2, 1, 3, 1, 1]  # nginx's smooth round robin


@pytest.mark.req("GW-03")
def test_the_one_with_the_fewest_requests_is_asked() -> None:
    group = pool(1, 2, 1, least_conn=True)
    for peer, busy in zip(group.peers, (1, 1, 0), strict=True):
        peer.busy = busy
    assert group.choose().server.address.port == 3
    group.peers[2].busy = 1
    assert group.choose().server.address.port == 2


@pytest.mark.req("GW-03")
def test_who_fails_often_rests_for_a_while() -> None:
    clock = Clock()
    group = pool(1, 1, clock=clock)
    first = group.peers[0]
    group.failed(first)
    assert first in {group.choose() for _ in range(4)}
    group.failed(first)
    assert first not in {group.choose() for _ in range(4)}
    clock.advance(10.1)
    assert first in {group.choose() for _ in range(4)}
    group.failed(first)
    clock.advance(10.1)
    group.failed(first)  # the former failure is too long ago to count
    assert first in {group.choose() for _ in range(4)}


def workers(clock: Clock, upstream: Upstream) -> tuple[Pool, Pool]:
    """The same group in two workers of one machine."""
    health = SharedHealth()
    return Pool(upstream, clock.monotonic, health), Pool(upstream, clock.monotonic, health)


@pytest.mark.req("GW-03")
def test_failures_that_two_workers_see_count_together() -> None:
    clock = Clock()
    servers = tuple(PeerServer(Address("127.0.0.1", n), 1, 2, 10.0, down=False) for n in (1, 2))
    one, other = workers(clock, Upstream("u", servers, False, 32, 60.0))
    one.failed(one.peers[0])
    other.failed(other.peers[0])
    for group in (one, other):
        group.sweep()
        assert {group.choose().server.address.port for _ in range(4)} == {2}
    clock.advance(10.1)
    other.answered(other.peers[0], 200)
    one.sweep()
    one.failed(one.peers[0])  # the first since it answered
    assert {one.choose().server.address.port for _ in range(4)} == {1, 2}


@pytest.mark.req("GW-03")
def test_a_breaker_is_one_for_all_workers_and_so_is_the_request_that_tries() -> None:
    clock = Clock()
    server = PeerServer(Address("127.0.0.1", 1), 1, 0, 10.0, down=False)
    upstream = Upstream("u", (server,), False, 32, 60.0, breaker=Breaker(3, 5.0))
    one, other = workers(clock, upstream)
    one.answered(one.peers[0], 503)
    other.failed(other.peers[0])
    assert one.choose() is not None
    one.failed(one.peers[0])
    other.sweep()
    assert (one.choose(), other.choose()) == (None, None)
    clock.advance(5.1)
    assert other.choose() is other.peers[0]
    assert (one.choose(), other.choose()) == (None, None)  # one request tries
    other.answered(other.peers[0], 200)
    assert one.choose() is not None  # known at once to who would refuse
    one.sweep()
    one.failed(one.peers[0])
    other.sweep()
    assert (one.choose(), other.choose()) == (one.peers[0], other.peers[0])


def test_when_everybody_rests_somebody_is_asked_all_the_same() -> None:
    group = pool(1, 1)
    for peer in group.peers * 2:
        group.failed(peer)
    assert group.choose() is not None
    assert group.choose(avoiding=group.peers[0]) is None


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def two(start):
    """A gateway before two servers of one kind, and the servers."""
    services = {"one": Service(port=free_port()), "two": Service(port=free_port())}
    servers = "".join(f"server 127.0.0.1:{s.port}; " for s in services.values())
    location = "location / { proxy_next_upstream error timeout http_503; proxy_pass http://both; }"
    gateway = start(location, services, outside=f"upstream both {{ {servers} }}")
    return gateway, *services.values()


@pytest.mark.req("GW-03")
def test_a_server_that_is_away_is_passed_over_even_for_a_post(two) -> None:
    gateway, one, other = two
    gateway.call(one.stop)
    assert [gateway.ask("/", "POST", body=b"x").status for _ in range(20)] == [200] * 20
    assert len(other.received) == 20


@pytest.mark.req("GW-03")
def test_an_answer_named_in_next_upstream_is_asked_for_elsewhere(two) -> None:
    gateway, one, _ = two

    async def unable(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(status="503 Busy"))

    one.answering = unable
    assert {gateway.ask("/").status for _ in range(6)} == {200}
    posted = [gateway.ask("/", "POST", body=b"x").status for _ in range(6)]
    assert sorted(set(posted)) == [200, 503]  # what may not be repeated is not


@pytest.mark.req("GW-03")
def test_failing_servers_are_not_asked_twice_for_everything(two) -> None:
    gateway, one, other = two

    async def broken(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.close()

    one.answering = other.answering = broken
    statuses = {gateway.ask("/").status for _ in range(100)}
    assert statuses == {502}
    assert len(one.received) + len(other.received) <= 100 * 1.2 + RETRY_RESERVE
