"""One thread's turn at answering what comes next, and the way to let another one go on.

``servicekit.web.leading`` gives the turns; whoever is about to wait for something slow steps aside.
"""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from typing import Final

PATIENCE: Final = 0.01  # seconds a request may keep the next ones waiting
BEGINS_WITHIN: Final = 1.0  # seconds until a turn that no thread was free for is given up


class Turn:
    """A turn, and the main thread's eye on it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over = threading.Lock()
        self._over.acquire()
        self._is_over = False
        # Since when it is busy with one request. It begins when a thread is free: no hurry there.
        self._since: float | None = time.monotonic() + BEGINS_WITHIN

    def busy(self) -> None:
        """A request is being answered from now on."""
        self._since = time.monotonic()

    def free(self) -> bool:
        """Nothing is being answered; is it still this thread's turn?"""
        with self._lock:
            self._since = None
            return not self._is_over

    def end(self) -> None:
        """Let the main thread go on; nothing where it has already."""
        with self._lock:
            if not self._is_over:
                self._is_over = True
                self._over.release()

    def watch(self) -> None:
        """Return when the turn is over or, one request having taken too long, taken away.

        Where no thread is free to begin it, that is after ``BEGINS_WITHIN``.
        """
        left = PATIENCE
        while not self._over.acquire(timeout=left):
            with self._lock:
                left = PATIENCE
                if self._since is not None:
                    left = min(left, self._since + PATIENCE - time.monotonic())
                if left <= 0:
                    self._is_over = True
                    return


_mine: ContextVar[Turn | None] = ContextVar("turn", default=None)


def take(turn: Turn) -> None:
    """It is this thread's from now on."""
    _mine.set(turn)


def step_aside() -> None:
    """What this request does next takes long: what has come meanwhile is another thread's.

    Without it others wait for a moment before it is noticed. Outside a request nothing happens.
    """
    turn = _mine.get()
    if turn is not None:
        turn.end()
