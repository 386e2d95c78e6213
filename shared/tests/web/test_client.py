"""Calls to other systems end in time, are repeated only when harmless, and stop when in vain."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from servicekit import tracing
from servicekit.client import (
    FAILURES,
    MAX_ANSWER,
    OPEN_SECONDS,
    Answered,
    Client,
    OutsideUnavailable,
)


@dataclass
class Outside:
    """A system of somebody else's that answers as told."""

    url: str = ""
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    heard: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    hang: threading.Event = field(default_factory=threading.Event)
    simulator: bool = False
    drop: Callable[[], None] | None = None  # before every byte, where it comes byte by byte
    encoding: str | None = None


@pytest.fixture
def outside() -> Iterator[Outside]:
    told = Outside()
    told.hang.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.heard.append((self.command, self.path, headers, self.rfile.read(length)))
            told.hang.wait(20)
            status, body = told.answers.pop(0) if told.answers else (200, b'{"ok": true}')
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            if told.simulator:
                self.send_header("X-Simulator", "1")
            if told.encoding:
                self.send_header("Content-Encoding", told.encoding)
            self.end_headers()
            with contextlib.suppress(OSError):  # whoever asked has had enough
                for piece in (body,) if told.drop is None else map(bytes, zip(body, strict=True)):
                    if told.drop is not None:
                        told.drop()
                    self.wfile.write(piece)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Tests read ``heard``."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    told.hang.set()
    server.shutdown()
    thread.join()
    server.server_close()


class Ticks:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def client(outside: Outside, ticks: Ticks) -> Client:
    return Client(outside.url, timeout=2.0, name="bank-card", clock=ticks)


def test_json_goes_and_comes_with_the_trace(outside: Outside, client: Client) -> None:
    with tracing.continued("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"):
        assert client.post("/check", {"name": "林"}, headers={"X-Own": "1"}) == {"ok": True}
    method, path, headers, body = outside.heard[0]
    assert (method, path, json.loads(body)) == ("POST", "/check", {"name": "林"})
    assert headers["traceparent"].split("-")[1] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert (headers["x-own"], headers["accept"]) == ("1", "application/json")
    assert client.get("/look", query={"a": "1"}) == {"ok": True}
    assert outside.heard[1][:2] == ("GET", "/look?a=1")
    assert client.post("/form", form={"a": "1"}) == {"ok": True}
    assert outside.heard[2][3] == b"a=1"


@pytest.mark.req("PRT-07")
def test_a_failing_system_is_unavailable_in_the_words_people_know(
    outside: Outside, client: Client
) -> None:
    outside.answers = [(503, b""), (500, b"oops")]
    with pytest.raises(OutsideUnavailable) as refused:
        client.get("/look")
    assert refused.value.message == "外厅局接口异常，请联系业务部门!"
    assert refused.value.extra == {"retryable": True, "system": "bank-card"}
    assert refused.value.retry_after is not None
    assert len(outside.heard) == 2


def test_only_what_is_harmless_is_tried_twice(outside: Outside, client: Client) -> None:
    outside.answers = [(502, b""), (200, b"[1]")]
    assert client.get("/look") == [1]
    outside.answers = [(502, b"")]
    with pytest.raises(OutsideUnavailable):
        client.post("/check", {})
    outside.answers = [(502, b""), (200, b"[2]")]
    assert client.post("/check", {}, repeatable=True) == [2]
    assert len(outside.heard) == 5


def test_an_answer_that_is_an_error_is_the_adapters_to_read(
    outside: Outside, client: Client
) -> None:
    outside.answers = [(422, b'{"code": "wrong-card"}')]
    with pytest.raises(Answered) as answered:
        client.post("/check", {})
    assert (answered.value.status, answered.value.body) == (422, {"code": "wrong-card"})
    outside.answers = [(401, b"")]
    with pytest.raises(Answered):
        client.get("/look")


@pytest.mark.parametrize(
    "body", [b"<html>", b"{", b"x" * 5_000_000, b"[" * 100_000, b'{"a": NaN}', b'"\\ud800"']
)
def test_an_answer_nobody_understands(outside: Outside, client: Client, body: bytes) -> None:
    outside.answers = [(200, body)]
    with pytest.raises(OutsideUnavailable):
        client.post("/check", {})


def test_an_answer_that_grows_when_it_is_unpacked_is_held_to_the_same_size(
    outside: Outside, client: Client
) -> None:
    outside.encoding = "gzip"
    packed = gzip.compress(b" " * 100_000_000 + b"1")
    outside.answers = [(200, packed)]
    tracemalloc.start()
    with pytest.raises(OutsideUnavailable):
        client.post("/check", {})
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 5 * MAX_ANSWER
    outside.answers = [(200, gzip.compress(b'{"ok": true}'))]
    assert client.post("/check", {}) == {"ok": True}


def test_an_answer_that_comes_drop_by_drop_is_given_up(
    outside: Outside, client: Client, ticks: Ticks
) -> None:
    def drop() -> None:
        ticks.now += 1.0

    outside.drop = drop
    outside.answers = [(200, b" " * 100 + b"{}")]
    with pytest.raises(OutsideUnavailable):
        client.post("/check", {})


def test_redirects_are_not_followed(outside: Outside, client: Client) -> None:
    outside.answers = [(302, b"{}")]
    assert client.get("/look") == {}
    assert len(outside.heard) == 1
    outside.answers = [(302, b"x" * 5_000_000)]
    with pytest.raises(OutsideUnavailable):
        client.post("/check", {})
    assert len(outside.heard) == 2


def test_an_answer_that_does_not_come_is_not_waited_for(outside: Outside) -> None:
    outside.hang.clear()
    client = Client(outside.url, timeout=0.05, name="bank-card")
    with pytest.raises(OutsideUnavailable):
        client.post("/check", {})


def test_nobody_listens(written_log: Callable[[], list[dict[str, Any]]]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening: refused at once
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OutsideUnavailable):
            Client(address, name="sms").get("/person/440106199001011234")
    lines = written_log()
    assert {line["error"] for line in lines} == {"ConnectionError"}
    assert "440106" not in json.dumps(lines)


def test_the_breaker_opens_and_closes(outside: Outside, client: Client, ticks: Ticks) -> None:
    outside.answers = [(500, b"")] * FAILURES
    for _ in range(FAILURES):
        with pytest.raises(OutsideUnavailable):
            client.post("/check", {})
    with pytest.raises(OutsideUnavailable):
        client.post("/check", {})
    assert len(outside.heard) == FAILURES  # the last one was not even asked
    ticks.now += OPEN_SECONDS
    outside.answers = [(500, b"")]
    with pytest.raises(OutsideUnavailable):
        client.post("/check", {})  # one tries for everybody, in vain
    with pytest.raises(OutsideUnavailable):
        client.post("/check", {})
    assert len(outside.heard) == FAILURES + 1
    ticks.now += OPEN_SECONDS
    assert client.post("/check", {}) == {"ok": True}
    assert client.post("/check", {}) == {"ok": True}
    assert len(outside.heard) == FAILURES + 3


def test_in_production_a_simulator_is_not_believed(outside: Outside) -> None:
    outside.simulator = True
    assert Client(outside.url).get("/x") == {"ok": True}
    with pytest.raises(OutsideUnavailable):
        Client(outside.url, simulators=False).get("/x")
    assert Client(outside.url).is_simulator()
    outside.simulator = False
    assert not Client(outside.url).is_simulator()
    assert not Client("http://127.0.0.1:1", timeout=0.5).is_simulator()


def test_what_is_not_json_is_read_as_bytes(outside: Outside) -> None:
    outside.answers = [(200, b"\x30\x82"), (404, b"{}")]
    client = Client(outside.url)
    assert client.get_bytes("/crl") == b"\x30\x82"
    with pytest.raises(Answered):
        client.get_bytes("/crl")
