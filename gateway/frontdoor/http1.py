"""Strict HTTP/1.1 requests (RFC 9112): what two programs could read differently is refused."""

from __future__ import annotations

import re
from typing import Final

from frontdoor import answers, paths
from frontdoor.fields import LINE_END, TOKEN, BadHead, Fields

_REQUEST_LINE: Final = re.compile(
    rb"(GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS) (?:http://([A-Za-z0-9.\-:\[\]]+)(?=/))?(/[!-~]*)"
    rb" HTTP/1\.([01])"
)
_ANY_REQUEST_LINE: Final = re.compile(rb"([" + TOKEN + rb"]+) [!-~]+ HTTP/([0-9])\.[0-9]")
_SERVED: Final = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS"))
_NOT_SERVED: Final = frozenset((b"TRACE", b"CONNECT"))  # known, so not 501 (RFC 9110 15.6.2)


class RequestHead:
    """A request line; equal lines share one.

    Args:
        method: the method.
        target: path and query as they came.
        minor: 1 for HTTP/1.1.
        path: what the target's path means, decoded.
        authority: of an absolute target; must be the host.
    """

    __slots__ = ("authority", "line", "method", "minor", "odd", "path", "shown", "target")

    def __init__(
        self, method: bytes, target: bytes, minor: int, path: bytes, authority: bytes | None = None
    ) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self.path = path
        self.authority = authority
        self.odd = authority is not None or minor == 0  # `check` has something to look at
        self.line = b"%b %b HTTP/1.1\r\n" % (method, target)
        self.shown: bytes | None = None  # the path as logs may show it


_heads: dict[bytes, RequestHead] = {}
_MOST: Final = 2048
_LONGEST_KEPT: Final = 256


def read_line(line: bytes, longest: int) -> RequestHead:
    """Read a request line.

    Args:
        line: without its end.
        longest: bytes, with its end.

    Raises:
        BadHead: with the answer to give.
    """
    head = _heads.get(line)
    if head is not None and len(line) <= longest - LINE_END:
        return head
    found = _REQUEST_LINE.fullmatch(line)
    if found is None or len(line) > longest - LINE_END:
        raise _bad_request_line(line, longest)
    method, authority, target, minor = found.groups()
    try:
        path = paths.decode(target)
    except paths.BadPath:
        raise BadHead(answers.BAD_PATH) from None
    head = RequestHead(method, target, 1 if minor == b"1" else 0, path, authority)
    if len(line) <= _LONGEST_KEPT:
        if len(_heads) >= _MOST:
            _heads.clear()
        _heads[line] = head
    return head


def _bad_request_line(line: bytes, longest: int) -> BadHead:
    if len(line) > longest - LINE_END:
        return BadHead(answers.LONG_TARGET)
    found = _ANY_REQUEST_LINE.fullmatch(line)
    if found is None:
        return BadHead()
    if found[2] != b"1":
        return BadHead(answers.BAD_VERSION)
    if found[1] in _NOT_SERVED:
        return BadHead(answers.NOT_SERVED)
    return BadHead() if found[1] in _SERVED else BadHead(answers.BAD_METHOD)


def check(head: RequestHead, fields: Fields) -> None:
    """Do line and fields fit together?

    Raises:
        BadHead: no host, another host, a coding HTTP/1.0 does not know.
    """
    if fields.host is None and head.minor:
        raise BadHead
    if head.minor == 0:
        if fields.chunked:
            raise BadHead
        fields.expects = False  # RFC 9110 10.1.1: HTTP/1.0 does not know what is promised
    if head.authority is not None and head.authority != fields.host:
        raise BadHead
