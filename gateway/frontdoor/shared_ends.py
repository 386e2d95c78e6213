"""Sessions that one worker was told have ended; the others read of them a moment later."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from typing import Final

_LONGEST: Final = 120  # bytes of a session's id
_ROW: Final = _LONGEST + 8
_ROWS: Final = 4096
_HEAD: Final = 8
_NUMBER: Final = struct.Struct("<Q")


class SharedEnds:
    """A ring in shared memory. Made before the workers fork; each reads on from where it was.

    Two workers that write at one moment may lose one of two ends; the bus tells them all anyway.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _HEAD + _ROWS * _ROW)
        self._read = 0

    def tell(self, session_id: str) -> None:
        """Let every worker know."""
        name = session_id.encode()
        if not 0 < len(name) <= _LONGEST:
            return
        number = self._count() + 1
        start = _HEAD + number % _ROWS * _ROW
        row = _NUMBER.pack(len(name)) + name
        self._memory[start : start + len(row)] = row
        self._memory[:_HEAD] = _NUMBER.pack(number)

    def news(self) -> Iterator[str]:
        """What was told since the last look."""
        count = self._count()
        for number in range(max(self._read, count - _ROWS) + 1, count + 1):
            start = _HEAD + number % _ROWS * _ROW
            (length,) = _NUMBER.unpack(self._memory[start : start + 8])
            yield bytes(self._memory[start + 8 : start + 8 + min(length, _LONGEST)]).decode()
        self._read = count

    def _count(self) -> int:
        return int(_NUMBER.unpack(self._memory[:_HEAD])[0])
