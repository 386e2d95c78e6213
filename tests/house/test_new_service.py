"""A seventh service, rendered into a copy of the tree, is a whole room of the house."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAME = "training-subsidy"
# What mypy knows of the tree comes along where `make check` ran before: else it reads all again.
OTHER_CACHES = (".pytest_cache", ".ruff_cache", ".import_linter_cache")
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", "__pycache__", ".hypothesis", *OTHER_CACHES
)
pytestmark = pytest.mark.xdist_group("seventh-service")  # one copy of the tree

HOUSE = ("test_rooms.py", "test_sources.py", "test_apps.py", "test_locks.py", "test_standing.py")


def run(*command: str, cwd: Path, path: Path | None = None) -> str:
    """The output of a command that must succeed."""
    env = {**os.environ, "PYTHONPATH": str(path)} if path else dict(os.environ)
    for name in [name for name in env if name.startswith("PYTEST_")]:
        del env[name]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with one service more."""
    copy = tmp_path_factory.mktemp("seventh") / "tree"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    run(sys.executable, "tools/new_service.py", NAME, "职业培训补贴", cwd=copy)
    return copy


@pytest.fixture(scope="module")
def site(tree: Path) -> Path:
    """Where the seventh service is installed, beside the environment and not in it."""
    place = tree.parent / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    run(*pip, "--no-index", "--target", str(place), str(tree / "services" / NAME), cwd=tree)
    return place


@pytest.mark.slow
@pytest.mark.timeout(300)  # a run of its own, and other runs beside it
@pytest.mark.req("OP-01")
def test_the_seventh_service_is_a_room_of_the_house(tree: Path, site: Path) -> None:
    run(sys.executable, "tools/config_maps.py", cwd=tree, path=site)
    house = [f"tests/house/{name}" for name in HOUSE]
    # What is refused, found and broken holds whatever is rendered, and its sisters stand anyway.
    only = f"not refused and not found and not broken and (not test_standing or {NAME})"
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-n0", "-k", only]
    printed = run(*pytest_, *house, "tests/deploy", cwd=tree, path=site)
    assert "passed" in printed.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.timeout(300)  # where mypy knows nothing yet
def test_its_code_is_clean_and_within_the_walls(tree: Path, site: Path) -> None:
    beside = Path(sys.executable).parent
    ours = f"services/{NAME}"
    run(str(beside / "ruff"), "check", "-q", ours, cwd=tree)
    run(str(beside / "ruff"), "format", "--check", "-q", ours, cwd=tree)
    run(str(beside / "mypy"), "-p", "training_subsidy", cwd=tree, path=site)
    run(str(beside / "lint-imports"), "--no-cache", cwd=tree, path=site)


TABLE = """

class Remark(Base):
    __tablename__ = "remark"
    id: Mapped[int] = mapped_column(primary_key=True)
"""


@pytest.mark.slow
def test_its_next_migration_needs_no_installation(tree: Path, site: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(site, tmp_path / "site")
    tables = mine / "training_subsidy" / "tables.py"
    imports = "from sqlalchemy.orm import Mapped, mapped_column\n"
    tables.write_text(tables.read_text() + imports + TABLE)
    command = [sys.executable, "tools/migration.py", NAME, "remarks"]
    written = Path(run(*command, cwd=tree, path=mine).splitlines()[-1])
    assert written.parent == mine / "training_subsidy" / "migrations" / "versions"
    assert written.name == "0003_remarks.py"
    assert "op.create_table('remark'" in written.read_text()


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("Training", "kebab-case"),
        ("recruitment", "exists already"),
        ("json", "a package called json"),
        ("servicekit", "a package called servicekit"),
    ],
)
def test_a_bad_name_is_refused_and_nothing_is_written(name: str, complaint: str) -> None:
    ports = (ROOT / "services" / "ports.toml").read_bytes()
    command = [sys.executable, "tools/new_service.py", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert (ROOT / "services" / "ports.toml").read_bytes() == ports
