"""A service's response head, read as strictly as a request's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from frontdoor.compression import Packer

_STATUS: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [\t -~\x80-\xff]*)?")
_FIELD_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++):[ \t]*+([\t -~\x80-\xff]*+)")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")

NO_CONTENT, NOT_MODIFIED = 204, 304
FIRST_FINAL: Final = 200

# Bits of ``present``: fields the gateway would otherwise add.
DATE, CACHE_CONTROL, CSP, NOSNIFF, FRAME_OPTIONS, REFERRER, OPENER, HSTS, ORIGIN = (
    1, 2, 4, 8, 16, 32, 64, 128, 256
)  # fmt: skip
_ADDED: Final = {
    b"date": DATE, b"cache-control": CACHE_CONTROL, b"content-security-policy": CSP,
    b"x-content-type-options": NOSNIFF, b"x-frame-options": FRAME_OPTIONS,
    b"referrer-policy": REFERRER, b"cross-origin-opener-policy": OPENER,
    b"strict-transport-security": HSTS, b"access-control-allow-origin": ORIGIN,
}  # fmt: skip
_DROPPED: Final = frozenset(
    (b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"te", b"trailer",
     b"x-request-id", b"server", b"x-powered-by", b"via")
)  # fmt: skip
_NOT_HOP_BY_HOP: Final = frozenset(
    (b"content-length", b"transfer-encoding", b"content-type", b"content-encoding", b"set-cookie")
)
_PLAIN, _GONE, _LENGTH_FIELD, _CODING, _CONNECTION, _UPGRADE = 0, -1, -2, -3, -4, -5
_FRAMING: Final = {
    b"content-length": _LENGTH_FIELD, b"transfer-encoding": _CODING, b"connection": _CONNECTION,
    b"upgrade": _UPGRADE,
}  # fmt: skip


class BadResponse(Exception):
    """The service's answer cannot be passed on."""


class ResponseHead:
    """Status, fields to pass on, and how the body is framed.

    Args:
        status: the code.
        reusable: may the connection carry another request?
    """

    __slots__ = (
        "chunked", "length", "lines", "named", "packer", "present", "reusable", "status", "upgrade"
    )  # fmt: skip

    def __init__(self, status: int, reusable: bool, lines: list[bytes]) -> None:
        self.status = status
        self.reusable = reusable
        self.lines = lines
        self.length = -1
        self.chunked = False
        self.present = 0
        self.named: frozenset[bytes] | None = None
        self.upgrade: bytes | None = None
        self.packer: Packer | None = None  # compresses the body

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a field, by its name in small letters."""
        start, end = name + b":", len(name) + 1
        return [line[end:].strip(b" \t") for line in self.lines if line[:end].lower() == start]

    def value(self, name: bytes) -> bytes | None:
        """A field's value; several are joined."""
        found = self.all(name)
        return b", ".join(found) if found else None


# What a line is to us, and its number: the length, or the bits of `present`.
_Line = tuple[int, int]
_lines: dict[bytes, _Line] = {}
_plain: set[bytes] = set()
_firsts: dict[bytes, tuple[int, bool, bytes]] = {}
_misses: dict[bytes, int] = {}
_MOST_LINES: Final = 4096
_MOST_FIRSTS: Final = 256
_CHANGES: Final = 1000  # different lines of one name
_LONGEST_LINE_KEPT: Final = 200


class Opening:
    """How a service's heads begin within a second: status, date, what it is and speaks.

    Args:
        block: whole lines, each with its end.
        status: the code.
        reusable: does the status line let the connection carry another request?
        kept: the lines to pass on.
        present: the bits of those lines.
    """

    __slots__ = ("block", "kept", "present", "reusable", "status")

    def __init__(
        self, block: bytes, status: int, reusable: bool, kept: list[bytes], present: int
    ) -> None:
        self.block = block
        self.status = status
        self.reusable = reusable
        self.kept = kept
        self.present = present


UNKNOWN: Final = Opening(b"", 0, False, [], 0)  # stands for none


def learn_opening(data: bytes, end: int) -> Opening:
    """How a head that was good begins: with lines that do not change how it is read."""
    first, *lines = data[:end].split(b"\r\n")
    status, reusable, shown = _firsts.get(first) or _read_first(first)
    at, present, kept = len(first) + 2, 0, [shown]
    for line in lines:
        if line not in _plain:
            kind, number = _lines.get(line, (_LENGTH_FIELD, 0))
            if kind not in (_PLAIN, _GONE):
                break
            present |= number
        else:
            kind = _PLAIN
        if kind == _PLAIN:
            kept.append(line)
        at += len(line) + 2
    return Opening(data[:at], status, reusable, kept, present)


def read_response(data: bytes, end: int, opening: Opening = UNKNOWN) -> ResponseHead:
    """Read a response's head.

    Args:
        data: bytes from the service.
        end: where the empty line begins.
        opening: how a good head before began.

    Raises:
        BadResponse: it is not HTTP/1.1, or its framing is not clear.
    """
    if opening is not UNKNOWN and data.startswith(opening.block):
        head = ResponseHead(opening.status, opening.reusable, opening.kept.copy())
        head.present = opening.present
        first = len(opening.block)
        if first < end:
            _read_lines(head, data[first:end].split(b"\r\n"))
    else:
        line, *lines = data[:end].split(b"\r\n")
        status, reusable, shown = _firsts.get(line) or _read_first(line)
        head = ResponseHead(status, reusable, [shown])
        _read_lines(head, lines)
    if head.chunked and head.length >= 0:
        raise BadResponse("Content-Length and Transfer-Encoding")
    if head.status == NO_CONTENT:
        _unframe(head)
    if head.named:
        kept = head.lines
        kept[1:] = [line for line in kept[1:] if _name(line) not in head.named]
    return head


def _read_lines(head: ResponseHead, lines: Iterable[bytes]) -> None:
    kept = head.lines
    for line in lines:
        if line in _plain:
            kept.append(line)
            continue
        kind, number = _lines.get(line) or _classify(line)
        if kind == _PLAIN:
            head.present |= number
            kept.append(line)
        elif kind == _LENGTH_FIELD:
            if head.length >= 0:
                raise BadResponse("Content-Length")
            head.length = number
            kept.append(line)
        elif kind != _GONE:
            _MEANING[kind](head, line)


def _read_first(line: bytes) -> tuple[int, bool, bytes]:
    found = _STATUS.fullmatch(line)
    if found is None:
        raise BadResponse("status line")
    read = (int(found[2]), found[1] == b"1", b"HTTP/1.1" + line[8:])
    if len(_firsts) < _MOST_FIRSTS:
        _firsts[line] = read
    return read


def has_body(head: ResponseHead, method: bytes) -> bool:
    """Does anything follow the head (RFC 9112 6.3)?"""
    return method != b"HEAD" and head.status not in (NO_CONTENT, NOT_MODIFIED)


def _unframe(head: ResponseHead) -> None:
    """A 204 names no body (RFC 9110 8.6, RFC 9112 6.1): else the next answer is taken for it."""
    head.length, head.chunked = -1, False
    head.lines[1:] = [line for line in head.lines[1:] if _name(line) != b"content-length"]


def _coding(head: ResponseHead, line: bytes) -> None:
    if head.chunked:
        raise BadResponse("Transfer-Encoding")
    head.chunked = True


def _connection(head: ResponseHead, line: bytes) -> None:
    for option in line.partition(b":")[2].lower().split(b","):
        word = option.strip(b" \t")
        if word == b"close":
            head.reusable = False
        elif word in _NOT_HOP_BY_HOP:
            raise BadResponse("Connection")
        elif word and word != b"keep-alive":
            head.named = (head.named or frozenset()) | {word}


def _upgrade(head: ResponseHead, line: bytes) -> None:
    if head.upgrade is not None:
        raise BadResponse("Upgrade")
    head.upgrade = line.partition(b":")[2].strip(b" \t")


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
    misses = _misses.get(name, 0)
    if len(line) <= _LONGEST_LINE_KEPT and misses < _CHANGES:
        if len(_lines) + len(_plain) >= _MOST_LINES or len(_misses) >= _MOST_LINES:
            for known in (_lines, _plain, _misses):
                known.clear()
        _misses[name] = misses + 1
        if read == (_PLAIN, 0):
            _plain.add(line)
        else:
            _lines[line] = read
    return read


_MEANING: Final[dict[int, Callable[[ResponseHead, bytes], None]]] = {
    _CODING: _coding,
    _CONNECTION: _connection,
    _UPGRADE: _upgrade,
}
