"""What a pod is told to run, and asked for, exists in the code: words, ports, probe paths."""

import base64
import copy
import importlib
import re
import secrets
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from servicekit import launch, settings
from servicekit.health import HealthServer

ROOT = Path(__file__).resolve().parents[2]
Document = dict[str, Any]
Documents = list[Document]
SERVICES = {entry.name: entry for entry in entry_points(group="suite.services")}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def routes_of(name: str) -> set[str]:
    """The routes a web process of the room answers."""
    if name not in SERVICES:
        text = (ROOT / "gateway" / "frontdoor" / "frontdoor.conf").read_text("utf-8")
        return set(re.findall(r"location = (/\S*) \{\s+auth_jwt off;\s+health ", text))
    prefix = name.replace("-", "_").upper()
    cls = importlib.import_module(f"{SERVICES[name].value.split('.', 1)[0]}.settings").Settings
    environ = {}
    for variable in settings.secret_names(cls, prefix):
        random = base64.b64encode(secrets.token_bytes(32)).decode()
        address = "postgresql://nobody@127.0.0.1:1/nothing"
        value = f"k1:{random}" if variable.endswith("_KEYS") else random
        environ[variable] = address if variable.endswith("_URL") else value
    app = SERVICES[name].load()(settings.load(cls, prefix, environ))
    app.database.close()
    return {str(rule) for rule in app.url_map.iter_rules()}


def routes_of_a_worker() -> set[str]:
    """Which of the probes' paths the events worker answers."""
    with HealthServer(("127.0.0.1", 0), dict) as server:
        found = set()
        for path in ("/livez", "/readyz", "/metrics"):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}") as answer:
                found |= {path} if answer.status == 200 else set()
    return found


@pytest.fixture(scope="module")
def routes(rooms: dict[str, Documents]) -> dict[str, set[str]]:
    """The paths each deployment's process answers."""
    found: dict[str, set[str]] = {}
    worker = routes_of_a_worker()
    for name in rooms.keys() - {"namespace"}:
        found |= {f"{name}-web": routes_of(name), f"{name}-events": worker}
    return found


def processes(documents: Documents) -> Iterator[tuple[str, Document]]:
    """Each deployment's name and its container."""
    for document in documents:
        if document["kind"] == "Deployment":
            (container,) = document["spec"]["template"]["spec"]["containers"]
            yield document["metadata"]["name"], container


def asks_for_what_is_answered(documents: Documents, routes: dict[str, set[str]]) -> Iterator[str]:
    """Probes ask `/livez` whether it lives and `/readyz` whether it is ready, and get answers."""
    for name, container in processes(documents):
        for probe in PROBES:
            path = container[probe]["httpGet"]["path"]
            wanted = "/readyz" if probe == "readinessProbe" else "/livez"
            if path != wanted or path not in routes[name]:
                yield f"{name}: {probe} asks {path}"


def says_words_the_launcher_knows(
    documents: Documents, _routes: dict[str, set[str]]
) -> Iterator[str]:
    """The arguments are a command of `servicekit.launch`, with its own ports."""
    ports = {"web": launch.WEB_PORT, "events": launch.HEALTH_PORT}
    for name, container in processes(documents):
        if "args" not in container:
            continue  # the gateway has one word only
        try:
            options = launch._parser().parse_args(container["args"])
        except SystemExit:
            yield f"{name}: the launcher does not know {container['args']}"
            continue
        opened = [port["containerPort"] for port in container["ports"]]
        if opened != [options.port] or options.port != ports[container["name"]]:
            yield f"{name}: opens {opened}, the launcher {options.port}"


Check = Callable[[Documents, dict[str, set[str]]], Iterator[str]]


@pytest.mark.parametrize("check", [asks_for_what_is_answered, says_words_the_launcher_knows])
@pytest.mark.req("OP-01", "OP-02")
def test_what_runs_and_what_is_asked_exists(
    check: Check, rooms: dict[str, Documents], routes: dict[str, set[str]]
) -> None:
    documents = [d for name, room in rooms.items() if name != "namespace" for d in room]
    assert list(check(documents, routes)) == []


@pytest.mark.parametrize(
    ("check", "break_it"),
    [
        (asks_for_what_is_answered, lambda c: c["livenessProbe"]["httpGet"].update(path="/alive")),
        (asks_for_what_is_answered, lambda c: c["livenessProbe"]["httpGet"].update(path="/readyz")),
        (says_words_the_launcher_knows, lambda c: c.update(args=["serve", "recruitment"])),
        (says_words_the_launcher_knows, lambda c: c["args"].extend(["--port", "9000"])),
    ],
)
def test_what_does_not_exist_is_found(
    check: Check,
    break_it: Callable[[Document], Any],
    room: Documents,
    routes: dict[str, set[str]],
) -> None:
    assert not list(check(room, routes))
    broken = copy.deepcopy(room)
    break_it(next(container for name, container in processes(broken) if name.endswith("web")))
    assert list(check(broken, routes))


def test_an_image_starts_what_its_room_is() -> None:
    """The Dockerfile's words are the launcher's; the base image's ports are the launcher's."""
    base = (ROOT / "deploy" / "images" / "base.Dockerfile").read_text("utf-8")
    assert f"EXPOSE {launch.WEB_PORT} {launch.HEALTH_PORT}\n" in base
    for name in SERVICES:
        text = (ROOT / "services" / name / "Dockerfile").read_text("utf-8")
        assert 'ENTRYPOINT ["python3", "-m", "servicekit.launch"]' in text
        (command,) = re.findall(r"^CMD \[(.*)\]$", text, re.MULTILINE)
        launch._parser().parse_args([word.strip(' "') for word in command.split(",")])
