"""What the registry's benchmark stands on: PostgreSQL, an issuer, the service as it is served."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from running import stop, wait_for

from servicekit import migrations
from servicekit.testing.embedded import EmbeddedPostgres
from servicekit.testing.issuer import Issuer, serve
from servicekit.vault import Vault, new_key

PREFIX = "/api/employment-registry/v1"
OWN = f"{PREFIX}/flexible-employment-registrations"
REVIEWS = f"{PREFIX}/flexible-employment-reviews"
BUSINESS = "employment-registry.flexible-employment"
LIFE = 1800  # seconds a token lives here, so that none ends within a run
# As a database of this size would be given, and without waiting for a disk that others use too.
SERVER = {"shared_buffers": "512MB", "maintenance_work_mem": "512MB", "work_mem": "16MB"}

Process = subprocess.Popen[bytes]


@dataclass
class Ground:
    """A server, its databases, and who signs the tokens.

    Args:
        stack: stops what was started.
    """

    folder: Path
    server: EmbeddedPostgres
    issuer: Issuer
    stack: ExitStack
    field_keys: str = field(default_factory=lambda: f"k1:{new_key()}")
    index_key: str = field(default_factory=new_key)

    @property
    def vault(self) -> Vault:
        """Seals what the service opens."""
        return Vault(self.field_keys, self.index_key)

    def create(self, name: str, *, like: str | None = None) -> str:
        """A migrated database, or a copy of one; its address."""
        copied = f" TEMPLATE {like}" if like else ""
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}{copied}")
        if like is None:
            migrations.upgrade(self.server.url(name), "employment_registry")
        return self.server.url(name)

    def environment(self, url: str) -> dict[str, str]:
        """The service's settings; its log is written as in production."""
        values = {
            "DATABASE_URL": url,
            "BUS_URL": f"local://{url}",
            "FIELD_KEYS": self.field_keys,
            "INDEX_KEY": self.index_key,
            "HISTORY_KEY": new_key(),
            "POPULATION_REGISTER_SECRET": new_key(),
            "SOCIAL_SECURITY_SECRET": new_key(),
            "OUTSIDE_OFF": "population-register,social-security",  # no peer asks them
            "PUBLIC_URL": self.issuer.public_url,
            "IDENTITY_URL": self.issuer.url,
        }
        return {f"EMPLOYMENT_REGISTRY_{name}": value for name, value in values.items()}

    def serve_registry(self, url: str) -> tuple[int, Process]:
        """The service under gunicorn, one process as in an image; its port and process."""
        command = [sys.executable, "-m", "servicekit.launch", "web", "employment-registry"]
        return self.start([*command, "--port", "{port}"], self.environment(url), "/livez")

    def start(
        self, command: list[str], environment: dict[str, str], path: str
    ) -> tuple[int, Process]:
        """Start a server; return when it answers at ``path``."""
        port = free_port()
        process = subprocess.Popen(
            [part.format(port=port) for part in command],
            env=os.environ | environment,
            cwd=Path(__file__).parent,
            stdout=(self.folder / f"{port}.log").open("wb"),
            start_new_session=True,
        )
        self.stack.callback(stop, process)
        wait_for(f"http://127.0.0.1:{port}{path}", process, 60)
        return port, process

    def person(self, account: str) -> str:
        """The token of a person of second level."""
        return self.issuer.token(sub=account, level=2, expires_in=LIFE)

    def officer(self, region: str) -> str:
        """The token of an officer of a region."""
        return self.issuer.token(
            "officer", region=region, roles=["reviewer"], businesses=[BUSINESS], expires_in=LIFE
        )


@contextmanager
def ground() -> Iterator[Ground]:
    """Everything but the service."""
    import tempfile

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="registry-")))
        folder.chmod(0o711)  # as root PostgreSQL runs as another account
        server = EmbeddedPostgres(folder / "pg", durable=False, settings=SERVER)
        server.start()
        stack.callback(server.destroy)
        issuer = stack.enter_context(serve(Issuer()))
        yield Ground(folder, server, issuer, stack)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Connection:
    """One kept connection that asks and waits."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.took: list[float] = []

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body; the seconds it took are kept."""
        started = time.perf_counter()
        self._socket.sendall(request)
        data = self._socket.recv(65536)
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        length = _length(data[:end])
        while len(data) < end + 4 + length:
            data += self._more()
        self.took.append(time.perf_counter() - started)
        return int(data[9:12]), data[end + 4 :]

    def _more(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server hung up")
        return data

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError("no Content-Length")


def request(method: str, path: str, token: str, body: bytes = b"", **headers: Any) -> bytes:
    """A request as the gateway passes it on."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        "Accept: application/json",
        "X-Request-Id: 01890a5dac96774bbcceb302099a8057",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    if body or method != "GET":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join((*lines, "", "")).encode() + body


def percentile(values: list[float], share: float) -> float:
    """Of the values, the one below which that share lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
