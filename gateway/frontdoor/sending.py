"""Sends a part of a file as fast as the other side reads, in flat memory."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import Final, Protocol

CHUNK: Final = 128 << 10


@dataclass(frozen=True, slots=True)
class FilePart:
    """An open file and the bytes of it to send; whoever sends it closes it."""

    descriptor: int
    first: int
    length: int


class Taking(Protocol):
    """Whoever gets the bytes."""

    def take(self, data: bytes) -> None:
        """Some of them; may ask to hold."""

    def progress(self) -> None:
        """More will come."""

    def sent(self) -> None:
        """That was all."""

    def broken(self) -> None:
        """The file became shorter; what was sent must not look complete."""


class Sending:
    """One file on its way.

    Args:
        receiver: gets it.
        part: what is sent.
    """

    def __init__(self, receiver: Taking, part: FilePart) -> None:
        self._receiver = receiver
        self._descriptor = part.descriptor
        self._at = part.first
        self._end = part.first + part.length
        self._held = False
        self._going: asyncio.Handle | None = None
        self.release()

    def hold(self) -> None:
        """The client does not read: send no more for now."""
        self._held = True
        if self._going is not None:
            self._going.cancel()
            self._going = None

    def release(self) -> None:
        """Send on."""
        self._held = False
        if self._descriptor >= 0 and self._going is None:
            self._going = asyncio.get_running_loop().call_soon(self._send)

    def kill(self) -> None:
        """Send nothing more."""
        self.hold()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _send(self) -> None:
        self._going = None
        data = os.pread(self._descriptor, min(CHUNK, self._end - self._at), self._at)
        if not data:
            self.kill()
            self._receiver.broken()
            return
        self._at += len(data)
        self._receiver.take(data)  # may call hold()
        if self._at == self._end:
            self.kill()
            self._receiver.sent()
        elif not self._held:
            self._receiver.progress()
            self.release()
