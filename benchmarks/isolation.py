"""What a hanging, a dead and a failing service cost the routes of the others.

    make bench B=isolation

Two gateways, each before four services of its own, have the same load at the same time, so that
whatever else the machine does meets both. All is well behind the one; behind the other one service
hangs, one is dead and one answers 503. They change places each round. A round gives one ratio of
the p99s of the healthy services' routes; the figure is the median of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from running import wait_for
from steady_load import Results, SteadyLoad, request

LIMIT = 1.10  # x the p99 with all well
SETTLE = 1.5  # seconds before each measured part: the breakers open
RATE = 150  # to a healthy service; each of the others gets a quarter of it
NAMES = ("healthy", "hanging", "dead", "failing")
CONFIGURATION = """http {{
    proxy_connect_timeout 1s; proxy_read_timeout 1s;
    {upstreams}
    server {{ listen 127.0.0.1:1; location = /livez {{ health live; }} {locations} }}
}}
"""


def free_port() -> int:
    """One nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Stand:
    """A service whose mood changes between rounds.

    Args:
        name: what it is in trouble.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.troubled = False
        self.port = free_port()
        self._server: asyncio.Server | None = None

    async def trouble(self, troubled: bool) -> None:
        """Be what the name says, or well."""
        self.troubled = troubled and self.name != "healthy"
        if self.name == "dead" and troubled:
            await self._close()
        elif self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                if self.troubled and self.name == "dead":
                    break
                if self.troubled and self.name == "hanging":
                    await asyncio.sleep(30)
                status = b"503 No" if self.troubled else b"200 OK"
                writer.write(b"HTTP/1.1 %b\r\nContent-Length: 2\r\n\r\nok" % status)
                await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()


class Stands:
    """All of them, in a process of their own."""

    def __init__(self) -> None:
        self.all = [Stand(name) for name in NAMES]
        self._here, self._there = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=self._serve, daemon=True)

    def __enter__(self) -> Stands:
        self._process.start()
        self.trouble(False)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def trouble(self, troubled: bool) -> None:
        """All but the healthy one, or none."""
        self._here.send(troubled)
        self._here.recv()

    def _serve(self) -> None:
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        while True:
            troubled = await asyncio.to_thread(self._there.recv)
            for stand in self.all:
                await stand.trouble(troubled)
            self._there.send(None)


@contextmanager
def gateway(folder: Path, stands: list[Stand]) -> Iterator[int]:
    """The gateway before the stands, its port."""
    breaker = "circuit_breaker failures=5 rest=2s;"
    upstreams = "".join(
        f"upstream {s.name} {{ server 127.0.0.1:{s.port}; {breaker} }}\n" for s in stands
    )
    locations = "".join(f"location /{s.name}/ {{ proxy_pass http://{s.name}; }}\n" for s in stands)
    config = folder / "gateway.conf"
    config.write_text(CONFIGURATION.format(upstreams=upstreams, locations=locations), "utf-8")
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        port, admin = one.getsockname()[1], two.getsockname()[1]
    environment = os.environ | {
        "FRONTDOOR_CONFIG": str(config),
        "FRONTDOOR_CLIENT_SECRET": "a-secret-only-benchmarks-know-012345",
        "FRONTDOOR_COOKIE_KEY": b64encode(bytes(range(32))).decode(),
        "FRONTDOOR_ADMIN_LISTEN": f"127.0.0.1:{admin}",
        "FRONTDOOR_IDENTITY_URL": "http://127.0.0.1:9",
    }
    command = [sys.executable, "-m", "frontdoor", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/livez", process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


async def load_all(ports: Sequence[int], seconds: float) -> list[dict[str, Results]]:
    """The same load as ever on each gateway at once, for a while."""
    loads = [
        {
            name: SteadyLoad(
                port, [request("GET", f"/{name}/x")], RATE if name == "healthy" else RATE / 4
            )
            for name in NAMES
        }
        for port in ports
    ]
    every = [load for group in loads for load in group.values()]
    running = [asyncio.ensure_future(load.run()) for load in every]
    await asyncio.sleep(seconds)
    for load in every:
        load.stop()
    await asyncio.gather(*running)
    return [{name: load.results for name, load in group.items()} for group in loads]


def one_round(
    number: int, ports: Sequence[int], stands: Sequence[Stands], seconds: float
) -> tuple[float, int]:
    """Trouble behind one of the two; the p99s' ratio and the failed requests."""
    hard = number % 2
    stands[hard].trouble(True)
    stands[1 - hard].trouble(False)
    asyncio.run(load_all(ports, SETTLE))
    found = asyncio.run(load_all(ports, seconds))
    without, beside = found[1 - hard]["healthy"], found[hard]["healthy"]
    others = {name: dict(found[hard][name].statuses) for name in NAMES[1:]}
    figures = [
        f"p{share:g} {without.percentile(share / 100) * 1e3:.1f} and "
        f"{beside.percentile(share / 100) * 1e3:.1f} ms"
        for share in (50, 99)
    ]
    print(f"round {number + 1}: healthy {', '.join(figures)}; the others {others}", flush=True)
    ratio = beside.percentile(0.99) / without.percentile(0.99)
    return ratio, len(without.failures) + len(beside.failures)


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    with ExitStack() as stack:
        stands, ports = [], []
        for _ in range(2):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="isolation-"))
            stands.append(stack.enter_context(Stands()))
            ports.append(stack.enter_context(gateway(Path(folder), stands[-1].all)))
        asyncio.run(load_all(ports, 1.0))
        rounds = [one_round(n, ports, stands, options.seconds) for n in range(options.rounds)]
    ratios = sorted(ratio for ratio, _ in rounds)
    failures = sum(count for _, count in rounds)
    middle, quarter = statistics.median(ratios), len(ratios) // 4
    print(
        f"p99 of the healthy route beside three in trouble: {middle:.2f} x"
        f" (half of the rounds {ratios[quarter]:.2f}-{ratios[-1 - quarter]:.2f}),"
        f" {verdict(middle <= LIMIT)}: goal {LIMIT:.2f} x"
    )
    print(f"failed requests of the healthy route: {failures}, {verdict(failures == 0)}: goal 0")


def verdict(met: bool) -> str:
    """In one word."""
    return "met" if met else "MISSED"


if __name__ == "__main__":
    main()
