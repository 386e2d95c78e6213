"""Strict HTTP/1.1 heads (RFC 9112): what two programs could read differently is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from frontdoor import answers
from frontdoor.answers import Answer

_TOKEN: Final = rb"!#$%&'*+\-.^_`|~0-9A-Za-z"
_REQUEST_LINE: Final = re.compile(
    rb"(GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS) (?:http://([A-Za-z0-9.\-:\[\]]+)(?=/))?(/[!-~]*)"
    rb" HTTP/1\.([01])"
)
_ANY_REQUEST_LINE: Final = re.compile(rb"([" + _TOKEN + rb"]+) [!-~]+ HTTP/([0-9])\.[0-9]")
_FIELD_LINE: Final = re.compile(rb"([" + _TOKEN + rb"]++):[ \t]*+([\t -~\x80-\xff]*+)")
_HOST: Final = re.compile(rb"(?:[A-Za-z0-9.\-_~%]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")

MOST_FIELDS: Final = 100
OUR_NAME: Final = b"jiuye-frontdoor"
OUR_COOKIES: Final = b"__Host-jiuye"

# What a field is to us. Fields up to _KEPT go to the service as they came.
_PLAIN, _KEPT, _DROPPED = 0, 20, 30
_HOST_FIELD, _TYPE, _ORIGIN, _SITE, _ACCEPT, _KEY = 1, 2, 3, 4, 5, 6
_LENGTH_FIELD, _CODING, _CONNECTION, _EXPECT = 21, 22, 23, 24
_AUTHORIZATION, _COOKIE, _VIA, _CLIENT = 25, 26, 27, 28

_NAMES: Final = {
    b"host": _HOST_FIELD, b"content-type": _TYPE, b"origin": _ORIGIN, b"accept": _ACCEPT,
    b"sec-fetch-site": _SITE, b"idempotency-key": _KEY, b"via": _VIA,
    b"content-length": _LENGTH_FIELD, b"transfer-encoding": _CODING, b"connection": _CONNECTION,
    b"expect": _EXPECT, b"authorization": _AUTHORIZATION, b"cookie": _COOKIE,
    b"x-forwarded-for": _CLIENT,
}  # fmt: skip
# Hop by hop, written anew by us, or able to pass for somebody: none reaches a service.
_FORBIDDEN: Final = re.compile(
    rb"keep-alive|proxy-.*|te|trailer|upgrade|http2-settings|proxy|forwarded|via"
    rb"|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|x-request-id|traceparent|tracestate"
    rb"|script-name|path-info|remote-user|x-remote-.*|x-user.*|x-auth.*|x-principal.*|x-account.*"
    rb"|x-actor.*|x-subject.*|x-role.*|x-jwt.*|x-original-.*|x-rewrite-.*|x-http-method.*"
    rb"|x-method-override|x-ssl-.*|ssl-client-.*|x-client-cert.*|.*_.*"
)


class BadHead(Exception):
    """The head is refused; ``answer`` says how."""

    def __init__(self, answer: Answer = answers.BAD_REQUEST) -> None:
        self.answer = answer


class Fields:
    """A request's header fields: a pure function of their bytes, so equal blocks are read once."""

    __slots__ = (
        "accept", "authorization", "chunked", "close", "content_type", "cookie", "expects",
        "fetch_site", "forwarded_for", "host", "idempotency_key", "keep_alive", "length", "lines",
        "named", "origin", "sealed", "via",
    )  # fmt: skip

    def __init__(self) -> None:
        self.lines = b""
        self.length = -1
        self.named: set[bytes] | None = None
        self.chunked = self.close = self.keep_alive = self.expects = False
        self.host: bytes | None = None
        self.content_type: bytes | None = None
        self.origin: bytes | None = None
        self.fetch_site: bytes | None = None
        self.accept: bytes | None = None
        self.idempotency_key: bytes | None = None
        self.via: bytes | None = None
        self.forwarded_for: bytes | None = None
        self.authorization: bytes | None = None
        self.cookie: bytes | None = None
        self.sealed: dict[bytes, bytes] | None = None  # our own cookies; no service sees them


class RequestHead:
    """A request line and its fields; ``target`` is path and query as they came."""

    __slots__ = ("fields", "keep", "method", "minor", "target")

    def __init__(self, method: bytes, target: bytes, minor: int, fields: Fields) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self.fields = fields
        self.keep = not fields.close if minor else fields.keep_alive


_Line = tuple[int, bytes]
_lines: dict[bytes, _Line] = {}
_blocks: dict[bytes, Fields] = {}
_MOST_LINES: Final = 4096
_MOST_BLOCKS: Final = 1024
_LONGEST_KEPT: Final = 4096
_LONGEST_LINE_KEPT: Final = 256


def read_request(data: bytes, end: int, longest_line: int) -> RequestHead:
    """Read a request's head.

    Args:
        data: bytes from the client.
        end: where the empty line begins (``CRLF CRLF``).
        longest_line: bytes.

    Raises:
        BadHead: with the answer to give.
    """
    first = data.find(b"\r\n", 0, end + 2)
    found = _REQUEST_LINE.fullmatch(data, 0, first)
    if found is None or first > longest_line:
        raise _bad_request_line(data[:first], longest_line)
    method, authority, target, minor = found.groups()
    block = data[first + 2 : end]
    fields = _blocks.get(block)
    if fields is None:
        fields = _read_fields(block, longest_line)
        if len(block) <= _LONGEST_KEPT:
            if len(_blocks) >= _MOST_BLOCKS:
                _blocks.clear()
            _blocks[block] = fields
    if minor == b"0":
        if fields.chunked:
            raise BadHead
    elif fields.host is None:
        raise BadHead
    if authority is not None and authority != fields.host:
        raise BadHead
    return RequestHead(method, target, 1 if minor == b"1" else 0, fields)


def _bad_request_line(line: bytes, longest: int) -> BadHead:
    if len(line) > longest:
        return BadHead(answers.LONG_TARGET)
    found = _ANY_REQUEST_LINE.fullmatch(line)
    if found is None:
        return BadHead()
    if found[2] != b"1":
        return BadHead(answers.BAD_VERSION)
    known = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS")
    return BadHead() if found[1] in known else BadHead(answers.BAD_METHOD)


def _read_fields(block: bytes, longest_line: int) -> Fields:
    fields = Fields()
    kept: list[bytes] = []
    lines = block.split(b"\r\n") if block else []
    if len(lines) > MOST_FIELDS:
        raise BadHead(answers.LONG_HEAD)
    for line in lines:
        kind, value = _lines.get(line) or _classify(line, longest_line)
        if kind == _PLAIN:
            kept.append(line)
        elif kind != _DROPPED:
            _MEANING[kind](fields, value)
            if kind < _KEPT:
                kept.append(line)
    _finish(fields, kept)
    return fields


def _finish(fields: Fields, kept: list[bytes]) -> None:
    if fields.chunked and fields.length >= 0:
        raise BadHead
    if fields.via is not None and OUR_NAME in fields.via:
        raise BadHead(answers.LOOP)
    if fields.cookie is not None:
        _sort_cookies(fields, kept)
    if fields.length >= 0:
        kept.append(b"Content-Length: %d" % fields.length)
    elif fields.chunked:
        kept.append(b"Transfer-Encoding: chunked")
    if fields.named:
        kept = [line for line in kept if line.partition(b":")[0].lower() not in fields.named]
    fields.lines = b"".join([line + b"\r\n" for line in kept])


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


def _classify(line: bytes, longest_line: int) -> _Line:
    if len(line) > longest_line:
        raise BadHead(answers.LONG_HEAD)
    found = _FIELD_LINE.fullmatch(line)
    if found is None:  # also obs-fold, bare CR, bare LF, NUL, a space before the colon
        raise BadHead
    name = found[1].lower()
    kind = _NAMES.get(name, _PLAIN)
    if kind == _PLAIN and _FORBIDDEN.fullmatch(name):
        kind = _DROPPED
    read = (kind, found[2].rstrip(b" \t"))
    if len(line) <= _LONGEST_LINE_KEPT:
        if len(_lines) >= _MOST_LINES:
            _lines.clear()
        _lines[line] = read
    return read


def _once(name: str) -> Callable[[Fields, bytes], None]:
    def read(fields: Fields, value: bytes) -> None:
        if getattr(fields, name) is not None:
            raise BadHead
        setattr(fields, name, value)

    return read


def _host(fields: Fields, value: bytes) -> None:
    if fields.host is not None or _HOST.fullmatch(value) is None:
        raise BadHead
    fields.host = value


def _length(fields: Fields, value: bytes) -> None:
    if fields.length >= 0 or _LENGTH.fullmatch(value) is None:
        raise BadHead
    fields.length = int(value)


def _coding(fields: Fields, value: bytes) -> None:
    if fields.chunked:
        raise BadHead
    if value.lower() != b"chunked":
        raise BadHead(answers.BAD_REQUEST if b"chunked" in value.lower() else answers.BAD_CODING)
    fields.chunked = True


def _connection(fields: Fields, value: bytes) -> None:
    for option in value.lower().split(b","):
        word = option.strip()
        if word == b"close":
            fields.close = True
        elif word == b"keep-alive":
            fields.keep_alive = True
        elif word in _NAMES:  # asks us to hide from the service what we decide by
            raise BadHead
        elif word:
            fields.named = (fields.named or set()) | {word}


def _expect(fields: Fields, value: bytes) -> None:
    if value.lower() != b"100-continue":
        raise BadHead(answers.BAD_EXPECT)
    fields.expects = True


def _client(fields: Fields, value: bytes) -> None:
    before = fields.forwarded_for
    fields.forwarded_for = value if before is None else before + b"," + value


def _cookie(fields: Fields, value: bytes) -> None:
    fields.cookie = value if fields.cookie is None else fields.cookie + b"; " + value


_MEANING: Final[dict[int, Callable[[Fields, bytes], None]]] = {
    _HOST_FIELD: _host, _TYPE: _once("content_type"), _ORIGIN: _once("origin"),
    _SITE: _once("fetch_site"), _ACCEPT: _once("accept"), _KEY: _once("idempotency_key"),
    _VIA: _once("via"), _LENGTH_FIELD: _length, _CODING: _coding, _CONNECTION: _connection,
    _EXPECT: _expect, _AUTHORIZATION: _once("authorization"), _COOKIE: _cookie, _CLIENT: _client,
}  # fmt: skip
