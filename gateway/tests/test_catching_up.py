"""What ended while the gateway did not hear is asked for: at start, after a silence (ID-43)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from frontdoor.revocations import (
    ACCOUNT_CANCELLED,
    BINDING_REVISED,
    LEVEL_CHANGED,
    Revocations,
)
from frontdoor.testing.provider import LIN, SESSION, Provider
from frontdoor.testing.running import Clock
from frontdoor.testing.service import Service, answer

UNIT, AGENCY = "unit-1", "agency-1"
OUTSIDE = """
    auth_jwt_revocations http://lists/api/identity/v1/revocations;
    auth_jwt_revocations http://lists/api/employer-auth/v1/revocations;
"""


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@pytest.mark.req("ID-43", "GW-02")
def test_the_lists_are_asked_with_the_gateways_own_token_until_they_answer(start) -> None:
    provider, asked, away = Provider(), [], [True]
    ends: dict[str, object] = {}

    async def lists(request, writer) -> None:
        asked.append(request)
        if away[0]:
            writer.write(answer(status="503 Busy"))
        else:
            writer.write(answer(orjson.dumps(ends.get(urlsplit(request.target).path, {}))))

    identity = provider.service()
    services = {"identity": identity, "service": Service(), "lists": Service(answering=lists)}
    locations = "location /api/ { auth_jwt jiuye; proxy_pass http://service; }"
    gateway = start(locations, services, identity=identity, outside=OUTSIDE)
    provider.issuer, provider.wall = f"{gateway.public_url}/identity", gateway.clock.wall
    catching_up = gateway.gateway.catching_up
    tokens = {
        "session": provider.token(),
        "account": provider.token(sid="another", sub="somebody"),
        "binding": provider.token(sid="b", sub=UNIT, act={"sub": "p"}, binding="b-1", bver=2),
        "good": provider.token(sid="c", sub=UNIT, act={"sub": "p"}, binding="b-1", bver=3),
    }

    def status(name: str) -> int:
        return gateway.ask("/api/", fields={"Authorization": f"Bearer {tokens[name]}"}).status

    assert {status(name) for name in tokens} == {200}
    now = gateway.clock.wall()
    ends["/api/identity/v1/revocations"] = {
        "now": stamp(now),
        "sessions": [{"session_id": SESSION, "at": stamp(now)}],
        "accounts": [{"account_id": "somebody", "at": stamp(now + 1)}],
    }
    ends["/api/employer-auth/v1/revocations"] = {
        "now": stamp(now),
        "bindings": [{"binding_id": "b-1", "version": 3, "state": "active", "at": stamp(now)}],
    }

    async def begin() -> asyncio.Task[None]:
        return asyncio.ensure_future(catching_up.run())

    gateway.call(begin)
    gateway.until(lambda: len(asked) >= 2)
    assert catching_up.behind
    away[0] = False
    gateway.until(lambda: not catching_up.behind)
    assert [status(name) for name in ("session", "account", "binding", "good")] == [
        401, 401, 401, 200,
    ]  # fmt: skip
    first = asked[0]
    assert first.one("authorization").startswith("Bearer ")
    assert provider.token_requests[0]["scope"] == "revocations"
    since = datetime.fromisoformat(parse_qs(urlsplit(first.target).query)["since"][0])
    assert now - since.timestamp() > 890
    count = len(asked)
    ends["/api/employer-auth/v1/revocations"] = {
        "bindings": [{"binding_id": "b-1", "version": 3, "state": "ended", "at": stamp(now)}]
    }

    async def wake() -> None:
        catching_up.wake()

    gateway.call(wake)
    gateway.until(lambda: not catching_up.behind)
    assert len(asked) == count + 2
    assert status("good") == 401
    again = datetime.fromisoformat(parse_qs(urlsplit(asked[-1].target).query)["since"][0])
    assert again > since


def event(data: dict[str, object], at: float) -> bytes:
    return orjson.dumps({"specversion": "1.0", "time": stamp(at), "data": data})


@pytest.mark.req("ID-43")
def test_cancelled_fallen_and_revised_tokens_are_worth_nothing_risen_ones_hold() -> None:
    clock = Clock()
    known = Revocations(clock.monotonic, clock.wall)
    now = clock.wall()
    known.hear(ACCOUNT_CANCELLED, event({"account_id": "a", "kind": "person"}, now))
    level = {"account_id": "b", "kind": "person", "scale": "hrss"}
    known.hear(LEVEL_CHANGED, event({**level, "level": 2, "before": 1}, now))
    assert known.is_revoked(None, ("a",), now - 1)
    assert not known.is_revoked(None, ("b",), now - 1)
    known.hear(LEVEL_CHANGED, event({**level, "level": 1, "before": 2}, now - 10))
    assert known.is_revoked(None, (UNIT, "b"), now - 11)
    assert not known.is_revoked(None, ("b",), now - 9)  # issued after the fall: with the new level
    revised = {"binding_id": "c", "version": 4, "state": "active"}
    known.hear(BINDING_REVISED, event(revised, now))
    known.hear(BINDING_REVISED, event({**revised, "version": 3}, now))  # late, older
    assert known.is_revoked(None, (LIN,), now, "c", 3)
    assert not known.is_revoked(None, (LIN,), now, "c", 4)
    known.hear(BINDING_REVISED, event({**revised, "state": "suspended"}, now))
    assert known.is_revoked(None, (LIN,), now, "c", 4)
    assert not known.is_revoked(None, (LIN,), now)


@pytest.mark.req("ID-43")
def test_an_end_of_anybody_in_the_chain_ends_the_token(start) -> None:
    provider, service = Provider(), Service()
    identity = provider.service()
    locations = "location /api/ { auth_jwt jiuye; proxy_pass http://service; }"
    gateway = start(locations, {"identity": identity, "service": service}, identity=identity)
    provider.issuer, provider.wall = f"{gateway.public_url}/identity", gateway.clock.wall
    chain = {"sub": UNIT, "act": {"sub": LIN, "act": {"sub": AGENCY}}}
    fields = {"Authorization": f"Bearer {provider.token(**chain)}"}
    assert gateway.ask("/api/", fields=fields).status == 200

    async def end() -> None:
        gateway.gateway.revocations.end_account(AGENCY)

    gateway.call(end)
    assert gateway.ask("/api/", fields=fields).status == 401
