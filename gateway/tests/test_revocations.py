"""An end that identity announces on the bus is an end at the gateway within two seconds."""

from __future__ import annotations

import asyncio
import threading
import time
from uuid import uuid4

import orjson
import pytest

from frontdoor.revocations import (
    KEY_WITHDRAWN,
    MOST,
    REMEMBERED,
    SESSION_ENDED,
    Revocations,
    listen,
)
from frontdoor.testing.provider import SESSION
from frontdoor.testing.running import Clock
from servicekit.bus import Message, connect
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture


@pytest.mark.slow
@pytest.mark.req("ID-43", "GW-02")
def test_an_ended_session_is_heard_on_the_bus_within_two_seconds(
    suite,
    postgres: TestPostgres,  # noqa: F811 - the fixture
) -> None:
    fields = {"Authorization": f"Bearer {suite.provider.token()}"}
    assert suite.gateway.ask("/api/x", fields=fields).status == 200
    stop = threading.Event()
    with postgres.fresh_database() as url:
        bus = connect(f"local://{url}", service="identity")
        heard = connect(f"local://{url}", service="gateway")
        ready = threading.Event()

        async def begin() -> threading.Thread:
            return listen(heard, suite.gateway.gateway.revocations, stop, started=ready.set)

        thread = suite.gateway.call(begin)
        try:
            assert ready.wait(10)
            body = orjson.dumps({"specversion": "1.0", "data": {"session_id": SESSION}})
            bus.publish([Message(str(uuid4()), SESSION_ENDED, body)])
            published = time.monotonic()
            while suite.gateway.ask("/api/x", fields=fields).status != 401:
                assert time.monotonic() - published < 2
        finally:
            stop.set()
            thread.join(10)
            bus.close()
            heard.close()
    assert not thread.is_alive()


def test_ends_are_forgotten_when_no_token_can_be_so_old_and_never_pile_up() -> None:
    clock = Clock()
    revocations = Revocations(clock.monotonic, clock.wall)
    revocations.end_session("one")
    assert revocations.is_revoked("one", (), 0)
    clock.advance(REMEMBERED + 1)
    revocations.end_session("two")
    assert not revocations.is_revoked("one", (), 0)
    revocations._sessions = dict.fromkeys(map(str, range(MOST + 1)), float("inf"))
    revocations.end_session("three")
    assert len(revocations._sessions) <= MOST + 1


def test_a_locked_account_may_come_back_later() -> None:
    clock = Clock()
    revocations = Revocations(clock.monotonic, clock.wall)
    revocations.end_account("one")
    now = clock.wall()
    assert revocations.is_revoked(None, ("two", "one"), now - 1)
    assert not revocations.is_revoked(None, ("one",), now + 1)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"data":1}', b'{"data":{}}', b"\xff"])
def test_an_event_that_cannot_be_read_is_passed_over(body) -> None:
    revocations = Revocations(Clock().monotonic, Clock().wall)
    revocations.hear(SESSION_ENDED, body)
    assert revocations.epoch == 0


def test_a_message_after_the_loop_has_ended_does_no_harm() -> None:
    class Late:
        def listen(self, keys, hear, stop, *, started=None) -> None:
            stop.wait(10)
            hear(Message("1", SESSION_ENDED, b"{}"))

    stop = threading.Event()

    async def begin() -> threading.Thread:
        return listen(Late(), Revocations(Clock().monotonic, Clock().wall), stop)

    thread = asyncio.run(begin())
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_leaked_key_is_never_forgotten() -> None:
    clock = Clock()
    revocations = Revocations(clock.monotonic, clock.wall)
    revocations.hear(KEY_WITHDRAWN, orjson.dumps({"data": {"kid": "k-1"}}))
    revocations.learn({"keys": [{"kid": "k-2", "at": "2026-03-02T01:30:00+00:00"}]})
    clock.advance(REMEMBERED + 1)
    revocations.end_session("one")
    assert [revocations.has_withdrawn(kid) for kid in ("k-1", "k-2", "k-3")] == [True, True, False]


@pytest.mark.req("ID-43", "ID-44")
def test_what_a_leaked_key_signed_is_worth_nothing_though_checked_before(suite) -> None:
    fields = {"Authorization": f"Bearer {suite.provider.token()}"}
    assert suite.gateway.ask("/api/x", fields=fields).status == 200
    gateway = suite.gateway.gateway
    kid = suite.provider.keys[-1].kid

    async def hear() -> None:
        gateway.revocations.hear(KEY_WITHDRAWN, orjson.dumps({"data": {"kid": kid}}))

    suite.gateway.call(hear)
    assert suite.gateway.ask("/api/x", fields=fields).status == 401
    other = {"Authorization": f"Bearer {suite.provider.token()}"}
    assert suite.gateway.ask("/api/x", fields=other).status == 401
