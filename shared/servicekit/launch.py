"""Starts a service's processes: ``python -m servicekit.launch web identity --port 8101``.

Services are found by their entry points ``suite.services``; what an installation says to them
comes from the environment. The same command runs in images and under ``make run``.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Final

from servicekit import logs
from servicekit.errors import Refusal
from servicekit.settings import BadSettings, load, tell_libraries

if TYPE_CHECKING:
    from servicekit.web.app import Service, ServiceApp

GROUP: Final = "suite.services"
WEB_PORT: Final = 8000
HEALTH_PORT: Final = 8001
REFUSED: Final = 1
WRONG_CALL: Final = 2


class UnknownService(Exception):
    """No installed service has this name."""


@cache
def services() -> Mapping[str, EntryPoint]:
    """Every installed service by its folder's name; looked for once, in every package there is."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def create(name: str) -> ServiceApp:
    """A service's app, with its settings from the environment.

    Raises:
        UnknownService, BadSettings
    """
    app: ServiceApp = _entry(name).load()()
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns: the exit status: 1 when it was refused, 2 when the call or the settings are wrong.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except (BadSettings, UnknownService) as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_CALL
    except Refusal as refusal:
        sys.stderr.write(f"{refusal.message}\n")
        return REFUSED


def _web(options: argparse.Namespace) -> None:
    if options.workers > 1:
        # Each process writes its figures into a common folder; the library asks for it on import.
        tell_libraries("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="metrics-"))
    from servicekit.web import server

    name = options.service
    settings = _settings(name)
    logs.configure(name, settings.log_level)
    service: Service = importlib.import_module(_entry(name).module).SERVICE
    server.serve(
        partial(create, name),
        server.Listening(
            host=options.host or _host(settings),
            port=options.port,
            workers=options.workers,
            threads=options.threads or settings.database_pool + service.waiting,
            drain=options.drain,
        ),
    )


def _events(options: argparse.Namespace) -> None:
    from servicekit.worker import run_worker

    apps = [create(name) for name in options.services]
    settings = apps[0].settings
    logs.configure("events" if len(apps) > 1 else apps[0].service.name, settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_worker(apps, stop, health=(options.host or _host(settings), options.port))


def _migrate(options: argparse.Namespace) -> None:
    from servicekit.migrations import upgrade

    for name in options.services:
        package = _package(name)
        settings = _settings(name)
        logs.configure(name, settings.log_level)
        upgrade(settings.database_url, package)


def _seed(options: argparse.Namespace) -> None:
    for name in options.services:
        module = f"{_package(name)}.seed"
        if importlib.util.find_spec(module) is None:
            continue  # a service without demo rows
        app = create(name)
        logs.configure(name, app.settings.log_level)
        importlib.import_module(module).seed(app)
        app.database.close()


def _migration(options: argparse.Namespace) -> None:
    from servicekit.migrations import write_revision

    app = create(options.service)
    metadata = app.service.base.metadata
    path = write_revision(app.settings.database_url, app.service.package, metadata, options.message)
    sys.stdout.write(f"{path}\n")


def _keys(options: argparse.Namespace) -> None:
    from servicekit.leaked_keys import listed

    sys.stdout.writelines(f"{line}\n" for line in listed(create(options.service)))


def _withdraw_key(options: argparse.Namespace) -> None:
    from servicekit.leaked_keys import withdraw

    before = withdraw(create(options.service), options.kid, reason=options.reason)
    sys.stdout.write(f"withdrawn; it was {before}\n")


def _entry(name: str) -> EntryPoint:
    known = services()
    if name not in known:
        raise UnknownService(f"no service {name}; there are {', '.join(sorted(known)) or 'none'}")
    return known[name]


def _package(name: str) -> str:
    return _entry(name).module.partition(".")[0]


def _settings(name: str) -> Any:
    module = importlib.import_module(f"{_package(name)}.settings")
    return load(module.Settings, name.replace("-", "_").upper())


def _host(settings: Any) -> str:
    # On a developer's machine nobody else reaches a service past the gateway.
    return "0.0.0.0" if settings.environment == "production" else "127.0.0.1"  # noqa: S104


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m servicekit.launch", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    web = commands.add_parser("web", help="answer requests")
    web.add_argument("service")
    web.add_argument("--workers", type=int, default=1, help="processes")
    web.add_argument("--threads", type=int, help="per process; as many as database connections")
    web.add_argument("--drain", type=float, default=0.0, help="seconds between not ready and end")
    events = commands.add_parser("events", help="relay, consume and do jobs")
    events.add_argument("services", nargs="+")
    for command, port, run in ((web, WEB_PORT, _web), (events, HEALTH_PORT, _events)):
        command.add_argument("--host", help="127.0.0.1; in production every address")
        command.add_argument("--port", type=int, default=port)
        command.set_defaults(run=run)
    migrate = commands.add_parser("migrate", help="bring the databases to the newest migration")
    seed = commands.add_parser("seed", help="write demo rows")
    for command, task in ((migrate, _migrate), (seed, _seed)):
        command.add_argument("services", nargs="+")
        command.set_defaults(run=task)
    migration = commands.add_parser("migration", help="write the next migration")
    migration.add_argument("service")
    migration.add_argument("message")
    migration.set_defaults(run=_migration)
    keys = commands.add_parser("keys", help="list what a service signs with")
    withdraw = commands.add_parser("withdraw-key", help="believe a leaked signing key no more")
    for command, task in ((keys, _keys), (withdraw, _withdraw_key)):
        command.add_argument("service")
        command.set_defaults(run=task)
    withdraw.add_argument("kid")
    withdraw.add_argument("--reason", required=True, help="who decided it and why; no names")
    return parser


if __name__ == "__main__":
    sys.exit(main())
