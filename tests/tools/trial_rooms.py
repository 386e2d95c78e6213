"""What the supervisor's tests run: a supervisor over small rooms, told what to do by one word.

A process of its own, because a test process has threads and must not fork.
"""
# ruff: noqa: T201 - its output is what the tests read

import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(Path(__file__).parent)]

from supervisor import Room, RoomFailedError, Supervisor  # noqa: E402


def main() -> int:
    """What a room does: `sleep`, `stubborn`, `fail`, `done`."""
    match sys.argv[1]:
        case "fail":
            print("the reason it failed")
            return 3
        case "sleep":
            time.sleep(60)
        case "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(60)
    return 0


def room(what: str, *, once: bool = False) -> Room:
    return Room(what, "trial_rooms", (what,), {"ROOM": what}, once)


def until(condition: object) -> None:
    deadline = time.monotonic() + 10
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ignores_term(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(mask, 16) & 1 << (signal.SIGTERM - 1))


def restarts(supervisor: Supervisor) -> None:
    first = supervisor.start(room("sleep"))
    os.kill(first, signal.SIGKILL)
    until(lambda: (supervisor.check(), supervisor.pid_of("sleep") != first)[1])
    second = supervisor.pid_of("sleep")
    until(lambda: os.getsid(second) == second)
    supervisor.stop()
    assert supervisor.names == []
    try:
        os.kill(second, 0)
    except ProcessLookupError:
        print("gone")


def gives_up(supervisor: Supervisor) -> None:
    supervisor.start(room("fail"))
    try:
        until(supervisor.check)
    except RoomFailedError as reason:
        print(reason)


def tasks(supervisor: Supervisor) -> None:
    supervisor.run([room("done", once=True)])
    assert supervisor.names == []
    try:
        supervisor.run([room("done", once=True), *[room("fail", once=True)] * 3])
    except RoomFailedError as reason:
        print(reason)
    supervisor.stop()  # whichever of them had ended already


def stubborn(supervisor: Supervisor) -> None:
    import supervisor as module

    module.STOP_PATIENCE = 0.5
    pid = supervisor.start(room("stubborn"))
    until(lambda: ignores_term(pid))
    supervisor.stop()


if __name__ == "__main__":
    trials = {"restarts": restarts, "gives-up": gives_up, "tasks": tasks, "stubborn": stubborn}
    trials[sys.argv[1]](Supervisor(Path(sys.argv[2])))
