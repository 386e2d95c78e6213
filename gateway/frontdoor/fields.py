"""The header fields of a request: what each is to the gateway, and which of them a service sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import filterfalse
from typing import Final

from frontdoor import answers
from frontdoor import field_names as names
from frontdoor.answers import Answer
from frontdoor.field_names import AUTHORIZATION, DROPPED, HOST, KEPT

TOKEN: Final = rb"!#$%&'*+\-.^_`|~0-9A-Za-z"
_FIELD_LINE: Final = re.compile(rb"([" + TOKEN + rb"]++):[ \t]*+([\t -~\x80-\xff]*+)")
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9.\-_~%]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_CODING: Final = re.compile(rb"(?:x-)?(?:gzip|compress)|deflate", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_AUTHORIZATION_LINE: Final = re.compile(rb"authorization:", re.IGNORECASE)
_WORD: Final = re.compile(rb"[" + TOKEN + rb"]+")

MOST_FIELDS: Final = 100
LINE_END: Final = 2  # bytes; nginx counts them too: a line fits into its buffer or is refused
FIELD_MARGIN: Final = 4  # gunicorn counts them against 8,190 bytes
COOKIE_MARGIN: Final = len("Cookie: ")
OUR_NAME: Final = b"jiuye-frontdoor"
OUR_COOKIES: Final = b"__Host-jiuye"


class BadHead(Exception):
    """The head is refused; ``answer`` says how."""

    def __init__(self, answer: Answer = answers.BAD_REQUEST) -> None:
        self.answer = answer


class Fields:
    """A request's header fields."""

    __slots__ = (
        "authorization", "chunked", "close", "content_type", "cookie", "expects", "forwarded_for",
        "host", "idempotency_key", "keep_alive", "length", "lines", "named", "sealed", "trailers",
        "upgrade", "via",
    )  # fmt: skip

    def __init__(self) -> None:
        self.lines = b""  # those a service sees, each with its line end
        self.length = -1
        self.chunked = self.close = self.keep_alive = self.expects = self.trailers = False
        self.named: frozenset[bytes] | None = None
        self.host: bytes | None = None
        self.content_type: bytes | None = None
        self.idempotency_key: bytes | None = None
        self.authorization: bytes | None = None
        self.via: bytes | None = None
        self.forwarded_for: bytes | None = None
        self.cookie: bytes | None = None
        self.upgrade: bytes | None = None
        self.sealed: dict[bytes, bytes] | None = None  # our own cookies; no service sees them

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a field a service sees, by its name in small letters."""
        start, end = name + b":", len(name) + 1
        lines = self.lines.split(b"\r\n")
        return [line[end:].strip(b" \t") for line in lines if line[:end].lower() == start]

    def value(self, name: bytes) -> bytes | None:
        """A field's value; several are joined as RFC 9110 5.2 does, so none can hide."""
        found = self.all(name)
        return b", ".join(found) if found else None

    @property
    def accept(self) -> bytes | None:
        """Accept."""
        return self.value(b"accept")

    @property
    def origin(self) -> bytes | None:
        """Origin."""
        return self.value(b"origin")

    @property
    def fetch_site(self) -> bytes | None:
        """Sec-Fetch-Site."""
        return self.value(b"sec-fetch-site")

    def lines_with(self, authorization: bytes | None) -> bytes:
        """What a service sees when the gateway speaks for the client with another credential."""
        lines = self.lines
        if self.authorization is not None:
            kept = [line for line in lines.split(b"\r\n") if not _AUTHORIZATION_LINE.match(line)]
            lines = b"\r\n".join(kept)
        if authorization is None:
            return lines
        return b"%bAuthorization: %b\r\n" % (lines, authorization)


# What lines say is remembered, but not for names whose lines never come again.
_Line = tuple[int, bytes]
_plain: set[bytes] = set()
_is_plain: Final = _plain.__contains__
_lines: dict[bytes, _Line] = {}
_misses: dict[bytes, int] = {}
_MOST: Final = 2048
_LONGEST_KEPT: Final = 256
_LONGEST_AUTHORIZATION_KEPT: Final = 1536
_CHANGES: Final = 200  # different lines of one name


def read_fields(block: bytes, longest_line: int) -> Fields:
    """Read the lines after the request line.

    Args:
        block: the lines, without the last line's end.
        longest_line: bytes, with its end.

    Raises:
        BadHead: with the answer to give.
    """
    fields = Fields()
    if not block:
        return fields
    lines = block.split(b"\r\n")
    longest_line -= FIELD_MARGIN
    if len(lines) > MOST_FIELDS or (
        len(block) > longest_line and max(map(len, lines)) > longest_line
    ):
        raise BadHead(answers.LONG_HEAD)
    gone = _read_unusual(fields, filterfalse(_is_plain, lines))
    if gone:
        _finish(fields, lines, gone)
        if fields.cookie is not None and len(fields.cookie) > longest_line - COOKIE_MARGIN:
            raise BadHead(answers.LONG_HEAD)  # several lines have become one
    else:
        fields.lines = block + b"\r\n"
    return fields


def _read_unusual(fields: Fields, lines: Iterable[bytes]) -> list[bytes]:
    """Read what decides something; returns the lines no service sees."""
    gone: list[bytes] = []
    for line in lines:
        kind, value = _lines.get(line) or _classify(line)
        if kind == AUTHORIZATION:
            if fields.authorization is not None:
                raise BadHead
            fields.authorization = value
        elif kind == HOST:
            if fields.host is not None:
                raise BadHead
            fields.host = value
        elif kind:
            if kind < DROPPED:
                _MEANING[kind](fields, value)
            if kind > KEPT:
                gone.append(line)
    return gone


def _finish(fields: Fields, lines: list[bytes], gone: list[bytes]) -> None:
    """Leave out what no service sees, and write the framing anew."""
    if fields.chunked and fields.length >= 0:
        raise BadHead
    if fields.via is not None and OUR_NAME in fields.via:
        raise BadHead(answers.LOOP)
    kept = [line for line in lines if line not in gone]
    if fields.named:
        kept = [line for line in kept if line.partition(b":")[0].lower() not in fields.named]
    if fields.cookie is not None:
        _sort_cookies(fields, kept)
    if fields.length >= 0:
        kept.append(b"Content-Length: %d" % fields.length)
    elif fields.chunked:
        kept.append(b"Transfer-Encoding: chunked")
    kept.append(b"")
    fields.lines = b"\r\n".join(kept)


def _sort_cookies(fields: Fields, kept: list[bytes]) -> None:
    passed: list[bytes] = []
    ours: dict[bytes, bytes] = {}
    for pair in (fields.cookie or b"").split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name.startswith(OUR_COOKIES):
            ours.setdefault(name, value)
        elif name:
            passed.append(pair.strip())
    if passed:
        kept.append(b"Cookie: " + b"; ".join(passed))
    fields.sealed = ours or None


def _classify(line: bytes) -> _Line:
    found = _FIELD_LINE.fullmatch(line)
    if found is None:  # also obs-fold, bare CR, bare LF, NUL, a space before the colon
        raise BadHead
    name, value = found.groups()
    kind = names.kind_of(name)
    if value.endswith((b" ", b"\t")):
        value = value.rstrip(b" \t")
    if kind == HOST and _HOST.fullmatch(value) is None:
        raise BadHead
    read = (kind, value)
    if kind == AUTHORIZATION:
        if len(line) <= _LONGEST_AUTHORIZATION_KEPT:
            _keep(line, read)
    elif len(line) <= _LONGEST_KEPT:
        misses = _misses.get(name, 0)
        if misses < _CHANGES:
            _misses[name] = misses + 1
            _keep(line, read)
    return read


def _keep(line: bytes, read: _Line) -> None:
    if len(_lines) + len(_plain) >= _MOST or len(_misses) >= _MOST:
        _lines.clear()
        _plain.clear()
        _misses.clear()
    if read[0] == names.PLAIN:
        _plain.add(line)
    else:
        _lines[line] = read


def _once(name: str) -> Callable[[Fields, bytes], None]:
    def read(fields: Fields, value: bytes) -> None:
        if getattr(fields, name) is not None:
            raise BadHead
        setattr(fields, name, value)

    return read


def _length(fields: Fields, value: bytes) -> None:
    if fields.length >= 0 or _LENGTH.fullmatch(value) is None:
        raise BadHead
    fields.length = int(value)


def _coding(fields: Fields, value: bytes) -> None:
    if fields.chunked:
        raise BadHead
    if value.lower() != b"chunked":
        raise BadHead(answers.BAD_CODING if _CODING.fullmatch(value) else answers.BAD_REQUEST)
    fields.chunked = True


def _connection(fields: Fields, value: bytes) -> None:
    for option in value.lower().split(b","):
        word = option.strip(b" \t")
        if word == b"close":
            fields.close = True
        elif word == b"keep-alive":
            fields.keep_alive = True
        elif word in names.NOT_HOP_BY_HOP:
            raise BadHead
        elif word:
            if _WORD.fullmatch(word) is None:
                raise BadHead
            fields.named = (fields.named or frozenset()) | {word}


def _expect(fields: Fields, value: bytes) -> None:
    if value.lower() != b"100-continue":
        raise BadHead(answers.BAD_EXPECT)
    fields.expects = True


def _client(fields: Fields, value: bytes) -> None:
    before = fields.forwarded_for
    fields.forwarded_for = value if before is None else before + b"," + value


def _via(fields: Fields, value: bytes) -> None:
    fields.via = value if fields.via is None else fields.via + b", " + value


def _cookie(fields: Fields, value: bytes) -> None:
    fields.cookie = value if fields.cookie is None else fields.cookie + b"; " + value


def _te(fields: Fields, value: bytes) -> None:
    fields.trailers = fields.trailers or value.lower() == b"trailers"


_MEANING: Final[dict[int, Callable[[Fields, bytes], None]]] = {
    names.TYPE: _once("content_type"), names.KEY: _once("idempotency_key"), names.VIA: _via,
    names.UPGRADE: _once("upgrade"), names.LENGTH: _length, names.CODING: _coding,
    names.CONNECTION: _connection, names.EXPECT: _expect, names.COOKIE: _cookie,
    names.CLIENT: _client, names.TE: _te,
}  # fmt: skip
