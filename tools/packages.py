"""Packages of the distribution (Debian, Ubuntu), unpacked into a folder without root.

Nothing of the system is touched. Uses the standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE, POLL = 180.0, 0.5  # seconds for another installation to end, and between two looks
# As the kernel calls them, in fifteen letters.
INSTALLERS = frozenset({"apt", "apt-get", "aptitude", "dpkg", "unattended-upgr"})


class NotHere(Exception):
    """The package is not on this machine and cannot be fetched; the message says why."""


def unpack(
    package: str, target: Path, *, adapt: Callable[[Path, Path], None] | None = None
) -> Path:
    """A folder with a package of the distribution and what it needs, filled once.

    Two who ask at once do it one after the other.

    Args:
        package: its name in the distribution.
        target: the folder; there only when it is whole.
        adapt: mends what was unpacked (first argument) for the place it will have (second).

    Raises:
        NotHere: there is no apt-get here, or it failed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
                raise NotHere(f"no {package} on this machine, and no apt-get to fetch it")
            partial = target.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            try:
                _fetch(package, partial / "apt", partial / "root")
            except (subprocess.SubprocessError, OSError) as error:
                raise NotHere(f"no {package} here, and apt-get failed: {error}") from error
            if adapt is not None:
                adapt(partial / "root", target)
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
        for line in _planned([*get, *plan]).splitlines()
        if line.startswith("'")
    }
    if wanted:
        _run([*get, "download", "-qq", *sorted(wanted)], cwd=apt / "packages")
    root.mkdir()
    for archive in sorted((apt / "packages").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(archive), str(root)])


def _planned(command: list[str]) -> str:
    """What would be installed; asked again while somebody else installs.

    Half way there are packages here without those that they need, and apt-get refuses to plan.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        busy = _somebody_installs()
        try:
            return _run(command)
        except subprocess.SubprocessError:
            if time.monotonic() > deadline or not (busy or _somebody_installs()):
                raise
        time.sleep(POLL)


def _somebody_installs() -> bool:
    names = set()
    for name in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            names.add(name.read_text().strip())
    return not INSTALLERS.isdisjoint(names)


def _run(command: list[str], cwd: Path | None = None) -> str:
    result = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    if result.returncode:
        last = (result.stderr.strip() or "no message").splitlines()[-1]
        raise subprocess.SubprocessError(f"{' '.join(command[-2:])}: {last}")
    return result.stdout
