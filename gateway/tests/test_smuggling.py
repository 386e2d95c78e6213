"""A corpus of ambiguous messages, and random ones: refused, or read by the service as by us."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdoor.app import Gateway
from frontdoor.testing.wire import Wire, quiet_gateway
from servicekit.web.server import LONGEST_LINE

H = b"Host: a\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
EMPTY = b"0\r\n\r\n"
NEXT = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def post(lines: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    return b"POST /x HTTP/" + version + b"\r\n" + H + lines + b"\r\n" + body


def get(lines: bytes = b"", target: bytes = b"/", version: bytes = b"1.1") -> bytes:
    return b"GET " + target + b" HTTP/" + version + b"\r\n" + H + lines + b"\r\n"


CODINGS = (
    b"xchunked", b"chunkedx", b" chunked chunked", b"chunked,", b",chunked", b"chunked, chunked",
    b"chunked;q=1", b'"chunked"', b"identity, chunked", b"gzip, chunked", b"chunked\x0b",
    b"\x0cchunked", b"chu\x00nked", b"chunked\x00", b"chunked, identity", b"chunked\t,",
    b"'chunked'", b"%63hunked", b"chunked\xa0", b"\xefchunked",
)  # fmt: skip
NAMES = (
    b"Transfer-Encoding ", b" Transfer-Encoding", b"\tTransfer-Encoding", b"Transfer-Encoding\t",
    b"Transfer-Encoding\x00", b"\x00Transfer-Encoding", b"Transfer\x00Encoding", b"Trans(fer",
    b"Transfer-Encoding\r", b"X\rTransfer-Encoding", b"X\nTransfer-Encoding",
    b"Transf\xe9r-Encoding", b"Transfer-Encoding\x0b", b"\xef\xbb\xbfTransfer-Encoding",
    b"Transfer Encoding", b"",
)  # fmt: skip
LENGTHS = (
    b"3,3", b"3, 4", b"+3", b"-0", b"0x3", b"3.0", b"3e0", b" ", b"", b"3 3", b"3\x00", b"\x0b3",
    b"three", b"18446744073709551619", b"99999999999999999999999", b"3;", b'"3"', b"\xb2",
    b"3\xa0", b"3_0", b"0b11", b"3,", b",3",
)  # fmt: skip
SIZES = (
    b"", b" ", b"-1", b"+1", b"0x1", b"1 1", b"g", b"1;\x00", b"1;a=\r", b"ffffffffffffffff1",
    b"1\x0b", b"\xb9", b" 1", b"\t1", b"1_0", b"1;" + b"a" * 400, b"0" * 300, b"1\n",
    b"00000000000000000001",
)  # fmt: skip
HOSTS = (
    b"a b", b"a,b", b"a/b", b"a\\b", b"a?b", b"a#b", b"u@a", b"", b"a:b", b"a:123456", b"[::1",
    b"::1", b"a\x00b", b"a;b", b"\xe4\xba\xba", b"a:80:80", b"http://a", b"a'b", b"[::1]x", b"a:",
)  # fmt: skip
TARGETS = (
    b"//a/b", b"http://b/", b"http://a:81/", b"https://a/", b"http://u@a/", b"http://a",
    b"http:///x", b"*", b"a", b"", b"/a b", b"/\x7f", b"/\xff", b"/..;/admin", b"/a/..;x=1/b",
    b"/.;/a", b"/%2e;/", b"/a/%2e%2e%2fb", b"/%5c..%5c", b"/a%00.html", b"/%25%32%65", b"/%u002e",
    b"/a#", b"\\a", b"/a\\..", b"/%", b"/%2", b"/;/../a", b"/./", b"/a/.", b"/a//", b"ftp://a/",
    b"/%e4%ba", b"?", b"#",
)  # fmt: skip
TRAILERS = (
    b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Host: b", b"Connection: close",
    b"Authorization: Bearer x", b"Cookie: a=b", b"content-type: a/b", b"Expect: 100-continue",
    b"Content-Length : 3", b" folded", b"none", b"A\x00: b", b"A: b\rC: d", b": x", b"TE: x",
    b"Upgrade: h2c", b"Idempotency-Key: x",
)  # fmt: skip
LINES = (
    b"GET /", b"GET / HTTP/1.1 x", b" GET / HTTP/1.1", b"GET / HTTP/01.1", b"GET / HTTP/1.2",
    b"GET / HTTP/1.10", b"GET / HTTPS/1.1", b"GET / HTTP /1.1", b"GET  / HTTP/1.1",
    b"GET / \tHTTP/1.1", b"GET\x00 / HTTP/1.1", b"G\xc3ET / HTTP/1.1", b"GET / HTTP/1,1",
)  # fmt: skip
TWICE = (
    b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Host: a", b"Authorization: Bearer x",
    b"Content-Type: a/b", b"Idempotency-Key: x",
)  # fmt: skip
NOT_TO_HIDE = (
    b"host", b"content-length", b"transfer-encoding", b"authorization", b"cookie", b"connection",
    b"origin", b"sec-fetch-site", b"dpop", b"Host", b"close, authorization", b"x, , host", b"a b",
    b"x-forwarded-for", b"idempotency-key", b"a\x00",
)  # fmt: skip


def framings() -> Iterator[tuple[str, bytes]]:
    """Heads and bodies whose end two programs could see in different places."""
    for value in CODINGS:
        yield f"coding {value!r}", post(b"Transfer-Encoding: " + value + b"\r\n", EMPTY)
        both = b"Content-Length: 5\r\nTransfer-Encoding: " + value + b"\r\n"
        yield f"length and coding {value!r}", post(both, EMPTY)
    for name in NAMES:
        line = name + b": chunked\r\n"
        yield f"name {name!r}", post(line, EMPTY)
        yield f"length and name {name!r}", post(b"Content-Length: 5\r\n" + line, EMPTY)
        yield f"first name {name!r}", b"POST /x HTTP/1.1\r\n" + line + H + b"\r\n" + EMPTY
    yield "first byte", b"GET / HTTP/1.1\r\n\x00" + H + b"\r\n"
    for value in LENGTHS:
        yield f"length {value!r}", post(b"Content-Length: " + value + b"\r\n", b"abc")
    for value in SIZES:
        yield f"size {value!r}", post(CHUNKED, value + b"\r\na\r\n0\r\n\r\n")
        yield f"later size {value!r}", post(CHUNKED, b"1\r\na\r\n" + value + b"\r\na\r\n")
    for value in TRAILERS:
        yield f"trailer {value!r}", post(CHUNKED, b"1\r\na\r\n0\r\n" + value + b"\r\n\r\n")
    yield "old and chunked", post(CHUNKED, EMPTY, b"1.0")
    yield "old with both", post(CHUNKED + b"Content-Length: 5\r\n", EMPTY, b"1.0")
    yield "a get with both", get(CHUNKED + b"Content-Length: 5\r\n") + EMPTY


def heads() -> Iterator[tuple[str, bytes]]:
    """Heads that could be read in two ways."""
    for value in HOSTS:
        yield f"host {value!r}", b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n"
    for value in TARGETS:
        yield f"target {value!r}", get(target=value)
    for line in TWICE:
        yield f"twice {line!r}", post(line + b"\r\n" + line + b"\r\n", EMPTY)
        mixed = line.swapcase() + b"\r\nX: y\r\n" + line + b"\r\n"
        yield f"twice, in other letters {line!r}", post(mixed, EMPTY)
    for value in NOT_TO_HIDE:
        yield f"hiding {value!r}", get(b"Connection: " + value + b"\r\n")
    for line in LINES:
        yield f"line {line!r}", line + b"\r\n" + H + b"\r\n"


def line_ends() -> Iterator[tuple[str, bytes]]:
    """Lines that end as RFC 9112 does not say, or do not end."""
    for end in (b"\n", b"\r", b"\n\r", b"\r\r\n", b"\x0b\r\n", b"\n\n", b"\x85", b" \n"):
        yield f"line end {end!r}", b"GET / HTTP/1.1" + end + H + b"\r\n"
        yield f"line end between {end!r}", b"GET / HTTP/1.1\r\nHost: a" + end + b"X: y\r\n\r\n"
        yield f"chunk's line end {end!r}", post(CHUNKED, b"1" + end + b"a\r\n0\r\n\r\n")
        yield f"chunk's end {end!r}", post(CHUNKED, b"1\r\na" + end + b"0\r\n\r\n")
    for fold in (b" x", b"\tx", b" ", b"\t", b" chunked"):
        yield f"fold {fold!r}", get(b"X: y\r\n" + fold + b"\r\n")
        yield f"folded coding {fold!r}", post(b"Transfer-Encoding:\r\n" + fold + b"\r\n", EMPTY)


CORPUS = dict((*framings(), *heads(), *line_ends()))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory) -> Gateway:
    folder: Path = tmp_path_factory.mktemp("wire")
    return quiet_gateway(
        folder, "client_max_body_size 0; location / { proxy_pass http://service; }"
    )


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.req("GW-04")
@pytest.mark.parametrize("cut", [0, 1, 7])
def test_every_ambiguous_message_is_refused_and_the_connection_is_over(gateway, cut) -> None:
    """A refused head never reaches the service; a broken body ends the service's connection."""
    assert len(CORPUS) > 250
    for name, message in CORPUS.items():
        wire = Wire(gateway)
        data = message + NEXT
        for start in range(0, len(data), cut or len(data)):
            wire.client.data_received(data[start : start + (cut or len(data))])
        said = wire.to_client.take()
        assert said.startswith(b"HTTP/1.1 400 "), (name, said[:200])
        assert said.count(b"HTTP/1.1 ") == 1, name
        assert b"\r\nConnection: close\r\n" in said, name
        assert wire.busy() is None, name
        for _, service in wire.links:
            sent = service.take()
            assert b"smuggled" not in sent, name
            assert not sent or service.closed, name
        wire.to_client.close()


def read_by_gunicorn(data: bytes) -> list[tuple[str, str, bytes]]:
    """What the services' own server makes of these bytes."""
    return [
        (request.method, request.uri, request.body.read())
        for request in RequestParser(Config(), iter([data]), ("127.0.0.1", 1))
    ]


PIECES = st.sampled_from(
    (
    b"GET ", b"POST ", b"HEAD ", b"/", b"/x", b"?a=b", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n",
    b"\r\n", b"\r\n\r\n", b"\n", b"\r", H, CHUNKED, b"Content-Length: 3\r\n",
    b"Content-Length: 0\r\n", b"abc", b"Content-Length: 5\r\n", b"3\r\nabc\r\n", EMPTY,
    b"0\r\nX-T: 1\r\n\r\n", b"3;a=b\r\nabc\r\n", b"Connection: close\r\n",
    b"Connection: keep-alive, x-a\r\n", b"X-A: b\r\n", b" ", b"\t", b":",
    b"Transfer-Encoding: gzip\r\n", b"Expect: 100-continue\r\n",
    b"Cookie: a=b; __Host-jiuye-x=1\r\n", b"POST /p HTTP/1.1\r\n" + H, b"GET /g HTTP/1.1\r\n" + H,
    b"\x00", b"\xff", NEXT, b"TE: trailers\r\n", post(CHUNKED, b"3\r\nabc\r\n" + EMPTY),
    post(b"Content-Length: 3\r\n", b"abc"), get(),
    )
)  # fmt: skip


@pytest.mark.req("GW-04", "GW-05")
@given(
    pieces=st.lists(PIECES, min_size=1, max_size=12),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=6),
)
@settings(max_examples=600)
def test_a_service_reads_exactly_the_requests_that_were_decided(
    gateway, loop, pieces, cuts
) -> None:
    """Whatever bytes come: each request that passes is one request to gunicorn's parser as well,
    with the method, the target and the body the gateway read."""
    loop.run(pass_through(gateway, b"".join(pieces), cuts))


async def pass_through(gateway: Gateway, data: bytes, cuts: list[int]) -> None:
    wire, number = Wire(gateway), 0
    decided: list[tuple[str, str]] = []
    position = 0
    while position < len(data) and not wire.to_client.closed:
        cut = cuts[number % len(cuts)]
        wire.client.data_received(data[position : position + cut])
        position, number = position + cut, number + 1
        while (busy := wire.busy()) is not None and wire.client.request_is_complete():
            link, service = busy
            exchange = wire.client.exchange
            decided.append((exchange.method.decode(), exchange.head.target.decode()))
            (read,) = read_by_gunicorn(service.take())
            assert read[:2] == decided[-1]
            length = exchange.fields.length
            assert length < 0 or len(read[2]) == length
            assert exchange.fields.chunked or length >= 0 or read[2] == b""
            link.data_received(ANSWER.removesuffix(b"ok") if read[0] == "HEAD" else ANSWER)
            await asyncio.sleep(0)
    for _, service in wire.links:
        assert b"\nGET /smuggled" not in service.take()
    wire.to_client.close()


@pytest.mark.req("GW-04")
@pytest.mark.parametrize("length", range(8176, 8196))
def test_a_line_that_passes_is_not_too_long_for_the_services(gateway, length) -> None:
    """They take 8,190 bytes (`servicekit.web.server`), and say so in HTML."""
    line = b"GET /%b HTTP/1.1" % (b"a" * (length - len("GET / HTTP/1.1")))
    field = b"X-Long: " + b"a" * (length - len("X-Long: "))
    cookies = b"Cookie: a=1; b=2\r\nCookie: " + b"a" * (length - len("Cookie: a=1; b=2; "))
    given = Config()
    given.set("limit_request_line", LONGEST_LINE)
    for head in (line + b"\r\n" + H, *(get(text + b"\r\n")[:-2] for text in (field, cookies))):
        wire = Wire(gateway)
        wire.client.data_received(head + b"\r\n")
        busy = wire.busy()
        if busy is None:
            assert wire.to_client.take().startswith((b"HTTP/1.1 414 ", b"HTTP/1.1 431 "))
            assert length > 8180
        else:
            (request,) = RequestParser(given, iter([busy[1].take()]), ("127.0.0.1", 1))
            assert request.method == "GET"
            assert length <= 8190
        wire.to_client.close()
