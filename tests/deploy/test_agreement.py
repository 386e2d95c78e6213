"""The manifests say what the code says: settings, ports, probes, images, connections."""

import base64
import importlib
import re
import secrets
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from servicekit import settings

ROOT = Path(__file__).resolve().parents[2]
Document = dict[str, Any]
Documents = list[Document]
Peer = tuple[str, int | str]
SERVICES = {entry.name: entry for entry in entry_points(group="suite.services")}


def of(documents: Documents, kind: str) -> Documents:
    """The documents of a kind."""
    return [document for document in documents if document["kind"] == kind]


def settings_class(name: str) -> tuple[type[Any], str]:
    """A room's settings class and its prefix."""
    package = SERVICES[name].value.split(".", 1)[0] if name in SERVICES else "frontdoor"
    prefix = name.replace("-", "_") if name in SERVICES else "frontdoor"
    return importlib.import_module(f"{package}.settings").Settings, prefix.upper()


def folder_of(name: str) -> Path:
    """Where a room's code is."""
    return ROOT / "services" / name if name in SERVICES else ROOT / name


def strong_secret(key: str) -> str:
    """A value a production would take, of the kind the key asks for."""
    if key.endswith("-url"):
        scheme = "amqp" if key.startswith("bus") else "postgresql"
        return f"{scheme}://room:{secrets.token_hex(16)}@server/room"
    random = base64.b64encode(secrets.token_bytes(32)).decode()
    return f"k1:{random}" if key.endswith("-keys") else random


def loads_its_settings(name: str, documents: Documents, folder: Path) -> Iterator[str]:
    """ConfigMap and Secret together are exactly what the room's settings ask for."""
    (config,) = of(documents, "ConfigMap")
    environ = dict(config["data"])
    for variable, place in config["data"].items():
        if variable.endswith("_FILE") and place.startswith("/run/secrets/jiuye/"):
            file = folder / Path(place).name
            file.write_text(strong_secret(file.name), "utf-8")
            environ[variable] = str(file)
    cls, prefix = settings_class(name)
    try:
        loaded = settings.load(cls, prefix, environ)
    except settings.BadSettings as error:
        yield str(error)
        return
    if getattr(loaded, "environment", None) != "production":
        yield "the cluster is no production"


def reads_config_and_secrets(name: str, documents: Documents) -> Iterator[str]:
    """Every container gets the room's ConfigMap, and its Secret where the settings look for it."""
    for deployment in of(documents, "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            if {"configMapRef": {"name": name}} not in container.get("envFrom", []):
                yield f"{container['name']} does not read the ConfigMap"
            mounts = {m["mountPath"]: m["name"] for m in container.get("volumeMounts", [])}
            volumes = {v["name"]: v for v in spec["volumes"]}
            secret = volumes.get(mounts.get("/run/secrets/jiuye", ""), {}).get("secret", {})
            if secret.get("secretName") != name:
                yield f"{container['name']} has no secrets"
            if set(mounts.values()) - set(volumes):
                yield f"{container['name']} mounts what is not there"
            if "emptyDir" not in volumes.get(mounts.get("/tmp", ""), {}):
                yield f"{container['name']} has nowhere to write"


def runs_its_own_image(name: str, documents: Documents) -> Iterator[str]:
    """The image is the room's, in the version its pyproject declares, told a word it knows."""
    project = tomllib.loads((folder_of(name) / "pyproject.toml").read_text("utf-8"))["project"]
    for deployment in of(documents, "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            if container["image"] != f"jiuye-{name}:{project['version']}":
                yield f"{container['name']} runs {container['image']}"
            if name in SERVICES and container["args"] != [container["name"], name]:
                yield f"{container['name']} is told {container['args']}"


def listens_where_the_image_does(_name: str, documents: Documents) -> Iterator[str]:
    """Web on 8000, the worker's health on 8001, as the base image declares."""
    text = (ROOT / "deploy" / "images" / "base.Dockerfile").read_text("utf-8")
    (exposed,) = re.findall(r"^EXPOSE (\d+) (\d+)$", text, re.MULTILINE)
    wanted = {"web": int(exposed[0]), "events": int(exposed[1])}
    for deployment in of(documents, "Deployment"):
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            opened = [port["containerPort"] for port in container["ports"]]
            if opened != [wanted[container["name"]]]:
                yield f"{container['name']} opens {opened}"
    for service in of(documents, "Service"):
        if [port["port"] for port in service["spec"]["ports"]] != [wanted["web"]]:
            yield "the Service listens elsewhere than its pods"


def calls(name: str, component: str) -> set[Peer]:
    """Whom a process of the room connects to, as its settings say."""
    cls, _ = settings_class(name)
    known = {f.name for f in fields(cls)}
    outside = any(f.metadata.get("outside") for f in fields(cls))
    found: set[Peer] = {("outside", 443)} if outside else set()
    if "database_url" in known:
        found.add(("postgres", 5432))
    if "bus_url" in known and (component == "events" or name == "gateway"):
        found.add(("rabbitmq", 5672))
    if "storage_url" in known:  # both take files out of the bucket; the worker deletes them
        found.add(("outside", 443))
    asks = component == "web" or "employer_auth_client_secret" in known  # a client of its own
    if asks and "identity_url" in known and name not in ("identity", "gateway"):
        found.add(("identity", 8000))
    if name == "gateway":
        found.add(("jiuye", 8000))
    return found


def peer(rule: Document) -> str:
    """A short name for whom a rule of a policy means."""
    (target,) = rule.get("to") or rule["from"]
    if "ipBlock" in target:
        private = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}
        closed = private <= set(target["ipBlock"].get("except", []))
        return "outside" if closed else "anywhere"
    labels = target["podSelector"]["matchLabels"]
    return str(labels.get("app.kubernetes.io/name") or labels["app.kubernetes.io/part-of"])


def allows_what_the_code_calls(name: str, documents: Documents) -> Iterator[str]:
    """The network policies are the connections the code makes, not one more or less."""
    for policy in of(documents, "NetworkPolicy"):
        component = policy["metadata"]["name"].removeprefix(f"{name}-")
        allowed = {
            (peer(rule), port["port"])
            for rule in policy["spec"].get("egress", [])
            for port in rule["ports"]
        }
        if allowed != calls(name, component):
            yield f"{component} may call {sorted(allowed)}, calls {sorted(calls(name, component))}"
        callers = {peer(r) if "from" in r else "all" for r in policy["spec"].get("ingress", [])}
        wanted = {"gateway": {"all"}, "identity": {"jiuye"}}.get(name, {"gateway"})
        if callers != (wanted if component == "web" else set()):
            yield f"{component} may be called by {sorted(callers)}"


Check = Callable[[str, Documents], Iterator[str]]
CHECKS: tuple[Check, ...] = (
    reads_config_and_secrets,
    runs_its_own_image,
    listens_where_the_image_does,
    allows_what_the_code_calls,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.req("OP-02")
def test_manifests_and_code_agree(check: Check, rooms: dict[str, Documents]) -> None:
    found = [
        f"{name}: {problem}"
        for name, documents in rooms.items()
        if name != "namespace"
        for problem in check(name, documents)
    ]
    assert not found, "\n".join(found)


@pytest.mark.req("OP-02")
def test_every_room_starts_with_its_config_map(rooms: dict[str, Documents], tmp_path: Path) -> None:
    for name, documents in rooms.items():
        if name != "namespace":
            assert list(loads_its_settings(name, documents, tmp_path)) == []


def config(room: Documents) -> Document:
    (found,) = of(room, "ConfigMap")
    data: Document = found["data"]
    return data


@pytest.mark.parametrize(
    "break_it",
    [
        lambda data: data.update(RECRUITMENT_SURPRISE="1"),
        lambda data: data.pop("RECRUITMENT_DATABASE_URL_FILE"),
        lambda data: data.update(RECRUITMENT_PUBLIC_URL="http://127.0.0.1:8080"),
        lambda data: data.update(RECRUITMENT_DATABASE_POOL="many"),
        lambda data: data.update(RECRUITMENT_ENVIRONMENT="development"),
        lambda data: data.update(RECRUITMENT_INDEX_KEY="change-me"),
    ],
)
def test_a_config_map_that_does_not_fit_is_refused(
    break_it: Callable[[Document], Any], room: Documents, tmp_path: Path
) -> None:
    assert not list(loads_its_settings("recruitment", room, tmp_path))
    break_it(config(room))
    assert list(loads_its_settings("recruitment", room, tmp_path))


def pod(room: Documents) -> Document:
    (found,) = [d for d in of(room, "Deployment") if d["metadata"]["name"].endswith("web")]
    spec: Document = found["spec"]["template"]["spec"]
    return spec


def web(room: Documents) -> Document:
    container: Document = pod(room)["containers"][0]
    return container


def policy(room: Documents) -> Document:
    (found,) = [d for d in of(room, "NetworkPolicy") if d["metadata"]["name"].endswith("web")]
    spec: Document = found["spec"]
    return spec


BREAKS: list[tuple[Check, Callable[[Documents], Any]]] = [
    (reads_config_and_secrets, lambda r: web(r).update(envFrom=[])),
    (reads_config_and_secrets, lambda r: web(r)["volumeMounts"].pop(0)),
    (reads_config_and_secrets, lambda r: pod(r)["volumes"].pop()),
    (runs_its_own_image, lambda r: web(r).update(image="jiuye-identity:0.1.0")),
    (runs_its_own_image, lambda r: web(r).update(image="jiuye-recruitment:0.0.9")),
    (runs_its_own_image, lambda r: web(r).update(args=["web", "talent-card"])),
    (listens_where_the_image_does, lambda r: web(r)["ports"][0].update(containerPort=8104)),
    (listens_where_the_image_does, lambda r: of(r, "Service")[0]["spec"]["ports"][0].update(
        port=80)),
    (allows_what_the_code_calls, lambda r: policy(r)["egress"].pop()),
    (allows_what_the_code_calls, lambda r: policy(r)["egress"][0]["ports"][0].update(port=5433)),
    (allows_what_the_code_calls, lambda r: policy(r)["egress"][0].update(
        to=[{"ipBlock": {"cidr": "0.0.0.0/0"}}])),
    (allows_what_the_code_calls, lambda r: policy(r)["ingress"][0].pop("from")),
    (allows_what_the_code_calls, lambda r: policy(r).pop("ingress")),
]  # fmt: skip


@pytest.mark.parametrize(("check", "break_it"), BREAKS)
def test_a_manifest_that_disagrees_is_refused(
    check: Check, break_it: Callable[[Documents], Any], room: Documents
) -> None:
    assert not list(check("recruitment", room))
    break_it(room)
    assert list(check("recruitment", room))
