"""One line per request, as JSON or as nginx's combined format; written in batches."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import Final

from frontdoor.exchange import Exchange, Finished
from frontdoor.filters import Passive
from frontdoor.sites import Location

MOST_LINES: Final = 256

# Queries are never written. A path with what looks like a phone or a resident number loses it.
_PERSONAL: Final = re.compile(
    rb"(?<![0-9A-Za-z])(?:1[3-9][0-9]{9}|[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx])(?![0-9A-Za-z])"
)
_UNQUOTED: Final = re.compile(rb"[^ !#-\[\]-~]")


class LogFile:
    """A file lines are appended to.

    Args:
        path: ``/dev/stdout`` is the process's own output.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lines: list[bytes] = []
        self._file = -1

    def write(self, line: bytes) -> None:
        """Keep a line for the next batch."""
        self._lines.append(line)
        if len(self._lines) >= MOST_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what was kept."""
        if not self._lines:
            return
        data, self._lines = b"".join(self._lines), []
        if self._file < 0:
            self.reopen()
        os.write(self._file, data)

    def reopen(self) -> None:
        """Open the path anew; the old file was moved away."""
        if self._path == "/dev/stdout":
            self._file = 1
            return
        if self._file >= 0:
            os.close(self._file)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)


class AccessLog(Passive):
    """access_log.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.files: dict[str, LogFile] = {}
        self._now = now
        self._opening = self._clf = b""
        self.tick()

    def tick(self) -> None:
        """Once in a while: the time of day, and the lines that wait."""
        here = time.localtime()
        iso = time.strftime("%Y-%m-%dT%H:%M:%S%z", here).encode()
        self._opening = b'{"time":"%b","service":"gateway","request_id":"' % iso
        self._clf = time.strftime("%d/%b/%Y:%H:%M:%S %z", here).encode()
        for file in self.files.values():
            file.flush()

    def finished(self, location: Location) -> Finished | None:
        if location.log_path is None:
            return None
        file = self.files.setdefault(location.log_path, LogFile(location.log_path))
        write = file.write
        return self._json(write) if location.log_format == "json" else self._combined(write)

    def _json(self, write: Callable[[bytes], None]) -> Finished:
        def finished(exchange: Exchange) -> None:
            identity = exchange.identity
            figures = b'","status":%d,"bytes":%d,"ms":%.3f}\n' % (
                exchange.status,
                exchange.sent,
                (exchange.ended - exchange.started) * 1000,
            )
            write(
                b"".join(
                    (
                        self._opening,
                        exchange.request_id,
                        b'","address":"',
                        exchange.address,
                        b'","subject":"',
                        b"-" if identity is None else identity.subject,
                        b'","method":"',
                        exchange.method,
                        b'","path":"',
                        exchange.head.shown or _shown(exchange),
                        figures,
                    )
                )
            )

        return finished

    def _combined(self, write: Callable[[bytes], None]) -> Finished:
        def finished(exchange: Exchange) -> None:
            identity = exchange.identity
            write(
                b'%b - %b [%b] "%b %b HTTP/1.%d" %d %d "-" "-"\n'
                % (
                    exchange.address,
                    b"-" if identity is None else identity.subject,
                    self._clf,
                    exchange.method,
                    _shown(exchange),
                    exchange.head.minor,
                    exchange.status,
                    exchange.sent,
                )
            )

        return finished


def _shown(exchange: Exchange) -> bytes:
    head = exchange.head
    shown = head.shown
    if shown is None:
        path = head.target.partition(b"?")[0]
        head.shown = shown = _UNQUOTED.sub(b"?", _PERSONAL.sub(b"***", path))
    return shown
