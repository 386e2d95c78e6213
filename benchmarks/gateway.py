"""The gateway's CPU per request, as a ratio to nginx doing the plain part of it, beside its peers.

    make bench B=gateway

Keep-alive HTTP/1.1 over 127.0.0.1, 64 connections, a browser's headers, 1 KiB of JSON from one
upstream. All contenders run at once on core 0, load and upstream on core 1; rounds are interleaved
and a ratio is taken within its round. CPU is read from /proc. "plain" passes requests on; "full
duty" checks an ES256 token, limits addresses and accounts, gives an id and writes a line of the
access log as JSON; "every head new" has a field that never comes again. The same follows at rates
that are equal for all: at full speed each finds another number of requests at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import gateway_peers as peers
import uvloop
from gateway_load import Contender, Process, run, show
from isolation import verdict

from frontdoor.testing.provider import Provider
from frontdoor.testing.running import COOKIE_KEY, SECRET

SERVER_CORE, LOAD_CORE = 0, 1
TOKENS = 200
CHANGING = 20_000
EQUAL = 0.8  # of what the slowest of the quick ones can
QUIET = 0.1  # of the same
BODY = json.dumps({"items": ["x" * 90] * 11}).encode()[:1024].ljust(1024)
BROWSER = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: application/json, text/plain, */*\r\nAccept-Language: zh-CN,zh;q=0.8,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
)
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


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def request(*lines: str) -> bytes:
    """A browser's request."""
    head = "GET /api/x?page=2 HTTP/1.1\r\nHost: 127.0.0.1\r\n" + BROWSER
    return (head + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode()


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
class Bench:
    """Starts everything and stops it again.

    Args:
        python: runs the gateway and the peers in Python.
    """

    folder: Path
    stack: ExitStack
    nginx: list[str] | None
    python: str = sys.executable

    def start(self, command: list[str], core: int, port: int, **more: str) -> Process:
        """Start a process on a core; return when it listens."""
        os.sched_setaffinity(0, {core})  # inherited
        packages = [p for p in sys.path if p and not p.startswith(sys.base_prefix)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(packages), **more}
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

    def start_nginx(self, name: str, core: int, inside: str, upstream: int) -> tuple[int, Process]:
        """An nginx: the upstream, or a contender."""
        assert self.nginx is not None
        port, path = free_port(), self.folder / f"{name}.conf"
        given = {"folder": self.folder, "name": name, "port": port}
        path.write_text(peers.NGINX.format(**given, upstream=upstream, inside=inside))
        return port, self.start([*self.nginx, "-e", "stderr", "-c", str(path)], core, port)

    def start_upstream(self) -> int:
        """Where the JSON comes from."""
        if self.nginx is not None:
            inside = f"default_type application/json; return 200 '{BODY.decode()}';"
            return self.start_nginx("upstream", LOAD_CORE, inside, 9)[0]
        return self.start_python("upstream", len(BODY), LOAD_CORE)[0]

    def start_python(
        self, kind: str, upstream: int, core: int = SERVER_CORE
    ) -> tuple[int, Process]:
        """A peer in Python."""
        port = free_port()
        command = [self.python, peers.__file__, kind, str(port), str(upstream)]
        return port, self.start(command, core, port)

    def start_gateway(
        self,
        name: str,
        site: str,
        upstream: int,
        identity: int,
        workers: int = 1,
        text: str = GATEWAY,
    ) -> tuple[int, Process]:
        """A gateway."""
        port, admin, path = free_port(), free_port(), self.folder / f"{name}.conf"
        inside = site.format(folder=self.folder)
        path.write_text(text.format(port=port, upstream=upstream, site=inside))
        return port, self.start(
            [self.python, "-m", "frontdoor"],
            SERVER_CORE,
            port,
            FRONTDOOR_CONFIG=str(path),
            FRONTDOOR_CLIENT_SECRET=SECRET,
            FRONTDOOR_COOKIE_KEY=COOKIE_KEY,
            FRONTDOOR_ADMIN_LISTEN=f"127.0.0.1:{admin}",
            FRONTDOOR_IDENTITY_URL=f"http://127.0.0.1:{identity}",
            FRONTDOOR_WORKERS=str(workers),
        )

    def start_haproxy(self, provider: Provider, upstream: int) -> tuple[int, Process] | None:
        """HAProxy with its own check of ES256 tokens."""
        found = peers.find_haproxy()
        if found is None:
            return None
        program, environment = found
        port, path, key = free_port(), self.folder / "haproxy.cfg", self.folder / "key.pem"
        key.write_bytes(provider.keys[0].as_pem(private=False))
        given = {"port": port, "upstream": upstream, "key": key, "issuer": provider.issuer}
        path.write_text(peers.HAPROXY.format(**given, more=peers.HAPROXY_LOG))
        command = [program, "-q", "-db", "-f", str(path)]
        return port, self.start(command, SERVER_CORE, port, **environment)


def contenders(bench: Bench, provider: Provider, identity: int) -> list[Contender]:
    """Everybody who runs."""
    upstream = bench.start_upstream()
    provider.issuer = "http://127.0.0.1:8080/identity"
    until = int(time.time()) + 3600
    tokens = [f"Bearer {provider.token(sub=f'account-{n}', exp=until)}" for n in range(TOKENS)]
    plain, full = [request()], [request(f"Authorization: {token}") for token in tokens]
    new = [request(f"X-Number: {os.urandom(8).hex()}") for _ in range(CHANGING)]
    full_new = [
        request(f"Authorization: {tokens[n % TOKENS]}", f"X-Number: {os.urandom(8).hex()}")
        for n in range(CHANGING)
    ]
    found = []
    if bench.nginx is not None:
        found.append(
            Contender(
                "nginx, plain",
                *bench.start_nginx("nginx", SERVER_CORE, peers.PASS_ON, upstream),
                plain,
            )
        )
    one = bench.start_gateway("plain", PLAIN, upstream, identity)
    all_ = bench.start_gateway("full", FULL, upstream, identity)
    two = bench.start_gateway("two", FULL, upstream, identity, workers=2)
    found += [
        Contender("gateway, plain", *one, plain),
        Contender("gateway, plain, every head new", *one, new),
        Contender("gateway, full duty", *all_, full),
        Contender("gateway, full duty, every head new", *all_, full_new),
        Contender("gateway, full duty, every head new, 2 workers", *two, full_new),
    ]
    haproxy = bench.start_haproxy(provider, upstream)
    if haproxy is not None:
        found.append(Contender("HAProxy, full duty, every head new", *haproxy, full_new, share=0.3))
    aiohttp, flask = (bench.start_python(kind, upstream) for kind in ("aiohttp", "flask"))
    found += [
        Contender("aiohttp, plain", *aiohttp, plain, share=0.2),
        Contender("Flask + requests, plain", *flask, plain, share=0.03),
    ]
    return found


def main() -> None:
    """Run the rounds, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--python", default=sys.executable, help="runs the gateway")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        provider = Provider()
        identity = stack.enter_context(in_thread(provider))
        os.sched_setaffinity(0, {LOAD_CORE})
        bench = Bench(folder, stack, peers.find_nginx(), options.python)
        found = contenders(bench, provider, identity)
        show_machine(options.python)
        run(found, options.rounds, options.requests)
        show(found, found[0])
        show_verdicts(found)
        slowest, rounds = min(statistics.median(one.rates) for one in found[:5]), options.rounds
        at_a_rate(found[:5], EQUAL * slowest, rounds, options.requests)
        at_a_rate(found[:5], QUIET * slowest, max(rounds // 2, 2), int(QUIET * slowest * 4))


def at_a_rate(found: list[Contender], rate: float, rounds: int, count: int) -> None:
    """The same again when all are asked equally often."""
    same = [Contender(one.name, one.port, one.process, one.requests, rate=rate) for one in found]
    run(same, rounds, count)
    print(f"\nAt {rate:.0f} requests/s each:\n")
    show(same, same[0])


def show_verdicts(found: list[Contender]) -> None:
    """The goals, each a ratio within its rounds."""
    of = {one.name: one.micros for one in found}
    full = of["gateway, full duty, every head new"]
    goals = (
        ("full duty with new heads / nginx, plain", full, of.get("nginx, plain"), 2.0, True),
        ("full duty / HAProxy's", full, of.get("HAProxy, full duty, every head new"), 0.4, True),
        ("aiohttp / gateway, plain", of["aiohttp, plain"], of["gateway, plain"], 6.0, False),
    )
    print()
    for what, above, below, limit, at_most in goals:
        if below is None:
            print(f"{what}: not measured, the peer is not here")
            continue
        ratio = statistics.median(a / b for a, b in zip(above, below, strict=True))
        goal = f"{'at most' if at_most else 'at least'} {limit}"
        print(f"{what}: {ratio:.2f}, {verdict((ratio <= limit) == at_most)}: {goal}")


def show_machine(python: str) -> None:
    """What the figures were measured on."""
    version = subprocess.run(
        [python, "-VV"], capture_output=True, text=True, check=True
    ).stdout.strip()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {version}\n")


if __name__ == "__main__":
    main()
