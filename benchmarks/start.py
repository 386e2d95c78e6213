"""From a bare clone to the first answered request: cold (empty caches, downloads), then warm.

Goals: 60 s and 8 s. `python benchmarks/start.py [--keep-caches]`.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

from running import ROOT, free_ports, stop, wait_for


def main() -> None:
    """Clone, run twice, print both times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep-caches", action="store_true", help="do not empty pip's and uv's")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jiuye-start-") as folder:
        clone = Path(folder) / "jiuye"
        Path(folder).chmod(0o711)  # as root PostgreSQL runs as another account
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        environment = os.environ | free_ports()
        environment.pop("VIRTUAL_ENV", None)
        if not arguments.keep_caches:
            environment |= {name: f"{folder}/{name}" for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR")}
        cold = first_answer(clone, environment)
        warm = [first_answer(clone, environment) for _ in range(3)]
    print(f"bare clone to first answered request: {cold:.1f} s (goal 60 s)")
    times = ", ".join(f"{seconds:.1f}" for seconds in warm)
    print(f"second and later starts: {times} s (goal 8 s)")


def first_answer(clone: Path, environment: dict[str, str]) -> float:
    """Seconds from `make run` to an answer of the gateway and of a service through it."""
    url = f"http://127.0.0.1:{environment['PORT']}"
    started = time.monotonic()
    with Path(os.devnull).open("wb") as quiet:
        process = subprocess.Popen(
            ["make", "run"], cwd=clone, env=environment, stdout=quiet, start_new_session=True
        )
    try:
        wait_for(f"{url}/livez", process)
        wait_for(f"{url}/api/identity/v1/agreements", process)
        return time.monotonic() - started
    finally:
        stop(process)


if __name__ == "__main__":
    main()
