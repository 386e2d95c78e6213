"""So many requests a second, however the answers come; each answer is looked at."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

PATIENCE = 20.0
LONGEST_IDLE = 1.0  # seconds; a draining gateway closes what was idle for two
BAD = 500  # and above, and whatever is no answer at all


@dataclass
class Results:
    """What became of the requests; latencies in seconds, from when each was due."""

    statuses: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Requests that have an outcome."""
        return sum(self.statuses.values())

    def percentile(self, share: float) -> float:
        """The latency that so many stay below."""
        ordered = sorted(self.latencies)
        return ordered[min(math.ceil(len(ordered) * share), len(ordered)) - 1] if ordered else 0.0


class SteadyLoad:
    """An open loop over kept connections.

    Args:
        port: of 127.0.0.1.
        requests: whole ones, sent in turn.
        rate: a second.
    """

    def __init__(self, port: int, requests: Sequence[bytes], rate: float) -> None:
        self.results = Results()
        self._port = port
        self._requests = requests
        self._rate = rate
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, float]] = []
        self._started = time.monotonic()
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send until `stop`, then wait for the answers."""
        started, number = time.monotonic(), 0
        while not self._stopping.is_set():
            due = started + number / self._rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            task = asyncio.ensure_future(
                self._one(self._requests[number % len(self._requests)], due)
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            number += 1
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PATIENCE)
        for _, writer, _ in self._idle:
            writer.close()

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()

    async def _one(self, request: bytes, due: float) -> None:
        results = self.results
        try:
            async with asyncio.timeout(PATIENCE):
                status = await self._ask(request)
        except (OSError, EOFError, ValueError, TimeoutError, IndexError) as error:
            status = type(error).__name__
        results.statuses[status] += 1
        results.latencies.append(time.monotonic() - due)
        if not status.isdecimal() or int(status) >= BAD:
            after = time.monotonic() - self._started
            results.failures.append(f"{status} {request.split(b' ', 2)[1].decode()} {after:.1f} s")

    async def _ask(self, request: bytes) -> str:
        reader, writer = await self._connection()
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            fields = dict(
                line.lower().split(b": ", 1)
                for line in head[:-4].split(b"\r\n")[1:]
                if b": " in line
            )
            if fields.get(b"transfer-encoding") == b"chunked":
                while size := int(await reader.readline(), 16):
                    await reader.readexactly(size + 2)
                await reader.readexactly(2)
            else:
                await reader.readexactly(int(fields.get(b"content-length", b"0")))
        except BaseException:
            writer.close()
            raise
        if fields.get(b"connection") == b"close":
            writer.close()
        else:
            self._idle.append((reader, writer, time.monotonic()))
        return head.split(b" ", 2)[1].decode()

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer, since = self._idle.pop()
            if not reader.at_eof() and time.monotonic() - since < LONGEST_IDLE:
                return reader, writer
            writer.close()  # the other side said goodbye, or is about to
        return await asyncio.open_connection("127.0.0.1", self._port)


def request(method: str, target: str, *lines: str) -> bytes:
    """A request with a browser's usual fields."""
    fields = ("Host: 127.0.0.1", "Accept: application/json", "User-Agent: steady-load", *lines)
    return "\r\n".join((f"{method} {target} HTTP/1.1", *fields, "", "")).encode()
