"""import-linter's walls stand, and each planted import is caught by the wall it breaks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = str(Path(sys.executable).parent / "lint-imports")


def lint(folder: Path, *first: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with the project's contracts, looking for packages in `first` first."""
    path = os.pathsep.join([*map(str, first), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    command = [LINTER, "--no-cache", "--config", str(folder / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_walls_stand() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("place", "line", "wall"),
    [
        ("services/recruitment/recruitment/app.py", "import identity.app", "no other room"),
        ("services/recruitment/recruitment/app.py", "import servicekit.testing", "testing kit"),
        ("services/recruitment/recruitment/tables.py", "import pika", "knows pika"),
        ("services/recruitment/recruitment/tables.py", "import flask", "at the edges"),
        ("services/recruitment/recruitment/tables.py", "import marshmallow", "comes in or goes"),
        ("services/recruitment/recruitment/tables.py", "import psycopg", "PostgreSQL through"),
        ("services/recruitment/recruitment/tables.py", "import requests", "servicekit.client"),
        ("services/identity/identity/officers/rules.py", "import sqlalchemy", "Rules are pure"),
        ("services/identity/identity/officers/model.py", "import flask", "does not speak HTTP"),
        (
            "services/identity/identity/officers/model.py",
            "from identity.officers import actions",
            "Inside a matter",
        ),
    ],
)
def test_a_planted_import_is_caught(place: str, line: str, wall: str, tmp_path: Path) -> None:
    package = ROOT / Path(*Path(place).parts[:3])
    copy = tmp_path / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / Path(*Path(place).parts[2:])
    planted.write_text(f"{planted.read_text('utf-8')}\n{line}\n", "utf-8")
    done = lint(tmp_path, tmp_path)
    broken = [row for row in done.stdout.splitlines() if row.rstrip().endswith("BROKEN")]
    assert done.returncode == 1
    assert any(wall in row for row in broken), done.stdout


def test_a_fifth_file_that_nobody_declared_is_refused(tmp_path: Path) -> None:
    copy = tmp_path / "identity"
    shutil.copytree(ROOT / "services" / "identity" / "identity", copy)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (copy / "officers" / "service.py").write_text('"""A drawer."""\n', "utf-8")
    done = lint(tmp_path, tmp_path)
    assert "identity.officers.service" in done.stdout
    assert done.returncode == 1
