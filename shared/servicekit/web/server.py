"""Serves one service by gunicorn: threads that fit the pool, made after the fork, drained first.

It never faces the network alone: the gateway stands before it and is the one who deals with slow
and malformed clients (reliability finding 4).
"""

from __future__ import annotations

import gc
import logging
import mmap
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError
from gunicorn.glogging import Logger

from servicekit import logs, metrics
from servicekit.settings import BadSettings
from servicekit.web.app import ServiceApp
from servicekit.web.quick_worker import QuickWorker
from servicekit.web.revoked import RevocationFeed

log = logs.get_logger()

LAST_WORDS_SECONDS: Final = 25  # to answer what has been accepted; Kubernetes waits 30 or more
IDLE_SECONDS: Final = 75  # longer than the gateway keeps a connection, so that it is who closes
WRONG_SETTINGS: Final = 2  # exit status, as `launch` has it for every command
# Above the gateway's own limits, so that what is too long is refused there, in Chinese (AL-08).
LONGEST_LINE: Final = 8190
MOST_FIELDS: Final = 200


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and with how many hands; ``drain`` seconds pass between "not ready" and the end."""

    host: str
    port: int
    workers: int = 1
    threads: int = 8
    drain: float = 0.0


def serve(make: Callable[[], ServiceApp], listening: Listening) -> None:
    """Answer requests until SIGTERM.

    Args:
        make: makes the app, in each worker. The master only looks after them: an app there would
            lie in memory twice, because whoever works with its pages gets copies of them.

    Raises:
        SystemExit: at the end; with 2 when the settings are wrong.
    """
    flag = mmap.mmap(-1, 1)  # shared with the workers: the master alone hears SIGTERM
    _Server(make, listening, flag).run()


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(
        self, make: Callable[[], ServiceApp], listening: Listening, flag: mmap.mmap
    ) -> None:
        self._make = make
        self._listening = listening
        self._flag = flag
        super().__init__()

    def load_config(self) -> None:
        for name, value in _configuration(self._listening).items():
            self.cfg.set(name, value)

    def load(self) -> ServiceApp:
        try:
            app = self._make()
        except BadSettings as error:
            raise AppImportError(str(error)) from error  # which ends the master too
        app.draining = lambda: self._flag[0] == 1
        RevocationFeed(app.settings.database_url, app.service.name, app.revocations).start()
        _leave_out_of_collections()
        return app

    def run(self) -> None:
        _Arbiter(self, self._flag, self._listening.drain).run()


class _Arbiter(Arbiter):  # type: ignore[misc]
    APP_LOAD_ERROR = WRONG_SETTINGS

    def __init__(self, server: _Server, flag: mmap.mmap, drain: float) -> None:
        super().__init__(server)
        self._flag = flag
        self._drain = drain

    def handle_term(self) -> None:
        """Say "not ready" first, let the gateway hear it, then stop accepting."""
        self._flag[0] = 1
        log.info("draining", seconds=self._drain)
        time.sleep(self._drain)
        super().handle_term()


class _Logger(Logger):  # type: ignore[misc]
    """Gunicorn's own lines in our form; requests are logged by the app."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)

    def access(self, *_: Any) -> None:
        """Said already, with ids and without addresses."""

    def close_on_exec(self) -> None:
        """No file of a log is gunicorn's; it would look at every logger of every library."""


def _configuration(listening: Listening) -> dict[str, Any]:
    host = f"[{listening.host}]" if ":" in listening.host else listening.host
    return {
        "bind": f"{host}:{listening.port}",
        "worker_class": QuickWorker,
        "workers": listening.workers,
        "threads": listening.threads,
        "graceful_timeout": LAST_WORDS_SECONDS,
        "keepalive": IDLE_SECONDS,
        "limit_request_line": LONGEST_LINE,
        "limit_request_fields": MOST_FIELDS,
        "control_socket_disable": True,
        # No client header becomes SCRIPT_NAME, PATH_INFO or a scheme (reliability finding 5).
        "forwarder_headers": "",
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "header_map": "drop",
        "logger_class": _Logger,
        "proc_name": "jiuye",
        "pre_fork": lambda _arbiter, _worker: _leave_out_of_collections(),
        **({"child_exit": _forget_worker} if listening.workers > 1 else {}),
    }


def _leave_out_of_collections() -> None:
    # What lives as long as the process; where nobody touches it, its pages stay shared.
    gc.collect()
    gc.freeze()


def _forget_worker(_arbiter: Arbiter, worker: Any) -> None:
    metrics.forget_process(worker.pid)
