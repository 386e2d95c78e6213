"""The real process: it starts, is reloaded under load, drains, and hears the bus."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from frontdoor.testing.certificates import make_certificate
from frontdoor.testing.running import COOKIE_KEY, SECRET, read_all
from servicekit.testing import waiting

PATIENCE = 20.0
until = partial(waiting.until, seconds=PATIENCE)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def get(port: int, path: str) -> tuple[int, bytes]:
    client = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        client.request("GET", path)
        got = client.getresponse()
        return got.status, got.read()
    finally:
        client.close()


def answers(port: int, path: str, wanted: bytes) -> bool:
    try:
        return wanted in get(port, path)[1]
    except OSError:
        return False


def workers_of(master: int) -> list[int]:
    found = Path(f"/proc/{master}/task/{master}/children").read_text("ascii")
    return [int(number) for number in found.split()]


class Process:
    """The gateway as it runs everywhere."""

    def __init__(
        self, folder: Path, text: str, *, workers: int, bus_url: str | None, port: int | None
    ) -> None:
        self.port, self.admin = port or free_port(), free_port()
        self.config = folder / "gateway.conf"
        self.write(text)
        environment = {
            **os.environ,
            "FRONTDOOR_CONFIG": str(self.config),
            "FRONTDOOR_CLIENT_SECRET": SECRET,
            "FRONTDOOR_COOKIE_KEY": COOKIE_KEY,
            "FRONTDOOR_ADMIN_LISTEN": f"127.0.0.1:{self.admin}",
            "FRONTDOOR_WORKERS": str(workers),
            "FRONTDOOR_IDENTITY_URL": "http://127.0.0.1:9",
        }
        if bus_url is not None:
            environment["FRONTDOOR_BUS_URL"] = bus_url
        command = [sys.executable, "-m", "frontdoor"]
        if port is None:
            command += ["--port", str(self.port)]
        self.log = (folder / "gateway.log").open("w+b")
        self.process = subprocess.Popen(
            command, env=environment, stdout=self.log, stderr=subprocess.STDOUT
        )

    def write(self, text: str) -> None:
        self.config.write_text(text, "utf-8")

    def output(self) -> str:
        self.log.seek(0)
        return self.log.read().decode()


@contextmanager
def process(
    folder: Path,
    text: str,
    *,
    workers: int = 1,
    bus_url: str | None = None,
    port: int | None = None,
) -> Iterator[Process]:
    running = Process(folder, text, workers=workers, bus_url=bus_url, port=port)
    try:
        until(lambda: answers(running.port, "/livez", b"ok"))
        yield running
    finally:
        running.process.terminate()
        assert running.process.wait(PATIENCE) == 0
        running.log.close()


SITE = """http {{ server {{ listen 127.0.0.1:1;
    location = /livez {{ health live; }}
    location = /word {{ return 200 {word}; }}
}} }}
"""


@pytest.mark.slow
@pytest.mark.req("GW-01")
def test_a_reload_under_load_drops_no_request_and_a_bad_file_changes_nothing(tmp_path) -> None:
    with process(tmp_path, SITE.format(word="one"), workers=2) as running:
        stop, wrong, count = threading.Event(), [], [0]

        def load() -> None:
            client = HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)
            while not stop.is_set():
                try:
                    client.request("GET", "/word")
                    got = client.getresponse()
                    body = got.read()
                    if got.status != 200 or body not in (b"one", b"two", b"three"):
                        wrong.append((got.status, body))
                    count[0] += 1
                except (OSError, HTTPException) as error:
                    wrong.append(repr(error))
                    client.close()
            client.close()

        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            for word in ("two", "three"):
                before = count[0]
                until(lambda before=before: count[0] > before + 200)
                running.write(SITE.format(word=word))
                running.process.send_signal(signal.SIGHUP)
                wanted = word.encode()
                until(lambda wanted=wanted: answers(running.port, "/word", wanted))
            until(lambda: all(answers(running.port, "/word", b"three") for _ in range(10)))
            running.write("http { nonsense; }\n")
            running.process.send_signal(signal.SIGHUP)
            until(lambda: 'unknown directive \\"nonsense\\"' in running.output())
            assert get(running.port, "/word") == (200, b"three")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert wrong == []
        assert count[0] > 400


TWO_PLACES = """http {{ server {{ listen 127.0.0.1:{first}; {more}
    location = /livez {{ health live; }} location / {{ return 200 {word}; }} }} }}
"""


@pytest.mark.slow
@pytest.mark.req("GW-01")
def test_a_reload_opens_and_closes_addresses_and_keeps_the_others(tmp_path) -> None:
    """IPv4 and IPv6 at one port are two sockets, as with nginx's ipv6only=on."""
    first, second = free_port(), free_port()
    text = TWO_PLACES.format(first=first, more="", word="one")
    taken = socket.create_server(("127.0.0.1", 0))
    with taken, process(tmp_path, text, port=first) as running:
        more = f"listen {second}; listen [::]:{second};"
        running.write(TWO_PLACES.format(first=first, more=more, word="two"))
        running.process.send_signal(signal.SIGHUP)
        until(lambda: answers(second, "/", b"two"))
        with socket.create_connection(("::1", second), PATIENCE) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert b"200 OK" in client.recv(1000)
        until(lambda: answers(first, "/", b"two"))
        bad = f"listen 127.0.0.1:{taken.getsockname()[1]};"
        running.write(TWO_PLACES.format(first=first, more=bad, word="three"))
        running.process.send_signal(signal.SIGHUP)
        until(lambda: "not reloaded" in running.output())
        assert get(first, "/") == get(second, "/") == (200, b"two")
        running.write(TWO_PLACES.format(first=first, more="", word="four"))
        running.process.send_signal(signal.SIGHUP)
        until(lambda: answers(first, "/", b"four") and not answers(second, "/", b""))


SECURE = """http {{ server {{ listen 127.0.0.1:{first};
    location = /livez {{ health live; }} location / {{ return 200 {word}; }} }}
    server {{ listen 127.0.0.1:{second} ssl; ssl_certificate one.example.pem;
    ssl_certificate_key one.example.key; location / {{ return 200 ok; }} }} }}
"""


@pytest.mark.slow
@pytest.mark.req("GW-01")
def test_a_reload_breaks_no_handshake(tmp_path) -> None:
    make_certificate(tmp_path, "one.example")
    first, second = free_port(), free_port()
    context = ssl.create_default_context(cafile=str(tmp_path / "one.example.pem"))
    stop, wrong, count = threading.Event(), [], [0]

    def load() -> None:
        while not stop.is_set():
            try:
                with (
                    socket.create_connection(("127.0.0.1", second), PATIENCE) as raw,
                    context.wrap_socket(raw, server_hostname="one.example") as client,
                ):
                    client.sendall(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
                    said = read_all(client)
                if not said.endswith(b"ok"):
                    wrong.append(repr(said))
            except OSError as error:
                wrong.append(repr(error))
            count[0] += 1

    text = partial(SECURE.format, first=first, second=second)
    with process(tmp_path, text(word="one"), workers=2, port=first) as running:
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for word in ("two", "three"):
                before = count[0]
                until(lambda before=before: count[0] > before + 12)
                running.write(text(word=word))
                running.process.send_signal(signal.SIGHUP)
                until(lambda word=word: answers(first, "/", word.encode()))
            before = count[0]
            until(lambda: count[0] > before + 12)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert wrong == []


@pytest.mark.slow
@pytest.mark.req("GW-04")
def test_what_a_worker_that_died_had_in_hand_is_forgotten(tmp_path) -> None:
    silent = socket.create_server(("127.0.0.1", 0), backlog=64)
    text = f"""http {{ limit_conn_zone $binary_remote_addr zone=z:1m; limit_conn_status 429;
        upstream silent {{ server 127.0.0.1:{silent.getsockname()[1]}; }}
        server {{ listen 127.0.0.1:1; location = /livez {{ health live; }}
        location / {{ limit_conn z 4; proxy_pass http://silent; }} }} }}"""

    def begin() -> socket.socket:
        client = socket.create_connection(("127.0.0.1", running.port), PATIENCE)
        client.settimeout(0.3)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return client

    def is_refused(client: socket.socket) -> bool:
        try:
            return client.recv(1000).startswith(b"HTTP/1.1 429 ")
        except TimeoutError:
            return False

    def four_fit() -> bool:
        with ExitStack() as stack:
            clients = [stack.enter_context(begin()) for _ in range(4)]
            return not any(map(is_refused, clients))

    with silent, process(tmp_path, text, workers=2) as running:
        for which in (1, 0):
            until(lambda: len(workers_of(running.process.pid)) == 2)
            before = workers_of(running.process.pid)
            until(four_fit)
            with ExitStack() as stack:
                for _ in range(12):
                    stack.enter_context(begin())
                os.kill(before[which], signal.SIGKILL)
                until(lambda before=before: len(set(workers_of(running.process.pid)) - set(before)))
        until(four_fit)


@pytest.mark.slow
def test_a_stopping_gateway_finishes_what_it_began(tmp_path) -> None:
    release = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def serve() -> None:
        service, _ = listener.accept()
        with service:
            service.recv(10_000)
            release.wait(PATIENCE)
            service.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

    serving = threading.Thread(target=serve)
    serving.start()
    text = f"""http {{ upstream slow {{ server 127.0.0.1:{port}; }} server {{ listen 127.0.0.1:1;
        location = /livez {{ health live; }} location / {{ proxy_pass http://slow; }} }} }}"""
    with process(tmp_path, text) as running:
        idle = socket.create_connection(("127.0.0.1", running.port), PATIENCE)
        busy = socket.create_connection(("127.0.0.1", running.port), PATIENCE)
        busy.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(
            lambda: not serving.is_alive() or answers(running.admin, "/metrics", b"connections 2")
        )
        running.process.terminate()
        until(lambda: not answers(running.port, "/livez", b"ok"))
        release.set()
        said = b""
        while part := busy.recv(1000):
            said += part
        assert said.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" in said
        assert said.endswith(b"done")
        assert idle.recv(10) == b""
        idle.close()
        busy.close()
    serving.join()
    listener.close()


@pytest.mark.slow
@pytest.mark.req("GW-04")
def test_two_workers_share_limits_and_figures(tmp_path) -> None:
    text = """http { limit_req_zone $binary_remote_addr zone=z:1m rate=1r/m; limit_req_status 429;
        server { listen 127.0.0.1:1; location = /livez { health live; }
        location / { limit_req zone=z burst=9 nodelay; return 200 ok; } } }"""
    with process(tmp_path, text, workers=2) as running:
        statuses = [get(running.port, "/")[0] for _ in range(40)]
        assert statuses.count(200) == 10
        line = b'jiuye_gateway_requests_total{location="/",status="2xx"} 10'
        end = time.monotonic() + 10
        while line not in get(running.admin, "/metrics")[1]:  # told four times a second
            assert time.monotonic() < end
        assert get(running.admin, "/livez")[0] == 200
        assert get(running.admin, "/readyz")[0] == 503  # no keys seen
        assert get(running.admin, "/nothing")[0] == 404


@pytest.mark.slow
@pytest.mark.req("GW-04")
def test_a_reload_gives_nobody_a_second_allowance(tmp_path) -> None:
    text = """http {{ limit_req_zone $binary_remote_addr zone=z:1m rate={rate}r/m;
        limit_req_status 429; server {{ listen 127.0.0.1:1; location = /livez {{ health live; }}
        location = /word {{ return 200 {word}; }}
        location / {{ limit_req zone=z; return 200 ok; }} }} }}"""
    with process(tmp_path, text.format(rate=1, word="one")) as running:
        assert [get(running.port, "/")[0] for _ in range(2)] == [200, 429]
        for rate, word, status in ((1, "two", 429), (2, "three", 200)):  # another limit is new
            running.write(text.format(rate=rate, word=word))
            running.process.send_signal(signal.SIGHUP)
            wanted = word.encode()
            until(lambda wanted=wanted: answers(running.port, "/word", wanted))
            until(lambda: len(workers_of(running.process.pid)) == 1)
            assert get(running.port, "/")[0] == status


def test_what_is_wrong_with_the_settings_is_said_before_anything_starts(tmp_path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FRONTDOOR_")}
    environment |= {"FRONTDOOR_COOKIE_KEY": "short", "FRONTDOOR_NONSENSE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "frontdoor"], env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "FRONTDOOR_CLIENT_SECRET is missing" in done.stderr
    assert "FRONTDOOR_NONSENSE is not a setting" in done.stderr
