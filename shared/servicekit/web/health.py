"""Whether the process lives, whether it may be given work, its figures and its contract."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from importlib import resources
from typing import Any, Final

import psycopg
from flask import Blueprint, Response, jsonify
from sqlalchemy import NullPool, create_engine

from servicekit import logs, metrics
from servicekit.db import plain_url, sqlalchemy_url
from servicekit.web.access import public
from servicekit.web.session import app

log = logs.get_logger()

blueprint = Blueprint("health", __name__)

CACHED_SECONDS: Final = 1.0  # probes of several gateways cost one look
LIMIT_SECONDS: Final = 2  # Kubernetes waits three
_LIMITS: Final[dict[str, Any]] = {
    "connect_timeout": LIMIT_SECONDS,
    "options": f"-c statement_timeout={LIMIT_SECONDS}s",
}

Look = Callable[[], dict[str, Any]]


class Readiness:
    """One look per second, shared by everybody who asks; nobody queues behind a slow one."""

    def __init__(self, look: Look, clock: Callable[[], float] = time.monotonic) -> None:
        self._look = look
        self._clock = clock
        self._lock = threading.Lock()
        self._good_until = 0.0
        self._found: dict[str, Any] = {"status": "unready", "database": "not looked at yet"}

    def check(self) -> dict[str, Any]:
        """What was found less than a second ago, or is found now."""
        if self._clock() >= self._good_until and self._lock.acquire(blocking=False):
            try:
                self._found = self._look()
                self._good_until = self._clock() + CACHED_SECONDS
            finally:
                self._lock.release()
        return self._found


def database_of(url: str, package: str) -> Look:
    """A look at a service's database, over a connection of its own.

    Not the pool's: a busy service is ready all the same, and a hanging database holds no thread
    of the pool for longer than the time limit. What is asked every second is one small statement;
    Alembic, which would take 7 MB of each web process, is asked only when that finds a difference.
    """

    def look() -> dict[str, Any]:
        try:
            with psycopg.connect(plain_url(url), autocommit=True, **_LIMITS) as connection:
                missing = [] if _is_at_head(connection, package) else _missing(url, package)
        except Exception as error:  # whatever it is, the answer is: not ready
            log.warning("not ready", error=type(error).__name__)
            return {"status": "unready", "database": "unreachable"}
        if missing:
            return {"status": "unready", "database": "reachable", "migrations": missing}
        return {"status": "ready", "database": "reachable", "migrations": "at head"}

    return look


def _is_at_head(connection: psycopg.Connection[Any], package: str) -> bool:
    try:
        applied = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except psycopg.errors.UndefinedTable:
        return False
    versions = resources.files(package) / "migrations" / "versions"
    newest = max(file.name for file in versions.iterdir() if file.name.endswith(".py"))
    return applied == [(newest.partition("_")[0],)]


def _missing(url: str, package: str) -> list[str]:
    from servicekit.migrations import pending

    engine = create_engine(
        sqlalchemy_url(url),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args=_LIMITS,
    )
    with engine.connect() as connection:
        return pending(connection, package)


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
    found = here.readiness.check()
    return jsonify(found) if found["status"] == "ready" else _unready(**found)


@blueprint.get("/metrics")
@public
def figures() -> Response:
    """Prometheus' text form."""
    body, content_type = metrics.render()
    return Response(body, content_type=content_type)


@blueprint.get("/openapi.json")
@public
def contract() -> Response:
    """The API of the code that runs, as ``contracts/openapi`` holds it for the release."""
    from servicekit.web.openapi import document  # it reads the finished app

    return jsonify(document(app()))


def _unready(**found: Any) -> Response:
    response = jsonify(**found)
    response.status_code = 503
    return response
