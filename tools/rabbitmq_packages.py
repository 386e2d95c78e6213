"""RabbitMQ's programs: this machine's own, else the distribution's packages unpacked without root.

On Debian and Ubuntu the packages (some 35 MB) are downloaded once into a folder and unpacked there;
nothing of the system is touched. Uses the standard library only.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "var" / "rabbitmq"


class NoRabbitMQ(Exception):
    """There is no RabbitMQ here and none can be fetched; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the server's programs are, and what their environment needs."""

    server: Path
    epmd: Path
    environment: dict[str, str]


def find_installation(folder: Path = FOLDER) -> Installation:
    """The machine's RabbitMQ, else the one unpacked in ``folder``, fetched when it is missing.

    Raises:
        NoRabbitMQ: neither is possible.
    """
    if not Path("/proc/self/stat").exists():
        raise NoRabbitMQ("a private RabbitMQ node needs Linux")
    found = _installed(Path("/"))
    if found is None:
        found = _installed(unpack("rabbitmq-server", folder / "unpacked"))
    if found is None:
        raise NoRabbitMQ("the distribution's rabbitmq-server package lacks the server")
    return found


def _installed(root: Path) -> Installation | None:
    """A RabbitMQ below ``root``, which is ``/`` or a folder of unpacked packages."""
    erlang = root / "usr/lib/erlang"
    servers = sorted(root.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"))
    if not servers and root == Path("/"):
        on_path = shutil.which("rabbitmq-server") or shutil.which("/usr/local/sbin/rabbitmq-server")
        servers = [Path(on_path)] if on_path else []
    path = os.environ.get("PATH", os.defpath)
    environment = {"PATH": path}
    if erlang.is_dir() and root != Path("/"):
        environment = {"PATH": f"{erlang}/bin:{path}", "ERL_LIBS": f"{erlang}/lib"}
    epmd = shutil.which("epmd", path=environment["PATH"])
    epmds = [Path(epmd)] if epmd else sorted(erlang.glob("erts-*/bin/epmd"))
    if not servers or not epmds:
        return None
    return Installation(servers[-1], epmds[-1], environment)


def unpack(package: str, target: Path) -> Path:
    """A folder with a package of the distribution and what it needs, filled once.

    Two who ask at once do it one after the other.

    Raises:
        NoRabbitMQ: there is no apt-get here, or it failed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
                raise NoRabbitMQ(f"no {package} on this machine, and no apt-get to fetch it")
            partial = target.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            try:
                _fetch(package, partial / "apt", partial / "root")
            except (subprocess.SubprocessError, OSError) as error:
                raise NoRabbitMQ(f"no {package} here, and apt-get failed: {error}") from error
            _tell_erlang_where_it_is(partial / "root", target)
            (partial / "root").rename(target)
            shutil.rmtree(partial, ignore_errors=True)
    return target


def _fetch(package: str, apt: Path, root: Path) -> None:
    """Download what a package of the distribution needs and unpack it below ``root``."""
    print(f"fetching {package} from the distribution's packages …", file=sys.stderr, flush=True)
    for part in ("lists/partial", "cache/archives/partial", "packages"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    options = [
        f"Dir::State::lists={apt}/lists",
        f"Dir::Cache={apt}/cache",
        "Dir::State::status=/var/lib/dpkg/status",
        "APT::Sandbox::User=",
        "Debug::NoLocking=1",
        "Acquire::Retries=3",
    ]
    get = ["apt-get", *(part for option in options for part in ("-o", option))]
    _run([*get, "update", "-qq"])
    plan = ["install", "-y", "--no-install-recommends", "--print-uris", "-qq", package]
    wanted = {
        line.split()[1].partition("_")[0]
        for line in _run([*get, *plan]).splitlines()
        if line.startswith("'")
    }
    if wanted:
        _run([*get, "download", "-qq", *sorted(wanted)], cwd=apt / "packages")
    root.mkdir()
    for archive in sorted((apt / "packages").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(archive), str(root)])


def _tell_erlang_where_it_is(root: Path, target: Path) -> None:
    """Its start scripts name the folder they were packaged for."""
    erlang = root / "usr/lib/erlang"
    for script in [*erlang.glob("bin/*"), *erlang.glob("erts-*/bin/*")]:
        if script.is_file() and script.name in ("erl", "start"):
            final = str(target / "usr/lib/erlang")
            script.write_text(script.read_text().replace("/usr/lib/erlang", final))


def _run(command: list[str], cwd: Path | None = None) -> str:
    result = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    if result.returncode:
        last = (result.stderr.strip() or "no message").splitlines()[-1]
        raise subprocess.SubprocessError(f"{' '.join(command[-2:])}: {last}")
    return result.stdout
