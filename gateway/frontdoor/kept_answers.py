"""A bounded memory of public answers, by host, target and the fields they vary by."""

from __future__ import annotations

import zlib
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Final

import brotli

from frontdoor import conditions
from frontdoor.answers import Answer
from frontdoor.asking import Answered
from frontdoor.content import Compression
from frontdoor.fields import Fields

_OVERHEAD: Final = 512  # bytes of an entry beside its body and fields
_OWN: Final = frozenset((b"date", b"age", b"content-type", b"connection", b"cache-status"))
_QUALITY: Final = 5


class Kept:
    """One answer.

    Args:
        answered: what the service said.
        made: monotonic seconds when it was fresh from the service.
        fresh_until: monotonic seconds.
        compression: what the location compresses.
    """

    def __init__(
        self,
        answered: Answered,
        made: float,
        fresh_until: float,
        compression: Compression | None,
    ) -> None:
        self.answered = answered
        self.made = made
        self.fresh_until = fresh_until
        self.used = made
        self.etag = answered.value(b"etag") or b""
        kind = (answered.value(b"content-type") or b"").partition(b";")[0].strip().lower()
        self.content_type = answered.value(b"content-type") or b"application/octet-stream"
        packs = compression is not None and kind.decode("latin-1") in compression.types
        self._compression = compression if packs else None
        if compression is not None and len(answered.body) < compression.least:
            self._compression = None
        if answered.value(b"content-encoding") is not None:
            self._compression = None
        self._packed: dict[bytes, bytes] = {}
        self._lines = tuple(
            line for line in answered.lines if line.partition(b":")[0].strip().lower() not in _OWN
        )
        if self._compression is not None:
            self._lines = (*self._lines, b"Vary: Accept-Encoding")

    @property
    def size(self) -> int:
        """Bytes it takes, and may take once it is compressed."""
        lines = sum(map(len, self.answered.lines))
        packed = len(self.answered.body) // 2 if self._compression else 0
        return _OVERHEAD + 2 * lines + len(self.answered.body) + packed

    def answer(self, fields: Fields, now: float, status: bytes) -> Answer:
        """The answer for one client.

        Args:
            fields: the request's.
            now: monotonic seconds.
            status: what Cache-Status says (RFC 9211).
        """
        body, lines = self.answered.body, self._lines
        coding = self._coding(fields.value(b"accept-encoding"))
        if coding:
            body = self._pack(coding)
            lines = (*map(_weaken, lines), b"Content-Encoding: " + coding)
        lines += (
            b"Age: %d" % max(now - self.made, 0),
            b"Cache-Status: jiuye-frontdoor; " + status,
        )
        verdict = conditions.PROCEED
        if self.etag and self.answered.status == conditions.PROCEED:
            verdict = conditions.judge(fields, self.etag, None)
        if verdict != conditions.PROCEED:
            return Answer(verdict, b"", lines=lines)
        return Answer(self.answered.status, body, lines=lines, content_type=self.content_type)

    def _coding(self, accepted: bytes | None) -> bytes:
        if self._compression is None or accepted is None:
            return b""
        if self._compression.brotli and conditions.accepts(accepted, b"br"):
            return b"br"
        gzip = self._compression.gzip and conditions.accepts(accepted, b"gzip")
        return b"gzip" if gzip else b""

    def _pack(self, coding: bytes) -> bytes:
        packed = self._packed.get(coding)
        if packed is None:
            body = self.answered.body
            if coding == b"br":
                packed = brotli.compress(body, quality=_QUALITY)
            else:
                coder = zlib.compressobj(_QUALITY, zlib.DEFLATED, 31)
                packed = coder.compress(body) + coder.flush()
            self._packed[coding] = packed
        return packed


def _weaken(line: bytes) -> bytes:
    name, _, value = line.partition(b":")
    strong = name.lower() == b"etag" and value.strip().startswith(b'"')
    return b"ETag: W/" + value.strip() if strong else line


Key = tuple[bytes, bytes]


class Memory:
    """One zone of one worker: what was not asked for longest goes first.

    Args:
        size: bytes.
        inactive: seconds after which what nobody asked for is forgotten.
        now: monotonic seconds.
    """

    def __init__(self, size: int, inactive: float, now: Callable[[], float]) -> None:
        self._most = size
        self._inactive = inactive
        self._now = now
        self._varies: dict[Key, tuple[bytes, ...]] = {}
        self._variants: Counter[Key] = Counter()
        self._kept: OrderedDict[tuple[Key, tuple[bytes | None, ...]], Kept] = OrderedDict()
        self._sizes: dict[tuple[Key, tuple[bytes | None, ...]], int] = {}
        self.bytes = 0

    def find(self, key: Key, fields: Fields) -> Kept | None:
        """The answer kept for such a request, fresh or not."""
        names = self._varies.get(key)
        if names is None:
            return None
        place = (key, tuple(fields.value(name) for name in names))
        kept = self._kept.get(place)
        if kept is None:
            return None
        now = self._now()
        if now - kept.used > self._inactive:
            self._forget(place)
            return None
        kept.used = now
        self._kept.move_to_end(place)
        return kept

    def keep(self, key: Key, fields: Fields, kept: Kept) -> None:
        """Keep an answer in place of the one before."""
        vary = (kept.answered.value(b"vary") or b"").lower()
        names = tuple(sorted({name.strip() for name in vary.split(b",") if name.strip()}))
        if self._varies.get(key, names) != names:
            for place in [place for place in self._kept if place[0] == key]:
                self._forget(place)
        place = (key, tuple(fields.value(name) for name in names))
        self._forget(place)
        size = kept.size
        if size > self._most:
            return
        self._varies[key] = names
        self._variants[key] += 1
        self._kept[place] = kept
        self._sizes[place] = size
        self.bytes += size
        while self.bytes > self._most:
            self._forget(next(iter(self._kept)))

    def _forget(self, place: tuple[Key, tuple[bytes | None, ...]]) -> None:
        if self._kept.pop(place, None) is None:
            return
        self.bytes -= self._sizes.pop(place)
        self._variants[place[0]] -= 1
        if not self._variants[place[0]]:
            del self._variants[place[0]], self._varies[place[0]]
