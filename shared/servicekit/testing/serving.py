"""An application on a port of this machine, for as long as a test needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOOKS_EVERY = 0.05  # seconds, whether it is to end


class _Quiet(WSGIRequestHandler):
    """Does not write what it was asked."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - as werkzeug has it
        pass


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """Answer on a free port, each request in a thread.

    Returns: the address, without a path.
    """
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(LOOKS_EVERY,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
