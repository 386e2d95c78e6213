"""Whether the process lives, whether it may be given work, and its figures."""

from __future__ import annotations

import threading
import time
from typing import Any

from flask import Blueprint, Response, jsonify

from servicekit import logs, metrics
from servicekit.migrations import pending
from servicekit.web.access import public
from servicekit.web.session import app

log = logs.get_logger()

blueprint = Blueprint("health", __name__)

CACHED_SECONDS = 1.0  # probes of several gateways cost one look


class Readiness:
    """One look at the database per second, shared by everybody who asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._answer: dict[str, Any] = {}

    def check(self, look: Any) -> dict[str, Any]:
        """What ``look`` said less than a second ago, or says now."""
        with self._lock:
            if not self._answer or time.monotonic() - self._looked_at > CACHED_SECONDS:
                self._answer = look()
                self._looked_at = time.monotonic()
            return self._answer


@blueprint.get("/livez")
@public
def livez() -> Response:
    """The process answers; touches nothing, so an outage elsewhere restarts nobody."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """The database answers and has every migration this code needs; not while draining."""
    here = app()
    if here.draining():
        return _unready(status="draining")
    readiness = here.extensions.setdefault("servicekit.readiness", Readiness())
    found = readiness.check(_look)
    return jsonify(found) if found["status"] == "ready" else _unready(**found)


@blueprint.get("/metrics")
@public
def figures() -> Response:
    """Prometheus' text form."""
    body, content_type = metrics.render()
    return Response(body, content_type=content_type)


def _look() -> dict[str, Any]:
    here = app()
    try:
        with here.database.reader.connect() as connection:
            missing = pending(connection, here.service.package)
    except Exception as error:  # whatever it is, the answer is: not ready
        log.warning("not ready", error=type(error).__name__)
        return {"status": "unready", "database": "unreachable"}
    if missing:
        return {"status": "unready", "database": "reachable", "migrations": missing}
    return {"status": "ready", "database": "reachable", "migrations": "at head"}


def _unready(**found: Any) -> Response:
    response = jsonify(**found)
    response.status_code = 503
    return response
