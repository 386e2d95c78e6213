"""What a hanging, a dead and a failing service cost the routes of the others.

    make bench B=isolation

One gateway before four services. Rounds alternate: in the calm ones all four are well, in the
others one hangs, one is dead and one answers 503; the load is the same. The figure is the p99 of
the healthy service's route, troubled round by calm round.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from running import wait_for
from steady_load import Results, SteadyLoad, request

SETTLE = 1.5  # seconds before each measured part, calm or not: the breakers open
RATE = 200  # to the healthy service; each of the others gets a quarter of it
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
    """A service whose mood changes between rounds; it serves in a thread of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.troubled = False
        self.loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self.port = free_port()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self._call(self._open())

    def trouble(self, troubled: bool) -> None:
        """Be what the name says, or well."""
        self.troubled = troubled and self.name != "healthy"
        if self.name == "dead":
            self._call(self._close() if troubled else self._open())

    def _call(self, what) -> None:
        asyncio.run_coroutine_threadsafe(what, self.loop).result(10)

    async def _open(self) -> None:
        if self._server is None:
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


async def one_round(port: int, seconds: float) -> dict[str, Results]:
    """The same load as ever, for a while."""
    loads = {
        name: SteadyLoad(
            port, [request("GET", f"/{name}/x")], RATE if name == "healthy" else RATE / 4
        )
        for name in NAMES
    }
    running = [asyncio.ensure_future(load.run()) for load in loads.values()]
    await asyncio.sleep(seconds)
    for load in loads.values():
        load.stop()
    await asyncio.gather(*running)
    return {name: load.results for name, load in loads.items()}


def one_pair(number: int, port: int, stands: list[Stand], seconds: float) -> tuple[float, int]:
    """A calm round and one with trouble, in turn; the p99s' ratio and the failed requests."""
    found = {}
    for troubled in ((False, True), (True, False))[number % 2]:
        for stand in stands:
            stand.trouble(troubled)
        asyncio.run(one_round(port, SETTLE))
        found[troubled] = asyncio.run(one_round(port, seconds))
    calm, hard = (found[troubled]["healthy"] for troubled in (False, True))
    others = {name: dict(found[True][name].statuses) for name in NAMES[1:]}
    figures = [
        f"p{share:g} {calm.percentile(share / 100) * 1e3:.1f} → "
        f"{hard.percentile(share / 100) * 1e3:.1f} ms"
        for share in (50, 99)
    ]
    print(f"round {number + 1}: healthy {', '.join(figures)}; the others {others}")
    ratio = hard.percentile(0.99) / calm.percentile(0.99)
    return ratio, len(calm.failures) + len(hard.failures)


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    stands = [Stand(name) for name in NAMES]
    with (
        tempfile.TemporaryDirectory(prefix="isolation-") as folder,
        gateway(Path(folder), stands) as port,
    ):
        asyncio.run(one_round(port, 1.0))
        rounds = [one_pair(n, port, stands, options.seconds) for n in range(options.rounds)]
    ratios = [ratio for ratio, _ in rounds]
    failures = sum(count for _, count in rounds)
    print(f"p99 of the healthy route beside three in trouble: {statistics.median(ratios):.2f} ×")
    print(f"failed requests of the healthy route: {failures}")


if __name__ == "__main__":
    main()
