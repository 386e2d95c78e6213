"""`make check`: style, types, import rules, generated files; all run, then what failed is named."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
PACKAGES = sorted(
    path.parent.name
    for pattern in ("shared/*", "gateway/*", "simulators/*", "services/*/*")
    for path in ROOT.glob(f"{pattern}/__init__.py")
    if path.parent.name != "tests"
)
CHECKS: dict[str, list[str]] = {
    "ruff": [str(BIN / "ruff"), "check", "-q", "."],
    "format": [str(BIN / "ruff"), "format", "--check", "-q", "."],
    "types": [str(BIN / "mypy"), *(part for name in PACKAGES for part in ("-p", name))],
    "imports": [str(BIN / "lint-imports"), "--no-logo"],
    "contracts": [sys.executable, "tools/contracts.py", "--check"],
    "docs": [sys.executable, "tools/docs.py", "--check"],
    "cluster": [sys.executable, "tools/config_maps.py", "--check"],
    "locks": [sys.executable, "tools/lock.py", "--check"],
    "trace": [sys.executable, "tools/trace.py", "--proved"],
}


def main() -> int:
    """Run each check, show the output of those that fail."""
    failed = []
    for name, command in CHECKS.items():
        started = time.monotonic()
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        print(
            f"{name:10} {'ok' if result.returncode == 0 else 'FAILED':7}"
            f"{time.monotonic() - started:5.1f} s",
            flush=True,
        )
        if result.returncode:
            failed.append(name)
            print(result.stdout + result.stderr, flush=True)
    if failed:
        print("failed: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
