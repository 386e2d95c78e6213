"""How long `make test` takes here, and what takes longest; goal: 5 minutes on two cores."""

import re
import resource
import subprocess
import time

from running import ROOT


def main() -> None:
    """Run it once with pytest's own list of the slowest."""
    started = time.monotonic()
    environment = ["env", "PYTEST_ADDOPTS=--durations=15"]
    done = subprocess.run(
        [*environment, "make", "test"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    for line in done.stdout.splitlines():
        if re.match(r"[\d.]+s (call|setup|teardown)", line) or re.search(r"\d+ passed", line):
            print(line)
    took = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"make test: {took:.0f} s, exit status {done.returncode} (goal 300 s)")
    # What else runs does not change this; the server of the databases is not in it.
    print(f"of processor time: {used.ru_utime + used.ru_stime:.0f} s")


if __name__ == "__main__":
    main()
