"""The gateway's CPU per request on one core, as a ratio to nginx doing the plain part of it.

    make bench B=gateway

Keep-alive HTTP/1.1 over 127.0.0.1, 64 connections, a browser's headers, 1 KiB of JSON from one
upstream. All contenders run at once on core 0, load and upstream on core 1; rounds are interleaved
and a ratio is taken within its round. CPU is read from /proc. "plain" passes requests on; "full
duty" checks ES256 tokens, limits addresses and accounts and writes the access log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

from frontdoor.testing.provider import Provider
from frontdoor.testing.running import COOKIE_KEY, SECRET

CONNECTIONS = 64
SERVER_CORE, LOAD_CORE = 0, 1

Process = subprocess.Popen[bytes]
Started = tuple[int, Process]  # and its port
TOKENS = 200
BODY = json.dumps({"items": ["x" * 90] * 11}).encode()[:1024].ljust(1024)
BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: application/json, text/plain, */*\r\nAccept-Language: zh-CN,zh;q=0.8,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Load(asyncio.Protocol):
    """One connection that asks again as soon as it was answered."""

    left = 0

    def __init__(self, requests: list[bytes], done: asyncio.Event) -> None:
        self.requests, self.done, self.number = requests, done, 0
        self.length = self.got = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        if not self.length:  # every answer is as long as the first
            assert data.startswith(b"HTTP/1.1 200"), data[:200]
            self.length = data.index(b"\r\n\r\n") + 4 + len(BODY)
        self.got += len(data)
        if self.got >= self.length:
            self.got = 0
            self._ask()

    def _ask(self) -> None:
        if Load.left <= 0:
            self.done.set()
            return
        Load.left -= 1
        self.number += 1
        self.transport.write(self.requests[self.number % len(self.requests)])


async def _load(port: int, requests: list[bytes], count: int) -> None:
    Load.left = count
    loop, ends = asyncio.get_running_loop(), []
    for number in range(CONNECTIONS):
        own, end = requests[number::CONNECTIONS] or requests, asyncio.Event()
        ends.append(end)
        await loop.create_connection(lambda o=own, e=end: Load(o, e), "127.0.0.1", port)
    for end in ends:
        await end.wait()


class Upstream(asyncio.Protocol):
    """Answers everything with the same JSON, where no nginx can."""

    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n\r\n" + BODY
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(self.answer * data.count(b"\r\n\r\n"))


@contextmanager
def in_thread(provider: Provider) -> Iterator[int]:
    """identity's port."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    service = provider.service()
    asyncio.run_coroutine_threadsafe(service.start(), loop).result(10)
    yield service.port
    asyncio.run_coroutine_threadsafe(service.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@dataclass
class Contender:
    """A server under test, its requests and its figures."""

    name: str
    port: int
    process: Process
    requests: list[bytes]
    micros: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def cpu(self) -> float:
        """Seconds of CPU its processes have used."""
        found, waiting = 0, [self.process.pid]
        while waiting:
            tasks = Path(f"/proc/{waiting.pop()}/task")
            for task in tasks.iterdir():
                found += int((task / "schedstat").read_text().split()[0])
                waiting += map(int, (task / "children").read_text().split())
        return found / 1e9

    def round(self, count: int) -> float:
        """CPU microseconds per request."""
        before, started = self.cpu(), time.monotonic()
        uvloop.run(_load(self.port, self.requests, count))
        took = time.monotonic() - started
        self.rates.append(count / took)
        return (self.cpu() - before) / count * 1e6


def request(*lines: str) -> bytes:
    """A browser's request."""
    return (
        "GET /api/x?page=2 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + BROWSER
        + "".join(f"{line}\r\n" for line in lines)
        + "\r\n"
    ).encode()


PLAIN = "access_log off; location / {{ proxy_pass http://up; }}"
FULL = """access_log {folder}/access.log json;
    limit_req zone=address burst=1000000 nodelay; limit_req zone=subject burst=1000000 nodelay;
    location / {{ auth_jwt jiuye; proxy_pass http://up; }}"""
GATEWAY = """http {{
    limit_req_zone $binary_remote_addr zone=address:1m rate=1000000r/s;
    limit_req_zone $jwt_claim_sub zone=subject:1m rate=1000000r/s;
    upstream up {{ server 127.0.0.1:{upstream}; keepalive 64; }}
    server {{ listen 127.0.0.1:{port}; {site} }} }}
"""
NGINX = """worker_processes 1; daemon off; pid {folder}/{name}.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    keepalive_requests 100000000;
    upstream up {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
    server {{ listen 127.0.0.1:{port}; location / {{ {inside} }} }} }}
"""
PASS_ON = "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_pass http://up;"


@dataclass
class Bench:
    """Starts everything and stops it again."""

    folder: Path
    stack: ExitStack
    nginx: str | None

    def start(
        self, command: list[str], core: int, port: int, **more: str
    ) -> subprocess.Popen[bytes]:
        """Start a process on a core; return when it listens."""
        os.sched_setaffinity(0, {core})  # inherited
        environment = {**os.environ, **more}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        os.sched_setaffinity(0, {LOAD_CORE})
        self.stack.callback(process.wait)
        self.stack.callback(process.terminate)
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return process
            except OSError:
                assert process.poll() is None, command
                assert time.monotonic() < end, command
                time.sleep(0.05)

    def start_nginx(self, name: str, core: int, inside: str, upstream: int) -> Started:
        """An nginx: the upstream, or a contender."""
        assert self.nginx is not None
        port, path = free_port(), self.folder / f"{name}.conf"
        path.write_text(
            NGINX.format(folder=self.folder, name=name, port=port, upstream=upstream, inside=inside)
        )
        return port, self.start([self.nginx, "-e", "stderr", "-c", str(path)], core, port)

    def start_upstream(self) -> int:
        """Where the JSON comes from."""
        if self.nginx is not None:
            inside = f"default_type application/json; return 200 '{BODY.decode()}';"
            return self.start_nginx("upstream", LOAD_CORE, inside, 9)[0]
        port = free_port()
        self.start([sys.executable, __file__, "--upstream", str(port)], LOAD_CORE, port)
        return port

    def start_gateway(self, name: str, site: str, upstream: int, identity: int) -> Started:
        """A gateway with one worker."""
        port, admin, path = free_port(), free_port(), self.folder / f"{name}.conf"
        inside = site.format(folder=self.folder)
        path.write_text(GATEWAY.format(port=port, upstream=upstream, site=inside))
        process = self.start(
            [sys.executable, "-m", "frontdoor"],
            SERVER_CORE,
            port,
            FRONTDOOR_CONFIG=str(path),
            FRONTDOOR_CLIENT_SECRET=SECRET,
            FRONTDOOR_COOKIE_KEY=COOKIE_KEY,
            FRONTDOOR_ADMIN_LISTEN=f"127.0.0.1:{admin}",
            FRONTDOOR_IDENTITY_URL=f"http://127.0.0.1:{identity}",
        )
        return port, process


def contenders(bench: Bench, provider: Provider, identity: int) -> list[Contender]:
    """Everybody who runs."""
    upstream = bench.start_upstream()
    provider.issuer = "http://127.0.0.1:8080/identity"
    found = []
    if bench.nginx is not None:
        port, process = bench.start_nginx("nginx", SERVER_CORE, PASS_ON, upstream)
        found.append(Contender("nginx, plain", port, process, [request()]))
    port, process = bench.start_gateway("plain", PLAIN, upstream, identity)
    found.append(Contender("gateway, plain", port, process, [request()]))
    changing = [request(f"X-Number: {n}-{os.urandom(8).hex()}") for n in range(50_000)]
    found.append(Contender("gateway, plain, every head new", port, process, changing))
    tokens = [
        provider.token(sub=f"account-{n}", exp=int(time.time()) + 3600) for n in range(TOKENS)
    ]
    port, process = bench.start_gateway("full", FULL, upstream, identity)
    full = [request(f"Authorization: Bearer {token}") for token in tokens]
    found.append(Contender("gateway, full duty", port, process, full))
    full = [
        request(f"Authorization: Bearer {tokens[n % TOKENS]}", f"X-Number: {os.urandom(8).hex()}")
        for n in range(50_000)
    ]
    found.append(Contender("gateway, full duty, every head new", port, process, full))
    return found


def main() -> None:
    """Run the rounds, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--upstream", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.upstream:
        serve_upstream(options.upstream)
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        provider = Provider()
        identity = stack.enter_context(in_thread(provider))
        os.sched_setaffinity(0, {LOAD_CORE})
        found = contenders(Bench(folder, stack, nginx), provider, identity)
        for number in range(options.rounds + 1):
            for contender in found:
                used = contender.round(options.requests)
                if number:  # the first round warms up
                    contender.micros.append(used)
        show(found)


def serve_upstream(port: int) -> None:
    """Be the upstream, for ever."""

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(serve())


def show(found: list[Contender]) -> None:
    """The table."""
    first = found[0]
    print(f"| contender | CPU µs per request | ratio to {first.name} | requests/s |")
    print("| --- | --- | --- | --- |")
    for one in found:
        ratios = [a / b for a, b in zip(one.micros, first.micros, strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        micros, rate = statistics.median(one.micros), statistics.median(one.rates)
        print(f"| {one.name} | {micros:.1f} | {spread} | {rate:.0f} |")


if __name__ == "__main__":
    main()
