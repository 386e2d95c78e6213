"""RabbitMQ's programs: this machine's own, else the distribution's packages unpacked without root.

On Debian and Ubuntu the packages (some 35 MB) are downloaded once into a folder and unpacked there;
nothing of the system is touched. Uses the standard library only.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from packages import NotHere, unpack

FOLDER = Path(__file__).resolve().parents[1] / "var" / "rabbitmq"


class NoRabbitMQ(NotHere):
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
        try:
            root = unpack("rabbitmq-server", folder / "unpacked", adapt=_tell_erlang_where_it_is)
        except NotHere as reason:
            raise NoRabbitMQ(str(reason)) from reason
        found = _installed(root)
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


def _tell_erlang_where_it_is(root: Path, target: Path) -> None:
    """Its start scripts name the folder they were packaged for."""
    erlang = root / "usr/lib/erlang"
    for script in [*erlang.glob("bin/*"), *erlang.glob("erts-*/bin/*")]:
        if script.is_file() and script.name in ("erl", "start"):
            final = str(target / "usr/lib/erlang")
            script.write_text(script.read_text().replace("/usr/lib/erlang", final))
