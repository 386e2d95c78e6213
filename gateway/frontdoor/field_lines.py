"""Reads the field lines of a request; what lines say is remembered, and how a client begins."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from frontdoor import answers
from frontdoor import field_names as names
from frontdoor.field_names import AUTHORIZATION, CONNECTION, HOST, KEPT, PLAIN
from frontdoor.fields import NOTHING, OUR_NAME, TOKEN, BadHead, Beginning, Fields

_FIELD_LINE: Final = re.compile(rb"([" + TOKEN + rb"]++):[ \t]*+([\t -~\x80-\xff]*+)")
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9.\-_~%]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_CODING: Final = re.compile(rb"(?:x-)?(?:gzip|compress)|deflate", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_WORD: Final = re.compile(rb"[" + TOKEN + rb"]+")
_NOT_IN_VALUES: Final = re.compile(rb"[^\t -~\x80-\xff]")  # the rest of _FIELD_LINE's

MOST_FIELDS: Final = 100
FIELD_MARGIN: Final = 4  # gunicorn counts them against 8,190 bytes
COOKIE_MARGIN: Final = len("Cookie: ")
OUR_COOKIES: Final = b"__Host-jiuye"

# What lines say is remembered, but not for names whose lines never come again.
_Line = tuple[int, bytes]
_plain: set[bytes] = set()
_lines: dict[bytes, _Line] = {}
_misses: dict[bytes, int] = {}
_tokens: dict[bytes, tuple[bytes, _Line]] = {}  # long lines, by their end: hashing all is dear
_changing: set[bytes] = set()  # names of plain fields that are different each time
_ANY_PLAIN: Final = (PLAIN, b"")
_NO_TOKEN: Final = (b"", _ANY_PLAIN)
_MOST: Final = 2048
_LONGEST_KEPT: Final = 256
_LONGEST_AUTHORIZATION_KEPT: Final = 1536
_END_OF_TOKEN: Final = 64  # bytes; most of a signature, which no two tokens share by chance
_CHANGES: Final = 200  # different lines of one name


_beginnings: dict[bytes, Beginning] = {}
_MOST_BEGINNINGS: Final = 256
_LONGEST_BEGINNING: Final = 2048


def learn_beginning(data: bytes, start: int, end: int) -> Beginning:
    """How a head that was good begins: with lines that say nothing which could be told twice.

    Args:
        data: holds the head.
        start: where its first field begins.
        end: where the line end of its last field begins.
    """
    kept: list[bytes] = []
    host: bytes | None = None
    keep_alive, at = False, start
    for line in data[start:end].split(b"\r\n"):
        if at - start > _LONGEST_BEGINNING:
            break
        if line not in _plain:
            kind, value = _lines.get(line, (PLAIN, b""))
            if kind == HOST:
                host = value
            elif kind == CONNECTION and value.lower() == b"keep-alive":
                keep_alive = True
                at += len(line) + 2
                continue
            else:
                break
        kept.append(line + b"\r\n")
        at += len(line) + 2
    block = data[start:at]
    found = _beginnings.get(block)
    if found is None:
        if len(_beginnings) >= _MOST_BEGINNINGS:
            _beginnings.clear()
        count = len(kept) + keep_alive
        found = Beginning(block, b"".join(kept), count, host, keep_alive=keep_alive)
        _beginnings[block] = found
    return found


def read_fields(
    data: bytes, start: int, end: int, longest_line: int, begun: Beginning = NOTHING
) -> Fields:
    """Read the lines after the request line.

    Args:
        data: holds the head.
        start: where its first field begins.
        end: where the line end of its last field begins; before ``start`` when it has none.
        longest_line: bytes, with its end.
        begun: how the fields begin; a good head before began so too.

    Raises:
        BadHead: with the answer to give.
    """
    fields = Fields()
    fields.host, fields.keep_alive = begun.host, begun.keep_alive
    fields.lines = begun.kept
    first = start + len(begun.block)
    if first > end:
        return fields
    lines = data[first:end].split(b"\r\n")
    longest_line -= FIELD_MARGIN
    if len(lines) + begun.count > MOST_FIELDS or (
        end - first > longest_line and max(map(len, lines)) > longest_line
    ):
        raise BadHead(answers.LONG_HEAD)
    gone = _read_unusual(fields, lines)
    if not gone:
        fields.lines += data[first : end + 2]
        return fields
    if fields.named and begun is not NOTHING:  # it may name what it began with
        return read_fields(data, start, end, longest_line + FIELD_MARGIN)
    _finish(fields, lines, gone)
    if fields.cookie is not None and len(fields.cookie) > longest_line - COOKIE_MARGIN:
        raise BadHead(answers.LONG_HEAD)  # several lines have become one
    return fields


def _read_unusual(fields: Fields, lines: list[bytes]) -> list[bytes]:
    """Read what decides something; returns the lines no service sees."""
    gone: list[bytes] = []
    for line in lines:
        if len(line) > _LONGEST_KEPT:
            kind, value = _read_long(line)
        elif line in _plain:
            continue
        else:
            kind, value = _lines.get(line) or _read_new(line)
        if kind == AUTHORIZATION:
            if fields.authorization is not None:
                raise BadHead
            fields.authorization = value
        elif kind == HOST:
            if fields.host is not None:
                raise BadHead
            fields.host = value
        elif kind:
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
    fields.lines += b"\r\n".join(kept)


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


def _read_long(line: bytes) -> _Line:
    """A line with a token is likely to come again, others are not."""
    known, read = _tokens.get(line[-_END_OF_TOKEN:], _NO_TOKEN)
    return read if known == line else _read_new(line)


def _read_new(line: bytes) -> _Line:
    """A line that is not remembered; plain ones of names known to change need no second look."""
    name, _, value = line.partition(b":")
    if name in _changing and _NOT_IN_VALUES.search(value) is None:
        return _ANY_PLAIN
    return _classify(line)


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
        elif kind == PLAIN:
            _changing.add(name)
    return read


def _keep(line: bytes, read: _Line) -> None:
    if len(_lines) + len(_plain) + len(_tokens) >= _MOST or len(_misses) >= _MOST:
        for known in (_lines, _plain, _tokens, _misses, _changing):
            known.clear()
    if len(line) > _LONGEST_KEPT:
        _tokens[line[-_END_OF_TOKEN:]] = (line, read)
    elif read[0] == PLAIN:
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
    CONNECTION: _connection, names.EXPECT: _expect, names.COOKIE: _cookie,
    names.CLIENT: _client, names.TE: _te, names.DROPPED: lambda fields, value: None,
}  # fmt: skip
