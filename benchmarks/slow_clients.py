"""What slow and many clients cost the others, and the memory of bodies and idle connections.

    make bench B=slow_clients

A gateway with one worker stands before one nginx. Ordinary clients ask at a steady rate; beside
them come 1,000 that send their head a byte at a time, 1,000 that send a body so, 1,000 that read
so.
Goals: ordinary p99 < 2 x without them, no error. Then 100 MiB pass up and down, and 10,000
connections stand idle: resident memory < 40 MB, < 4 KB each.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from gateway_load import cpu_of, drive
from gateway_peers import find_nginx
from isolation import verdict

from frontdoor.testing.provider import Provider
from gateway import GATEWAY, LOAD_CORE, Bench, in_thread, request

MIB = 1 << 20
CALM = 0.06  # seconds of CPU in a second
CALM_SECONDS = 3
PACE = 0.005  # seconds between two slow clients
TOGETHER = 20  # slow clients that move at the same time; each moves once a second
LIMIT = 2.0  # x the p99 without slow clients
LONGEST_SETTLE = 12  # seconds
MOST_RESIDENT, MOST_IDLE = 40.0, 4.0  # MB; KB
SITE = """client_max_body_size 0; client_header_timeout 60s; client_body_timeout 60s;
    send_timeout 60s; keepalive_timeout 600s; access_log {folder}/access.log json;
    location / {{ proxy_pass http://up; }} location /sink {{ proxy_pass http://sink; }}
    location /kept {{ client_body_temp_path {folder}; proxy_pass http://sink; }}"""
SINK = "upstream sink {{ server 127.0.0.1:PORT; }}"


def worker_of(process: subprocess.Popen[bytes]) -> int:
    """The worker's process, the master's child."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := children.read_text().split()):
        time.sleep(0.05)
    return int(found[0])


def resident(process: int, kind: str = "VmRSS") -> float:
    """KiB in memory; VmHWM is the most there ever were."""
    status = Path(f"/proc/{process}/status").read_text()
    return float(next(s for s in status.splitlines() if s.startswith(kind)).split()[1])


class Slow:
    """Clients that do one thing slowly, from many addresses, in a process of their own."""

    def __init__(self, port: int, count: int, kind: str) -> None:
        self.port, self.count, self.kind = port, count, kind
        self.ready, self._stop = (multiprocessing.Event() for _ in range(2))
        self._errors = multiprocessing.Value("i", 0)
        self._process = multiprocessing.Process(target=self._begin, daemon=True)

    def __enter__(self) -> Slow:
        self._process.start()
        assert self.ready.wait(120)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._process.join()

    @property
    def errors(self) -> int:
        """Connections that ended."""
        return self._errors.value

    def _begin(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        clients = []
        for number in range(self.count):
            clients.append(await self._open(number))
            if self.kind != "idle":  # else the upstream's own queue of connections overflows
                await asyncio.sleep(PACE)
        self.ready.set()
        while not self._stop.is_set():
            for number, client in enumerate(clients):
                if number % TOGETHER == 0:  # all at once would be a burst no thousand people make
                    self._stop.wait(TOGETHER / len(clients))
                self._move(client)
        for client in clients:
            client.close()

    def _move(self, client: socket.socket) -> None:
        try:
            if self.kind == "readers":
                client.recv(1)
            elif self.kind != "idle":
                client.send(b"a")
        except BlockingIOError:
            pass
        except OSError:
            self._errors.value += 1

    async def _open(self, number: int) -> socket.socket:
        client = socket.socket()
        if self.kind == "readers":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        client.bind((f"127.0.{1 + number // 200 % 50}.{1 + number % 200}", 0))
        await self._loop.sock_connect(client, ("127.0.0.1", self.port))
        begin = {
            "heads": b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
            "bodies": b"POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
            "readers": b"GET /big/part HTTP/1.1\r\nHost: a\r\n\r\n",
            "idle": request(),
        }
        await self._loop.sock_sendall(client, begin[self.kind])
        if self.kind == "idle":
            await self._loop.sock_recv(client, 4096)
        return client


def settle(process: int) -> None:
    """Until the buffers of those who do not read are full and the process is calm."""
    calm = 0
    for _ in range(LONGEST_SETTLE):
        before = cpu_of(process)
        time.sleep(1)
        calm = calm + 1 if cpu_of(process) - before < CALM else 0
        if calm == CALM_SECONDS:
            return


def p99(port: int, count: int, rate: float) -> float:
    """Milliseconds of ordinary requests at a steady rate."""
    course = drive(port, [request()], count, rate=rate, connections=16)
    return statistics.quantiles(course.took, n=100)[98] * 1000


def pass_bodies(port: int, size: int) -> None:
    """So many bytes down and up, each in one request."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /big/file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        got = 0
        while part := client.recv(1 << 18):
            got += len(part)
        assert got > size, got
    for path in (b"/sink", b"/kept"):  # streamed, and whole in a file first
        with socket.create_connection(("127.0.0.1", port)) as client:
            head = b"POST %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
            client.sendall(head % (path, size))
            for _ in range(size // MIB):
                client.sendall(b"x" * MIB)
            assert client.recv(100).startswith(b"HTTP/1.1 200"), "the body was not taken"


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slow", type=int, default=1000)
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=500)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        (folder / "big").mkdir()
        (folder / "big" / "part").write_bytes(os.urandom(MIB) * 8)
        (folder / "big" / "file").write_bytes(os.urandom(MIB) * 100)
        identity = stack.enter_context(in_thread(Provider()))
        os.sched_setaffinity(0, {LOAD_CORE})
        bench = Bench(folder, stack, find_nginx())
        assert bench.nginx is not None, "needs nginx as the upstream"
        inside = f"return 200 ok; }} client_max_body_size 0; location /big {{ root {folder};"
        upstream, _ = bench.start_nginx("upstream", LOAD_CORE, inside, 9)
        sink, _ = bench.start_python("sink", 0, LOAD_CORE)
        text = GATEWAY.replace("upstream up", SINK.replace("PORT", str(sink)) + " upstream up")
        port, process = bench.start_gateway("slow", SITE, upstream, identity, text=text)
        worker = worker_of(process)
        p99(port, 500, options.rate)
        show_slow(port, worker, options)
        (folder / "image").mkdir()
        (folder / "image" / "rich.py").write_text("raise ImportError('developers have it')")
        sys.path.insert(0, str(folder / "image"))  # structlog takes it where it is, 5 MB
        port, process = bench.start_gateway("memory", SITE, upstream, identity, text=text)
        show_memory(port, worker_of(process), options.idle)


def show_slow(port: int, worker: int, options: argparse.Namespace) -> None:
    """Ordinary requests beside slow ones, each round beside one without."""
    print("| beside | p99 without, ms | p99 with, ms | ratio | errors | MiB | < 2 x, 0 errors |")
    print("| --- " * 7 + "|")
    for kind in ("heads", "bodies", "readers"):
        alone, beside, errors = [], [], 0
        for _ in range(3):
            alone.append(p99(port, options.requests, options.rate))
            with Slow(port, options.slow, kind) as slow:
                settle(worker)
                beside.append(p99(port, options.requests, options.rate))
                held = resident(worker)
            errors += slow.errors
        ratio = statistics.median(b / a for a, b in zip(alone, beside, strict=True))
        without, with_ = statistics.median(alone), statistics.median(beside)
        figures = f"{without:.1f} | {with_:.1f} | {ratio:.2f} | {errors} | {held / 1024:.0f}"
        figures += f" | {verdict(ratio < LIMIT and not errors)}"
        print(f"| {options.slow} slow {kind} | {figures} |")


def show_memory(port: int, worker: int, idle: int) -> None:
    """Bodies, then idle connections."""
    pass_bodies(port, 100 * MIB)
    after = resident(worker, "VmHWM")
    held = after * 1024 / 1e6
    print(f"\n100 MiB down and up: at most {held:.1f} MB, {verdict(held < MOST_RESIDENT)}: < 40 MB")
    before = resident(worker)
    with Slow(port, idle, "idle"):
        each = (resident(worker) - before) / idle
    print(f"{idle} idle connections: {each:.2f} KiB each, {verdict(each < MOST_IDLE)}: < 4 KB")


if __name__ == "__main__":
    main()
