"""Groups of servers found by name, again and again (headless services)."""

from __future__ import annotations

import asyncio
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdoor.dns_messages import AAAA, A, BadMessage, Truncated, addresses, question
from frontdoor.names import Names, NoSuchName
from frontdoor.sites import Address, Resolver
from frontdoor.testing.name_server import NameServer
from frontdoor.testing.service import Service, answer


def look_up(name: str, server: NameServer, valid: float | None = None, before=()) -> tuple:
    async def ask() -> tuple:
        await server.start()
        try:
            places = (*before, Address("127.0.0.1", server.port))
            return await Names(Resolver(places, valid)).look_up(name)
        finally:
            await server.stop()

    return asyncio.run(ask())


@pytest.mark.req("GW-03")
def test_every_address_of_a_name_is_found_by_udp_and_by_tcp() -> None:
    many = [f"10.0.{n // 250}.{n % 250 + 1}" for n in range(300)]
    server = NameServer({"a.example": ["10.0.0.2", "10.0.0.1", "fd00::1"], "many": many}, life=7)
    assert look_up("a.example", server) == (["10.0.0.1", "10.0.0.2", "fd00::1"], 7.0)
    assert look_up("a.example", server, valid=3) == (["10.0.0.1", "10.0.0.2", "fd00::1"], 3)
    server.cut = True
    assert sorted(look_up("many", server)[0]) == sorted(many)


def test_what_nobody_knows_or_answers_is_no_address() -> None:
    with pytest.raises(NoSuchName):
        look_up("none.example", NameServer())
    with pytest.raises(NoSuchName):
        look_up("a", NameServer({"a": ["10.0.0.1"]}, code=2))
    with pytest.raises(ValueError, match="no host name"):
        look_up("a..b", NameServer())


def test_the_next_name_server_is_asked_when_one_does_not_answer() -> None:
    server = NameServer({"a": ["10.0.0.1"]})
    nobody = Address("127.0.0.1", 9)
    assert look_up("a", server, before=(nobody,))[0] == ["10.0.0.1"]


def test_the_systems_own_resolver_may_be_asked() -> None:
    async def ask() -> tuple:
        return await Names(Resolver((), 5.0)).look_up("localhost")

    found, life = asyncio.run(ask())
    assert "127.0.0.1" in found
    assert life == 5.0


@given(data=st.binary(max_size=80), cut=st.integers(0, 60))
def test_no_answer_however_broken_is_believed_or_does_harm(data, cut) -> None:
    good = NameServer({"a.b": ["10.0.0.1"]}).answer(question(7, "a.b", A), cut=False)
    for broken in (data, good[:cut] + data, struct.pack(">H", 7) + data):
        if broken == good:
            continue
        try:
            found, _ = addresses(broken, 7, "a.b", A)
        except (BadMessage, Truncated):
            continue
        assert all(a.count(".") == 3 for a in found)
    with pytest.raises(BadMessage):
        addresses(good, 8, "a.b", A)
    with pytest.raises(BadMessage):
        addresses(good, 7, "a.c", A)
    with pytest.raises(BadMessage):
        addresses(good, 7, "a.b", AAAA)


@pytest.mark.req("GW-03")
def test_a_group_goes_where_its_name_leads_and_requests_in_hand_are_finished(start) -> None:
    release = asyncio.Event()

    async def slow(request, writer) -> None:
        if request.target == "/slow":
            await release.wait()
        writer.write(answer())

    service, names = Service(answering=slow), NameServer({}, life=1)

    async def begin() -> None:
        await names.start()

    probe = start("location / { return 200; }", {"service": service})
    probe.call(begin)
    names.addresses["web.suite"] = ["127.0.0.1"]
    gateway = start(
        "location / { proxy_pass http://group; }",
        {},
        outside=f"""resolver 127.0.0.1:{names.port} valid=1s;
        upstream group {{ server web.suite:{service.port} resolve; }}""",
    )
    pool = gateway.gateway.pools["group"]
    (following,) = gateway.gateway.following
    assert gateway.ask("/").status == 503

    async def follow() -> asyncio.Task[None]:
        return asyncio.ensure_future(following.run())

    gateway.call(follow)
    gateway.until(lambda: len(pool.peers) == 1)
    assert gateway.ask("/").status == 200
    first = pool.peers[0]
    with gateway.connect() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        gateway.until(lambda: len(service.received) == 2)
        names.addresses["web.suite"] = ["127.0.0.1", "127.0.0.2"]
        gateway.until(lambda: len(pool.peers) == 2)
        assert pool.peers[0] is first
        names.addresses["web.suite"] = ["127.0.0.3"]
        gateway.until(lambda: [p.server.address.host for p in pool.peers] == ["127.0.0.3"])
        assert first.idle == []
        probe.call(lambda: _set(release))
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    names.silent = True
    names.addresses.clear()
    count = len(names.asked)
    gateway.until(lambda: True)
    assert [p.server.address.host for p in pool.peers] == ["127.0.0.3"]
    assert len(names.asked) >= count

    async def end() -> None:
        await names.stop()

    probe.call(end)


async def _set(event: asyncio.Event) -> None:
    event.set()
