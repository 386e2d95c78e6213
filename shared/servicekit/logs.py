"""One JSON line per event, with the request's and trace's ids and without personal data.

Log facts with keys (``log.info("application moved", move=move)``), not sentences with values.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, MutableMapping
from typing import Any, TextIO, cast

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

from servicekit import tracing
from servicekit.personal import Personal

WITHHELD = "[personal]"

# A value under such a name is not written, whatever it is; write an id instead.
_PERSONAL_KEYS = frozenset(
    "name person_name real_name login_name email address phone mobile mobile_number "  # noqa: SIM905
    "document_number resident_number id_number bank_card card_number password sms_code "
    "token access_token refresh_token authorization cookie secret note".split()
)
# The second net, for texts we did not write: resident numbers and mobile phone numbers.
_PERSONAL_TEXT = re.compile(
    r"(?<![\dA-Za-z])(?:[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
    r"|(?:\+?86)?1[3-9]\d{9})(?![\dA-Za-z])"
)

_UNICODE_BREAKS = re.compile("[\x85\u2028\u2029]")  # JSON escapes all the others

EventDict = MutableMapping[str, Any]


def get_logger(**bound: Any) -> FilteringBoundLogger:
    """A logger; ``bound`` is on every line it writes."""
    return cast(FilteringBoundLogger, structlog.get_logger(**bound))


def configure(service: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Send our lines and the libraries' through one form to ``stream`` (standard output).

    Args:
        service: on every line, unless ``bind`` names another (several services in one process).
        level: debug, info, warning or error.
    """

    def name_service(_logger: object, _method: str, line: EventDict) -> EventDict:
        line.setdefault("service", service)
        return line

    shared: list[Callable[[Any, str, EventDict], Any]] = [
        structlog.contextvars.merge_contextvars,
        name_service,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_trace,
        structlog.processors.format_exc_info,
        withhold_personal,
    ]
    threshold = getattr(logging, level.upper())
    lines = _Lines(stream)
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    handler = _Foreign(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render_text],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(max(threshold, logging.INFO))
    # What our own lines say already: migrations in one, the bus when a link is lost or back.
    for chatty in ("alembic", "pika"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(True)


def bind(**values: Any) -> None:
    """Put ids on every line of this request, event or job: request_id, service, subject …"""
    structlog.contextvars.bind_contextvars(**values)


def unbind_all() -> None:
    """Forget what was bound; the next request begins with nothing."""
    structlog.contextvars.clear_contextvars()


def withhold_personal(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Mask personal types and refuse values under personal names, at any depth."""
    for key, value in line.items():
        if key in _PERSONAL_KEYS:
            line[key] = WITHHELD
        elif type(value) is str:
            if len(value) >= _SHORTEST and _PERSONAL_TEXT.search(value):
                line[key] = _clean(value)
        elif type(value) not in _HARMLESS:
            line[key] = _clean(value)
    return line


def render(_logger: object, _method: str, line: EventDict) -> str:
    """One JSON object on one line, whatever counts as a line's end (no forged lines)."""
    ordered = {"time": line.pop("time", None), "level": line.pop("level", None), **line}
    try:
        text = orjson.dumps(ordered, default=_unknown, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # lone surrogates, huge integers: rare, and no reason to lose the line
        return json.dumps(ordered, default=_unknown, skipkeys=True)
    return _UNICODE_BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _Lines:
    """Writes whole lines to the stream, or to what is standard output at that moment."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def msg(self, line: str) -> None:
        with self._lock:
            out = sys.stdout if self._stream is None else self._stream
            out.write(f"{line}\n")
            out.flush()

    debug = info = warning = error = critical = log = msg


class _Foreign(logging.Handler):
    """Lines of libraries that log by the standard library."""

    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.msg(self.format(record))


def _render_text(logger: object, method: str, line: EventDict) -> str:
    return render(logger, method, line)


def _add_trace(_logger: object, _method: str, line: EventDict) -> EventDict:
    here = tracing.current()
    if here is not None:
        line.setdefault("trace_id", here.trace_id)
    return line


def _clean(value: Any) -> Any:
    if isinstance(value, Personal):
        return value.mask()
    if isinstance(value, str):
        return _PERSONAL_TEXT.sub(WITHHELD, value) if len(value) >= _SHORTEST else value
    if isinstance(value, dict):
        return {k: WITHHELD if k in _PERSONAL_KEYS else _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(v) for v in value]
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {_clean(str(value))}"
    return value


_HARMLESS = frozenset({int, float, bool, type(None)})
_SHORTEST = 11  # characters of a mobile phone number


def _unknown(value: Any) -> str:
    return str(_clean(str(value)))
