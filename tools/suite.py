"""The whole suite on one machine: what it consists of, in which order it starts and stops."""

import gc
import importlib
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import databases
from choice import CannotRunError, Choice, refuse_taken_ports, rotate
from rabbitmq import NoRabbitMQ, RabbitNode, working_in
from room_settings import gateway_environment, service_environment, simulator_environment
from secret_folder import SecretFolder, password
from sqlalchemy.orm import configure_mappers
from supervisor import Room, RoomFailedError, Supervisor

from servicekit.testing.embedded import EmbeddedPostgres

# One developer's data; what is not here is in the system's cache.
SMALLER = {"shared_buffers": "16MB", "io_method": "sync", "max_logical_replication_workers": "0"}
READY_PATIENCE = 60.0
NODE_PATIENCE = 45.0
POLL = 0.05


@dataclass
class Suite:
    """A running suite; `start` and `stop` do what they say, in order."""

    choice: Choice
    say: Callable[[str], None] = print
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Know the folders; nothing starts yet."""
        state = self.choice.state
        state.mkdir(parents=True, exist_ok=True)
        self.secrets = SecretFolder(state / "secrets")
        self.postgres = EmbeddedPostgres(
            state / "postgres",
            durable=self.choice.durable,
            password=self.secrets.text("postgres-password", password),
            settings=SMALLER,
        )
        self.supervisor = Supervisor(state / "log", self.say)
        self.node: RabbitNode | None = None
        self.bus_url = ""

    def start(self) -> None:
        """Start everything and return when every room answers.

        Seeds are written each time: they add what is missing and change nothing else.

        Raises: CannotRunError, RoomFailedError, PostgresFailedError.
        """
        refuse_taken_ports(self.choice.ports)
        rotate(self.supervisor.logs)
        self.prepare()
        names = list(self.choice.services)
        for name in names:
            self.supervisor.start(self._web(name))
        self.supervisor.start(self._events(names))
        self._wait()
        self._remember()

    def prepare(self, *, simulators: bool = True) -> None:
        """PostgreSQL and the bus run, the databases are migrated and seeded, the gateway starts.

        Raises: as `start` does.
        """
        with ThreadPoolExecutor(2) as side:  # closed before the first fork: no threads then
            waiting = [side.submit(self.postgres.start), side.submit(self._start_bus)]
            self._warm()
        for done in waiting:
            done.result()
        self._databases()
        if not self.choice.only:
            self.supervisor.start(self._gateway())
        elif simulators and self.choice.only != "identity":
            self.supervisor.start(self._issuer())
        if simulators:
            self.supervisor.start(self._simulators())
        names = list(self.choice.services)
        halves = [half for half in (names[::2], names[1::2]) if half]
        self.supervisor.run([self._task("migrate", half) for half in halves])
        self.supervisor.run([self._task("seed", half) for half in halves])

    def stop(self) -> None:
        """Stop the rooms, the bus and PostgreSQL; safe at any moment of the start."""
        self.supervisor.stop()
        if self.node is not None:
            self.node.stop()
        self.postgres.stop()
        (self.choice.state / "run.json").unlink(missing_ok=True)

    def environment(self, name: str) -> dict[str, str]:
        """What a service is told; a variable that is already set is left to who set it."""
        database = self.postgres.url(
            database_name(name), user=database_name(name), password=self._password(name)
        )
        identity = self.choice.services.get("identity") or self.choice.ports["issuer"]
        return service_environment(
            name,
            self.secrets,
            database_url=database,
            bus_url=self.bus_url,
            public_url=self.choice.public_url,
            identity_url=f"http://127.0.0.1:{identity}",
            employer_auth_url=f"http://127.0.0.1:{self.choice.base_port + 2}",
            simulators_url=self.choice.simulators_url,
            demo_file=self.choice.state / "demo.json",
        )

    def _start_bus(self) -> None:
        if self.choice.bus == "rabbitmq":
            self.node = node = start_node(self.choice.state / "rabbitmq" / "node")
            self.bus_url = node.url
        elif self.choice.bus == "local":
            word = self._password("bus")
            self.bus_url = "local://" + self.postgres.url("bus", user="bus", password=word)
        else:
            raise CannotRunError(f"BUS={self.choice.bus}: it is local or rabbitmq")

    def _warm(self) -> None:
        """Make once what each fork would make for itself; keep the collector from touching it."""
        with without("rich"):
            self._import()
        importlib.import_module("servicekit.launch").services()  # which remembers them
        configure_mappers()
        gc.collect()
        gc.freeze()

    def _import(self) -> None:
        for name in self.choice.services:
            importlib.import_module(f"{name.replace('-', '_')}.app")
        alone = ("development_token",) if self.choice.only else ("frontdoor.launch",)
        ours = ("servicekit.launch", "servicekit.web.server", "servicekit.worker")
        for module in (*ours, "outside.app", *alone):
            importlib.import_module(module)

    def _databases(self) -> None:
        names = [database_name(name) for name in self.choice.services]
        names += ["bus"] if self.choice.bus == "local" else []
        databases.ensure(
            self.postgres.url("postgres"), {name: self._password(name) for name in names}
        )

    def _password(self, name: str) -> str:
        return self.secrets.text(f"{database_name(name)}-database-password", password)

    def _gateway(self) -> Room:
        environment = gateway_environment(
            self.secrets,
            port=self.choice.port,
            public_url=self.choice.public_url,
            bus_url=self.bus_url,
            services=self.choice.services,
        )
        return Room("gateway", "frontdoor.launch", (), environment)

    def _issuer(self) -> Room:
        """Stands in for identity when a service runs alone; `make token` prints its tokens."""
        arguments = ("--port", str(self.choice.ports["issuer"]), "--state", str(self.choice.state))
        public = {"PUBLIC_URL": self.choice.public_url}
        return Room("issuer", "development_token", arguments, public)

    def _simulators(self) -> Room:
        port = str(self.choice.ports["simulators"])
        return Room(
            "simulators", "outside.__main__", ("--port", port), simulator_environment(self.secrets)
        )

    def _web(self, name: str) -> Room:
        arguments = ("web", name, "--port", str(self.choice.services[name]))
        return Room(name, "servicekit.launch", arguments, self.environment(name))

    def _events(self, names: Sequence[str]) -> Room:
        arguments = ("events", *names, "--port", str(self.choice.ports["events"]))
        # Its jobs all begin at once, and seldom meet again.
        kept = {f"{database_name(name).upper()}_DATABASE_KEPT": "1" for name in names}
        return Room("events", "servicekit.launch", arguments, kept | self._environments(names))

    def _task(self, task: str, names: Sequence[str]) -> Room:
        environment = self._environments(names)
        return Room(
            f"{task}-{names[0]}", "servicekit.launch", (task, *names), environment, once=True
        )

    def _environments(self, names: Sequence[str]) -> dict[str, str]:
        return {k: v for name in names for k, v in self.environment(name).items()}

    def _wait(self) -> None:
        urls = [f"http://127.0.0.1:{port}/readyz" for port in self.choice.services.values()]
        urls += [] if self.choice.only else [f"{self.choice.public_url}/livez"]
        deadline = time.monotonic() + READY_PATIENCE
        while urls:
            urls = [url for url in urls if not answers(url)]
            self.supervisor.check()
            if urls and time.monotonic() > deadline:
                raise RoomFailedError(f"no answer in {READY_PATIENCE:.0f} s: {', '.join(urls)}")
            time.sleep(POLL if urls else 0)

    def _remember(self) -> None:
        """Tell other tools where the suite is; the file holds the bus's password."""
        facts = {
            "gateway": self.choice.public_url,
            "simulators": self.choice.simulators_url,
            "bus_url": self.bus_url,
            "demo_file": str(self.choice.state / "demo.json"),
            "pid": os.getpid(),
            "rooms": {name: self.supervisor.pid_of(name) for name in self.supervisor.names},
            "start_seconds": round(time.monotonic() - self.started, 2),
        }
        SecretFolder(self.choice.state / "secrets").write("run.json", json.dumps(facts))
        (self.choice.state / "secrets" / "run.json").rename(self.choice.state / "run.json")


def start_node(folder: Path) -> RabbitNode:
    """RabbitMQ on a folder; what an earlier suite that was killed left running there is ended.

    Raises: CannotRunError when there is no RabbitMQ here and none can be fetched.
    """
    for left in working_in(folder):
        with suppress(ProcessLookupError):
            os.kill(left, signal.SIGTERM)
    deadline = time.monotonic() + NODE_PATIENCE
    while working_in(folder) and time.monotonic() < deadline:
        time.sleep(POLL)
    try:
        return RabbitNode.start(folder)
    except NoRabbitMQ as reason:
        raise CannotRunError(f"BUS=rabbitmq: {reason}") from reason


@contextmanager
def without(package: str) -> Iterator[None]:
    """As in the images, where this package of a developer's tools is not: nothing imports it."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # as the import system says "not here"
    try:
        yield
    finally:
        del sys.modules[package]


def database_name(service: str) -> str:
    """Role and database of a service."""
    return service.replace("-", "_")


def answers(url: str) -> bool:
    """Whether a health address answers 200 now."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False
