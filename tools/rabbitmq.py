"""A private RabbitMQ node on free ports of this machine, from the package found or fetched here.

`python tools/rabbitmq.py start|stop|url` keeps one node for `make run BUS=rabbitmq`; tests use
:class:`RabbitNode`. Where the server comes from: `rabbitmq_packages.py`. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from rabbitmq_packages import FOLDER, Installation, NoRabbitMQ, find_installation

USER = PASSWORD = "guest"  # RabbitMQ lets it in from this machine only  # noqa: S105
NODE = "bus@localhost"
TRIES = 3
WRITTEN_WITHIN = 10.0  # seconds
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"

CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 200MB
max_message_size = 1048576
log.console = false
log.file.level = warning
queue_leader_locator = balanced
"""


__all__ = ["NoRabbitMQ", "RabbitNode", "working_in"]


@dataclass
class RabbitNode:
    """One node with a folder, a cookie, ports and an epmd of its own."""

    folder: Path
    installation: Installation
    port: int
    epmd_port: int
    distribution_port: int
    session: int | None = None  # the process session of the server; the broker dies with it
    epmd: int | None = None
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False)

    @classmethod
    def start(cls, folder: Path, *, packages: Path = FOLDER, patience: float = 60) -> RabbitNode:
        """A node whose state is in ``folder``; returns when it answers.

        Raises:
            NoRabbitMQ: there is none here, or it does not start; the log stays in the folder.
        """
        installation = find_installation(packages)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plugins").write_text("[].\n")
        cookie = folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(secrets.token_hex(16))
            cookie.chmod(0o400)
        for tries_left in range(TRIES - 1, -1, -1):
            # Between finding a free port and taking it, somebody else on the machine may have.
            amqp, epmd, distribution = _free_ports(3)
            node = cls(folder, installation, amqp, epmd, distribution)
            (folder / "rabbitmq.conf").write_text(CONFIGURATION.format(port=node.port))
            with contextlib.suppress(NoRabbitMQ) if tries_left else contextlib.nullcontext():
                node.restart(patience=patience)
                return node
        raise AssertionError("the last try returns or raises")

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}/"

    def restart(self, *, patience: float = 60) -> None:
        """Start the server on the same ports and data, and wait until it answers."""
        if self.epmd is None:
            command = [self.installation.epmd, "-port", self.epmd_port, "-address", "127.0.0.1"]
            self.epmd = self._spawn([str(part) for part in command])
        self.session = self._spawn([str(self.installation.server)])
        deadline = time.monotonic() + patience
        while not _answers(self.port):
            if time.monotonic() > deadline or not _alive(self.session):
                self.stop()
                raise NoRabbitMQ(f"the node did not start; see {self.folder}/out and log/")
            time.sleep(0.05)

    def kill(self) -> None:
        """``kill -9`` the whole session: what a power cut does to queues that are not brand new.

        A queue's name is written to disk seconds after the queue is declared. A node alone that
        dies in between forgets it, and the queue stands without a leader for ever; in a cluster
        the other nodes know it. So who was just declared is waited for.
        """
        deadline = time.monotonic() + WRITTEN_WITHIN
        while not self._knows_its_queues() and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.session is not None:
            _signal_session(self.session, signal.SIGKILL)
            self._reap()
            self.session = None

    def stop(self) -> None:
        """Stop the broker in good order, then its epmd."""
        if self.session is not None:
            for process in _members(self.session, "beam.smp"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGTERM)
            deadline = time.monotonic() + 15
            while _members(self.session, "beam.smp") and time.monotonic() < deadline:
                self._reap(wait=False)
                time.sleep(0.05)
            self.kill()
        if self.epmd is not None:
            _signal_session(self.epmd, signal.SIGKILL)
            self._reap()
            self.epmd = None

    def _knows_its_queues(self) -> bool:
        """Is the name of every quorum queue on disk?"""
        queues = self.folder / "data" / NODE / "quorum" / NODE
        with contextlib.suppress(FileNotFoundError):
            names = (queues / "names.dets").read_bytes()
            return all(each.name.encode() in names for each in queues.iterdir() if each.is_dir())
        return True

    def _spawn(self, command: list[str]) -> int:
        with (self.folder / "out").open("ab") as out:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=self._environment(),
                cwd=self.folder,
                start_new_session=True,
            )
        self._processes.append(process)
        return process.pid

    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_"))},
            **self.installation.environment,
            "HOME": folder,
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/generated",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none"
            ),
        }

    def _reap(self, *, wait: bool = True) -> None:
        """Collect ended children; after a kill wait until they are gone."""
        ended = {self.session, self.epmd} if wait else set()
        for process in list(self._processes):
            if wait and process.pid in ended and not _alive(process.pid):
                process.wait(timeout=10)
            if process.poll() is not None:
                self._processes.remove(process)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _answers(port: int) -> bool:
    """The broker's first frame came: before that the port may be open and nobody behind it."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as peer:
            peer.sendall(PROTOCOL_HEADER)
            return peer.recv(1) == b"\x01"
    except OSError:
        return False


def _members(session: int, name: str | None = None) -> list[int]:
    """Live processes of a session, by /proc; all of them, or those of one program."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            head, _, rest = stat.read_text().rpartition(")")
            state, _, _, sid = rest.split()[:4]
            if int(sid) == session and state != "Z" and name in (None, head.partition("(")[2]):
                members.append(int(stat.parent.name))
    return members


def _alive(session: int) -> bool:
    return bool(_members(session))


def _signal_session(session: int, number: signal.Signals) -> None:
    deadline = time.monotonic() + 10
    while (members := _members(session)) and time.monotonic() < deadline:
        for process in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
        time.sleep(0.01)


def main(command: str) -> int:
    """Start, stop or name the node that `make run BUS=rabbitmq` uses."""
    state = FOLDER / "node.json"
    known = json.loads(state.read_text()) if state.exists() else {}
    running = bool(known) and _alive(known["session"])
    if command == "stop":
        if known:
            node = RabbitNode(FOLDER / "node", find_installation(), *known["ports"])
            node.session, node.epmd = known["session"], known["epmd"]
            node.stop()
            state.unlink()
        return 0
    if command == "start" and not running:
        node = RabbitNode.start(FOLDER / "node")
        ports = [node.port, node.epmd_port, node.distribution_port]
        known = {"url": node.url, "session": node.session, "epmd": node.epmd, "ports": ports}
        state.write_text(json.dumps(known))
        running = True
    if not running:
        print("no node is running: python tools/rabbitmq.py start", file=sys.stderr)
        return 1
    print(known["url"])
    return 0


def keep(folder: Path) -> None:
    """Wait until whoever started us is gone, then end what runs in ``folder`` and remove it."""
    sys.stdin.read()
    deadline = time.monotonic() + 10
    while (left := working_in(folder)) and time.monotonic() < deadline:
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def working_in(folder: Path) -> list[int]:
    """Processes whose working directory is ``folder``: a node's are."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if link.readlink() == folder:
                found.append(int(link.parent.name))
    return found


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "keep":  # for tests, whatever ends them
        sys.exit(keep(Path(sys.argv[2])))
    if len(sys.argv) != 2 or sys.argv[1] not in ("start", "stop", "url"):
        sys.exit("python tools/rabbitmq.py start|stop|url")
    try:
        sys.exit(main(sys.argv[1]))
    except NoRabbitMQ as reason:
        sys.exit(str(reason))
