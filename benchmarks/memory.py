"""Memory of the whole running suite: PSS of every process, PostgreSQL's included. Goal: 700 MB.

Measures a suite of its own that is seeded and has served one life. `--state var` measures the one
that runs there.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from running import ROOT, suite


def main() -> None:
    """Print MB by room, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, help="the folder of a running suite")
    state = parser.parse_args().state
    if state is not None:
        report(state, json.loads((state / "run.json").read_text()))
        return
    with tempfile.TemporaryDirectory(prefix="jiuye-memory-") as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101 - as root PostgreSQL runs as another account
        state = Path(folder) / "var"
        with suite(state) as facts:
            life = [sys.executable, str(ROOT / "tools" / "demo.py"), "--state", str(state)]
            walked = subprocess.run(life, stdout=subprocess.DEVNULL, check=False)
            print(f"after one life (exit status {walked.returncode}):")
            report(state, facts)


def report(state: Path, facts: dict[str, object]) -> None:
    """Sum by room: a room is its process and everything below it."""
    children, names = defaultdict(list), {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        pid, parent = int(status.parent.name), _parent(status)
        if parent is not None:
            children[parent].append(pid)
    rooms = facts["rooms"]
    assert isinstance(rooms, dict)
    names |= {int(pid): name for name, pid in rooms.items()}
    postmaster = state / "postgres" / "data" / "postmaster.pid"
    names[int(postmaster.read_text().split()[0])] = "postgres"
    names[int(str(facts["pid"]))] = "make run"
    total = 0.0
    for pid, name in sorted(names.items(), key=lambda item: item[1]):
        below = _below(pid, children, stop_at=set(names) - {pid})
        megabytes = sum(_pss(one) for one in below) / 1024
        total += megabytes
        print(f"  {name:22} {megabytes:7.1f} MB in {len(below)} processes")
    print(f"  {'sum':22} {total:7.1f} MB PSS (goal 700 MB)")


def _below(pid: int, children: dict[int, list[int]], stop_at: set[int]) -> list[int]:
    found = [pid]
    for child in children[pid]:
        if child not in stop_at:
            found += _below(child, children, stop_at)
    return found


def _parent(status: Path) -> int | None:
    try:
        return int(status.read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _pss(pid: int) -> int:
    """Kilobytes; 0 when the process has ended meanwhile."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
