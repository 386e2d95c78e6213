"""The manifests fit Kubernetes' schemas and each other; a broken copy does not."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "k8s"
VERSION = "1.32"  # the oldest Kubernetes we promise to run on
FILES = {
    "config-map.yaml",
    "deployment-events.yaml",
    "deployment-web.yaml",
    "horizontal-pod-autoscaler.yaml",
    "network-policy.yaml",
    "pod-disruption-budget.yaml",
    "service.yaml",
}
Document = dict[str, Any]
Documents = list[Document]
Check = Callable[[Documents], Iterator[str]]


def of(documents: Documents, *kinds: str) -> Documents:
    """The documents of these kinds."""
    return [document for document in documents if document["kind"] in kinds]


def one(documents: Documents, kind: str, component: str = "web") -> Document:
    """The only document of a kind for a component."""
    (found,) = [d for d in of(documents, kind) if d["metadata"]["name"].endswith(component)]
    return found


def selects(selector: Document, labels: Document) -> bool:
    """Does a label selector choose something with these labels?"""
    return selector.items() <= labels.items()


def pods(documents: Documents) -> Iterator[tuple[str, Document]]:
    """The pod templates and whose they are."""
    for deployment in of(documents, "Deployment"):
        yield deployment["metadata"]["name"], deployment["spec"]["template"]


def containers(pod: Document) -> Documents:
    """All containers of a pod, the first ones too."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def fits_the_schema(documents: Documents) -> Iterator[str]:
    """Every field exists and has its kind."""
    for document in documents:
        try:
            kubernetes_validate.validate(document, VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{document['kind']} {document['metadata']['name']}: {error.message}"


def chooses_its_own_pods(documents: Documents) -> Iterator[str]:
    """A deployment's selector, its spread and its template speak of the same pods."""
    for deployment in of(documents, "Deployment"):
        name, spec = deployment["metadata"]["name"], deployment["spec"]
        labels = spec["template"]["metadata"]["labels"]
        if not selects(spec["selector"]["matchLabels"], labels):
            yield f"{name}: the selector misses its own template"
        for spread in spec["template"]["spec"].get("topologySpreadConstraints", []):
            if not selects(spread["labelSelector"]["matchLabels"], labels):
                yield f"{name}: spreads other pods than its own"


def points_at_something(documents: Documents) -> Iterator[str]:
    """Services, budgets, policies choose exactly one deployment; an autoscaler names one."""
    templates = dict(pods(documents))
    selectors = [
        *((d, d["spec"]["selector"]) for d in of(documents, "Service")),
        *((d, d["spec"]["selector"]["matchLabels"]) for d in of(documents, "PodDisruptionBudget")),
        *((d, d["spec"]["podSelector"]["matchLabels"]) for d in of(documents, "NetworkPolicy")),
    ]
    for document, selector in selectors:
        chosen = [n for n, pod in templates.items() if selects(selector, pod["metadata"]["labels"])]
        if len(chosen) != 1:
            yield f"{document['kind']} {document['metadata']['name']} chooses {chosen}"
    for document in of(documents, "HorizontalPodAutoscaler"):
        if document["spec"]["scaleTargetRef"]["name"] not in templates:
            yield f"HorizontalPodAutoscaler {document['metadata']['name']} scales nothing"


def covers_every_deployment(documents: Documents) -> Iterator[str]:
    """Each deployment has its budget, its autoscaler (which owns the replicas) and its policy."""
    for deployment in of(documents, "Deployment"):
        name = deployment["metadata"]["name"]
        for kind in ("PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy"):
            if name not in {d["metadata"]["name"] for d in of(documents, kind)}:
                yield f"{name} has no {kind}"
        if "replicas" in deployment["spec"]:
            yield f"{name} fights with its autoscaler over replicas"


def ports_of(pod: Document) -> set[Any]:
    """The names and numbers of the ports a pod opens."""
    ports = [port for c in containers(pod) for port in c.get("ports", [])]
    return {port["name"] for port in ports} | {port["containerPort"] for port in ports}


def is_asked_how_it_is(documents: Documents) -> Iterator[str]:
    """Every container has its three probes, at a port it opens."""
    for name, pod in pods(documents):
        for container in pod["spec"]["containers"]:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if container.get(probe, {}).get("httpGet", {}).get("port") not in ports_of(pod):
                    yield f"{name}: {probe} asks a port that is not there"


def names_ports_that_exist(documents: Documents) -> Iterator[str]:
    """Services and policies use ports of the pods they choose."""
    known = {name: ports_of(pod) for name, pod in pods(documents)}
    for service in of(documents, "Service"):
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in set().union(*known.values()):
                yield f"Service {service['metadata']['name']}: no port {port['targetPort']}"
    for policy in of(documents, "NetworkPolicy"):
        name = policy["metadata"]["name"]
        rules = policy["spec"].get("ingress", [])
        for opened in {port["port"] for rule in rules for port in rule["ports"]}:
            if opened not in known.get(name, set()):
                yield f"NetworkPolicy {name} opens {opened}"


def is_hardened(documents: Documents) -> Iterator[str]:
    """A pod is nobody on the machine and in the cluster."""
    for name, pod in pods(documents):
        spec = pod["spec"]
        security = spec.get("securityContext", {})
        if not security.get("runAsNonRoot") or security.get("runAsUser") != 10001:
            yield f"{name} may run as root"
        if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{name} has no seccomp profile"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name} carries a token of the cluster"
        if {"hostNetwork", "hostPID", "hostIPC"} & spec.keys():
            yield f"{name} shares the machine"


def is_contained(documents: Documents) -> Iterator[str]:
    """A container cannot write, rise, eat without bound, or be another tomorrow."""
    for pod_name, pod in pods(documents):
        for container in containers(pod):
            name = f"{pod_name}/{container['name']}"
            own = container.get("securityContext", {})
            if own.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{name} keeps capabilities"
            if not own.get("readOnlyRootFilesystem") or own.get("allowPrivilegeEscalation", True):
                yield f"{name} may write or rise"
            resources = container.get("resources", {})
            if not {"cpu", "memory"} <= resources.get("requests", {}).keys():
                yield f"{name} asks for nothing"
            if "memory" not in resources.get("limits", {}):
                yield f"{name} has no limit of memory"
            if not re.search(r":\d+\.\d+\.\d+$", container["image"]):
                yield f"{name} runs an image without a version"


def drains(documents: Documents) -> Iterator[str]:
    """A web pod waits before it stops, and longer than that before it is killed (OP-01)."""
    for name, pod in pods(documents):
        if not name.endswith("-web"):
            continue
        (container,) = pod["spec"]["containers"]
        command = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command")
        wait = int(command[1]) if command and command[0] == "sleep" else 0
        if not 5 <= wait <= pod["spec"].get("terminationGracePeriodSeconds", 30) - 30:
            yield f"{name} has no time to answer what it has begun"


CHECKS: tuple[Check, ...] = (
    fits_the_schema,
    chooses_its_own_pods,
    points_at_something,
    covers_every_deployment,
    is_asked_how_it_is,
    names_ports_that_exist,
    is_hardened,
    is_contained,
    drains,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.req("OP-02")
def test_every_room_is_right(check: Check, rooms: dict[str, Documents]) -> None:
    problems = [
        f"{name}: {problem}"
        for name, documents in rooms.items()
        if name != "namespace" or check is fits_the_schema
        for problem in check(documents)
    ]
    assert not problems, "\n".join(problems)


def deployment(room: Documents) -> Document:
    return one(room, "Deployment")["spec"]


def container(room: Documents) -> Document:
    first: Document = deployment(room)["template"]["spec"]["containers"][0]
    return first


BREAKS: list[tuple[Check, Callable[[Documents], Any]]] = [
    (fits_the_schema, lambda r: deployment(r).update(replicas="two")),
    (fits_the_schema, lambda r: container(r).update(surprise=True)),
    (chooses_its_own_pods, lambda r: deployment(r)["template"]["metadata"]["labels"].clear()),
    (points_at_something, lambda r: one(r, "Service", "t")["spec"]["selector"].update(a="b")),
    (points_at_something, lambda r: one(r, "NetworkPolicy")["spec"]["podSelector"].update(
        matchLabels={"app.kubernetes.io/name": "recruitment"})),
    (points_at_something, lambda r: one(r, "HorizontalPodAutoscaler")["spec"][
        "scaleTargetRef"].update(name="nobody")),
    (covers_every_deployment, lambda r: r.remove(one(r, "PodDisruptionBudget", "events"))),
    (covers_every_deployment, lambda r: deployment(r).update(replicas=2)),
    (is_asked_how_it_is, lambda r: container(r)["livenessProbe"]["httpGet"].update(port="x")),
    (is_asked_how_it_is, lambda r: container(r).pop("readinessProbe")),
    (names_ports_that_exist, lambda r: one(r, "Service", "t")["spec"]["ports"][0].update(
        targetPort="web")),
    (is_contained, lambda r: container(r)["securityContext"].update(readOnlyRootFilesystem=False)),
    (is_contained, lambda r: container(r)["securityContext"].pop("capabilities")),
    (is_contained, lambda r: container(r).update(image="jiuye-recruitment:latest")),
    (is_hardened, lambda r: deployment(r)["template"]["spec"].pop("securityContext")),
    (is_contained, lambda r: container(r)["resources"].pop("limits")),
    (drains, lambda r: container(r).pop("lifecycle")),
    (drains, lambda r: deployment(r)["template"]["spec"].update(terminationGracePeriodSeconds=10)),
]  # fmt: skip


@pytest.mark.parametrize(("check", "break_it"), BREAKS)
def test_a_broken_copy_is_refused(
    check: Check, break_it: Callable[[Documents], Any], room: Documents
) -> None:
    assert not list(check(room))
    break_it(room)
    assert list(check(room))


def test_every_folder_has_the_same_files(rooms: dict[str, Documents]) -> None:
    for name in rooms.keys() - {"namespace", "gateway"}:
        assert {path.name for path in (FOLDER / name).iterdir()} == FILES | {"kustomization.yaml"}
        listed = yaml.safe_load((FOLDER / name / "kustomization.yaml").read_text("utf-8"))
        assert set(listed["resources"]) == FILES


def test_everything_is_in_the_list_of_the_cluster(rooms: dict[str, Documents]) -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert sorted(listed) == sorted(rooms)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here to render with")
def test_kubectl_renders_the_whole(rooms: dict[str, Documents]) -> None:
    command = ["kubectl", "kustomize", str(FOLDER)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rendered = list(yaml.safe_load_all(done.stdout))
    assert len(rendered) >= sum(len(documents) for documents in rooms.values())
    assert {d["metadata"].get("namespace", "jiuye") for d in rendered} == {"jiuye"}


def test_no_secret_is_written_down() -> None:
    for path in FOLDER.rglob("*.yaml"):
        text = path.read_text("utf-8")
        assert "kind: Secret" not in text, path
        assert not re.search(r"://[^/\s]*:[^/\s]*@", text), path
