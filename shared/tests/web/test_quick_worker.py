"""The short way through the server reads and writes what gunicorn's own way does, or leaves it."""

from __future__ import annotations

from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.parser import RequestParser
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.web.quick_worker import LONGEST_HEAD, MOST_BYTES, MOST_FIELDS, Answer, Asked, read
from servicekit.web.server import Listening, _configuration

COMMON = {"wsgi.url_scheme": "http", "SCRIPT_NAME": ""}
HEAD = b"PATCH /api/x/v1/a%20b/c?d=e%2F HTTP/1.1\r\nHost: a:1\r\n"
BODY = b'{"a": 1}'
PLAIN = (
    HEAD + b'Content-Type: application/json\r\nContent-Length: 8\r\nIf-Match: "1"\r\n\r\n' + BODY
)
PIECES = st.sampled_from(
    (
    b"GET ", b"POST ", b"/", b"/a%20b", b"?a=b", b"?", b"//x", b"#f", b" HTTP/1.1\r\n",
    b" HTTP/1.0\r\n",
    b"\r\n", b"\r\n\r\n", b"\n", b"Host: a\r\n", b"Host: b\r\n", b"Content-Length: 3\r\n", b"abc",
    b"content-length: 03\r\n", b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n",
    b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"X_A: b\r\n", b"X-A: b\r\n",
    b"X-A:  b \r\n", b"X-A:\tb\r\n", b"X-B:\r\n", b" folded\r\n", b"Script-Name: /x\r\n",
    b"X-C: \xc3\xa4\r\n", b"\x00", b" ",
    b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST /p?q HTTP/1.1\r\nHost: a\r\n",
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def config() -> Config:
    """gunicorn's, as the services run it."""
    made = Config()
    for name, value in _configuration(Listening("127.0.0.1", 1)).items():
        made.set(name, value)
    return made


def as_gunicorn_has_it(data: bytes, config: Config) -> dict[str, Any]:
    """The one request of these bytes, its body read."""
    found = []
    for request in RequestParser(config, iter([data]), ("127.0.0.1", 2)):
        _, environ = wsgi.create(request, None, ("127.0.0.1", 2), ("127.0.0.1", 1), config)
        found.append(environ | {"wsgi.input": environ["wsgi.input"].read()})
    (one,) = found
    return one


def same(found: dict[str, Any], data: bytes, config: Config) -> None:
    found["wsgi.input"] = found["wsgi.input"].read()
    theirs = as_gunicorn_has_it(data, config)
    assert found == {name: theirs[name] for name in found}
    extra = {name for name in theirs if name.startswith(("HTTP_", "CONTENT_"))} - found.keys()
    assert not extra


def test_what_the_gateway_sends_goes_the_short_way(config) -> None:
    for data in (
        PLAIN,
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"DELETE /a?b HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"POST /a/%E4%B8%AD?x=%E4 HTTP/1.1\r\nCookie: a=b; c=d\r\nX-Long: "
        + b"a" * 7000
        + b"\r\n\r\n",
    ):
        found = read(data, COMMON)
        assert found is not None
        same(found, data, config)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        PLAIN[:-1],
        PLAIN + b"G",
        b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        b"GET //a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        HEAD + b"Host: b\r\n\r\n",
        HEAD + b"host: a:1\r\n\r\n",
        HEAD + b"X_A: b\r\n\r\n",
        HEAD + b"X-A : b\r\n\r\n",
        HEAD + b"X-A: b\r\n c\r\n\r\n",
        HEAD + b"X-A: b\nX-B: c\r\n\r\n",
        HEAD + b"X-A: \xe4\r\n\r\n",
        HEAD + b"Connection: close\r\n\r\n",
        HEAD + b"Expect: 100-continue\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: +8\r\n\r\n" + BODY,
        HEAD + b"Content-Length: 8, 8\r\n\r\n" + BODY,
        HEAD + b"X-A: " + b"a" * LONGEST_HEAD + b"\r\n\r\n",
        HEAD + b"".join(b"X-%d: a\r\n" % number for number in range(MOST_FIELDS)) + b"\r\n",
    ],
)  # fmt: skip
def test_what_is_unusual_is_left_to_gunicorn(data) -> None:
    assert read(data, COMMON) is None


@pytest.mark.req("GW-05")
@given(pieces=st.lists(PIECES, min_size=1, max_size=8))
@settings(max_examples=1500)
def test_what_is_read_is_one_request_as_gunicorn_reads_it(config, pieces) -> None:
    """Whatever bytes come: the short way takes them for what gunicorn's parser does."""
    data = b"".join(pieces)
    for whole in (data, data + b"\r\n", data + b"\r\nabc"):
        found = read(whole, COMMON)
        if found is not None:
            same(found, whole, config)


ANSWERS = [
    ("200 OK", [("Content-Type", "application/json"), ("Content-Length", "8")], [BODY]),
    ("404 NOT FOUND", [("Content-Length", "8"), ("X-A", "a\tb \xe4")], [b'{"a"', b": 1}"]),
    ("200 OK", [("Content-Length", "0")], []),
    ("200 OK", [("Content-Type", "text/plain")], [b"in", b"pieces"]),
    ("200 OK", [("Content-Length", str(2 * MOST_BYTES))], [b"a" * MOST_BYTES, b"b" * MOST_BYTES]),
    ("200 OK", [("Content-Length", "3")], [b"longer"]),
    ("204 NO CONTENT", [("Content-Length", "0")], [b""]),
    ("304 NOT MODIFIED", [("ETag", '"1"')], [b""]),
    ("200 OK", [("Content-Length", "8"), ("Connection", "close"), ("Server", "x")], [BODY]),
]


@pytest.mark.parametrize(("status", "headers", "parts"), ANSWERS)
def test_an_answer_is_written_as_gunicorn_writes_it(config, status, headers, parts) -> None:
    ours, theirs = Written(), Written()
    answer = Answer(Asked("GET"), ours, config)
    answer.start_response(status, headers)
    answer.send(parts)
    plain = wsgi.Response(Asked("GET"), theirs, config)
    plain.start_response(status, headers)
    for part in parts:
        plain.write(part)
    plain.close()
    assert ours.lines == theirs.lines
    assert answer.should_close() == plain.should_close()


def test_a_head_that_is_none_is_not_written(config) -> None:
    for headers in ([("X-A\r\nX-B", "a")], [("X-A", "a\r\nX-B: b")], [("X A", "a")]):
        answer = Answer(Asked("GET"), Written(), config)
        with pytest.raises(Exception, match="X"):
            answer.start_response("200 OK", [*headers, ("Content-Length", "0")])


class Written:
    """A socket that remembers what was written to it."""

    def __init__(self) -> None:
        self.data = b""

    def sendall(self, data: bytes) -> None:
        self.data += data

    @property
    def lines(self) -> list[bytes]:
        """Without the moment."""
        return [line for line in self.data.split(b"\r\n") if not line.startswith(b"Date: ")]
