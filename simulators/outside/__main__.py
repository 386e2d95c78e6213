"""Run the simulators: `python -m outside --port 8190`."""

import argparse
import os
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from outside.app import DEFAULT_SECRETS, Outside, create_app

THREADS = 16  # sixteen silent answers at once; further callers wait in the queue


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with one process, because the state is its memory."""

    def __init__(self, app: Outside, options: dict[str, Any]) -> None:
        """Keep what gunicorn asks for later."""
        self.app, self.options = app, options
        super().__init__()

    def load_config(self) -> None:
        """Set the options, as gunicorn wants it."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Outside:
        """The application."""
        return self.app


def secrets(environ: dict[str, str]) -> dict[str, str]:
    """Each system's secret from the environment or a file named there, else its default."""
    found = {}
    for system in DEFAULT_SECRETS:
        variable = f"OUTSIDE_{system.upper().replace('-', '_')}_SECRET"
        value = environ.get(variable)
        if file := environ.get(f"{variable}_FILE"):
            value = Path(file).read_text().strip()
        if value:
            found[system] = value
    return found


def main() -> None:
    """Parse the command line and serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m outside", description=__doc__)
    parser.add_argument("--port", type=int, default=8190)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--silence", type=float, default=15.0, help="seconds a timeout lasts")
    args = parser.parse_args()
    app = create_app(silence=args.silence, secrets=secrets(dict(os.environ)))

    def leave(_worker: object) -> None:
        app.stopping.set()

    options = {
        "bind": f"{args.host}:{args.port}",
        "worker_class": "gthread",
        "workers": 1,
        "threads": THREADS,
        "timeout": 120,
        "graceful_timeout": 3,
        "worker_int": leave,
        "worker_exit": lambda _server, worker: leave(worker),
        "control_socket_disable": True,
        "loglevel": "warning",
    }
    Server(app, options).run()


if __name__ == "__main__":
    main()
