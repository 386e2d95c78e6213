"""Where the suite runs: its folder, its ports, its bus; and what refuses to start there."""

import fcntl
import socket
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PORTS_START = 8100  # services/ports.toml counts from here
SIMULATORS_OFFSET = 90
WORKER_OFFSET = 80


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
        if self.only and self.only != "identity":
            ports |= {"issuer": self.base_port + 1}  # where identity would listen
        ports |= {"events": self.base_port + WORKER_OFFSET}
        ports |= {"simulators": self.base_port + SIMULATORS_OFFSET}
        if not self.only:
            ports |= {"gateway": self.port, "gateway admin": self.port + 1}
        return ports


def refuse_taken_ports(ports: Mapping[str, int]) -> None:
    """Raises: CannotRunError naming every port that somebody else or another room has."""
    taken, given = [], set[int]()
    for room, port in ports.items():
        if port in given or not _is_free(port):
            taken.append(f"{port} ({room})")
        given.add(port)
    if taken:
        hint = "PORT=… chooses the gateway's, BASE_PORT=… the others'"
        raise CannotRunError(f"in use: {', '.join(taken)}; {hint}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


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
