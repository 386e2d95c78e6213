"""What a register tells by itself: a numbered list of changes, read on from where one stopped."""

import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass

PAGE = 100
KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """One entry; ``on`` is the day from which it holds, ISO 8601."""

    number: int
    kind: str
    document_kind: str
    document_number: str
    on: str


class Changes:
    """The newest changes of one register; thread-safe and bounded."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self._kept: deque[Change] = deque(maxlen=KEPT)
        self._last = 0

    def add(self, kind: str, document_kind: str, document_number: str, on: str) -> None:
        """Put a change at the end."""
        with self._lock:
            self._last += 1
            self._kept.append(Change(self._last, kind, document_kind, document_number, on))

    def newest_first(self) -> list[Change]:
        """For the page."""
        with self._lock:
            return list(self._kept)[::-1][:PAGE]

    def after(self, number: str) -> Mapping[str, object] | None:
        """A page of what came after a number, as the register answers it; None for no number."""
        if not re.fullmatch(r"[0-9]{1,15}", number):
            return None
        with self._lock:
            found = [c for c in self._kept if c.number > int(number)][:PAGE]
            more = bool(found) and found[-1].number < self._last
        return {"changes": [asdict(change) for change in found], "more": more}
