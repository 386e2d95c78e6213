"""Starts the gateway: `python -m frontdoor [--port 8080]`, or checks a configuration file."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from frontdoor import configuration, directive_table
from frontdoor.app import Gateway, build
from frontdoor.master import Master
from frontdoor.reading import BadConfiguration
from frontdoor.settings import PREFIX, Settings
from frontdoor.sites import Address, Configuration
from frontdoor.worker import BACKLOG, FrontdoorWorker
from servicekit import logs
from servicekit.settings import BadSettings, load

log = structlog.get_logger(__name__)

LAST_WORDS: Final = 5  # seconds a worker has after its drain before the master ends it


class Frontdoor(BaseApplication):  # type: ignore[misc]
    """gunicorn's view of the gateway; the master reads settings and configuration anew.

    Args:
        port: in place of the configuration's.
    """

    gateway: Gateway

    def __init__(self, port: int | None = None) -> None:
        self.port = port
        self.gateway = self.read()
        super().__init__()

    @property
    def addresses(self) -> list[Address]:
        """Where the gateway listens: its doors, then the admin's."""
        return self.addresses_of(self.gateway)

    @staticmethod
    def addresses_of(gateway: Gateway) -> list[Address]:
        """Where a gateway listens."""
        return [*gateway.doors, _address(gateway.settings.admin_listen)]

    def load_config(self) -> None:
        """Tell gunicorn what the gateway is made for."""
        settings = self.gateway.settings
        values: dict[str, Any] = {
            "bind": [],  # the master's sockets are ours
            "workers": settings.workers,
            "worker_class": FrontdoorWorker,
            "backlog": BACKLOG,
            "graceful_timeout": settings.drain_seconds + LAST_WORDS,
            "timeout": 60,
            "control_socket_disable": True,
            "proc_name": "frontdoor",
            "logger_class": _Logger,
            "pre_exec": self._before_takeover,
            "pre_fork": self._before_fork,
            "loglevel": settings.log_level,
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def _before_takeover(self, arbiter: Arbiter) -> None:
        """SIGUSR2: a new program takes over our sockets; it starts as this one did."""
        port = [] if self.port is None else ["--port", str(self.port)]
        arbiter.START_CTX["args"] = [sys.executable, "-m", "frontdoor", *port]
        arbiter.START_CTX[0] = sys.executable

    def _before_fork(self, arbiter: Arbiter, worker: FrontdoorWorker) -> None:
        """Give a worker the place of one that died: what that one had in hand is counted there."""
        worker.gateway = self.gateway
        others = [w for w in arbiter.WORKERS.values() if w.gateway is self.gateway]
        taken = {other.place for other in others}
        worker.place = next(number for number in range(len(taken) + 1) if number not in taken)

    def load(self) -> None:
        """There is no WSGI application."""

    def read(self, former: Gateway | None = None) -> Gateway:
        """A gateway by the settings and the configuration as they are now.

        Args:
            former: the one before; what it counted goes on to count.

        Raises:
            BadConfiguration: with file and line.
            BadSettings: all that is wrong.
        """
        settings = load(Settings, PREFIX)
        return build(settings, _listening(read(settings), settings, self.port), former=former)

    def run(self) -> None:
        """Serve until a signal ends it."""
        Master(self).run()


class _Logger(Logger):  # type: ignore[misc]
    """gunicorn's words in our form."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(cfg.loglevel.upper() if cfg.loglevel != "info" else "WARNING")

    def close_on_exec(self) -> None:
        """No file of a log is gunicorn's; it would look at every logger of every library."""


def read(settings: Settings) -> Configuration:
    """The configuration the settings name.

    Raises:
        BadConfiguration: with file and line.
    """
    return configuration.load(settings.config_path, settings.included)


def _listening(found: Configuration, settings: Settings, port: int | None) -> Configuration:
    """The configuration at another address, when settings or the command line say so."""
    if settings.listen is None and port is None:
        return found
    if len(found.addresses) != 1:
        raise BadSettings(f"{PREFIX}_LISTEN: the configuration listens at more than one address")
    old = found.addresses[0]
    new = old if settings.listen is None else _address(settings.listen)
    new = replace(new, port=port or new.port)
    servers = tuple(
        replace(s, listen=(new,), default_for=(new,) if s.default_for else ())
        for s in found.servers
    )
    return replace(found, servers=servers)


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise BadSettings(f"{PREFIX}_LISTEN, {PREFIX}_ADMIN_LISTEN: {text!r} is not host:port")
    return Address(host.strip("[]"), int(port))


def _check(path: Path, upstreams: Path | None) -> int:
    try:
        configuration.load(path, {} if upstreams is None else {"upstreams.conf": upstreams})
    except BadConfiguration as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stderr.write(f"{path}: the configuration is good\n")
    return 0


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m frontdoor", description=__doc__)
    parser.add_argument("--port", type=int, help="in place of the configuration's")
    parser.add_argument("--test", action="store_true", help="check the configuration, then end")
    parser.add_argument("--directives", action="store_true", help="show the table of directives")
    parser.add_argument("-c", "--config", type=Path, help="the file to check with --test")
    parser.add_argument("--upstreams", type=Path, help="read in place of upstreams.conf")
    options = parser.parse_args()
    if options.directives:
        sys.stdout.write(directive_table.as_markdown() + "\n")
        return 0
    packaged = Path(__file__).parent / "frontdoor.conf"
    if options.test:
        return _check(options.config or packaged, options.upstreams)
    try:
        application = Frontdoor(options.port)
    except (BadConfiguration, BadSettings) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    logs.configure("gateway", application.gateway.settings.log_level)
    application.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
