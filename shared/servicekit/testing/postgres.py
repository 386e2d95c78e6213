"""Databases for tests: one PostgreSQL per session, one migrated template per service, clones of it.

In a room's conftest:

    from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture

    @pytest.fixture(scope="session")
    def _template(postgres):
        postgres.template_for("identity", lambda url: upgrade(url))

    @pytest.fixture
    def database_url(postgres, _template):
        with postgres.fresh_database("identity") as url:
            yield url
"""

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from servicekit.testing.embedded import EmbeddedPostgres, PostgresFailedError
from servicekit.testing.recycling import Pristine

START_LIMIT = 60.0  # seconds a worker waits for the server another worker is starting

_ALONE = uuid4().hex  # the session's name without xdist
_servers: dict[str, "TestPostgres"] = {}


class TestPostgres:
    """The session's server as one test process sees it; made by `session_server`."""

    __test__ = False  # pytest: not a test class

    def __init__(self, folder: Path, users: int) -> None:
        """Made by `session_server`; `users` is the open file that keeps the server alive."""
        self._server = EmbeddedPostgres(folder / "pg", durable=False)
        self._folder = folder
        self._users = users
        self._idle: dict[str, list[Pristine]] = {}
        self._closing = False

    def url(self, database: str = "postgres") -> str:
        """The address of a database on this server, as its superuser."""
        return self._server.url(database)

    def template_for(self, service: str, migrate: Callable[[str], None]) -> str:
        """Build the service's migrated template once per session, whichever worker comes first.

        Args: service: any name; a template per name.
            migrate: brings the database at the given address to head, and closes its connections.
        Returns: the template's database name.
        """
        name = _template_name(service)
        with _locked(self._folder / f"{name}.lock"), self._admin() as admin:
            known = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if known is None:
                building = f"{name}_building"
                _drop(admin, building)
                admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(building)))
                migrate(self.url(building))
                _disconnect(admin, building)
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                admin.execute(rename.format(sql.Identifier(building), sql.Identifier(name)))
        return name

    @contextmanager
    def fresh_database(self, service: str | None = None) -> Iterator[str]:
        """A database of its own for one test, whoever is still connected afterwards.

        Args: service: the name given to `template_for`; None for an empty database.
        Returns: its address.
        """
        if service is None:
            with self._copied("template0") as name:
                yield self.url(name)
            return
        idle = self._idle.setdefault(service, [])
        pristine = idle.pop() if idle else self.copy_of(service)
        try:
            yield pristine.url
        finally:
            if not self._closing and pristine.restore():
                idle.append(pristine)
            else:
                self.throw_away(pristine)

    def copy_of(self, service: str) -> Pristine:
        """A copy of the service's template for somebody who gives it back as it was.

        Args: service: the name given to `template_for`.
        """
        return Pristine(self.url(self._copy(_template_name(service))))

    def throw_away(self, pristine: Pristine) -> None:
        """Drop a copy that nobody uses again."""
        pristine.close()
        with self._admin() as admin:
            _drop(admin, pristine.database)

    def close(self) -> None:
        """Give the idle copies up, and those that come back; the server ends with its last user."""
        self._closing = True
        for pristine in [one for idle in self._idle.values() for one in idle]:
            pristine.close()
        self._idle.clear()

    @contextmanager
    def _copied(self, source: str) -> Iterator[str]:
        name = self._copy(source)
        try:
            yield name
        finally:
            with self._admin() as admin:
                _drop(admin, name)

    def _copy(self, source: str) -> str:
        name = f"t_{uuid4().hex[:20]}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY = FILE_COPY")
        with self._admin() as admin:
            admin.execute(create.format(sql.Identifier(name), sql.Identifier(source)))
        return name

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url(), autocommit=True)


def session_server(session: str) -> TestPostgres:
    """Find the server of a test session, or start it; it stops when its last user is gone.

    Every user holds a shared lock on one file. A keeper process waits for the exclusive one, which
    the kernel grants when the last user has ended, however it ended, and then removes everything.

    Args: session: what all processes of one session have in common.
    """
    if session not in _servers:
        digest = sha256(f"{os.getuid()}:{session}".encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"jiuye-pg-{digest}"
        users = _become_user(folder)
        with _locked(folder / "start.lock"):
            if not (folder / "ready").exists():
                _start_keeper(folder)  # first, so that nothing is left when the start fails
                EmbeddedPostgres(folder / "pg", durable=False).start()
                (folder / "ready").touch()
        _servers[session] = TestPostgres(folder, users)
    return _servers[session]


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[TestPostgres]:
    """The session's PostgreSQL, shared by all workers of pytest-xdist."""
    worker = getattr(request.config, "workerinput", {})
    server = session_server(worker.get("testrunuid", _ALONE))
    yield server
    server.close()


def keep(folder: Path) -> None:
    """Wait until no user is left, then stop the server and remove its folder."""
    with (folder / "users").open("r+") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        EmbeddedPostgres(folder / "pg", durable=False).destroy()
        for left in sorted(folder.iterdir()):
            left.unlink()
        folder.rmdir()


def _become_user(folder: Path) -> int:
    """Hold the shared lock on the folder's `users`; again when the keeper was just removing it."""
    while True:
        folder.mkdir(mode=0o711, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise PostgresFailedError(f"{folder} belongs to somebody else")
        try:
            users = os.open(folder / "users", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(users, fcntl.LOCK_SH)
            if (folder / "users").stat().st_ino == os.fstat(users).st_ino:
                return users
        except FileNotFoundError:
            continue
        os.close(users)


def _start_keeper(folder: Path) -> None:
    code = "import sys; from pathlib import Path; from servicekit.testing.postgres import keep; "
    command = [sys.executable, "-c", f"{code} keep(Path(sys.argv[1]))", str(folder)]
    null = subprocess.DEVNULL
    # Left alone on purpose: it must outlive this process.
    keeper = subprocess.Popen(  # noqa: S603
        command, stdin=null, stdout=null, stderr=null, start_new_session=True, cwd="/"
    )
    keeper.returncode = 0


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        deadline = time.monotonic() + START_LIMIT
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise PostgresFailedError(f"nobody released {path.name} in time") from None
                time.sleep(0.02)
        yield


def _template_name(service: str) -> str:
    return f"template_{service.replace('-', '_')}"


def _disconnect(admin: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
    )


def _drop(admin: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
