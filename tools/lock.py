"""Compile the hashed locks from the rooms' declarations: `make lock`; `--check` compares, offline.

`requirements/all.txt` is the developers' environment; `requirements/<room>.txt` is one image's,
held to the versions of `all.txt`, so that what was tested is what is shipped. `bootstrap.txt`
brings uv, `build.txt` what turns a room into a wheel. A lock names versions and hashes, never an
address.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = Path("requirements")
OURS = "jiuye-"
UV = "uv>=0.9"
FORBIDDEN = re.compile(r"://|^\s*-(?!-hash=)|^\s*--(?!hash=)|@ ", re.MULTILINE)
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)


@dataclass(frozen=True)
class Lock:
    """One file of `requirements/` and what it must satisfy."""

    name: str
    wanted: tuple[str, ...]
    held: bool = True  # to the versions of all.txt

    @property
    def path(self) -> Path:
        """Relative to the root of the tree."""
        return LOCKS / f"{self.name}.txt"


def members(root: Path) -> dict[str, Path]:
    """The rooms with a distribution, by the name of their image."""
    rooms = {name: root / name for name in ("shared", "gateway", "simulators")}
    services = sorted((root / "services").glob("*/pyproject.toml"))
    return rooms | {path.parent.name: path.parent for path in services}


def declared(folder: Path) -> tuple[str, ...]:
    """The requirements a room declares."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    return tuple(project["project"]["dependencies"])


def third_party(requirements: Iterable[str]) -> tuple[str, ...]:
    """Without the names of our own distributions, each once."""
    return tuple(sorted({text for text in requirements if not text.startswith(OURS)}))


def locks(root: Path) -> list[Lock]:
    """Every lock of the project, all.txt first."""
    rooms = members(root)
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    groups = project["dependency-groups"]
    everything = [text for folder in rooms.values() for text in declared(folder)]
    images = {
        name: declared(folder)
        + (declared(rooms["shared"]) if f"{OURS}servicekit" in declared(folder) else ())
        for name, folder in rooms.items()
        if name != "shared"
    }
    developers = [text for name in ("run", "dev", "bench") for text in groups[name]]
    build = project_build_requirements(rooms.values())
    return [
        Lock("all", third_party([*everything, *developers]), held=False),
        Lock("bootstrap", (UV,), held=False),
        Lock("build", third_party(build)),
        *(Lock(name, third_party(texts)) for name, texts in sorted(images.items())),
    ]


def project_build_requirements(folders: Iterable[Path]) -> Iterator[str]:
    """What the rooms' build backends ask for."""
    for folder in folders:
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
        yield from project["build-system"]["requires"]


def compile_lock(lock: Lock, root: Path, *, upgrade: bool) -> None:
    """Let uv resolve for every platform; versions already locked stay unless `upgrade`."""
    beside = str(Path(sys.executable).parent)
    uv = shutil.which("uv", path=beside) or shutil.which("uv")
    if uv is None:
        sys.exit("uv is not here: make setup installs it")
    command = [uv, "pip", "compile", "-", "--output-file", str(lock.path), "--quiet"]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-config"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header"]
    if lock.held:
        command += ["--constraint", str(LOCKS / "all.txt")]
    if upgrade:
        command.append("--upgrade")
    subprocess.run(command, cwd=root, input="\n".join(lock.wanted), text=True, check=True)


def pins(text: str) -> dict[str, set[str]]:
    """The versions a lock names, by package; several when platforms differ."""
    found: dict[str, set[str]] = {}
    for match in PIN.finditer(text):
        found.setdefault(canonicalize_name(match["name"]), set()).add(match["version"])
    return found


def form(text: str) -> Iterator[str]:
    """What a lock must not contain, and the hashes it lacks."""
    if found := FORBIDDEN.search(text):
        yield f"an address or an option: {found.group().strip()!r}"
    for entry in re.split(r"\n(?=\S)", text.strip()):
        if "--hash=sha256:" not in entry:
            yield f"{entry.split(' ', maxsplit=1)[0]} has no hash"


def problems(lock: Lock, text: str, everything: dict[str, set[str]]) -> Iterator[str]:
    """Why this lock does not hold what the rooms declare."""
    yield from (f"{lock.path}: {problem}" for problem in form(text))
    pinned = pins(text)
    for requirement in map(Requirement, lock.wanted):
        versions = pinned.get(canonicalize_name(requirement.name), set())
        if not versions:
            yield f"{lock.path}: {requirement} is declared, not locked"
        for version in versions:
            if not requirement.specifier.contains(version, prereleases=True):
                yield f"{lock.path}: {requirement.name}=={version} is not {requirement}"
    if lock.held:
        for name, versions in pinned.items():
            if name in everything and not versions <= everything[name]:
                yield f"{lock.path}: {name} {sorted(versions)} differs from all.txt"


def check(root: Path) -> list[str]:
    """Every problem of every lock, without asking the network."""
    found: list[str] = []
    wanted = locks(root)
    texts = {
        lock: (root / lock.path).read_text("utf-8") if (root / lock.path).exists() else ""
        for lock in wanted
    }
    everything = pins(texts[wanted[0]])
    for lock, text in texts.items():
        found += problems(lock, text, everything) if text else [f"{lock.path} is missing"]
    known = {lock.path.name for lock in wanted}
    for path in sorted((root / LOCKS).glob("*.txt")):
        if path.name not in known:
            found.append(f"{LOCKS / path.name} belongs to no room")
    return found


def main() -> int:
    """Write the locks, or say what is wrong with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, without network")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    options = parser.parse_args()
    if not options.check:
        for lock in locks(ROOT):
            compile_lock(lock, ROOT, upgrade=options.upgrade)
    found = check(ROOT)
    for problem in found:
        print(problem, file=sys.stderr)
    if found and options.check:
        print("make lock writes them anew", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
