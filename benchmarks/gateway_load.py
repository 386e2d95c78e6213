"""Load for the gateway's benchmark: kept connections that ask again at once, or at a given rate.

A contender is a server under that load; its figures become a table.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

CONNECTIONS = 64

Process = subprocess.Popen[bytes]


def cpu_of(process: int) -> float:
    """Seconds of CPU a process and those it started have used."""
    found, waiting = 0, [process]
    while waiting:
        for task in Path(f"/proc/{waiting.pop()}/task").iterdir():
            found += int((task / "schedstat").read_text().split()[0])
            waiting += map(int, (task / "children").read_text().split())
    return found / 1e9


@dataclass
class Course:
    """What the connections of one round share.

    Args:
        requests: asked in turn.
        left: how many more.
        rate: a second; 0 is as fast as it goes.
    """

    requests: list[bytes]
    left: int
    rate: float = 0.0
    asked: int = 0
    bad: int = 0
    started: float = field(default_factory=time.monotonic)
    took: list[float] = field(default_factory=list)


class Client(asyncio.Protocol):
    """One connection; every answer is as long as the first."""

    transport: asyncio.Transport

    def __init__(self, course: Course, done: asyncio.Event) -> None:
        self.course, self.done = course, done
        self.length = self.got = 0
        self.asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        if not self.length:
            self.course.bad += not data.startswith(b"HTTP/1.1 200")
            head, _, _ = data.partition(b"\r\n\r\n")
            length = next(
                int(line[15:])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            self.length = len(head) + 4 + length
        self.got += len(data)
        if self.got >= self.length:
            self.got = 0
            if self.course.rate:
                self.length = 0
                self.course.took.append(time.monotonic() - self.asked_at)
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self.done.set()

    def _next(self) -> None:
        course = self.course
        if course.left <= 0:
            self.done.set()
            self.transport.close()
            return
        course.left -= 1
        course.asked += 1
        wait = course.started + course.asked / course.rate - time.monotonic() if course.rate else 0
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self._ask, course.asked)
        else:
            self._ask(course.asked)

    def _ask(self, number: int) -> None:
        self.asked_at = time.monotonic()
        self.transport.write(self.course.requests[number % len(self.course.requests)])


async def _run(port: int, course: Course, connections: int) -> None:
    loop, ends = asyncio.get_running_loop(), []
    for _ in range(connections):
        end = asyncio.Event()
        ends.append(end)
        await loop.create_connection(lambda e=end: Client(course, e), "127.0.0.1", port)
    for end in ends:
        await end.wait()


def drive(
    port: int,
    requests: list[bytes],
    count: int,
    *,
    rate: float = 0.0,
    connections: int = CONNECTIONS,
) -> Course:
    """Ask so many times; returns when all is answered.

    Raises:
        AssertionError: an answer was not 200.
    """
    course = Course(requests, count, rate)
    uvloop.run(_run(port, course, connections))
    assert course.bad == 0, f"{course.bad} connections heard something else than 200"
    return course


@dataclass
class Contender:
    """A server under test, its requests and its figures."""

    name: str
    port: int
    process: Process
    requests: list[bytes]
    share: float = 1.0  # of a round's requests, for the slow ones
    rate: float = 0.0  # requests a second; 0 is as many as it can
    micros: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def round(self, count: int) -> float:
        """CPU microseconds per request."""
        count = max(int(count * self.share), 64)
        before, started = cpu_of(self.process.pid), time.monotonic()
        drive(self.port, self.requests, count, rate=self.rate)
        self.rates.append(count / (time.monotonic() - started))
        return (cpu_of(self.process.pid) - before) / count * 1e6

    def memory(self) -> float:
        """MiB of its own, with those it started."""
        found, waiting = 0, [self.process.pid]
        while waiting:
            process = waiting.pop()
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            found += int(next(s for s in rollup.splitlines() if s.startswith("Pss:")).split()[1])
            for task in Path(f"/proc/{process}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        return found / 1024


def run(found: list[Contender], rounds: int, count: int) -> None:
    """Interleaved rounds; the first warms up."""
    for number in range(rounds + 1):
        for contender in found:
            used = contender.round(count)
            if number:
                contender.micros.append(used)


def show(found: list[Contender], first: Contender) -> None:
    """The table."""
    print(f"| contender | CPU µs per request | ratio to {first.name} | requests/s | MiB |")
    print("| --- | --- | --- | --- | --- |")
    for one in found:
        ratios = [a / b for a, b in zip(one.micros, first.micros, strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        micros, rate = statistics.median(one.micros), statistics.median(one.rates)
        print(f"| {one.name} | {micros:.1f} | {spread} | {rate:.0f} | {one.memory():.0f} |")
