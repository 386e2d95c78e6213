"""What the workers of a machine tell each other of the servers: who rests, who is unwell."""

from __future__ import annotations

import mmap
from typing import Final

_WIDTH: Final = 5  # cells of a server
_RESTS, _UNWELL, _BACK, _CHECKED, _STREAK = range(_WIDTH)
_SLOTS: Final = 4096
_PROBES: Final = 16
_MARK: Final = (1 << 64) - 1


class SharedHealth:
    """A row of numbers per server. Made before the workers fork; a lost race costs one check."""

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
