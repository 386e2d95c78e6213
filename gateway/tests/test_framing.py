"""What two programs could read differently is refused, and the connection ends (RFC 9112, S7)."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdoor.chunked import Chunked
from frontdoor.field_lines import learn_beginning, read_fields
from frontdoor.fields import NOTHING, BadHead, Beginning, Fields
from frontdoor.testing.running import Running
from frontdoor.testing.service import Received, Service

PASS = "location / { proxy_pass http://service; }"
H = b"Host: a\r\n"
POST = b"POST / HTTP/1.1\r\n" + H
TE = b"Transfer-Encoding: chunked\r\n"

BAD = {
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths that differ": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "a negative length": POST + b"Content-Length: -3\r\n\r\nabc",
    "a hexadecimal length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "an empty length": POST + b"Content-Length: \r\n\r\nabc",
    "an endless length": POST + b"Content-Length: 9999999999999999\r\n\r\nabc",
    "length and coding": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "coding twice": POST + TE + TE + b"\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked with a parameter": POST + b"Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
    "a space before the colon": POST + b"Content-Length : 3\r\n\r\nabc",
    "a coding with a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "obs-fold": b"GET / HTTP/1.1\r\n" + H + b"X-A: 1\r\n 2\r\n\r\n",
    "a first line that is folded": b"GET / HTTP/1.1\r\n X-A: 1\r\n" + H + b"\r\n",
    "a bare LF after the request line": b"GET / HTTP/1.1\n" + H + b"\r\n",
    "a bare LF between fields": b"GET / HTTP/1.1\r\nHost: a\nX-A: 1\r\n\r\n",
    "a bare LF at the end": b"GET / HTTP/1.1\r\n" + H + b"\n",
    "a bare CR": b"GET / HTTP/1.1\r\n" + H + b"X-A: 1\rX-B: 2\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\n" + H + b"X-A: 1\x002\r\n\r\n",
    "NUL in a name": b"GET / HTTP/1.1\r\n" + H + b"X-\x00A: 1\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\n" + H + b": 1\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\n" + H + b"X-A\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + H + H + b"\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a host with an at": b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "a host that is a list": b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "another host in the target": b"GET http://b/ HTTP/1.1\r\n" + H + b"\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\n" + H + b"\r\n",
    "a tab": b"GET\t/ HTTP/1.1\r\n" + H + b"\r\n",
    "a space at the end": b"GET / HTTP/1.1 \r\n" + H + b"\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "lower case": b"GET / http/1.1\r\n" + H + b"\r\n",
    "two authorizations": b"GET / HTTP/1.1\r\n" + H + b"Authorization: a\r\n" * 2 + b"\r\n",
    "two content types": POST + b"Content-Type: a/b\r\n" * 2 + b"\r\n",
    "hiding the length": POST + b"Connection: content-length\r\nContent-Length: 3\r\n\r\nabc",
    "hiding the host": b"GET / HTTP/1.1\r\n" + H + b"Connection: close, host\r\n\r\n",
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an authority form": b"GET a:80 HTTP/1.1\r\n" + H + b"\r\n",
}  # fmt: skip

CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
BAD_BODIES = {
    "a size that is none": b"z\r\nabc\r\n0\r\n\r\n",
    "a signed size": b"+3\r\nabc\r\n0\r\n\r\n",
    "a size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "an empty size": b"\r\nabc\r\n0\r\n\r\n",
    "a size too long": b"1" * 16 + b"\r\nabc\r\n0\r\n\r\n",
    "a space in the size": b"3 3\r\nabc\r\n0\r\n\r\n",
    "a bare LF after the size": b"3\nabc\r\n0\r\n\r\n",
    "a bare LF after the chunk": b"3\r\nabc\n0\r\n\r\n",
    "a chunk longer than it says": b"3\r\nabcd\r\n0\r\n\r\n",
    "a trailer that is none": b"3\r\nabc\r\n0\r\nabc\r\n\r\n",
    "an extension with a control": b"3;\x01\r\nabc\r\n0\r\n\r\n",
    "an extension without end": b"3;" + b"a" * 300,
}

OTHERS = {
    501: (
        b"BREW / HTTP/1.1\r\n" + H + b"\r\n",
        b"get / HTTP/1.1\r\n" + H + b"\r\n",
        POST + b"Transfer-Encoding: gzip\r\n\r\n",
    ),
    405: (b"TRACE / HTTP/1.1\r\n" + H + b"\r\n", b"CONNECT a:80 HTTP/1.1\r\n" + H + b"\r\n"),
    505: (b"GET / HTTP/2.0\r\n" + H + b"\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    417: (POST + b"Expect: something\r\nContent-Length: 3\r\n\r\nabc",),
    414: (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + H + b"\r\n", b"G" * 9000),
    431: (
        b"GET / HTTP/1.1\r\n" + H + b"X-A: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + H + b"X-A: a\r\n" * 101 + b"\r\n",
        b"GET / HTTP/1.1\r\n" + H + (b"X-A: " + b"a" * 8000 + b"\r\n") * 5,
    ),
    508: (b"GET / HTTP/1.1\r\n" + H + b"Via: 1.1 jiuye-frontdoor\r\n\r\n",),
    413: (POST + b"Content-Length: 2000000\r\n\r\n", CHUNKED + b"200000\r\n"),
}


@pytest.fixture
def gateway(start) -> Running:
    return start(PASS, {"service": Service()})


def refused(said: bytes, status: int) -> None:
    """Exactly one answer: a problem document in Chinese, and the connection is over."""
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), said
    assert b"\r\nConnection: close" in head
    assert b"\r\nDate: " in head
    assert b"application/problem+json" in head
    assert b'"code":"' in body
    assert said.count(b"HTTP/1.1 ") == 1
    assert any(ord(letter) > 0x4E00 for letter in body.decode())


@pytest.mark.req("GW-04")
@pytest.mark.parametrize("name", BAD)
def test_an_ambiguous_head_is_refused_and_nothing_after_it_is_read(gateway, name) -> None:
    refused(gateway.raw(BAD[name] + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"), 400)
    assert gateway._services["service"].received == []


@pytest.mark.req("GW-04")
@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_broken_coding_is_refused(gateway, name) -> None:
    refused(gateway.raw(CHUNKED + BAD_BODIES[name] + b"GET /smuggled HTTP/1.1\r\n\r\n"), 400)
    assert gateway._services["service"].received == []


@pytest.mark.req("GW-04")
@pytest.mark.parametrize(
    ("status", "data"), [(status, data) for status, all_ in OTHERS.items() for data in all_]
)
def test_what_is_too_much_or_unknown_is_refused_by_its_own_status(gateway, status, data) -> None:
    if status == 413 and data.startswith(CHUNKED):
        data += b"a" * 0x200000
    refused(gateway.raw(data), status)


def test_a_pipeline_is_answered_in_order(gateway) -> None:
    one = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    said = gateway.raw(b"".join(one % n for n in range(40)) + last)
    assert said.count(b"HTTP/1.1 200") == 41
    seen = [request.target for request in gateway._services["service"].received]
    assert seen == [f"/{n}" for n in range(40)] + ["/last"]


def test_a_head_in_single_bytes_is_the_same_head(gateway) -> None:
    data = (
        POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\n1\r\nc\r\n"
    )
    data += b"0\r\nX-Checked: 1\r\nX-User: admin\r\nX_User: admin\r\n\r\n"
    with gateway.connect() as client:
        for number in range(len(data)):
            client.sendall(data[number : number + 1])
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    (request,) = gateway._services["service"].received
    assert request.body == b"abc"
    assert request.trailers == (b"X-Checked: 1",)  # what could pass for somebody does not


def test_trailers_of_an_answer_pass_to_those_who_take_them(start) -> None:
    async def say(request: Received, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head + b"2\r\nab\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n")

    gateway = start(PASS, {"service": Service(say)})
    ask = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, TE\r\n%b\r\n"
    said = gateway.raw(ask % b"TE: trailers\r\n")
    assert said.endswith(b"\r\n\r\n2\r\nab\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n")
    assert gateway.raw(ask % b"").endswith(b"\r\n\r\n2\r\nab\r\n0\r\n\r\n")


def test_http_1_0_is_served_and_closed(gateway) -> None:
    said = gateway.raw(b"GET /old HTTP/1.0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200")
    assert b"Connection: close" in said


def test_a_client_that_waits_before_its_body_is_told_to_go_on(gateway) -> None:
    with gateway.connect() as client:
        client.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
    (request,) = gateway._services["service"].received
    assert request.body == b"abc"
    assert request.one("expect") is None


def test_an_old_client_is_not_told_to_go_on(gateway) -> None:
    """RFC 9110 10.1.1: HTTP/1.0 knows no interim answers."""
    said = gateway.raw(
        b"POST / HTTP/1.0\r\n" + H + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
    )
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"100 Continue" not in said


SIZES = st.sampled_from(["%x", "%X", "0%x", "%x;a=b", "%x \t;c"])


@given(
    chunks=st.lists(st.tuples(SIZES, st.binary(min_size=1, max_size=40)), max_size=12),
    cuts=st.sets(st.integers(0, 700), max_size=8),
    unwrap=st.booleans(),
)
def test_chunks_are_the_same_however_they_are_written_and_come(chunks, cuts, unwrap) -> None:
    """Those that come whole pass at once, the others byte by byte."""
    sent = b"".join(b"%b\r\n%b\r\n" % ((size % len(d)).encode(), d) for size, d in chunks)
    sent += b"0\r\n\r\nrest"
    ours = b"".join(b"%x\r\n%b\r\n" % (len(d), d) for _, d in chunks) + b"0\r\n\r\n"
    content = b"".join(d for _, d in chunks)
    places = [0, *sorted(cut for cut in cuts if cut < len(sent) - 4), len(sent)]
    chunked = Chunked(unwrap=unwrap)
    out, rest = b"", None
    for first, last in pairwise(places):
        data, rest = chunked.feed(sent[first:last])
        out += data
    assert (out, rest) == (content if unwrap else ours, b"rest")
    assert chunked.content == len(content)


KNOWN = b"Host: a\r\nConnection: keep-alive\r\nAccept: text/html\r\nX-Hop: 1\r\n"


@pytest.mark.parametrize(
    "rest",
    [
        b"",
        b"X-New: 1\r\n",
        b"Host: a\r\n",
        b"Host: b\r\n",
        b" folded\r\n",
        b"Connection: x-hop\r\n",
        b"Connection: close, x-hop\r\nX-New: 2\r\n",
        b"Connection: host\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        b"Cookie: a=b; __Host-jiuye=c\r\n",
        b"X-New: \x00\r\n",
        b"X-Bad : 1\r\n",
        b"X-More: 1\r\n" * 96,
        b"X-More: 1\r\n" * 97,
    ],
)
@pytest.mark.req("GW-01")
def test_a_head_that_begins_as_the_one_before_is_read_as_any_other(rest: bytes) -> None:
    for number in range(250):  # the name becomes one whose lines never come again
        read_fields(b"X-New: n%d" % number, 0, len(b"X-New: n%d" % number), 8190)
    read_fields(KNOWN, 0, len(KNOWN) - 2, 8190)
    begun = learn_beginning(KNOWN, 0, len(KNOWN) - 2)
    assert begun.block == KNOWN
    data = KNOWN + rest
    assert _what(data, begun) == _what(data, NOTHING)


def _what(data: bytes, begun: Beginning) -> object:
    try:
        fields = read_fields(data, 0, len(data) - 2, 8190, begun)
    except BadHead as bad:
        return bad.answer
    return [getattr(fields, name) for name in Fields.__slots__]
