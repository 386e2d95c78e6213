"""The whole suite on one machine: what it consists of, in which order it starts and stops."""

import fcntl
import gc
import importlib
import json
import os
import socket
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path

import databases
from room_settings import gateway_environment, service_environment, simulator_environment
from secret_folder import SecretFolder, password
from supervisor import Room, RoomFailedError, Supervisor

from servicekit.testing.embedded import EmbeddedPostgres, PostgresFailedError

ROOT = Path(__file__).resolve().parents[1]
PORTS_START = 8100  # services/ports.toml counts from here
SIMULATORS_OFFSET = 90
WORKER_OFFSET = 80
READY_PATIENCE = 60.0
POLL = 0.05


class CannotRunError(RuntimeError):
    """The suite cannot start here; the text says why and what to do."""


@dataclass(frozen=True)
class Choice:
    """Where the suite runs: its folder, ports and bus."""

    state: Path = ROOT / "var"
    port: int = 8080
    base_port: int = PORTS_START
    bus: str = "local"
    only: str = ""
    durable: bool = True

    @property
    def public_url(self) -> str:
        """Where people reach the gateway."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def simulators_url(self) -> str:
        """Where the outside systems are played."""
        return f"http://127.0.0.1:{self.base_port + SIMULATORS_OFFSET}"

    @property
    def services(self) -> dict[str, int]:
        """Every installed service, or the only one, and its port."""
        with (ROOT / "services" / "ports.toml").open("rb") as file:
            ports: dict[str, int] = tomllib.load(file)["ports"]
        installed = {entry.name for entry in entry_points(group="suite.services")}
        wanted = {self.only} if self.only else installed
        if unknown := wanted - installed | installed - ports.keys():
            raise CannotRunError(f"no such service or no port for it: {', '.join(sorted(unknown))}")
        return {n: p - PORTS_START + self.base_port for n, p in ports.items() if n in wanted}

    @property
    def ports(self) -> dict[str, int]:
        """Every port this choice needs, by room."""
        ports = dict(self.services)
        ports |= {"events": self.base_port + WORKER_OFFSET}
        ports |= {"simulators": self.base_port + SIMULATORS_OFFSET}
        if not self.only:
            ports |= {"gateway": self.port, "gateway admin": self.port + 1}
        return ports


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
        )
        self.supervisor = Supervisor(state / "log", self.say)
        self.node: object | None = None
        self.bus_url = ""

    def start(self, *, seed: bool | None = None) -> None:
        """Start everything and return when every room answers.

        Args: seed: true or false to force it; None seeds the databases that were made now.
        Raises: CannotRunError, RoomFailedError, PostgresFailedError.
        """
        refuse_taken_ports(self.choice.ports)
        rotate(self.supervisor.logs)
        with ThreadPoolExecutor(2) as side:  # closed before the first fork: no threads then
            waiting = [side.submit(self.postgres.start), side.submit(self._start_bus)]
            self._warm()
        for done in waiting:
            done.result()
        made = self._databases()
        if not self.choice.only:
            self.supervisor.start(self._gateway())
        self.supervisor.start(self._simulators())
        names = list(self.choice.services)
        halves = [half for half in (names[::2], names[1::2]) if half]
        self.supervisor.run([self._task("migrate", half) for half in halves])
        if seed or (seed is None and made):
            self.supervisor.run([self._task("seed", half) for half in halves])
        for name in names:
            self.supervisor.start(self._web(name))
        self.supervisor.start(self._events(names))
        self._wait()
        self._remember()

    def stop(self) -> None:
        """Stop the rooms, the bus and PostgreSQL; safe at any moment of the start."""
        self.supervisor.stop()
        if self.node is not None:
            self.node.stop()  # type: ignore[attr-defined]
            (self.choice.state / "rabbitmq" / "node.json").unlink(missing_ok=True)
        self.postgres.stop()
        (self.choice.state / "run.json").unlink(missing_ok=True)

    def environment(self, name: str) -> dict[str, str]:
        """What a service is told; a variable that is already set is left to who set it."""
        database = self.postgres.url(
            database_name(name), user=database_name(name), password=self._password(name)
        )
        identity = self.choice.services.get("identity", self.choice.base_port + 1)
        return service_environment(
            name,
            self.secrets,
            database_url=database,
            bus_url=self.bus_url,
            public_url=self.choice.public_url,
            identity_url=f"http://127.0.0.1:{identity}",
            simulators_url=self.choice.simulators_url,
            demo_file=self.choice.state / "demo.json",
        )

    def _start_bus(self) -> None:
        if self.choice.bus == "rabbitmq":
            from rabbitmq import RabbitNode

            self.node = node = RabbitNode.start(self.choice.state / "rabbitmq" / "node")
            self.bus_url = node.url
        elif self.choice.bus == "local":
            word = self._password("bus")
            self.bus_url = "local://" + self.postgres.url("bus", user="bus", password=word)
        else:
            raise CannotRunError(f"BUS={self.choice.bus}: it is local or rabbitmq")

    def _warm(self) -> None:
        """Import once what every fork shares, and keep the collector from touching it."""
        for name in self.choice.services:
            importlib.import_module(f"{name.replace('-', '_')}.app")
        for module in ("servicekit.launch", "outside.app", "frontdoor.launch"):
            importlib.import_module(module)
        gc.collect()
        gc.freeze()

    def _databases(self) -> list[str]:
        names = [database_name(name) for name in self.choice.services]
        names += ["bus"] if self.choice.bus == "local" else []
        return databases.ensure(
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
        return Room("events", "servicekit.launch", arguments, self._environments(names))

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


def refuse_taken_ports(ports: Mapping[str, int]) -> None:
    """Raises: CannotRunError naming every port that somebody else listens on."""
    taken = []
    for room, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                taken.append(f"{port} ({room})")
    if taken:
        hint = "PORT=… chooses the gateway's, BASE_PORT=… the others'"
        raise CannotRunError(f"in use: {', '.join(taken)}; {hint}")


def rotate(logs: Path) -> None:
    """Keep the last run's lines as `<name>.log.1`."""
    for log in logs.glob("*.log"):
        log.rename(log.with_suffix(".log.1"))


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Hold the folder for this suite.

    Raises: CannotRunError when another suite runs on it.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRunError(f"another suite runs on {state}; stop it first") from None
        yield


__all__ = ["CannotRunError", "Choice", "PostgresFailedError", "RoomFailedError", "Suite", "alone"]
