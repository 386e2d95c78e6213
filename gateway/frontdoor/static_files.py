"""Serves the files of a folder: conditions, ranges, precompressed ones (RFC 9110, nginx's ways)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from typing import Final

from frontdoor import conditions
from frontdoor.answers import NOT_FOUND, Answer, go, refusal
from frontdoor.content import Files
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.file_names import DIRECTORY, FileNames, Found
from frontdoor.sending import FilePart

READ_ONLY: Final = refusal(
    405, "method-not-allowed", "此地址只能查看，不支持该请求方法", b"Allow: GET, HEAD"
)
NO_INDEX: Final = refusal(403, "no-index", "该目录不提供文件列表")
GONE: Final = NOT_FOUND
FAILED: Final = Answer(412, b"")
SMALL: Final = 64 << 10  # bytes that are read at once
_CODINGS: Final = ((b"br", b".br"), (b"gzip", b".gz"))


def serving(files: Files, now: Callable[[], float]) -> Inward:
    """Answers with files.

    Args:
        files: what the configuration says.
        now: monotonic seconds.
    """
    return _Serving(files, now).answer


class _Serving:
    def __init__(self, files: Files, now: Callable[[], float]) -> None:
        self._files = files
        self._names = FileNames(files, now)
        self._strip = len(files.strip.encode().rstrip(b"/"))
        self._index = [name.encode() for name in files.index]
        self._tries = [(t.removesuffix("/").encode(), t.endswith("/")) for t in files.tries]
        self._missing = GONE if files.status == GONE.status else Answer(files.status, b"")
        self._cache = b""
        if files.expires is not None and files.expires < 0:
            self._cache = b"Cache-Control: no-cache"
        elif files.expires is not None:
            self._cache = b"Cache-Control: public, max-age=%d" % files.expires

    def answer(self, exchange: Exchange) -> Step:
        if exchange.method not in (b"GET", b"HEAD"):
            return READ_ONLY
        try:
            return self._find(exchange)
        except _Changed:
            self._names.forget()
        try:
            return self._find(exchange)
        except _Changed:
            return GONE

    def _find(self, exchange: Exchange) -> Answer:
        name = exchange.path[self._strip :] if self._files.strip else exchange.path
        if self._files.strip and exchange.path == self._files.strip.encode() != b"/":
            name = name if self._files.strip.endswith("/") else b""
        if not self._tries:
            return self._plain(exchange, name) or GONE
        for text, wants_directory in self._tries:
            tried = text.replace(b"$uri", name, 1)
            found = self._names.look(tried)
            if wants_directory and found is DIRECTORY:
                return self._plain(exchange, tried) or self._missing
            if not wants_directory and isinstance(found, Found):
                return self._show(exchange, tried, found)
        if self._files.otherwise is not None:
            last = self._files.otherwise.encode()
            last = last[self._strip :] if self._files.strip else last
            return self._plain(exchange, last) or GONE
        return self._missing

    def _plain(self, exchange: Exchange, name: bytes) -> Answer | None:
        found = self._names.look(name)
        if isinstance(found, Found):
            return self._show(exchange, name, found)
        if found is not DIRECTORY:
            return None
        if name and not name.endswith(b"/"):
            path, mark, query = exchange.head.target.partition(b"?")
            return go((path + b"/" + mark + query).decode("ascii"), 301)
        for index in self._index:
            inside = self._names.look(name + index)
            if isinstance(inside, Found):
                return self._show(exchange, name + index, inside)
        return NO_INDEX

    def _show(self, exchange: Exchange, name: bytes, found: Found) -> Answer:
        fields, lines = exchange.fields, []
        shown = found
        if self._files.precompressed:
            lines.append(b"Vary: Accept-Encoding")
            shown, coding = self._smaller(fields.value(b"accept-encoding"), name, found)
            if coding:
                lines.append(b"Content-Encoding: " + coding)
        lines.append(b"ETag: " + shown.etag)
        lines.append(b"Last-Modified: " + formatdate(shown.modified, usegmt=True).encode())
        lines.append(self._cache or b"Cache-Control: no-cache")
        verdict = conditions.judge(fields, shown.etag, shown.modified)
        if verdict == conditions.FAILED:
            return FAILED
        if verdict == conditions.NOT_MODIFIED:
            return Answer(304, b"", lines=tuple(lines))
        lines.append(b"Accept-Ranges: bytes")
        try:
            part = None
            if exchange.method == b"GET":
                part = conditions.part(fields, shown.size, shown.etag, shown.modified)
        except conditions.Unsatisfiable:
            return Answer(416, b"", lines=(b"Content-Range: bytes */%d" % shown.size,))
        first, last = part or (0, shown.size - 1)
        if part is not None:
            lines.append(b"Content-Range: bytes %d-%d/%d" % (first, last, shown.size))
        answer = Answer(
            200 if part is None else 206,
            b"",
            lines=tuple(lines),
            content_type=found.content_type,
        )
        return _with_content(answer, shown, first, last + 1 - first, exchange.method)

    def _smaller(self, accepted: bytes | None, name: bytes, found: Found) -> tuple[Found, bytes]:
        for coding, ending in _CODINGS:
            if conditions.accepts(accepted, coding):
                packed = self._names.look(name + ending)
                if isinstance(packed, Found):
                    return packed, coding
        return found, b""


class _Changed(Exception):
    """The file is not what it was a moment ago."""


def _with_content(answer: Answer, shown: Found, first: int, length: int, method: bytes) -> Answer:
    """The answer with the file's bytes: a small one's at once, a large one's as they are sent."""
    if method == b"HEAD":
        return replace(answer, file=FilePart(-1, first, length))
    try:
        descriptor = os.open(shown.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _Changed from error
    status = os.fstat(descriptor)
    if (status.st_size, int(status.st_mtime)) != (shown.size, shown.modified):
        os.close(descriptor)
        raise _Changed
    if length > SMALL:
        return replace(answer, file=FilePart(descriptor, first, length))
    try:
        return replace(answer, body=os.pread(descriptor, length, first))
    finally:
        os.close(descriptor)
