"""Password hashing in a bounded pool, so that a storm of logins leaves the cores some air."""

from __future__ import annotations

import os
import threading
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from servicekit.errors import Unavailable

WAIT: Final = 10.0  # seconds a login waits for a free core before it is told to come again


class Busy(Unavailable):
    """Too many passwords are being checked at this moment."""

    code = "sign-in-busy"
    default_message = "当前登录人数较多，请稍后再试"


class Hasher:
    """argon2id, at most one hash per core at a time.

    Args:
        memory_kib: memory cost; 19456 (19 MiB) with time 2 is OWASP's first choice.
        time_cost: passes.
        slots: hashes at once; the number of cores when None.
    """

    def __init__(self, *, memory_kib: int, time_cost: int, slots: int | None = None) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._slots = threading.BoundedSemaphore(slots or os.cpu_count() or 1)
        # Verified against when there is no account, so that both answers take the same time.
        self._nobody = self._hasher.hash("nobody")

    def hash(self, password: str) -> str:
        """The stored form.

        Raises:
            Busy: no core became free in time.
        """
        with self._slot():
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Is it this password? ``None`` costs as much and is never right.

        Raises:
            Busy: no core became free in time.
        """
        with self._slot():
            try:
                self._hasher.verify(stored or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Was it hashed with other costs than today's?"""
        return self._hasher.check_needs_rehash(stored)

    def _slot(self) -> _Slot:
        return _Slot(self._slots)


class _Slot:
    def __init__(self, slots: threading.BoundedSemaphore) -> None:
        self._slots = slots

    def __enter__(self) -> None:
        if not self._slots.acquire(timeout=WAIT):
            raise Busy(retry_after=5)

    def __exit__(self, *_: object) -> None:
        self._slots.release()
