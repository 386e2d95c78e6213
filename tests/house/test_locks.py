"""The locks hold what the rooms declare, by hash, and name no place."""

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    """`tools/lock.py` as a module."""
    spec = importlib.util.spec_from_file_location("lock_under_test", ROOT / "tools" / "lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the locks are about."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    rooms = [ROOT / name for name in ("shared", "gateway", "simulators")]
    rooms += [path.parent for path in (ROOT / "services").glob("*/pyproject.toml")]
    for folder in [ROOT, *rooms]:
        place = tmp_path / folder.relative_to(ROOT)
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "pyproject.toml", place)
    return tmp_path


def test_the_locks_hold_what_the_rooms_declare(lock: ModuleType) -> None:
    assert lock.check(ROOT) == []


def test_every_image_has_a_lock(lock: ModuleType) -> None:
    images = {found.name for found in lock.locks(ROOT)} - {"all", "bootstrap", "build"}
    dockerfiles = {path.parent.name for path in ROOT.glob("*/Dockerfile")}
    dockerfiles |= {path.parent.name for path in ROOT.glob("services/*/Dockerfile")}
    assert images == dockerfiles


def change(path: Path, before: str, after: str) -> None:
    """Break a file in one place."""
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")


@pytest.mark.parametrize(
    ("file", "before", "after", "complaint"),
    [
        ("shared/pyproject.toml", "flask>=3.1", "flask>=99", "is not flask>=99"),
        ("shared/pyproject.toml", '"flask>=3.1",', '"flask>=3.1", "nobody-locked-me",', "locked"),
        ("requirements/gateway.txt", "==", "==999.", "differs from all.txt"),
        ("requirements/build.txt", "--hash=sha256:", "--hash=md5:", "has no hash"),
        ("requirements/all.txt", "==", " @ https://example.invalid/", "an address"),
        ("requirements/all.txt", "", "--find-links /somewhere\n", "an address"),
    ],
)
def test_a_lock_that_does_not_hold_is_refused(
    lock: ModuleType, tree: Path, file: str, before: str, after: str, complaint: str
) -> None:
    change(tree / file, before, after)
    if file == "requirements/build.txt":
        path = tree / file
        path.write_text(path.read_text("utf-8").replace("--hash=sha256:", "--hash=md5:"), "utf-8")
    assert any(complaint in problem for problem in lock.check(tree))


def test_a_lock_of_no_room_is_refused(lock: ModuleType, tree: Path) -> None:
    shutil.copy(tree / "requirements/build.txt", tree / "requirements/forgotten.txt")
    assert any("belongs to no room" in problem for problem in lock.check(tree))
