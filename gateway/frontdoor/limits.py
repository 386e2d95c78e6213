"""How often a key may ask: nginx's leaky bucket, in memory that all workers share."""

from __future__ import annotations

import mmap
from typing import Final

_SLOT: Final = 16  # bytes: the key's mark, and the time its bucket is empty again
_PROBES: Final = 8


class Buckets:
    """One zone. Made before the workers fork; a lost race between two of them is one request.

    Args:
        size: bytes of memory; when it is full the key that waited longest is forgotten.
        rate: requests a second.
    """

    def __init__(self, size: int, rate: float) -> None:
        slots = 1 << ((size // _SLOT).bit_length() - 1)
        memory = memoryview(mmap.mmap(-1, slots * _SLOT))
        self._marks = memory[: slots * 8].cast("q")  # 0 is nobody
        self._times = memory[slots * 8 :].cast("d")
        self._mask = slots - 1
        self._interval = 1 / rate

    def take(self, key: bytes, burst: int, now: float) -> bool:
        """Count a request; False when it comes too early.

        Args:
            key: who asks.
            burst: how many may come before their time.
            now: monotonic seconds, the same clock in every worker.
        """
        mark = hash(key)
        slot = mark & self._mask
        if self._marks[slot] != mark:
            slot = self._find(key)
        times, interval = self._times, self._interval
        empty = times[slot]
        if empty <= now:
            times[slot] = now + interval
        elif empty - now > burst * interval:
            return False
        else:
            times[slot] = empty + interval
        return True

    def is_full(self, key: bytes, burst: int, now: float) -> bool:
        """Would `take` say no?"""
        return self._times[self._find(key)] - now > burst * self._interval

    def left(self, key: bytes, burst: int, now: float) -> tuple[int, int]:
        """How many requests may come at once, and the seconds until all may again."""
        waits = max(self._times[self._find(key)] - now, 0.0)
        taken = waits / self._interval
        return max(int(burst + 1 - taken), 0), -int(-waits // 1)

    def _find(self, key: bytes) -> int:
        mark = hash(key) or 1
        marks, times, mask = self._marks, self._times, self._mask
        best = slot = mark & mask
        for probe in range(_PROBES):
            slot = (mark + probe) & mask
            found = marks[slot]
            if found == mark:
                return slot
            if found == 0:
                best = slot
                break
            if times[slot] < times[best]:
                best = slot
        marks[best] = mark
        times[best] = 0.0
        return best


class AllBuckets:
    """The buckets of a machine, by what they are for.

    Args:
        former: those before a reload. Who is the same as before is kept: a reload gives nobody a
            second allowance, and no proof a second use.
    """

    def __init__(self, former: AllBuckets | None = None) -> None:
        self._former = {} if former is None else former._known
        self._known: dict[tuple[str, int, float], Buckets] = {}

    def of(self, name: str, size: int, rate: float) -> Buckets:
        """Those of a name; see `Buckets`."""
        key = (name, size, rate)
        self._known[key] = found = self._former.get(key) or Buckets(size, rate)
        return found
