"""The API's own document: every operation introduced, every example true to its schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from employment_registry.app import create_app
from employment_registry.settings import Settings
from servicekit.testing.settings import sample_settings
from servicekit.web.openapi import document

JSON = "application/json"


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return document(create_app(sample_settings(Settings, "EMPLOYMENT_REGISTRY")))


def operations(written: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in written["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict):
                yield f"{method} {path}", operation


@pytest.mark.req("EV-02", "AL-08")
def test_every_example_is_true_to_its_schema(written: dict[str, Any]) -> None:
    seen = 0
    for name, operation in operations(written):
        parts = [operation.get("requestBody", {})]
        parts += [r for status, r in operation["responses"].items() if status.startswith("2")]
        for part in parts:
            if (content := part.get("content", {}).get(JSON)) is not None:
                assert "example" in content, f"{name} shows no example"
                schema = {**content["schema"], "components": written["components"]}
                validator = Draft202012Validator(schema)
                wrong = [e.message for e in validator.iter_errors(content["example"])]
                assert not wrong, f"{name}: {wrong}"
                seen += 1
    assert seen > 30


def test_every_operation_says_what_it_does_and_for_whom(written: dict[str, Any]) -> None:
    for name, operation in operations(written):
        assert operation["summary"], name
        assert operation["description"], name
        assert "security" in operation, name
