"""A service more: `make new-service N=training-subsidy T=职业培训补贴`.

Renders `tools/templates/`, gives the service the next free port, and adds its one line to the
gateway's routes, the import rules and the Kubernetes list. The template is a working service called
`sample-service`; rendering means renaming it.
"""

import argparse
import keyword
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import lock

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = Path(__file__).parent / "templates"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*")
FIRST_PORT = 8101


class Refused(Exception):
    """The service cannot be made; the message says why."""


@dataclass(frozen=True)
class NewService:
    """The names a service has, each where it belongs."""

    name: str
    title: str
    port: int

    @property
    def package(self) -> str:
        """The import name."""
        return self.name.replace("-", "_")

    @property
    def prefix(self) -> str:
        """What its settings start with."""
        return self.package.upper()

    def render(self, text: str) -> str:
        """The template's text under the service's own names."""
        return (
            text.replace("sample-service", self.name)
            .replace("sample_service", self.package)
            .replace("SAMPLE_SERVICE", self.prefix)
            .replace("示例服务", self.title)
            .replace("8199", str(self.port))
        )


def plan(root: Path, name: str, title: str) -> NewService:
    """Check the name and find a port.

    Raises:
        Refused: the name is no kebab-case word, is taken, or would hide another package.
    """
    if not NAME.fullmatch(name):
        raise Refused(f"{name!r} is not kebab-case like training-subsidy")
    package = name.replace("-", "_")
    if (root / "services" / name).exists() or (root / "deploy" / "k8s" / name).exists():
        raise Refused(f"{name} exists already")
    taken = set(sys.stdlib_module_names) | {"servicekit", "frontdoor", "outside", "sample_service"}
    if package in taken or keyword.iskeyword(package):
        raise Refused(f"a package called {package} exists already")
    listed = (root / "services" / "ports.toml").read_text("utf-8")
    ports: dict[str, int] = tomllib.loads(listed)["ports"]
    port = ports.get(name) or max([FIRST_PORT - 1, *ports.values()]) + 1
    return NewService(name, title, port)


def render_tree(source: Path, target: Path, service: NewService) -> None:
    """Copy a template folder, renaming folders, files and text."""
    for path in sorted(source.rglob("*")):
        if path.is_dir() or "__pycache__" in path.parts:
            continue
        written = target / service.render(str(path.relative_to(source)))
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(service.render(path.read_text("utf-8")), "utf-8")


def edit(path: Path, pattern: str, addition: str, *, known: str | None = None) -> None:
    """Write `addition` where the pattern's only group ends, unless it (or `known`) is there.

    Raises:
        Refused: the pattern does not fit exactly once, so the file is no longer what we know.
    """
    text = path.read_text("utf-8")
    found = list(re.finditer(pattern, text, re.MULTILINE | re.DOTALL))
    if len(found) != 1:
        raise Refused(f"{path}: {len(found)} places fit {pattern!r}, one is needed")
    if (known or addition.strip()) not in found[0].group(1):
        place = found[0].end(1)
        path.write_text(text[:place] + addition + text[place:], "utf-8")


def write_port(root: Path, service: NewService) -> None:
    """The port becomes part of the data file."""
    path = root / "services" / "ports.toml"
    text = path.read_text("utf-8")
    if not re.search(rf"^{service.name} =", text, re.MULTILINE):
        path.write_text(f"{text.rstrip()}\n{service.name} = {service.port}\n", "utf-8")


def write_lock(root: Path, service: NewService) -> None:
    """A new service needs what its sisters need: take the lock of one that wants the same."""
    wanted = {found.name: found for found in lock.locks(root)}
    mine = wanted.pop(service.name)
    for other in wanted.values():
        if other.wanted == mine.wanted and other.held and (root / other.path).exists():
            shutil.copyfile(root / other.path, root / mine.path)
            return
    lock.compile_lock(mine, root, upgrade=False)


def join_the_house(root: Path, service: NewService) -> None:
    """The one line each existing file needs: style, import rules, routes, the cluster's list."""
    name, package = service.name, service.package
    pyproject = root / "pyproject.toml"
    edit(pyproject, r"^(known-first-party = \[[^\]]*)", f', "{package}"')
    edit(pyproject, r"^(root_packages = \[[^\]]*)", f'    "{package}",\n')
    edit(pyproject, r'^    ("frontdoor \| [^"]*)"', f" | {package}")
    edit(root / "deploy/k8s/kustomization.yaml", r"(^resources:\n.*)", f"  - {name}\n")
    routes = root / "gateway" / "frontdoor"
    place = r"(\A.*?)^[ \t]*# new services above this line"
    for file, template, known in (
        (routes / "frontdoor.conf", "location.conf", f"location /api/{name}/ "),
        (routes / "upstreams.conf", "upstream.conf", f"upstream {name} "),
        (
            root / "deploy/k8s/gateway/upstreams.conf",
            "upstream-in-cluster.conf",
            f"upstream {name} ",
        ),
    ):
        text = (TEMPLATES / "gateway" / template).read_text("utf-8")
        edit(file, place, service.render(text), known=known)


def make(root: Path, name: str, title: str) -> NewService:
    """Render everything; nothing is written when the name is refused."""
    service = plan(root, name, title)
    write_port(root, service)
    render_tree(TEMPLATES / "service", root / "services" / name, service)
    render_tree(TEMPLATES / "k8s", root / "deploy" / "k8s" / name, service)
    write_lock(root, service)
    join_the_house(root, service)
    ruff = [str(Path(sys.executable).parent / "ruff")]
    rendered = [str(root / "services" / name)]
    subprocess.run([*ruff, "check", "--select", "I", "--fix", "-q", *rendered], check=True)
    subprocess.run([*ruff, "format", "-q", *rendered], check=True)
    return service


def main() -> int:
    """Make the service, then say what comes next."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="kebab-case, the folder's name")
    parser.add_argument("title", nargs="?", help="the Chinese name people read")
    options = parser.parse_args()
    try:
        service = make(ROOT, options.name, options.title or options.name)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(
        f"services/{service.name} listens on {service.port}.\n"
        "Next: make contracts docs, then make check test; then the first matter's rules.py\n"
        f"(services/{service.name}/README.md says how)."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
