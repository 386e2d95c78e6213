"""Public answers are kept for visitors and asked for again when they are old (RFC 9111)."""

from __future__ import annotations

import asyncio
import gzip
import threading
from email.utils import formatdate

import pytest

from frontdoor.asking import Answered
from frontdoor.freshness import lifetime, may_be_kept
from frontdoor.kept_answers import Kept, Memory
from frontdoor.testing.provider import Provider
from frontdoor.testing.running import Clock
from frontdoor.testing.service import Service, answer

OUTSIDE = "proxy_cache_path /unused keys_zone=public:64k inactive=1h;"


class Said:
    """A service that says what the test wrote down, and counts."""

    def __init__(self, start, fields: str, *, inside: str = "", body: bytes = b"body") -> None:
        self.fields, self.body, self.status = fields, body, "200 OK"
        self.service = Service(answering=self._answer)
        self.wait: asyncio.Event | None = None
        self.gateway = start(
            f"proxy_cache public; {inside} location / {{ proxy_pass http://service; }}",
            {"service": self.service},
            outside=OUTSIDE,
        )

    async def _answer(self, request, writer) -> None:
        if self.wait is not None:
            await self.wait.wait()
        known = request.one("if-none-match")
        if known is not None and known in self.fields and self.status == "200 OK":
            writer.write(f"HTTP/1.1 304 Not Modified\r\n{self.fields}\r\n".encode())
        else:
            writer.write(answer(self.body, self.status, self.fields))

    @property
    def count(self) -> int:
        return len(self.service.received)

    def ask(self, target: str = "/x", method: str = "GET", **fields: str):
        return self.gateway.ask(target, method, {k.replace("_", "-"): v for k, v in fields.items()})


@pytest.mark.req("GW-06")
def test_a_fresh_answer_is_not_asked_for_twice(start) -> None:
    said = Said(start, "Cache-Control: public, max-age=60\r\nContent-Type: text/plain\r\n")
    first = said.ask()
    assert first.one("cache-status") == "jiuye-frontdoor; fwd=miss"
    said.gateway.clock.advance(30)
    again = said.ask()
    assert (again.status, again.body, again.one("age")) == (200, b"body", "30")
    assert again.one("cache-status") == "jiuye-frontdoor; hit"
    assert again.one("content-type") == "text/plain"
    assert again.one("x-request-id") != first.one("x-request-id")
    assert said.ask(method="HEAD").one("content-length") == "4"
    assert said.count == 1
    said.ask("/y")
    said.ask(Host="other.example")
    assert said.count == 3
    said.gateway.clock.advance(31)
    said.ask()
    assert said.count == 4


NEVER = [
    "Cache-Control: no-store\r\n",
    "Cache-Control: private, max-age=60\r\n",
    "Cache-Control: max-age=60\r\nSet-Cookie: a=b\r\n",
    "Cache-Control: max-age=60\r\nVary: *\r\n",
    "Cache-Control: max-age=0\r\n",
    "",
]


@pytest.mark.req("GW-06")
def test_what_is_not_for_everybody_is_never_kept(start) -> None:
    said = Said(start, "")
    for number, fields in enumerate(NEVER):
        said.fields = fields
        for _ in range(2):
            said.ask(f"/{number}")
        assert said.count == 2 * (number + 1), fields
        said.gateway.clock.advance(1)


def test_requests_of_somebody_in_particular_pass_the_memory_by(start) -> None:
    provider = Provider()
    service = Service(answering=_public)
    identity = provider.service()
    gateway = start(
        "proxy_cache public; auth_jwt jiuye; auth_jwt_optional on;"
        " location / { proxy_pass http://service; }",
        {"service": service, "identity": identity},
        outside=OUTSIDE,
        identity=identity,
    )
    provider.issuer, provider.wall = f"{gateway.public_url}/identity", gateway.clock.wall
    gateway.ask("/")
    assert len(service.received) == 1
    somebody = {"Authorization": f"Bearer {provider.token()}"}
    particular = (
        somebody, {"Cookie": "a=b"}, {"Range": "bytes=0-1"}, {"Cache-Control": "no-cache"},
        {"Pragma": "no-cache"}, {"Cache-Control": "no-store"},
    )  # fmt: skip
    for number, fields in enumerate(particular, 2):
        gateway.ask("/", fields=fields)
        assert len(service.received) == number, fields
    gateway.ask("/", "POST", body=b"x")
    gateway.ask("/")
    assert len(service.received) == 8


async def _public(request, writer) -> None:
    writer.write(answer(fields="Cache-Control: public, max-age=60\r\n"))


@pytest.mark.req("GW-06")
def test_an_old_answer_is_confirmed_or_replaced_and_shown_when_nobody_answers(start) -> None:
    tag = 'Cache-Control: max-age=10, stale-if-error=100\r\nETag: "one"\r\n'
    said = Said(start, tag)
    said.ask()
    said.gateway.clock.advance(11)
    said.body = b"other"
    confirmed = said.ask()
    assert (confirmed.body, confirmed.one("cache-status")) == (
        b"body",
        "jiuye-frontdoor; fwd=stale",
    )
    assert said.service.received[-1].one("if-none-match") == '"one"'
    assert said.ask(If_None_Match='"one"').status == 304
    assert said.count == 2
    said.fields = tag.replace("one", "two")
    said.gateway.clock.advance(11)
    assert said.ask().body == b"other"
    said.status = "503 No"
    said.gateway.clock.advance(11)
    assert (said.ask().status, said.ask().body) == (200, b"other")
    said.gateway.clock.advance(100)
    assert said.ask().status == 503


@pytest.mark.req("GW-06")
def test_answers_are_told_apart_by_what_they_vary_by(start) -> None:
    said = Said(start, "Cache-Control: max-age=60\r\nVary: Accept-Language, Accept\r\n")
    for _ in range(2):
        for language in ("zh", "en"):
            said.body = language.encode()
            assert said.ask(Accept_Language=language).body == language.encode()
    assert said.count == 2
    said.ask()
    assert said.count == 3


@pytest.mark.parametrize(("fields", "count"), [("max-age=60", 1), ("private", 6)])
def test_many_who_want_the_same_ask_once_unless_the_answer_was_for_one(
    start, fields, count
) -> None:
    said = Said(start, f"Cache-Control: {fields}\r\n")
    said.wait = asyncio.Event()
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(said.gateway.ask("/x").body))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    (door,) = said.gateway.gateway.doors.values()
    said.gateway.until(lambda: said.count == 1 and len(door.connections) == 6)

    async def let_go() -> None:
        said.wait.set()

    said.gateway.call(let_go)
    for thread in threads:
        thread.join()
    assert bodies == [b"body"] * 6
    assert said.count == count


def test_a_long_answer_is_streamed_and_a_dead_service_is_told(start) -> None:
    said = Said(start, "Cache-Control: max-age=60\r\n", inside="proxy_cache_longest 1k;")
    said.body = b"x" * 5000
    assert [said.ask().body for _ in range(2)] == [said.body] * 2
    said.gateway.call(said.service.stop)
    assert said.ask("/other").status in (502, 503)


def test_kept_text_is_compressed_for_those_who_take_it(start) -> None:
    fields = 'Cache-Control: max-age=60\r\nContent-Type: text/plain\r\nETag: "a"\r\n'
    said = Said(start, fields, inside="gzip on; gzip_min_length 10;", body=b"a" * 400)
    plain = said.ask()
    packed = said.ask(Accept_Encoding="gzip")
    assert plain.one("content-encoding") is None
    assert packed.one("content-encoding") == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert (plain.one("etag"), packed.one("etag")) == ('"a"', 'W/"a"')
    assert plain.one("vary") == packed.one("vary") == "Accept-Encoding"
    assert said.ask(If_None_Match='W/"a"', Accept_Encoding="gzip").status == 304
    assert said.count == 1


def test_how_long_an_answer_is_fresh() -> None:
    now = 1_700_000_000
    date = b"Date: " + formatdate(now, usegmt=True).encode()
    expires = b"Expires: " + formatdate(now + 30, usegmt=True).encode()
    cases = [
        ((b"Cache-Control: max-age=5",), 5),
        ((b"Cache-Control: max-age=5, s-maxage=7",), 7),
        ((b'Cache-Control: max-age="5"',), 5),
        ((b"Cache-Control: no-cache, max-age=5",), 0),
        ((b"Cache-Control: max-age=many",), 0),
        ((date, expires), 30),
        ((expires,), 0),
        ((b"Expires: 0", date), 0),
        ((), 9),
    ]
    for lines, seconds in cases:
        assert lifetime(Answered(200, lines, b""), {200: 9.0}) == seconds, lines
    assert lifetime(Answered(404, (), b""), {200: 9.0}) == 0
    assert may_be_kept(Answered(200, (b'ETag: "a"',), b""), {})
    assert not may_be_kept(Answered(500, (b"Cache-Control: max-age=5",), b""), {})
    assert may_be_kept(Answered(500, (), b""), {500: 1.0})


class NoFields:
    """A request without any fields."""

    @staticmethod
    def value(name: bytes) -> None:
        return None


def test_the_memory_is_bounded_and_forgets_what_nobody_asked_for() -> None:
    clock = Clock()
    memory = Memory(10_000, 60.0, clock.monotonic)

    def keep(name: bytes, size: int) -> None:
        now = clock.monotonic()
        memory.keep((b"", name), NoFields, Kept(Answered(200, (), b"x" * size), now, now + 1, None))

    for number in range(20):
        keep(b"%d" % number, 1000)
        assert memory.bytes <= 10_000
    assert memory.find((b"", b"0"), NoFields) is None
    assert memory.find((b"", b"19"), NoFields) is not None
    keep(b"huge", 20_000)
    assert memory.find((b"", b"huge"), NoFields) is None
    clock.advance(61)
    assert memory.find((b"", b"19"), NoFields) is None
    for number in range(20):
        keep(b"%d" % number, 9_000)
    assert len(memory._kept) == len(memory._varies) == len(memory._variants) == 1
