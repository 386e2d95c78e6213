"""One line and one measurement per request, without personal data and without query values."""

from __future__ import annotations

import re
import time

from flask import Request, Response, g

from servicekit import logs, metrics, tracing
from servicekit.columns import new_id
from servicekit.web.session import app, present_request

log = logs.get_logger()

PROBES = frozenset({"/livez", "/readyz", "/metrics"})
_COMMON = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_NAME = re.compile(r"[a-z_]{1,40}")  # what is no name of ours may be anything
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id(given: str | None) -> str:
    """The id the gateway gave; a new one when there is none or it is not an id."""
    return given if given is not None and _ID.fullmatch(given) else new_id()


def finish(response: Response) -> Response:
    """Finish an answer: common headers, the line, the measurement."""
    answered, headers = present_request(), response.headers
    said = {name.lower() for name, _ in headers}
    for name, value in _COMMON:
        if name.lower() not in said:
            headers.add(name, value)
    headers.add("X-Request-Id", answered.environ["servicekit.request_id"])
    here = tracing.current()
    if here is not None:
        headers.add("traceparent", here.header)
    # The pattern, not the path: paths may hold what people typed, and metrics need few values.
    route = answered.url_rule.rule if answered.url_rule is not None else ""
    if route not in PROBES:
        started: float = answered.environ["servicekit.started"]
        _tell(answered, response, route, time.perf_counter() - started)
    return response


def _tell(answered: Request, response: Response, route: str, seconds: float) -> None:
    status = response.status_code
    labels = (app().service.name, answered.method, route, str(status))
    metrics.request_seconds(*labels).observe(seconds)
    log.info(
        "request answered",
        method=answered.method,
        route=route,
        status=status,
        milliseconds=round(seconds * 1000, 1),
        bytes_out=response.content_length,
        query=sorted(name for name in answered.args if _NAME.fullmatch(name)),
        code=g.get("problem_code"),
    )
