"""A suite of its own for a benchmark: free ports, a folder of its own, stopped at the end."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BLOCK = 110  # ports from BASE_PORT on that the suite uses
PATIENCE = 300.0


def free_ports() -> dict[str, str]:
    """`PORT` and `BASE_PORT` for a suite beside others; nobody else here is given the same."""
    for base in range(20_000, 60_000, BLOCK + 2):
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", base + BLOCK))
        except OSError:
            claim.close()
            continue
        atexit.register(claim.close)  # held until this process ends
        if all(_is_free(port) for port in range(base, base + BLOCK)):
            return {"BASE_PORT": str(base), "PORT": str(base + 100)}
    raise RuntimeError("no block of free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for(url: str, process: subprocess.Popen[bytes], patience: float = PATIENCE) -> None:
    """Return at the first answered request.

    Raises: RuntimeError when the process ended or nobody answers in time.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"no answer from {url}; exit status {process.poll()}")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, which a terminal sends to the whole group; returns when it has ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    process.wait(60)


@contextmanager
def suite(state: Path, *arguments: str, bus: str = "local") -> Iterator[dict[str, Any]]:
    """Run the suite on a folder and give what `run.json` says."""
    environment = os.environ | free_ports() | {"BUS": bus}
    command = [sys.executable, str(ROOT / "tools" / "run.py"), "--state", str(state), *arguments]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not (state / "run.json").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the suite did not start; exit status {process.poll()}")
            time.sleep(0.05)
        yield json.loads((state / "run.json").read_text())
    finally:
        stop(process)
