"""Fork rooms from one warm process, watch them, stop them: what `make run` and tests/e2e stand on.

The modules are imported once and shared by copy-on-write, so nine processes cost one import and
far less memory. A room is a process of its own in every other respect: session, signals, log.
"""

import contextlib
import ctypes
import importlib
import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_PATIENCE = 12.0  # seconds from SIGTERM to SIGKILL
RESTARTS = 5  # of one room within RESTART_WINDOW; more means it cannot run
RESTART_WINDOW = 60.0
POLL = 0.1
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15


@dataclass(frozen=True)
class Room:
    """One process: what it is called, what it runs, what it is told."""

    name: str
    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    once: bool = False  # a task that ends, like a migration

    def run(self) -> None:
        """Run the module's `main` with the arguments on the command line."""
        sys.argv = [self.module, *self.arguments]
        os.environ.update(self.environment)
        status = importlib.import_module(self.module).main()
        if isinstance(status, int) and status:
            raise SystemExit(status)


class RoomFailedError(RuntimeError):
    """A room ended that should not have; the text holds the last lines of its log."""


@dataclass
class Supervisor:
    """The rooms of one suite: each forked, logged into its own file, restarted, stopped."""

    logs: Path
    say: Callable[[str], None] = print
    _running: dict[int, Room] = field(default_factory=dict)
    _restarts: dict[str, deque[float]] = field(default_factory=dict)

    def start(self, room: Room) -> int:
        """Fork a room.

        Returns: its process id, which is also its process group.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _become(room, self.log_of(room.name))
        self._running[pid] = room
        return pid

    def run(self, rooms: Sequence[Room], patience: float = 120.0) -> None:
        """Run tasks side by side and wait for all of them.

        Raises: RoomFailedError when one fails or takes too long.
        """
        waiting = {self.start(room): room for room in rooms}
        deadline = time.monotonic() + patience
        while waiting:
            for pid, room, status in self._ended():
                if status != 0 or waiting.pop(pid, None) is None:
                    raise self._failure(room, status)
            if time.monotonic() > deadline:
                raise RoomFailedError(f"not done in {patience:.0f} s: {sorted(self.names)}")
            time.sleep(POLL / 10)

    def check(self) -> None:
        """Start again what ended by itself.

        Raises: RoomFailedError when a room keeps ending.
        """
        for _, room, status in self._ended():
            ends = self._restarts.setdefault(room.name, deque(maxlen=RESTARTS))
            if len(ends) == RESTARTS and time.monotonic() - ends[0] < RESTART_WINDOW:
                raise self._failure(room, status)
            ends.append(time.monotonic())
            self.say(f"{room.name} ended ({_describe(status)}), starting it again")
            self.start(room)

    def watch(self, until: Callable[[], bool]) -> None:
        """Keep the rooms running until asked to stop."""
        while not until():
            self.check()
            time.sleep(POLL)

    def stop(self) -> None:
        """SIGTERM to every room, SIGKILL to those that do not listen; returns when all are gone."""
        for pid in self._running:
            _signal(pid, signal.SIGTERM, group=False)
        deadline = time.monotonic() + STOP_PATIENCE
        while self._running and time.monotonic() < deadline:
            self._ended()
            time.sleep(POLL / 5)
        for pid, room in list(self._running.items()):
            self.say(f"{room.name} did not stop in {STOP_PATIENCE:.0f} s and was killed")
            _signal(pid, signal.SIGKILL, group=True)
            os.waitpid(pid, 0)
            del self._running[pid]

    def pid_of(self, name: str) -> int:
        """The process of a running room."""
        return next(pid for pid, room in self._running.items() if room.name == name)

    @property
    def names(self) -> list[str]:
        """The rooms that run."""
        return [room.name for room in self._running.values()]

    def log_of(self, name: str) -> Path:
        """Where a room's lines go."""
        return self.logs / f"{name}.log"

    def _ended(self) -> list[tuple[int, Room, int]]:
        """Our children that ended since, leaving other libraries' children alone."""
        ended = []
        for pid in list(self._running):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                ended.append((pid, self._running.pop(pid), status))
        return ended

    def _failure(self, room: Room, status: int) -> RoomFailedError:
        tail = self.log_of(room.name).read_text(errors="replace").splitlines()[-12:]
        text = "\n".join(tail)
        return RoomFailedError(f"{room.name} failed ({_describe(status)}):\n{text}")


def _become(room: Room, log: Path) -> None:
    """Turn this fork into the room; never returns."""
    status = 1
    try:
        os.setsid()
        _introduce(room.name)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (out, 1), (out, 2)):
            os.dup2(source, target)
        room.run()
        status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        if isinstance(leaving.code, str):
            sys.stderr.write(f"{leaving.code}\n")
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _introduce(name: str) -> None:
    """On Linux a room ends when its supervisor was killed, and `ps` and `top` know its name."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        libc.prctl(PR_SET_NAME, name.encode())


def _signal(pid: int, number: signal.Signals, *, group: bool) -> None:
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if group else os.kill)(pid, number)


def _describe(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
