"""How many requests of a key are in hand, in all workers of a machine together."""

from __future__ import annotations

import mmap
from typing import Final

_PROBES: Final = 8
_MARK: Final = (1 << 64) - 1


class InHand:
    """One zone of limit_conn. Made before the workers fork; each counts in a column of its own.

    Args:
        size: bytes of memory.
        workers: how many columns.
    """

    def __init__(self, size: int, workers: int) -> None:
        row = 8 + 4 * workers
        slots = max(1 << ((size // row).bit_length() - 1), 1)
        memory = memoryview(mmap.mmap(-1, slots * row))
        self._marks = memory[: slots * 8].cast("Q")
        self._counts = memory[slots * 8 :].cast("I")
        self._mask = slots - 1
        self._workers = workers
        self._column = 0

    def work_in(self, worker: int) -> None:
        """Count in this worker's column from now on; whoever had it before has nothing in hand."""
        self._column = worker % self._workers
        for slot in range(self._mask + 1):
            self._counts[slot * self._workers + self._column] = 0

    def begin(self, key: bytes, most: int) -> int:
        """Count a request; the slot to give back, or -1 when there are too many."""
        slot = self._find(key)
        row = slot * self._workers
        counts = self._counts
        if sum(counts[row : row + self._workers]) >= most:
            return -1
        counts[row + self._column] += 1
        return slot

    def end(self, slot: int) -> None:
        """The request is over."""
        place = slot * self._workers + self._column
        if self._counts[place]:
            self._counts[place] -= 1

    def _find(self, key: bytes) -> int:
        number = hash(key)
        mark = number & _MARK or 1
        first_free = -1
        for probe in range(_PROBES):
            slot = (number + probe) & self._mask
            found = self._marks[slot]
            if found == mark:
                return slot
            row = slot * self._workers
            if first_free < 0 and not any(self._counts[row : row + self._workers]):
                first_free = slot
        # When all are taken the key shares a row: too strict for a moment rather than too free.
        slot = first_free if first_free >= 0 else number & self._mask
        if first_free >= 0:
            self._marks[slot] = mark
        return slot
