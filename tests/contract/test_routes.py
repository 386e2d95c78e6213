"""The gateway and the services agree: what is routed exists, and what exists is routed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import crossplane
import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "gateway" / "frontdoor" / "frontdoor.conf"


class Location:
    """One location of the gateway, as far as routing and tokens go."""

    def __init__(self, args: list[str], block: list[dict[str, Any]]) -> None:
        self.exact = args[0] == "="
        self.path = args[-1]
        said = {directive["directive"]: directive["args"] for directive in block}
        self.upstream = said.get("proxy_pass", [""])[0].removeprefix("http://")
        self.lets_visitors_in = said.get("auth_jwt") == ["off"] or said.get(
            "auth_jwt_optional"
        ) == ["on"]


def locations(configuration: Path) -> list[Location]:
    """Every location of every server."""
    parsed = crossplane.parse(str(configuration), single=True)
    assert parsed["status"] == "ok", parsed["errors"]

    def walk(block: list[dict[str, Any]]) -> Iterator[Location]:
        for directive in block:
            if directive["directive"] == "location":
                yield Location(directive["args"], directive["block"])
            elif "block" in directive:
                yield from walk(directive["block"])

    return [found for part in parsed["config"] for found in walk(part["parsed"])]


def location_of(path: str, among: list[Location]) -> Location | None:
    """The one nginx would choose: the exact one, else the longest prefix."""
    for one in among:
        if one.exact and one.path == path:
            return one
    fitting = [one for one in among if not one.exact and path.startswith(one.path)]
    return max(fitting, key=lambda one: len(one.path), default=None)


def misrouted(document: dict[str, Any], service: str, among: list[Location]) -> Iterator[str]:
    """Operations of a service that the gateway does not let through as they are marked."""
    for template, operations in document["paths"].items():
        path = template.replace("{", "").replace("}", "")
        found = location_of(path, among)
        if found is None or found.upstream != service:
            yield f"{template} does not reach {service}"
            continue
        opened = [operation for m, operation in operations.items() if m != "parameters"]
        if any(operation["security"] == [] for operation in opened):
            if not found.lets_visitors_in:
                yield f"{template} is open to visitors, and the gateway wants a token"
        elif found.lets_visitors_in:
            yield f"{template} needs a token, and the gateway asks for none"


@pytest.fixture(scope="module")
def routes() -> list[Location]:
    """The locations of the suite."""
    return locations(CONFIGURATION)


@pytest.mark.req("GW-01", "GW-02")
def test_every_operation_is_reached_as_it_is_marked(folder: Path, routes: list[Location]) -> None:
    for path in folder.glob("openapi/*.json"):
        assert list(misrouted(json.loads(path.read_text()), path.stem, routes)) == []


@pytest.mark.req("GW-01")
def test_every_api_route_leads_to_a_documented_service(
    folder: Path, routes: list[Location], apps: Any
) -> None:
    documented = {path.stem for path in folder.glob("openapi/*.json")}
    routed = {one.upstream for one in routes if one.path.startswith("/api/")}
    assert routed == documented == set(apps)
    for one in routes:
        if one.path.startswith("/api/"):
            assert one.path.split("/")[2] == one.upstream
        if one.exact and one.path.startswith("/api/"):
            paths = json.loads((folder / f"openapi/{one.upstream}.json").read_text())["paths"]
            assert one.path in paths, f"{one.path} is routed and does not exist"


def test_probes_and_figures_are_not_routed(routes: list[Location]) -> None:
    for path in ("/readyz", "/livez", "/metrics", "/api/identity"):
        found = location_of(path, routes)
        assert found is None or not found.upstream, path


def test_a_misrouted_operation_is_found(routes: list[Location]) -> None:
    secured, opened = {"get": {"security": [{"bearer": []}]}}, {"get": {"security": []}}
    document = {
        "paths": {
            "/api/nobody/v1/things": secured,
            "/api/identity/v1/things/{id}": opened,
            "/api/identity/v1/agreements": secured,
        }
    }
    assert list(misrouted(document, "identity", routes)) == [
        "/api/nobody/v1/things does not reach identity",
        "/api/identity/v1/things/{id} is open to visitors, and the gateway wants a token",
        "/api/identity/v1/agreements needs a token, and the gateway asks for none",
    ]
