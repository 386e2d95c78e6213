"""Counts what happened, for all workers together, and shows it in Prometheus' text form."""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from frontdoor.exchange import Exchange, Finished

CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
_BOUNDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_CLASSES: Final = 5  # 1xx … 5xx
_SUM: Final = _CLASSES + len(_BOUNDS) + 1
_WIDTH: Final = _SUM + 1  # per location: status classes, buckets, microseconds


class Measures:
    """A stripe of counters per worker in shared memory; made before the workers fork.

    Args:
        names: the locations, as they are written.
        workers: how many stripes.
    """

    def __init__(self, names: Sequence[str], workers: int) -> None:
        self._names = names
        self._stripe = len(names) * _WIDTH
        self._cells = memoryview(mmap.mmap(-1, max(workers, 1) * self._stripe * 8)).cast("Q")
        self._start = 0
        self._fresh = [[0] * _WIDTH for _ in names]  # not yet in the stripe

    def work_in(self, worker: int) -> None:
        """Count in this worker's stripe from now on."""
        stripes = len(self._cells) // self._stripe
        self._start = worker % stripes * self._stripe

    def counter(self, number: int) -> Finished:
        """Counts the requests of one location."""
        fresh = self._fresh[number]

        def count(exchange: Exchange) -> None:
            took = exchange.ended - exchange.started
            fresh[exchange.status // 100 - 1] += 1
            fresh[_CLASSES + bisect_left(_BOUNDS, took)] += 1
            fresh[_SUM] += int(took * 1e6)

        return count

    def tick(self) -> None:
        """A few times a second: what was counted becomes known to all workers."""
        for number, fresh in enumerate(self._fresh):
            if any(fresh):
                base = self._start + number * _WIDTH
                for index, count in enumerate(fresh):
                    self._cells[base + index] += count
                    fresh[index] = 0

    def by_upstream(self, upstreams: Sequence[str | None]) -> Iterator[str]:
        """Lines with the requests and seconds of each upstream.

        Args:
            upstreams: the upstream of each location; None has none.
        """
        for upstream in sorted({name for name in upstreams if name is not None}):
            sums = [0] * _WIDTH
            for number, name in enumerate(upstreams):
                if name == upstream:
                    sums = [a + b for a, b in zip(sums, self._figures(number), strict=True)]
            for index in range(_CLASSES):
                labels = f'upstream="{upstream}",status="{index + 1}xx"'
                if sums[index]:
                    yield f"jiuye_gateway_upstream_requests_total{{{labels}}} {sums[index]}"
            yield f'jiuye_gateway_upstream_seconds_sum{{upstream="{upstream}"}} {sums[_SUM] / 1e6}'

    def render(self, *, connections: int, more: Iterable[str] = ()) -> bytes:
        """The text for ``/metrics``."""
        lines = [
            "# TYPE jiuye_gateway_connections gauge",
            f"jiuye_gateway_connections {connections}",
            "# TYPE jiuye_gateway_requests_total counter",
            "# TYPE jiuye_gateway_seconds histogram",
        ]
        for number, name in enumerate(self._names):
            figures = self._figures(number)
            label = name.replace("\\", "\\\\").replace('"', '\\"')
            for index in range(_CLASSES):
                if figures[index]:
                    labels = f'location="{label}",status="{index + 1}xx"'
                    lines.append(f"jiuye_gateway_requests_total{{{labels}}} {figures[index]}")
            lines += _histogram(label, figures)
        lines += more
        return ("\n".join(lines) + "\n").encode()

    def _figures(self, number: int) -> list[int]:
        self.tick()
        sums = [0] * _WIDTH
        for stripe in range(0, len(self._cells), self._stripe):
            start = stripe + number * _WIDTH
            for index in range(_WIDTH):
                sums[index] += self._cells[start + index]
        return sums


def _histogram(label: str, figures: list[int]) -> list[str]:
    total, lines = 0, []
    for bound, count in zip((*_BOUNDS, "+Inf"), figures[_CLASSES:_SUM], strict=True):
        total += count
        lines.append(f'jiuye_gateway_seconds_bucket{{location="{label}",le="{bound}"}} {total}')
    if not total:
        return []
    lines.append(f'jiuye_gateway_seconds_sum{{location="{label}"}} {figures[_SUM] / 1e6}')
    lines.append(f'jiuye_gateway_seconds_count{{location="{label}"}} {total}')
    return lines
