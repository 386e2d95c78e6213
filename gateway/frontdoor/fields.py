"""The header fields of a request: what each is to the gateway, and which of them a service sees."""

from __future__ import annotations

import re
from typing import Final

from frontdoor import answers
from frontdoor.answers import Answer

TOKEN: Final = rb"!#$%&'*+\-.^_`|~0-9A-Za-z"
LINE_END: Final = 2  # bytes; nginx counts them too: a line fits into its buffer or is refused
OUR_NAME: Final = b"jiuye-frontdoor"

_AUTHORIZATION_LINE: Final = re.compile(rb"authorization:", re.IGNORECASE)


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


class Beginning:
    """The first lines of a head, which a client is likely to begin its next one with.

    Args:
        block: whole lines, each with its end.
        kept: those of them a service sees.
        count: how many they are.
        host: what Host says, if it is among them.
        keep_alive: `Connection: keep-alive` is.
    """

    __slots__ = ("block", "count", "host", "keep_alive", "kept")

    def __init__(
        self, block: bytes, kept: bytes, count: int, host: bytes | None, *, keep_alive: bool
    ) -> None:
        self.block = block
        self.kept = kept
        self.count = count
        self.host = host
        self.keep_alive = keep_alive


NOTHING: Final = Beginning(b"", b"", 0, None, keep_alive=False)  # every head begins so
UNKNOWN: Final = Beginning(b"", b"", 0, None, keep_alive=False)  # stands for none
