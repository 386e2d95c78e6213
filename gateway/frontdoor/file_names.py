"""Finds the file a path means: inside its folder, by no hidden name, following no link outside."""

from __future__ import annotations

import mimetypes
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from frontdoor.content import Files

FRESH: Final = 1.0  # seconds a look at the disk holds
MOST_KNOWN: Final = 4096
LONGEST_PATH: Final = 1024
_VISIBLE: Final = b".well-known"  # RFC 8615
_TYPES: Final = mimetypes.MimeTypes(filenames=())
_MORE_TYPES: Final = {
    ".js": "text/javascript", ".mjs": "text/javascript", ".woff": "font/woff",
    ".woff2": "font/woff2", ".webp": "image/webp", ".avif": "image/avif", ".md": "text/markdown",
    ".webmanifest": "application/manifest+json", ".map": "application/json",
    ".yaml": "application/yaml", ".ico": "image/x-icon",
}  # fmt: skip
_SPELLED: Final = frozenset(("application/json", "application/manifest+json", "image/svg+xml"))


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be shown, as it was a moment ago."""

    path: Path
    size: int
    modified: int  # seconds since 1970
    content_type: bytes

    @property
    def etag(self) -> bytes:
        """nginx's: time and size."""
        return b'"%x-%x"' % (self.modified, self.size)


class Folder:
    """A folder of ``Directory``, a file is ``Found``, nothing is None."""


DIRECTORY: Final = Folder()


class FileNames:
    """The files of one location.

    Args:
        files: what the configuration says.
        now: monotonic seconds.
    """

    def __init__(self, files: Files, now: Callable[[], float]) -> None:
        self._files = files
        self._root = Path(os.path.realpath(files.folder))
        self._now = now
        self._known: dict[bytes, tuple[float, Found | Folder | None]] = {}

    def look(self, name: bytes) -> Found | Folder | None:
        """What stands at a path below the folder; answers a moment old are good enough.

        Args:
            name: decoded, without dot segments; a slash at its end wants a directory.
        """
        now = self._now()
        known = self._known.get(name)
        if known is not None and known[0] > now:
            return known[1]
        found = self._look(name)
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[name] = (now + FRESH, found)
        return found

    def forget(self) -> None:
        """Look at the disk again."""
        self._known.clear()

    def _look(self, name: bytes) -> Found | Folder | None:
        segments = name.split(b"/")
        hidden = any(s.startswith(b".") and s != _VISIBLE for s in segments)
        if hidden or b"\0" in name or len(name) > LONGEST_PATH:
            return None
        asked = os.fsencode(self._root) + name if name else os.fsencode(self._root)
        try:
            real = Path(os.fsdecode(os.path.realpath(asked, strict=True)))
            status = real.stat()
        except (OSError, ValueError):
            return None
        if real != self._root and self._root not in real.parents:
            return None
        if stat.S_ISDIR(status.st_mode):
            return DIRECTORY
        if not stat.S_ISREG(status.st_mode) or name.endswith(b"/"):
            return None
        return Found(real, status.st_size, int(status.st_mtime), self._type(os.fsdecode(name)))

    def _type(self, name: str) -> bytes:
        name = name or self._root.name
        ending = Path(name).suffix.lower()
        found = _MORE_TYPES.get(ending) or _TYPES.types_map[True].get(ending)
        found = found or self._files.default_type
        if found.startswith("text/") or found in _SPELLED:
            found += "; charset=utf-8"
        return found.encode()
