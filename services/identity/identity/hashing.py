"""Password hashing in a bounded pool, so that a storm of logins leaves the others their air."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from servicekit import turns
from servicekit.errors import Unavailable

Result = TypeVar("Result")

WAIT: Final = 10.0  # seconds a login waits for its turn before it is told to come again
QUEUE: Final = 64  # logins that wait in one process; the next is told to come again at once
NICE: Final = 10  # a hash takes 30 ms of a core that refreshes and reads would have needed


class Busy(Unavailable):
    """Too many passwords are being checked at this moment."""

    code = "sign-in-busy"
    default_message = "当前登录人数较多，请稍后再试"


class Hasher:
    """argon2id on threads of low priority, one core fewer than there are; logins take turns.

    Args:
        memory_kib: memory cost; 19456 (19 MiB) with time 2 is OWASP's first choice.
        time_cost: passes.
        slots: hashes at once; one fewer than the cores when None, but one at least.
    """

    def __init__(self, *, memory_kib: int, time_cost: int, slots: int | None = None) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        slots = slots or max(1, (os.cpu_count() or 1) - 1)
        self._pool = ThreadPoolExecutor(slots, "hashing", initializer=_give_way)
        # One more than the slots: while one is hashed the next is looked up.
        self._turns = threading.BoundedSemaphore(slots + 1)
        self._waiting = threading.BoundedSemaphore(QUEUE)
        self._mine = threading.local()
        # Verified against when there is no account, so that both answers take the same time.
        self._nobody = self._hasher.hash("nobody")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Take a turn for all that belongs to one login; inside it hashes wait for nobody else.

        Whoever waits holds a thread, but no connection and no core.

        Raises:
            Busy: too many wait already, or the turn did not come in time.
        """
        if getattr(self._mine, "depth", 0):
            yield
            return
        if not self._waiting.acquire(blocking=False):
            raise Busy(retry_after=5)
        turns.step_aside()
        try:
            if not self._turns.acquire(timeout=WAIT):
                raise Busy(retry_after=5)
        finally:
            self._waiting.release()
        self._mine.depth = 1
        try:
            yield
        finally:
            self._mine.depth = 0
            self._turns.release()

    def hash(self, password: str) -> str:
        """The stored form.

        Raises:
            Busy: no turn came in time.
        """
        return self._compute(lambda: self._hasher.hash(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Is it this password? ``None`` costs as much and is never right.

        Raises:
            Busy: no turn came in time.
        """
        return self._compute(lambda: self._is_right(stored, password))

    def is_outdated(self, stored: str) -> bool:
        """Was it hashed with other costs than today's?"""
        return self._hasher.check_needs_rehash(stored)

    def _compute(self, work: Callable[[], Result]) -> Result:
        with self.turn():
            return self._pool.submit(work).result()

    def _is_right(self, stored: str | None, password: str) -> bool:
        try:
            self._hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None


def _give_way() -> None:
    """Linux has a priority per thread; elsewhere the pool's bound has to do."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
