"""A worker's answer to probes: is it alive, can it work, what has it counted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from servicekit import metrics

PROBE_SECONDS = 5


class HealthServer:
    """``/livez``, ``/readyz`` and ``/metrics`` on a port of their own.

    Args:
        address: host and port; port 0 takes a free one, see :attr:`port`.
        ready: named conditions, asked at each ``/readyz``.
        threads: which must all be alive for ``/livez``.
    """

    def __init__(
        self,
        address: tuple[str, int],
        ready: Callable[[], Mapping[str, bool]],
        threads: Sequence[threading.Thread] = (),
    ) -> None:
        class Handler(_Probe):
            is_ready = staticmethod(ready)
            watched = threads

        self._server = ThreadingHTTPServer(address, Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="health")

    def __enter__(self) -> HealthServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Probe(BaseHTTPRequestHandler):
    is_ready: Callable[[], Mapping[str, bool]]
    watched: Sequence[threading.Thread]
    timeout = PROBE_SECONDS  # a probe that sends nothing

    def do_GET(self) -> None:
        if self.path == "/livez":
            dead = [t.name for t in self.watched if t.ident is not None and not t.is_alive()]
            self._answer(503 if dead else 200, {"status": "fail" if dead else "ok", "dead": dead})
        elif self.path == "/readyz":
            checks = self.is_ready()
            ready = all(checks.values())
            status = {"status": "ok" if ready else "fail", "checks": dict(checks)}
            self._answer(200 if ready else 503, status)
        elif self.path == "/metrics":
            body, content_type = metrics.render()
            self._send(200, body, content_type)
        else:
            self._answer(404, {"status": "fail"})

    def _answer(self, status: int, document: Mapping[str, Any]) -> None:
        self._send(status, json.dumps(document).encode(), "application/json")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Probes are not news."""
