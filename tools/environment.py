"""Make the virtual environment from the hashed locks, unless it is already what they say.

Run by every target of the Makefile that needs it. Uses the standard library only, because it runs
before anything is installed.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "installed-from"
BOOTSTRAP = ROOT / "requirements" / "bootstrap.txt"
LOCK = ROOT / "requirements" / "all.txt"


def members() -> list[Path]:
    """The rooms: every folder of the workspace with a distribution of its own."""
    rooms = [ROOT / "shared", ROOT / "gateway", ROOT / "simulators"]
    rooms += sorted(path.parent for path in (ROOT / "services").glob("*/pyproject.toml"))
    return rooms


def fingerprint() -> str:
    """Changes when a lock, a room's declaration or the interpreter changes."""
    digest = hashlib.sha256(sys.version.encode() + str(ROOT).encode())
    for path in [BOOTSTRAP, LOCK, *(room / "pyproject.toml" for room in members())]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def main() -> None:
    """Create, install, remember; refuse an interpreter that is too old with one line."""
    if sys.version_info < (3, 11):  # noqa: UP036 - an older interpreter may well run this file
        sys.exit(f"jiuye needs python3 >= 3.11, this is {sys.version.split()[0]}")
    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return
    print("installing the environment from the hashed locks …", flush=True)
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    quiet = ["--quiet", "--disable-pip-version-check"]
    pip = [str(python), "-m", "pip", "install", *quiet, "--require-hashes", "-r", str(BOOTSTRAP)]
    subprocess.run(pip, check=True)
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*uv, "--require-hashes", "-r", str(LOCK)], check=True)
    editable = [part for room in members() for part in ("--editable", str(room))]
    subprocess.run([*uv, "--no-deps", "--no-build-isolation", *editable], check=True)
    STAMP.write_text(wanted)


if __name__ == "__main__":
    main()
