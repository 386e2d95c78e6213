"""Every installed service is a whole room: the house is not a list, it is found by entry points."""

import re
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points, packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(entry_points(group="suite.services"), key=lambda entry: entry.name)
OURS = {"servicekit": "jiuye-servicekit", "frontdoor": "jiuye-frontdoor"}


def package_of(service: EntryPoint) -> str:
    """The import name of a service."""
    return service.value.split(".", 1)[0]


def read(place: str) -> str:
    """A file of the tree, empty when it is not there."""
    path = ROOT / place
    return path.read_text("utf-8") if path.exists() else ""


def toml(place: str) -> dict[str, Any]:
    """A TOML file of the tree."""
    return tomllib.loads(read(place))


def linted() -> dict[str, Any]:
    """What import-linter is told."""
    told: dict[str, Any] = toml("pyproject.toml")["tool"]["importlinter"]
    return told


def has_a_door(service: EntryPoint) -> bool:
    """The gateway passes the service's API."""
    return f" /api/{service.name}/" in read("gateway/frontdoor/frontdoor.conf")


def has_an_upstream(service: EntryPoint) -> bool:
    """The gateway knows where the service listens: on this machine, and in the cluster."""
    port = toml("services/ports.toml")["ports"].get(service.name)
    block = rf"upstream {service.name} \{{[^}}]*server %s[; ]"
    here = re.search(block % f"127\\.0\\.0\\.1:{port}", read("gateway/frontdoor/upstreams.conf"))
    there = re.search(block % f"{service.name}:8000", read("deploy/k8s/gateway/upstreams.conf"))
    return bool(here and there)


def is_in_the_cluster(service: EntryPoint) -> bool:
    """It has its folder in deploy/k8s."""
    return f"\n  - {service.name}\n" in read("deploy/k8s/kustomization.yaml")


def introduces_itself(service: EntryPoint) -> bool:
    """It has a README that one can read in a minute."""
    text = read(f"services/{service.name}/README.md")
    return text.startswith(f"# {service.name} · ") and text.count("\n") <= 40


def has_an_image(service: EntryPoint) -> bool:
    """It has a Dockerfile and a lock of its own."""
    return f'CMD ["web", "{service.name}"' in read(f"services/{service.name}/Dockerfile") and bool(
        read(f"requirements/{service.name}.txt")
    )


def is_behind_walls(service: EntryPoint) -> bool:
    """import-linter keeps it apart from its sisters."""
    rooms = linted()["contracts"][0]["layers"][0].split(" | ")
    return package_of(service) in rooms and package_of(service) in linted()["root_packages"]


def is_named_as_the_rules_say(service: EntryPoint) -> bool:
    """Folder, package and entry point are one name (design 1.6)."""
    place = ROOT / "services" / service.name / package_of(service) / "__init__.py"
    return service.value == f"{service.name.replace('-', '_')}.app:create_app" and place.exists()


def is_typed(service: EntryPoint) -> bool:
    """Its wheel says that it carries types."""
    return (ROOT / "services" / service.name / package_of(service) / "py.typed").exists()


HABITS: tuple[Callable[[EntryPoint], bool], ...] = (
    has_a_door,
    has_an_upstream,
    is_in_the_cluster,
    introduces_itself,
    has_an_image,
    is_behind_walls,
    is_named_as_the_rules_say,
    is_typed,
)


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__)
def test_every_service_is_a_whole_room(habit: Callable[[EntryPoint], bool]) -> None:
    assert [service.name for service in SERVICES if not habit(service)] == []


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.__name__)
def test_a_service_that_was_only_installed_is_noticed(
    habit: Callable[[EntryPoint], bool],
) -> None:
    assert not habit(EntryPoint("half-made", "half_made.app:create", "suite.services"))


def test_every_folder_is_installed_and_every_installed_service_has_a_folder() -> None:
    folders = {path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml")}
    assert folders == {service.name for service in SERVICES}
    assert folders == set(toml("services/ports.toml")["ports"])


def test_ports_are_told_apart() -> None:
    ports = toml("services/ports.toml")["ports"].values()
    assert len(set(ports)) == len(ports)
    assert all(8101 <= port < 8190 for port in ports)


def test_our_import_names_are_provided_by_our_distributions() -> None:
    """A public distribution called `identity` exists; nobody shall get it by accident."""
    provided = packages_distributions()
    wanted = OURS | {package_of(service): f"jiuye-{service.name}" for service in SERVICES}
    for package, distribution in wanted.items():
        if package in provided:  # an editable room is listed by its entry points only
            assert set(provided[package]) == {distribution}
    for service in SERVICES:
        assert service.dist is not None
        assert service.dist.name == f"jiuye-{service.name}"


def matters() -> Iterator[str]:
    """Every folder of a service that has rules."""
    for path in sorted((ROOT / "services").glob("*/*/*/rules.py")):
        yield ".".join(path.parent.relative_to(ROOT).parts[2:])


def test_every_matter_is_a_container_of_the_layers() -> None:
    inside = [c for c in linted()["contracts"] if c.get("exhaustive") and "rules" in c["layers"]]
    assert sorted(m for c in inside for m in c["containers"]) == sorted(matters())
