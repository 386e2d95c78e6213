"""Nothing breaking slipped in since the last release, and the checker knows every way to break."""

from __future__ import annotations

import copy
import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/papers": {
            "post": {
                "operationId": "write",
                "security": [{"bearer": []}],
                "x-access": {
                    "roles": ["applicant", "window"],
                    "kinds": ["person", "unit"],
                    "level": 1,
                    "business": None,
                },
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer"}},
                    {"$ref": "#/components/parameters/Key"},
                ],
                "requestBody": {
                    "required": False,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Sent"}}
                    },
                },
                "responses": {
                    "201": {
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Shown"}}
                        }
                    },
                    "422": {"description": "wrong"},
                },
            },
            "get": {"operationId": "list", "security": [], "responses": {"200": {}}},
        }
    },
    "components": {
        "parameters": {
            "Key": {"name": "Key", "in": "header", "required": True, "schema": {"type": "string"}}
        },
        "schemas": {
            "Sent": {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "maxLength": 20},
                    "kind": {"type": "string", "enum": ["a", "b"]},
                    "pages": {"type": ["integer", "null"], "minimum": 1},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "part": {"$ref": "#/components/schemas/Part"},
                },
                "required": ["title"],
            },
            "Part": {
                "type": "object",
                "properties": {
                    "word": {"type": "string"},
                    "inner": {"$ref": "#/components/schemas/Part"},
                },
            },
            "Shown": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "state": {"type": "string", "enum": ["draft", "submitted"]},
                    "price": {"type": "string", "format": "decimal"},
                    "owner": {"anyOf": [{"$ref": "#/components/schemas/Part"}, {"type": "null"}]},
                },
                "required": ["id", "state"],
            },
        },
    },
}
EVENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "applicant_id": {"type": "string"},
        "region": {"type": ["string", "null"]},
        "state": {"type": "string", "enum": ["approved", "rejected"]},
        "parts": {"type": "array", "items": {"type": "object", "properties": {"n": {}}}},
    },
    "required": ["applicant_id", "state"],
}

Change = Callable[[dict[str, Any]], Any]


def post(document: dict[str, Any]) -> dict[str, Any]:
    """The operation most changes are made to."""
    found: dict[str, Any] = document["paths"]["/papers"]["post"]
    return found


def schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A named schema's properties."""
    found: dict[str, Any] = document["components"]["schemas"][name]["properties"]
    return found


def put(where: dict[str, Any], name: str, value: Any) -> None:
    """Set one thing, in an expression."""
    where[name] = value


BREAKS: list[tuple[Change, str]] = [
    (lambda d: d["paths"].pop("/papers"), "/papers was removed"),
    (lambda d: d["paths"]["/papers"].pop("get"), "GET /papers was removed"),
    (lambda d: put(post(d), "operationId", "other"), "operationId changed"),
    (lambda d: post(d)["responses"].pop("201"), "response 201 was removed"),
    (
        lambda d: put(post(d)["responses"]["201"], "content", {"text/csv": {}}),
        "201: content type application/json was removed",
    ),
    (lambda d: post(d)["parameters"].pop(0), "query parameter limit was removed"),
    (
        lambda d: post(d)["parameters"].append({"name": "x", "in": "query", "required": True}),
        "query parameter x is new and required",
    ),
    (lambda d: put(post(d)["parameters"][0], "required", True), "limit became required"),
    (
        lambda d: put(post(d)["parameters"][0]["schema"], "maximum", 50),
        "limit: maximum was lowered to 50",
    ),
    (lambda d: put(post(d)["requestBody"], "required", True), "a body became required"),
    (lambda d: post(d).pop("requestBody"), "the body was removed"),
    (
        lambda d: put(post(d)["requestBody"], "content", {}),
        "body: content type application/json was removed",
    ),
    (lambda d: schema(d, "Sent").pop("title"), "body.title was removed"),
    (
        lambda d: d["components"]["schemas"]["Sent"]["required"].append("kind"),
        "body.kind became required",
    ),
    (
        lambda d: d["components"]["schemas"]["Sent"]["required"].append("colour"),
        "body.colour is new and required",
    ),
    (lambda d: put(schema(d, "Sent")["kind"], "enum", ["a"]), "body.kind: b is not accepted"),
    (
        lambda d: put(schema(d, "Sent")["title"], "enum", ["x"]),
        "body.title: any other value is not accepted",
    ),
    (lambda d: put(schema(d, "Sent")["pages"], "type", "integer"), "pages: null is not accepted"),
    (lambda d: put(schema(d, "Sent")["title"], "type", "integer"), "title: string is not accepted"),
    (lambda d: put(schema(d, "Sent")["title"], "maxLength", 10), "maxLength was lowered to 10"),
    (lambda d: put(schema(d, "Sent")["title"], "minLength", 2), "minLength was raised to 2"),
    (lambda d: put(schema(d, "Sent")["pages"], "minimum", 2), "minimum was raised to 2"),
    (lambda d: put(schema(d, "Sent")["title"], "pattern", "^a"), "body.title: pattern changed"),
    (lambda d: put(schema(d, "Sent")["title"], "format", "date"), "body.title: format changed"),
    (lambda d: put(schema(d, "Sent")["tags"], "maxItems", 3), "tags: maxItems was lowered to 3"),
    (lambda d: put(schema(d, "Sent")["tags"], "uniqueItems", True), "items must now be unlike"),
    (
        lambda d: put(schema(d, "Sent")["tags"]["items"], "maxLength", 5),
        "body.tags[]: maxLength was lowered to 5",
    ),
    (
        lambda d: put(d["components"]["schemas"]["Sent"], "additionalProperties", False),
        "unknown fields are now refused",
    ),
    (lambda d: put(schema(d, "Sent"), "part", {"oneOf": [{}, {}]}), "body.part: oneOf changed"),
    (lambda d: schema(d, "Part").pop("word"), "body.part.word was removed"),
    (lambda d: schema(d, "Part").pop("word"), "201.owner.word was removed"),
    (lambda d: schema(d, "Shown").pop("price"), "201.price was removed"),
    (
        lambda d: d["components"]["schemas"]["Shown"].update(required=["id"]),
        "201.state may now be absent",
    ),
    (
        lambda d: put(schema(d, "Shown")["price"], "type", ["string", "null"]),
        "201.price: may now be null",
    ),
    (lambda d: put(schema(d, "Shown")["price"], "type", "number"), "price: may now be integer"),
    (lambda d: put(schema(d, "Shown")["price"], "format", "byte"), "201.price: format changed"),
    (
        lambda d: put(schema(d, "Shown")["state"], "enum", ["draft", "submitted", "lost"]),
        "201.state: may now be lost",
    ),
    (lambda d: schema(d, "Shown")["state"].pop("enum"), "201.state: may now be any other value"),
    (
        lambda d: put(d["paths"]["/papers"]["get"], "security", [{"bearer": []}]),
        "GET /papers: now needs a token",
    ),
    (lambda d: put(post(d)["x-access"], "roles", ["window"]), "roles applicant may not any more"),
    (lambda d: put(post(d)["x-access"], "kinds", ["person"]), "kinds unit may not any more"),
    (lambda d: put(post(d)["x-access"], "level", 2), "needs level 2 now"),
    (lambda d: put(post(d)["x-access"], "business", "papers"), "needs business papers now"),
]
FINE: list[Change] = [
    lambda d: put(d["paths"], "/books", {"get": {"operationId": "books", "responses": {}}}),
    lambda d: put(d["paths"]["/papers"], "put", {"operationId": "put", "responses": {}}),
    lambda d: put(schema(d, "Sent"), "colour", {"type": "string"}),
    lambda d: put(schema(d, "Shown"), "colour", {"type": ["string", "null"]}),
    lambda d: put(schema(d, "Sent")["kind"], "enum", ["a", "b", "c"]),
    lambda d: schema(d, "Sent")["kind"].pop("enum"),
    lambda d: put(schema(d, "Sent")["title"], "maxLength", 30),
    lambda d: schema(d, "Sent")["title"].pop("maxLength"),
    lambda d: put(schema(d, "Sent")["pages"], "type", ["number", "null"]),
    lambda d: d["components"]["schemas"]["Sent"].pop("required"),
    lambda d: d["components"]["schemas"]["Shown"]["required"].append("price"),
    lambda d: put(schema(d, "Shown")["state"], "enum", ["draft"]),
    lambda d: put(schema(d, "Shown"), "owner", {"$ref": "#/components/schemas/Part"}),
    lambda d: post(d)["responses"].pop("422"),
    lambda d: put(post(d), "security", []),
    lambda d: put(post(d)["x-access"], "level", 0),
    lambda d: post(d)["parameters"].append({"name": "x", "in": "query", "schema": {}}),
    lambda d: post(d)["parameters"].reverse(),
    lambda d: put(d["components"]["parameters"]["Key"], "required", False),
]
EVENT_BREAKS: list[tuple[Change, str]] = [
    (lambda e: e["properties"].pop("region"), "data.region was removed"),
    (lambda e: e["required"].remove("applicant_id"), "data.applicant_id may now be absent"),
    (lambda e: put(e["properties"]["applicant_id"], "type", "integer"), "may now be integer"),
    (
        lambda e: put(e["properties"]["applicant_id"], "type", ["string", "null"]),
        "applicant_id: may now be null",
    ),
    (lambda e: e["properties"]["state"]["enum"].append("lost"), "state: may now be lost"),
    (
        lambda e: e["properties"]["parts"]["items"]["properties"].pop("n"),
        "data.parts[].n was removed",
    ),
]


@pytest.mark.req("EV-02")
@pytest.mark.parametrize(("change", "said"), BREAKS)
def test_every_way_to_break_a_client_is_found(
    compatibility: Any, change: Change, said: str
) -> None:
    changed = copy.deepcopy(OPENAPI)
    change(changed)
    found = compatibility.compare_openapi(OPENAPI, changed)
    assert any(said in line for line in found), found


@pytest.mark.parametrize("change", FINE)
def test_what_breaks_nobody_is_let_through(compatibility: Any, change: Change) -> None:
    changed = copy.deepcopy(OPENAPI)
    change(changed)
    assert compatibility.compare_openapi(OPENAPI, changed) == []


@pytest.mark.req("EV-02")
@pytest.mark.parametrize(("change", "said"), EVENT_BREAKS)
def test_every_way_to_break_a_reader_is_found(
    compatibility: Any, change: Change, said: str
) -> None:
    changed = copy.deepcopy(EVENT)
    change(changed)
    found = compatibility.compare_event(EVENT, changed)
    assert any(said in line for line in found), found


def test_a_new_optional_field_of_an_event_is_fine(compatibility: Any) -> None:
    changed = copy.deepcopy(EVENT)
    changed["properties"]["colour"] = {"type": "string"}
    assert compatibility.compare_event(EVENT, changed) == []


def test_a_removed_file_breaks(compatibility: Any, folder: Path, tmp_path: Path) -> None:
    after = tmp_path / "contracts"
    shutil.copytree(folder, after)
    assert compatibility.compare_folders(folder, after) == []
    gone = next(iter(sorted(after.glob("events/*/*.json"))))
    gone.unlink()
    found = compatibility.compare_folders(folder, after)
    assert found == [f"{gone.relative_to(after)}: removed"]
    assert compatibility.main([str(folder), str(after)]) == 1
    assert compatibility.main([str(after), str(after)]) == 0


@pytest.mark.req("EV-02")
def test_nothing_breaks_since_the_last_release(
    compatibility: Any, folder: Path, tmp_path: Path
) -> None:
    released = last_release(tmp_path)
    if released is None:
        pytest.skip("nothing has been released from this tree")
    assert compatibility.compare_folders(released, folder) == []


def last_release(into: Path) -> Path | None:
    """The contracts at the newest tag; None without a tag, or without git."""
    git = shutil.which("git")
    if git is None:
        return None

    def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([git, "-C", ROOT, *arguments], capture_output=True, check=False)

    tag = run("describe", "--tags", "--abbrev=0", "--match", "v*")
    if tag.returncode != 0:
        return None
    archive = run("archive", "--format=tar", tag.stdout.decode().strip(), "contracts")
    if archive.returncode != 0:
        return None
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(into, filter="data")
    return into / "contracts"
