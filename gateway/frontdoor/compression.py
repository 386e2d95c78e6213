"""Compresses text on its way to a client that takes it (RFC 9110 8.4, 12.5), in bounded memory."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import brotli

from frontdoor.responses import ResponseHead

if TYPE_CHECKING:
    from frontdoor.answers import Answer
    from frontdoor.content import Compression
    from frontdoor.exchange import Exchange

MOST_AT_ONCE: Final = 64  # per worker; others pass as they are
_GZIP_LEVEL, _GZIP_WINDOW, _GZIP_MEMORY = 4, 16 + 14, 7  # 128 KiB each
_BROTLI_QUALITY, _BROTLI_WINDOW = 4, 16
_VARY: Final = b"Vary: Accept-Encoding"
_EVENTS: Final = "text/event-stream"  # each event must leave at once
_MOST_REMEMBERED: Final = 256

_wishes: dict[bytes, dict[bytes, float]] = {}


class Packer:
    """One body.

    Args:
        coding: ``gzip`` or ``br``.
    """

    __slots__ = ("_brotli", "_gzip", "coding")
    at_work = 0

    def __init__(self, coding: bytes) -> None:
        self.coding = coding
        self._gzip = self._brotli = None
        if coding == b"br":
            self._brotli = brotli.Compressor(quality=_BROTLI_QUALITY, lgwin=_BROTLI_WINDOW)
        else:
            self._gzip = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW, _GZIP_MEMORY)
        Packer.at_work += 1

    def feed(self, data: bytes, *, more: bool) -> bytes:
        """What is ready; everything when no more comes."""
        if self._gzip is not None:
            out = self._gzip.compress(data)
            return out if more else out + self._gzip.flush()
        coder: Any = self._brotli
        ready: bytes = coder.process(data)
        return ready if more else ready + coder.finish()

    def stream(self, data: bytes, *, more: bool) -> bytes:
        """As `feed`, in the chunked coding."""
        out = self.feed(data, more=more)
        framed = b"%x\r\n%b\r\n" % (len(out), out) if out else b""
        return framed if more else framed + b"0\r\n\r\n"

    def __del__(self) -> None:
        Packer.at_work -= 1


def begin(exchange: Exchange, head: ResponseHead, compression: Compression) -> Packer | None:
    """Decide, and say so in the answer's head; None leaves the body as it is."""
    if not _may_be(head, compression):
        return None
    vary = head.value(b"vary") or b""
    if b"accept-encoding" not in vary.lower() and vary != b"*":
        head.lines.append(_VARY)
    coding = _choose(exchange.fields.value(b"accept-encoding"), compression)
    if coding is None or exchange.method == b"HEAD" or not exchange.head.minor:
        return None
    if Packer.at_work >= MOST_AT_ONCE:
        return None
    head.lines[1:] = [
        _weaken(line)
        for line in head.lines[1:]
        if not line[:15].lower().startswith((b"content-length:", b"accept-ranges:"))
    ]
    head.lines.append(b"Content-Encoding: " + coding)
    return Packer(coding)


def pack(
    exchange: Exchange, answer: Answer, body: bytes, compression: Compression
) -> tuple[Answer, bytes]:
    """An answer of the gateway's own, compressed where a service's would be."""
    lines = [b"", *answer.lines, b"Content-Type: " + answer.kind]
    head = ResponseHead(answer.status, True, lines)
    head.length = len(body)
    packer = begin(exchange, head, compression)
    kept = tuple(line for line in head.lines[1:] if not line.startswith(b"Content-Type: "))
    packed = body if packer is None else packer.feed(body, more=False)
    return replace(answer, lines=kept), packed


def _may_be(head: ResponseHead, compression: Compression) -> bool:
    kind = (head.value(b"content-type") or b"").partition(b";")[0].strip().lower().decode("latin-1")
    if kind not in compression.types or kind == _EVENTS or head.status in (204, 206, 304):
        return False
    if 0 <= head.length < compression.least or head.value(b"content-encoding") is not None:
        return False
    return b"no-transform" not in (head.value(b"cache-control") or b"").lower()


def _weaken(line: bytes) -> bytes:
    """Two codings of one thing are alike, not equal (RFC 9110 8.8.1)."""
    name, colon, value = line.partition(b":")
    if name.lower() == b"etag" and value.lstrip().startswith(b'"'):
        return name + colon + b" W/" + value.strip()
    return line


def _choose(accepted: bytes | None, compression: Compression) -> bytes | None:
    if accepted is None:
        return None
    wishes = _wishes.get(accepted)
    if wishes is None:
        wishes = _read(accepted)
        if len(_wishes) >= _MOST_REMEMBERED:
            _wishes.clear()
        _wishes[accepted] = wishes
    gzip = wishes.get(b"gzip", wishes.get(b"*", 0.0)) if compression.gzip else 0.0
    best = wishes.get(b"br", wishes.get(b"*", 0.0)) if compression.brotli else 0.0
    if best and best >= gzip:
        return b"br"
    return b"gzip" if gzip else None


def _read(accepted: bytes) -> dict[bytes, float]:
    wishes = {}
    for part in accepted.lower().split(b","):
        coding, _, weight = part.partition(b";")
        try:
            wishes[coding.strip()] = float(weight.partition(b"=")[2] or 1)
        except ValueError:
            wishes[coding.strip()] = 0.0
    return wishes
