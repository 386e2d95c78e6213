"""gunicorn's threads with a short way for the request that nearly all are.

The gateway asks with one plain head and a short body, which arrive together on a kept connection.
Such a request is read by two patterns and answered in one write. At the first doubt gunicorn reads
the same bytes itself, so that its parser is the only judge of what is unusual or wrong, and its
limits, errors, streams and ends stay as they are.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from gunicorn.http import wsgi
from gunicorn.workers.gthread import TConn

from servicekit.web.leading import LeadingWorker

MOST_BYTES: Final = 64 * 1024  # of a request read, and of an answer written, in one piece
LONGEST_HEAD: Final = 8000  # bytes; this and the next below gunicorn's limits (``web.server``)
MOST_FIELDS: Final = 100

# The target without what gunicorn reads in another way: //, # and other forms than a path.
_LINE: Final = re.compile(
    r"(GET|POST|PUT|PATCH|DELETE) (/(?!/)[!\"$->@-~]*)(?:\?([!\"$-~]*))? HTTP/1\.1\r\n"
)
# One space, no spaces at the end, no underscore in a name, nothing but ASCII.
_FIELD: Final = re.compile(r"([A-Za-z0-9-]+): ([!-~](?:[ -~]*[!-~])?)\r\n")
_AROUND_A_FIELD: Final = len(": \r\n")
# What changes how a message is read or a connection goes on.
_DOUBTFUL: Final = frozenset(
    {"HTTP_CONNECTION", "HTTP_EXPECT", "HTTP_TRANSFER_ENCODING", "HTTP_UPGRADE"}
)
_STATUS: Final = re.compile(r"(?!204|304)[2-5]\d\d [ -~]*")  # those have no body
_HOPS: Final = "|".join(sorted(wsgi.util.hop_headers))
_LINES: Final = re.compile(
    rf"(?:(?!(?i:{_HOPS}):)[!#-'*+.^_`|~0-9A-Za-z-]+: [\t -~\x80-\xff]*\r\n)*"
)


class QuickWorker(LeadingWorker):
    """The worker class of every service."""

    def init_process(self) -> None:
        """What all requests have in common is put together once."""
        self._common = {
            **wsgi.base_environ(self.cfg),
            "wsgi.multithread": True,
            "wsgi.url_scheme": "http",
            "SCRIPT_NAME": "",
        }
        super().init_process()

    def handle(self, conn: TConn) -> Any:
        """Answer one request; may the connection be kept?"""
        # The first request of a connection, a stopping worker and a crowd are gunicorn's.
        crowded = len(self.keepalived_conns) >= self.max_keepalived
        if not conn.initialized or conn.is_http2 or not self.alive or crowded:
            return super().handle(conn)
        if conn.parser.unreader.buf.getvalue():
            return super().handle(conn)
        if conn.sock.gettimeout() is not None:
            conn.sock.setblocking(True)
        try:
            data = conn.sock.recv(MOST_BYTES)
        except OSError:
            return False
        environ = read(data, self._common)
        if environ is None:
            conn.parser.unreader.unread(data)
            return super().handle(conn) if data else False
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = conn.client[0], str(conn.client[1])
        environ["SERVER_NAME"], environ["SERVER_PORT"] = conn.server[0], str(conn.server[1])
        return self._answer(conn, environ)

    def _answer(self, conn: TConn, environ: dict[str, Any]) -> bool:
        answer = Answer(Asked(environ["REQUEST_METHOD"]), conn.sock, self.cfg)
        try:
            parts = self.wsgi(environ, answer.start_response)
            try:
                answer.send(parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
        except OSError:
            return False  # who asked has hung up
        except Exception as error:
            if answer.headers_sent:
                self.log.exception("Error handling request")
            else:
                self.handle_error(None, conn.sock, conn.client, error)
            return False
        return not answer.should_close()


class Asked:
    """What an answer must know of its request."""

    version = (1, 1)

    def __init__(self, method: str) -> None:
        self.method = method

    def should_close(self) -> bool:
        """A plain request says nothing of it."""
        return False


class Answer(wsgi.Response):  # type: ignore[misc]
    """gunicorn's, with a short way for a short body of known length."""

    status: str | None
    headers_sent: bool
    _lines: str | None = None

    def start_response(
        self, status: str, headers: Sequence[tuple[str, str]], exc_info: Any = None
    ) -> Any:
        """Check and keep the head, as WSGI wants it."""
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        length = [value for name, value in headers if name.lower() == "content-length"]
        if exc_info or self.status or len(length) != 1 or not length[0].isdigit():
            return super().start_response(status, headers, exc_info)
        is_whole = lines.count("\r\n") == len(headers) and _LINES.fullmatch(lines)
        if not is_whole or not _STATUS.fullmatch(status):
            return super().start_response(status, headers, exc_info)
        self.status, self.status_code = status, int(status[:3])
        self.headers, self.response_length, self._lines = [*headers], int(length[0]), lines
        return self.write

    def send(self, parts: Iterable[bytes]) -> None:
        """Write head and body, in one piece where that is short."""
        if self._lines is None or self.headers_sent or self.response_length > MOST_BYTES:
            if isinstance(parts, wsgi.FileWrapper):
                self.write_file(parts)
            else:
                for part in parts:
                    self.write(part)
            self.close()
            return
        body = b"".join(parts)
        if len(body) == self.response_length:
            head = "".join([*self.default_headers(), self._lines, "\r\n"])
            self.headers_sent = True
            self.sock.sendall(head.encode("latin-1") + body)
        else:
            self.write(body)


def read(data: bytes, common: Mapping[str, Any]) -> dict[str, Any] | None:
    """A whole plain request as WSGI's environment; None where gunicorn shall judge.

    Args:
        common: what all requests have in common.
    """
    end = data.find(b"\r\n\r\n") + 2
    text = data[:end].decode("latin-1")
    line = _LINE.match(text)
    if line is None:
        return None
    fields = _FIELD.findall(text, line.end())
    covered = sum([len(name) + len(value) + _AROUND_A_FIELD for name, value in fields])
    found = {_variable(name): value for name, value in fields}
    body = data[end + 2 :]
    length = found.get("CONTENT_LENGTH", "0")
    if covered != len(text) - line.end() or len(found) != len(fields):
        return None  # something between the fields, or a name twice
    if end > LONGEST_HEAD or len(fields) > MOST_FIELDS or _DOUBTFUL & found.keys():
        return None
    if not length.isdigit() or int(length) != len(body):
        return None
    method, path, query = line.groups()
    return {
        **common,
        **found,
        "wsgi.input": io.BytesIO(body),
        "REQUEST_METHOD": method,
        "RAW_URI": path if query is None else f"{path}?{query}",
        "QUERY_STRING": query or "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1") if "%" in path else path,
        "SERVER_PROTOCOL": "HTTP/1.1",
    }


@lru_cache(maxsize=1000)
def _variable(name: str) -> str:
    name = name.upper().replace("-", "_")
    return name if name in ("CONTENT_LENGTH", "CONTENT_TYPE") else f"HTTP_{name}"
