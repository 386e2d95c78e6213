"""W3C trace context: one id that follows a wish through HTTP, services and events."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Where we are in a trace: the whole trace's id and our own step in it."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @property
    def header(self) -> str:
        """The value of ``traceparent``, version 00."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def child(self) -> TraceContext:
        """The next step of the same trace."""
        return TraceContext(self.trace_id, secrets.token_hex(8), self.sampled)


_current: ContextVar[TraceContext | None] = ContextVar("trace", default=None)


def start() -> TraceContext:
    """A trace that begins here."""
    return TraceContext(secrets.token_hex(16), secrets.token_hex(8))


def parse(header: str | None) -> TraceContext | None:
    """Read a ``traceparent``; anything malformed is as good as none (W3C Trace Context 3.2)."""
    match = _FORM.fullmatch(header or "")
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not trace_id.strip("0"):
        return None
    if not span_id.strip("0"):
        return None
    return TraceContext(trace_id, span_id, bool(int(flags, 16) & 1))


def current() -> TraceContext | None:
    """The trace this thread or task is working for."""
    return _current.get()


def traceparent() -> str | None:
    """The header to send along with whatever leaves from here."""
    here = _current.get()
    return None if here is None else here.header


@contextmanager
def continued(header: str | None) -> Iterator[TraceContext]:
    """Work as the next step of the caller's trace, or start one."""
    caller = parse(header)
    here = start() if caller is None else caller.child()
    token = _current.set(here)
    try:
        yield here
    finally:
        _current.reset(token)
