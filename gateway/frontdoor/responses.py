"""A service's response head, read as strictly as a request's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [\t -~\x80-\xff]*)?")
_FIELD_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++):[ \t]*+([\t -~\x80-\xff]*+)")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")

LONGEST_HEAD: Final = 64 << 10
NO_CONTENT, NOT_MODIFIED = 204, 304
FIRST_FINAL: Final = 200

# Bits of ``present``: fields the gateway would otherwise add.
DATE, CACHE_CONTROL, CSP, NOSNIFF, FRAME_OPTIONS, REFERRER, OPENER, HSTS = (
    1, 2, 4, 8, 16, 32, 64, 128
)  # fmt: skip
_ADDED: Final = {
    b"date": DATE, b"cache-control": CACHE_CONTROL, b"content-security-policy": CSP,
    b"x-content-type-options": NOSNIFF, b"x-frame-options": FRAME_OPTIONS,
    b"referrer-policy": REFERRER, b"cross-origin-opener-policy": OPENER,
    b"strict-transport-security": HSTS,
}  # fmt: skip
_DROPPED: Final = frozenset(
    (b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"te", b"trailer", b"upgrade",
     b"x-request-id", b"server", b"x-powered-by", b"via")
)  # fmt: skip
_PLAIN, _GONE, _LENGTH_FIELD, _CODING, _CONNECTION = 0, -1, -2, -3, -4
_FRAMING: Final = {
    b"content-length": _LENGTH_FIELD, b"transfer-encoding": _CODING, b"connection": _CONNECTION,
}  # fmt: skip


class BadResponse(Exception):
    """The service's answer cannot be passed on."""


class ResponseHead:
    """Status, fields to pass on, and how the body is framed."""

    __slots__ = ("chunked", "length", "lines", "named", "present", "reusable", "status")

    def __init__(self, status: int, minor: bytes) -> None:
        self.status = status
        self.lines: list[bytes] = []
        self.length = -1
        self.chunked = False
        self.reusable = minor == b"1"
        self.present = 0
        self.named: set[bytes] | None = None


# What a line is to us, and its number: the length, or the bits of `present`.
_Line = tuple[int, int]
_lines: dict[bytes, _Line] = {}
_firsts: dict[bytes, tuple[int, bytes, bytes]] = {}
_MOST_LINES: Final = 4096
_MOST_FIRSTS: Final = 256
_LONGEST_LINE_KEPT: Final = 200


def read_response(data: bytes, end: int) -> ResponseHead:
    """Read a response's head.

    Args:
        data: bytes from the service.
        end: where the empty line begins.

    Raises:
        BadResponse: it is not HTTP/1.1, or its framing is not clear.
    """
    lines = data[:end].split(b"\r\n")
    status, minor, first = _firsts.get(lines[0]) or _read_first(lines[0])
    head = ResponseHead(status, minor)
    head.lines = kept = [first]
    present = 0
    for line in lines[1:]:
        kind, number = _lines.get(line) or _classify(line)
        if kind == _PLAIN:
            kept.append(line)
            present |= number
        elif kind != _GONE:
            _MEANING[kind](head, line, number)
    head.present = present
    if head.chunked and head.length >= 0:
        raise BadResponse("Content-Length and Transfer-Encoding")
    if head.named:
        kept[1:] = [line for line in kept[1:] if _name(line) not in head.named]
    return head


def _read_first(line: bytes) -> tuple[int, bytes, bytes]:
    found = _STATUS.fullmatch(line)
    if found is None:
        raise BadResponse("status line")
    read = (int(found[2]), found[1], b"HTTP/1.1" + line[8:])
    if len(_firsts) < _MOST_FIRSTS:
        _firsts[line] = read
    return read


def has_body(head: ResponseHead, method: bytes) -> bool:
    """Does anything follow the head (RFC 9112 6.3)?"""
    return method != b"HEAD" and head.status not in (NO_CONTENT, NOT_MODIFIED)


def _length(head: ResponseHead, line: bytes, number: int) -> None:
    if head.length >= 0:
        raise BadResponse("Content-Length")
    head.length = number
    head.lines.append(line)


def _coding(head: ResponseHead, line: bytes, number: int) -> None:
    if head.chunked:
        raise BadResponse("Transfer-Encoding")
    head.chunked = True


def _connection(head: ResponseHead, line: bytes, number: int) -> None:
    for option in line.partition(b":")[2].lower().split(b","):
        word = option.strip()
        if word == b"close":
            head.reusable = False
        elif word and word != b"keep-alive":
            head.named = (head.named or set()) | {word}


def present_in(lines: Iterable[bytes]) -> int:
    """The bits of ``present`` for field lines."""
    bits = 0
    for line in lines:
        bits |= _ADDED.get(_name(line), 0)
    return bits


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].lower()


def _classify(line: bytes) -> _Line:
    found = _FIELD_LINE.fullmatch(line)
    if found is None:
        raise BadResponse("field line")
    name, value = found[1].lower(), found[2].rstrip(b" \t")
    kind, number = _FRAMING.get(name, _GONE if name in _DROPPED else _PLAIN), _ADDED.get(name, 0)
    if kind == _LENGTH_FIELD:
        if _LENGTH.fullmatch(value) is None:
            raise BadResponse("Content-Length")
        number = int(value)
    elif kind == _CODING and value.lower() != b"chunked":
        raise BadResponse("Transfer-Encoding")
    elif kind == _CONNECTION and value.lower() == b"keep-alive":
        kind = _GONE
    read = (kind, number)
    if len(line) <= _LONGEST_LINE_KEPT:
        if len(_lines) >= _MOST_LINES:
            _lines.clear()
        _lines[line] = read
    return read


_MEANING: Final[dict[int, Callable[[ResponseHead, bytes, int], None]]] = {
    _LENGTH_FIELD: _length,
    _CODING: _coding,
    _CONNECTION: _connection,
}
