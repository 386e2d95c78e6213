"""What the workers of a machine know together of the servers: who failed, rests, is unwell."""

from __future__ import annotations

import mmap
from typing import Final

_WIDTH: Final = 9  # cells of a server
_RESTS, _UNWELL, _BACK, _CHECKED, _STREAK, _FAILS, _FAILED_AT, _IN_A_ROW, _OPEN = range(_WIDTH)
_SLOTS: Final = 4096
_PROBES: Final = 16
_MARK: Final = (1 << 64) - 1


class SharedHealth:
    """A row of numbers per server. Made before the workers fork.

    A lost race costs one check, or one failure that is not counted.
    """

    def __init__(self) -> None:
        memory = memoryview(mmap.mmap(-1, _SLOTS * (_WIDTH + 1) * 8))
        self._marks = memory[: _SLOTS * 8].cast("Q")
        self._cells = memory[_SLOTS * 8 :].cast("d")

    def row(self, name: str) -> Row:
        """The row of a server; where the table is full, several share one."""
        number = hash(name)
        mark = number & _MARK or 1
        slot = number % _SLOTS
        for probe in range(_PROBES):
            place = (slot + probe) % _SLOTS
            if self._marks[place] in (0, mark):
                self._marks[place] = mark
                return Row(self._cells[place * _WIDTH : (place + 1) * _WIDTH])
        return Row(self._cells[slot * _WIDTH : (slot + 1) * _WIDTH])


class Row:
    """What is known of one server.

    Args:
        cells: its part of the shared memory.
    """

    __slots__ = ("_cells",)

    def __init__(self, cells: memoryview[float]) -> None:
        self._cells = cells

    @property
    def rests_until(self) -> float:
        """Monotonic seconds; the past when it does not rest."""
        return self._cells[_RESTS]

    @rests_until.setter
    def rests_until(self, value: float) -> None:
        self._cells[_RESTS] = value

    @property
    def unwell(self) -> bool:
        """Did health checks find it so?"""
        return self._cells[_UNWELL] > 0

    @unwell.setter
    def unwell(self, value: bool) -> None:
        self._cells[_UNWELL] = float(value)

    @property
    def back_since(self) -> float:
        """Since when it answers again; 0 when it was never away."""
        return self._cells[_BACK]

    @back_since.setter
    def back_since(self, value: float) -> None:
        self._cells[_BACK] = value

    @property
    def open_until(self) -> float:
        """Until when its breaker lets nobody pass; 0 when it is closed."""
        return self._cells[_OPEN]

    @open_until.setter
    def open_until(self, value: float) -> None:
        self._cells[_OPEN] = value

    @property
    def is_suspect(self) -> bool:
        """Did it fail since it last answered well?"""
        cells = self._cells
        return bool(cells[_FAILS] or cells[_IN_A_ROW] or cells[_OPEN] or cells[_RESTS])

    def failed(self, now: float, within: float) -> int:
        """Count a failure; how many there were within so many seconds of each other."""
        cells = self._cells
        fails = 1 if now - cells[_FAILED_AT] > within else int(cells[_FAILS]) + 1
        cells[_FAILS] = fails
        cells[_FAILED_AT] = now
        return fails

    def failed_again(self) -> int:
        """Count failures in a row, of whatever kind."""
        self._cells[_IN_A_ROW] += 1
        return int(self._cells[_IN_A_ROW])

    def succeeded(self) -> None:
        """It answers: nothing counts against it."""
        cells = self._cells
        cells[_FAILS] = cells[_IN_A_ROW] = cells[_OPEN] = cells[_RESTS] = 0.0

    def is_due(self, now: float, interval: float) -> bool:
        """Is it this worker's turn to check? Says yes once an interval, to one of them."""
        if self._cells[_CHECKED] > now:
            return False
        self._cells[_CHECKED] = now + interval
        return True

    def note(self, *, good: bool) -> int:
        """Count checks in a row: positive good ones, negative bad ones."""
        streak = int(self._cells[_STREAK])
        streak = max(streak, 0) + 1 if good else min(streak, 0) - 1
        self._cells[_STREAK] = streak
        return abs(streak)
