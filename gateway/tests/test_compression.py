"""Text is compressed for those who take it; what is said about it stays true."""

from __future__ import annotations

import asyncio
import gzip
import random

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontdoor import compression
from frontdoor.testing.service import Received, Service

BOTH = "gzip on; brotli on; location / { proxy_pass http://service; }"
TEXT = "就业失业登记".encode() * 2000


def says(fields: str, body: bytes = TEXT, *, chunks: int = 0) -> Service:
    """A service that answers so; in some chunks, or with a length."""

    async def say(request: Received, writer: asyncio.StreamWriter) -> None:
        framing = "Transfer-Encoding: chunked" if chunks else f"Content-Length: {len(body)}"
        writer.write(f"HTTP/1.1 200 OK\r\n{fields}{framing}\r\n\r\n".encode())
        if request.method == "HEAD":
            return
        for number in range(chunks):
            piece = body[number * len(body) // chunks : (number + 1) * len(body) // chunks]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n" if chunks else body)

    return Service(say)


def opened(coding: str | None, body: bytes) -> bytes:
    """The content of a coded body."""
    return {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}[coding](body)


TAKES = {
    "gzip": "gzip", "gzip, br": "br", "br;q=0.1, gzip": "gzip", "gzip;q=0": None, "*": "br",
    "identity": None, "gzip;q=x": None, "br;q=0, *": "gzip", "GZIP": "gzip", "": None,
}  # fmt: skip


@pytest.mark.parametrize("accepted", TAKES)
def test_the_coding_is_one_the_client_takes(start, accepted) -> None:
    gateway = start(BOTH, {"service": says("Content-Type: text/plain\r\n")})
    got = gateway.ask("/", fields={"Accept-Encoding": accepted})
    assert got.one("content-encoding") == TAKES[accepted]
    assert got.one("vary") == "Accept-Encoding"
    assert opened(TAKES[accepted], got.body) == TEXT
    assert (len(got.body) < 1000) == (TAKES[accepted] is not None)


@pytest.mark.parametrize("chunks", [0, 1, 7])
@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_stream_is_compressed_as_it_comes_and_the_connection_goes_on(
    start, coding, chunks
) -> None:
    noise = random.Random(1).randbytes(300_000).hex().encode()
    service = says('Content-Type: application/json\r\nETag: "1"\r\n', noise, chunks=chunks)
    gateway = start(BOTH, {"service": service})
    for _ in range(2):
        got = gateway.ask("/", fields={"Accept-Encoding": coding})
        assert opened(coding, got.body) == noise
        assert got.one("etag") == 'W/"1"'
    assert service.connections == 1
    assert compression.Packer.at_work == 0


LEFT = {
    "another type": "Content-Type: image/png\r\n",
    "compressed before": "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n",
    "not to be changed": "Content-Type: text/plain\r\nCache-Control: public, no-transform\r\n",
    "events": "Content-Type: text/event-stream\r\n",
    "no type": "",
}


@pytest.mark.parametrize("name", LEFT)
def test_what_must_stay_as_it_is_does(start, name) -> None:
    gateway = start(
        "gzip_types text/event-stream text/plain; " + BOTH, {"service": says(LEFT[name])}
    )
    got = gateway.ask("/", fields={"Accept-Encoding": "gzip, br"})
    assert got.body == TEXT
    assert got.one("content-length") == str(len(TEXT))
    assert got.one("vary") is None


def test_short_partial_and_bodiless_answers_stay_as_they_are(start) -> None:
    plain = "Content-Type: text/plain\r\n"
    gateway = start(BOTH, {"service": says(plain, b"short")})
    take = {"Accept-Encoding": "gzip"}
    assert gateway.ask("/", fields=take).body == b"short"
    gateway._services["service"].answering = says(plain).answering
    head = gateway.ask("/", "HEAD", fields=take)
    assert (head.status, head.one("content-encoding")) == (200, None)
    old = gateway.raw(b"GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
    assert old.endswith(TEXT)


def test_what_the_gateway_says_itself_is_compressed_too(start) -> None:
    gateway = start(
        "gzip on; gzip_min_length 10; location / { return 200 'a text that is long enough'; }", {}
    )
    got = gateway.ask("/", fields={"Accept-Encoding": "gzip"})
    assert gzip.decompress(got.body) == b"a text that is long enough"
    assert got.one("vary") == "Accept-Encoding"
    assert got.one("content-length") == str(len(got.body))
    assert gateway.ask("/").body == b"a text that is long enough"
    assert gateway.ask("/", "HEAD", fields={"Accept-Encoding": "gzip"}).body == b""


def test_a_vary_that_says_it_already_is_not_doubled(start) -> None:
    fields = "Content-Type: text/plain\r\nVary: Cookie, accept-encoding\r\n"
    gateway = start(BOTH, {"service": says(fields)})
    got = gateway.ask("/", fields={"Accept-Encoding": "gzip"})
    assert got.all("vary") == ["Cookie, accept-encoding"]


def test_a_service_gets_its_own_tag_back_to_match(start) -> None:
    """A weak tag matches nothing (RFC 9110 13.1.1): who edits what came compressed would fail."""
    service = says('Content-Type: text/plain\r\nETag: "7"\r\n')
    gateway = start(BOTH, {"service": service})
    tag = gateway.ask("/", fields={"Accept-Encoding": "gzip"}).one("etag")
    assert tag == 'W/"7"'
    gateway.ask("/", "PUT", fields={"If-Match": tag, "X-Other": 'W/"7"'}, body=b"x")
    assert service.received[-1].one("if-match") == '"7"'
    assert service.received[-1].one("x-other") == 'W/"7"'
    gateway.ask("/", fields={"If-None-Match": tag})
    assert service.received[-1].one("if-none-match") == tag


def test_too_many_at_once_pass_as_they_are(start) -> None:
    gateway = start(BOTH, {"service": says("Content-Type: text/plain\r\n")})
    at_work = [compression.Packer(b"gzip") for _ in range(compression.MOST_AT_ONCE)]
    got = gateway.ask("/", fields={"Accept-Encoding": "gzip"})
    assert got.one("content-encoding") is None
    assert got.body == TEXT
    at_work.clear()
    assert gateway.ask("/", fields={"Accept-Encoding": "gzip"}).one("content-encoding") == "gzip"


@given(
    pieces=st.lists(st.binary(max_size=300), max_size=8), coding=st.sampled_from([b"gzip", b"br"])
)
@settings(max_examples=60)
def test_however_a_body_comes_it_is_the_same_when_opened(pieces, coding) -> None:
    packer = compression.Packer(coding)
    out = b"".join(packer.feed(piece, more=True) for piece in pieces)
    out += packer.feed(b"", more=False)
    assert opened(coding.decode(), out) == b"".join(pieces)
