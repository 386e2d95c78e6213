"""One line per request, as JSON or as nginx's combined format; written in batches."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import Final

import structlog

from frontdoor.exchange import Exchange, Finished
from frontdoor.filters import Passive
from frontdoor.sites import Location

log = structlog.get_logger(__name__)

MOST_LINES: Final = 256

# Queries are never written. A path with what looks like a phone or a resident number loses it.
_PERSONAL: Final = re.compile(
    rb"(?<![0-9A-Za-z])(?:1[3-9][0-9]{9}|[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx])(?![0-9A-Za-z])"
)
_UNQUOTED: Final = re.compile(rb"[^ !#-\[\]-~]")

# The time is put in first, the rest per line.
_JSON: Final = (
    b'{"time":"%b","service":"gateway","request_id":"%%b","address":"%%b","subject":"%%b",'
    b'"method":"%%b","path":"%%b","status":%%d,"bytes":%%d,"ms":%%d.%%03d}\n'
)
_COMBINED: Final = b'%%b - %%b [%b] "%%b %%b HTTP/1.%%d" %%d %%d "-" "-"\n'
_Values = tuple[bytes | int, ...]


class LogFile:
    """A file lines are appended to; what cannot be written is lost, and the requests go on.

    Args:
        path: ``/dev/stdout`` is the process's own output.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lines: list[tuple[bytes, _Values]] = []
        self._file = -1
        self._lost = 0

    def write(self, pattern: bytes, values: _Values) -> None:
        """Keep a line for the next batch; it is put together there, many at a time."""
        self._lines.append((pattern, values))
        if len(self._lines) >= MOST_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what was kept."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        left = memoryview(b"".join([pattern % values for pattern, values in lines]))
        try:
            if self._file < 0:
                self._open()
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:  # a full disk must not end the worker and all its clients
            if not self._lost:
                log.error("access log not written", path=self._path, cause=error.strerror)
            self._lost += len(lines)
            return
        if self._lost:
            log.warning("access log is written again", path=self._path, lines_lost=self._lost)
            self._lost = 0

    def reopen(self) -> None:
        """Open the path anew; the old file was moved away. The old one stays when that fails."""
        try:
            self._open()
        except OSError as error:
            log.error("access log not opened", path=self._path, cause=error.strerror)

    def _open(self) -> None:
        if self._path == "/dev/stdout":
            self._file = 1
            return
        old = self._file
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        if old >= 0:
            os.close(old)


class AccessLog(Passive):
    """access_log.

    Args:
        now: monotonic seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.files: dict[str, LogFile] = {}
        self._now = now
        self._json = self._combined = b""
        self.tick()

    def tick(self) -> None:
        """Once in a while: the time of day, and the lines that wait."""
        here = time.localtime()
        self._json = _JSON % time.strftime("%Y-%m-%dT%H:%M:%S%z", here).encode()
        self._combined = _COMBINED % time.strftime("%d/%b/%Y:%H:%M:%S %z", here).encode()
        for file in self.files.values():
            file.flush()

    def finished(self, location: Location) -> Finished | None:
        if location.log_path is None:
            return None
        write = self.files.setdefault(location.log_path, LogFile(location.log_path)).write
        return self._as_json(write) if location.log_format == "json" else self._as_combined(write)

    def _as_json(self, write: Callable[[bytes, _Values], None]) -> Finished:
        def finished(exchange: Exchange) -> None:
            identity, head = exchange.identity, exchange.head
            micros = int((exchange.ended - exchange.started) * 1e6)  # %.3f is dearer than a line
            write(
                self._json,
                (
                    exchange.request_id,
                    exchange.address,
                    b"-" if identity is None else identity.subject,
                    exchange.method,
                    head.shown or _shown(exchange),
                    exchange.status,
                    exchange.sent,
                    micros // 1000,
                    micros % 1000,
                ),
            )

        return finished

    def _as_combined(self, write: Callable[[bytes, _Values], None]) -> Finished:
        def finished(exchange: Exchange) -> None:
            identity, head = exchange.identity, exchange.head
            write(
                self._combined,
                (
                    exchange.address,
                    b"-" if identity is None else identity.subject,
                    exchange.method,
                    head.shown or _shown(exchange),
                    head.minor,
                    exchange.status,
                    exchange.sent,
                ),
            )

        return finished


def _shown(exchange: Exchange) -> bytes:
    head = exchange.head
    shown = head.shown
    if shown is None:
        path = head.target.partition(b"?")[0]
        head.shown = shown = _UNQUOTED.sub(b"?", _PERSONAL.sub(b"***", path))
    return shown
