"""Counts what happened to the groups of servers, for all workers together."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

EVENTS: Final = ("failed", "repeated", "refused", "waited")


class UpstreamMeasures:
    """A stripe of counters per worker in shared memory; made before the workers fork.

    Args:
        names: the upstreams.
        workers: how many stripes.
    """

    def __init__(self, names: Sequence[str], workers: int) -> None:
        self._names = list(names)
        self._stripe = max(len(self._names), 1) * len(EVENTS)
        self._workers = max(workers, 1)
        self._cells = memoryview(mmap.mmap(-1, self._workers * self._stripe * 8)).cast("Q")
        self._start = 0

    def work_in(self, worker: int) -> None:
        """Count in this worker's stripe from now on."""
        self._start = worker % self._workers * self._stripe

    def teller(self, name: str) -> Callable[[str], None]:
        """Counts the events of one upstream."""
        return partial(self._count, self._names.index(name) * len(EVENTS))

    def _count(self, row: int, event: str) -> None:
        self._cells[self._start + row + EVENTS.index(event)] += 1

    def figures(self, name: str) -> dict[str, int]:
        """What was counted for an upstream."""
        row = self._names.index(name) * len(EVENTS)
        starts = range(0, len(self._cells), self._stripe)
        return {
            event: sum(self._cells[start + row + number] for start in starts)
            for number, event in enumerate(EVENTS)
        }
