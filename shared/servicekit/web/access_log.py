"""One line and one measurement per request, without personal data and without query values."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from flask import Response, g, request

from servicekit import logs, metrics, tracing
from servicekit.columns import new_id
from servicekit.web.session import app

if TYPE_CHECKING:
    from servicekit.web.app import ServiceApp

log = logs.get_logger()

PROBES = frozenset({"/livez", "/readyz", "/metrics"})
_NAME = re.compile(r"[a-z_]{1,40}")  # what is no name of ours may be anything
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id(given: str | None) -> str:
    """The id the gateway gave; a new one when there is none or it is not an id."""
    return given if given is not None and _ID.fullmatch(given) else new_id()


def install(to: ServiceApp) -> None:
    """Finish every answer: common headers, the line, the measurement."""
    to.after_request(_finish)


def _finish(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers["X-Request-Id"] = request.environ["servicekit.request_id"]
    here = tracing.current()
    if here is not None:
        response.headers["traceparent"] = here.header
    # The pattern, not the path: paths may hold what people typed, and metrics need few values.
    route = request.url_rule.rule if request.url_rule is not None else ""
    if route not in PROBES:
        _tell(response, route, time.perf_counter() - request.environ["servicekit.started"])
    return response


def _tell(response: Response, route: str, seconds: float) -> None:
    status = str(response.status_code)
    metrics.REQUEST_SECONDS.labels(app().service.name, request.method, route, status).observe(
        seconds
    )
    log.info(
        "request answered",
        method=request.method,
        route=route,
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
        bytes_out=response.content_length,
        query=sorted(name for name in request.args if _NAME.fullmatch(name)),
        code=g.get("problem_code"),
    )
