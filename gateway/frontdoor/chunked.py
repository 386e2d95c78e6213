"""Reads the chunked coding strictly, as bytes come (RFC 9112 7.1), and writes it anew."""

from __future__ import annotations

import re
from typing import Final

from frontdoor.field_names import may_be_trailer

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t -~]*)?")
_OUR_SIZE: Final = re.compile(rb"([1-9a-f][0-9a-f]{0,7})\r\n")  # as we write it
_TRAILER: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t -~\x80-\xff]*")
_LONGEST_SIZE: Final = 256  # bytes of a size line with its extensions
_LONGEST_TRAILER: Final = 4096
_MOST_TRAILERS: Final = 32

_SIZE_LINE, _BODY, _BODY_END, _TRAILERS, _OVER = range(5)


class BadChunk(Exception):
    """The coding is broken; where the message ends is not known."""


class Chunked:
    """One body. Extensions are dropped, and trailers but for those that may pass.

    Args:
        unwrap: give the content only, for a receiver that does not know the coding.
        pass_on: send on the trailers that change nothing.
    """

    __slots__ = ("_left", "_seen", "_state", "_tail", "_trailing", "content", "pass_on", "unwrap")

    def __init__(self, *, unwrap: bool = False, pass_on: bool = False) -> None:
        self.pass_on = pass_on
        self._trailing: list[bytes] = []
        self._seen = 0
        self._state = _SIZE_LINE
        self._left = 0
        self._tail = b""
        self.content = 0
        self.unwrap = unwrap

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Take what came.

        Returns:
            What to send on, and what came after the body; None when the body is not over.

        Raises:
            BadChunk: RFC 9112 7.1 says otherwise.
        """
        if self._tail:
            data = self._tail + data
            self._tail = b""
        out: list[bytes] = []
        position = 0
        while position >= 0:
            if self._state == _OVER:
                return b"".join(out), data[position:]
            if self._state == _SIZE_LINE and not self.unwrap:
                position = self._whole_chunks(data, position, out)
            position = _STEPS[self._state](self, data, position, out)
        return b"".join(out), None

    def _whole_chunks(self, data: bytes, position: int, out: list[bytes]) -> int:
        """Those that came whole and as we would write them pass as one piece.

        Else a megabyte in chunks of one byte would cost seconds.
        """
        start = position
        while (found := _OUR_SIZE.match(data, position)) is not None:
            size = int(found[1], 16)
            end = found.end() + size
            if data[end : end + 2] != b"\r\n":
                break
            self.content += size
            position = end + 2
        if position > start:
            out.append(data[start:position])
        return position

    def _size_line(self, data: bytes, position: int, out: list[bytes]) -> int:
        line = self._line(data, position, _LONGEST_SIZE)
        if line is None:
            return -1
        found = _SIZE.fullmatch(line)
        if found is None:
            raise BadChunk
        self._left = int(found[1], 16)
        if self._left and not self.unwrap:
            out.append(b"%x\r\n" % self._left)
        self._state = _BODY if self._left else _TRAILERS
        return position + len(line) + 2

    def _body(self, data: bytes, position: int, out: list[bytes]) -> int:
        taken = min(len(data) - position, self._left)
        if taken:
            out.append(data[position : position + taken])
            self._left -= taken
            self.content += taken
        if self._left:
            return -1
        self._state = _BODY_END
        return position + taken

    def _body_end(self, data: bytes, position: int, out: list[bytes]) -> int:
        end = data[position : position + 2]
        if end != b"\r\n":
            if not b"\r\n".startswith(end):
                raise BadChunk
            self._tail = end
            return -1
        if not self.unwrap:
            out.append(b"\r\n")
        self._state = _SIZE_LINE
        return position + 2

    def _trailers(self, data: bytes, position: int, out: list[bytes]) -> int:
        line = self._line(data, position, _LONGEST_TRAILER)
        if line is None:
            return -1
        if not line:
            if not self.unwrap:
                out += (b"0\r\n", *self._trailing, b"\r\n")
            self._state = _OVER
        else:
            self._read_trailer(line)
        return position + len(line) + 2

    def _read_trailer(self, line: bytes) -> None:
        found = _TRAILER.fullmatch(line)
        self._seen += 1
        passes = None if found is None else may_be_trailer(found[1])
        if passes is None or self._seen > _MOST_TRAILERS:
            raise BadChunk
        if passes and self.pass_on:
            self._trailing.append(line + b"\r\n")

    def _line(self, data: bytes, position: int, longest: int) -> bytes | None:
        end = data.find(b"\r\n", position)
        if end < 0:
            if len(data) - position > longest or b"\n" in data[position:]:
                raise BadChunk
            self._tail = data[position:]
            return None
        if end - position > longest:
            raise BadChunk
        return data[position:end]


_STEPS: Final = (Chunked._size_line, Chunked._body, Chunked._body_end, Chunked._trailers)
