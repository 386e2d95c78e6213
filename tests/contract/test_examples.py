"""The documents are what they say they are, and every example in them is valid."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from openapi_spec_validator import validate

from servicekit.bus.envelope import encode
from servicekit.inbox import Envelope

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
CHECK = Draft202012Validator.FORMAT_CHECKER


def examples(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every schema with an example beside it."""
    if isinstance(part, dict):
        if "schema" in part and "example" in part:
            yield part["schema"], part["example"]
        if "schema" in part and "examples" in part:
            yield from ((part["schema"], one["value"]) for one in part["examples"].values())
        for inner in part.values():
            yield from examples(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from examples(inner)


def patterns(part: Any) -> Iterator[str]:
    """Every form that a text must have."""
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        for inner in part.values():
            yield from patterns(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from patterns(inner)


def references(part: Any) -> Iterator[str]:
    """Every reference."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def open_apis(folder: Path) -> dict[str, dict[str, Any]]:
    """The services' documents by name."""
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("openapi/*.json")}


def test_every_api_document_is_openapi(folder: Path) -> None:
    documents = open_apis(folder)
    assert documents
    for document in documents.values():
        assert document["openapi"] == "3.1.0"
        validate(document)


def test_every_example_of_an_api_is_valid(folder: Path) -> None:
    for name, document in open_apis(folder).items():
        found = list(examples(document))
        assert found, name
        for schema, example in found:
            whole = {**schema, "components": document["components"]}
            Draft202012Validator(whole, format_checker=CHECK).validate(example)


def test_a_pattern_is_understood_by_everybody(folder: Path) -> None:
    """JSON Schema's patterns are ECMA-262's, which has neither Python's anchors nor its flags."""
    found = set()
    for path in folder.rglob("*.json"):
        found |= set(patterns(json.loads(path.read_text())))
    assert found
    assert [one for one in found if re.search(r"\\[AZz]|\(\?(?!:|=|!|<[=!])", one)] == []


def test_operations_are_named_once_and_for_all(folder: Path) -> None:
    for name, document in open_apis(folder).items():
        operations = [
            operation
            for path in document["paths"].values()
            for method, operation in path.items()
            if method != "parameters"
        ]
        ids = [operation["operationId"] for operation in operations]
        assert len(ids) == len(set(ids)), name
        assert all(operation.get("summary") for operation in operations), name
        assert all("security" in operation for operation in operations), name


@pytest.mark.req("EV-02")
def test_every_event_schema_is_a_schema_and_takes_its_examples(folder: Path) -> None:
    paths = list(folder.glob("events/*/*.json"))
    assert paths
    for path in paths:
        schema = json.loads(path.read_text())
        Draft202012Validator.check_schema(schema)
        assert schema["$id"] == f"urn:jiuye:event:{path.parent.name}.{path.stem}"
        assert schema["examples"], path.name
        for example in schema["examples"]:
            Draft202012Validator(schema, format_checker=CHECK).validate(example)


@pytest.mark.req("EV-02")
def test_an_event_schema_refuses_what_it_should(folder: Path) -> None:
    for path in folder.glob("events/*/*.json"):
        schema = json.loads(path.read_text())
        for name in schema["required"]:
            example = {k: v for k, v in schema["examples"][0].items() if k != name}
            with pytest.raises(ValidationError):
                Draft202012Validator(schema).validate(example)


@pytest.mark.req("EV-02")
def test_the_list_of_events_is_whole(folder: Path) -> None:
    listed = json.loads((folder / "asyncapi.json").read_text())
    assert listed["asyncapi"] == "3.0.0"
    schemas = {f"{p.parent.name}.{p.stem}" for p in folder.glob("events/*/*.json")}
    assert set(listed["channels"]) == schemas
    for reference in references(listed):
        if reference.startswith("./"):
            assert (folder / reference).is_file(), reference
            continue
        part = listed
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


@pytest.mark.req("EV-02")
def test_what_is_sent_is_what_is_listed(folder: Path) -> None:
    listed = json.loads((folder / "asyncapi.json").read_text())
    envelope = listed["components"]["schemas"]["Envelope"]
    for kind, channel in listed["channels"].items():
        schema = json.loads((folder / f"events/{kind.replace('.', '/', 1)}.json").read_text())
        event = Envelope(
            id="01890a5d-ac96-774b-bcce-b302099a8057",
            type=kind,
            source=kind.partition(".")[0],
            stream=channel["address"].partition(".")[0],
            subject="01890a5d-ac96-774b-bcce-b302099a8058",
            time=NOW,
            sequence=2,
            data=schema["examples"][0],
            preceded_at=NOW,
            traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        message = encode(event, "cn.gov.gdhrss")
        assert message.routing_key == channel["address"]
        document = json.loads(message.body)
        Draft202012Validator(envelope, format_checker=CHECK).validate(document)
        assert document["type"] == channel["messages"]["event"]["name"]
        assert document["dataschema"] == schema["$id"]
