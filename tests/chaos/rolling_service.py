"""An instance of a service for the rolling restart: the kit's own server, an app that only answers.

python rolling_service.py PORT DRAIN
"""

import sys
from types import SimpleNamespace

from servicekit.clock import SystemClock
from servicekit.revocations import Revocations
from servicekit.web.server import Listening, serve


class Answering:
    """A WSGI app with what the server asks of one; ready until it drains."""

    def __init__(self) -> None:
        self.settings = SimpleNamespace(database_url="postgresql://nobody@127.0.0.1:1/nothing")
        self.service = SimpleNamespace(name="rolling")
        self.revocations = Revocations(SystemClock())
        self.draining = lambda: False

    def __call__(self, environ, start_response):
        ready = environ["PATH_INFO"] != "/readyz" or not self.draining()
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"ok"
        status = "200 OK" if ready else "503 Service Unavailable"
        start_response(status, [("Content-Length", str(len(body)))])
        return [body]


if __name__ == "__main__":
    port, drain = sys.argv[1:]
    serve(Answering, Listening("127.0.0.1", int(port), threads=8, drain=float(drain)))
