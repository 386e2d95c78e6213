"""The document says what the service does: who may, which errors, which examples."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from servicekit.web.openapi import document

PAPERS = "/api/paper-room/v1/papers"


@pytest.fixture
def written(paper_room: Any) -> dict[str, Any]:
    """The room's document."""
    return document(paper_room.app)


def test_it_is_openapi_and_always_the_same(written: dict[str, Any], paper_room: Any) -> None:
    assert written["openapi"] == "3.1.0"
    assert written["x-generated-by"] == "make contracts"
    validate(written)
    assert json.dumps(document(paper_room.app)) == json.dumps(written)


def test_the_running_service_shows_it(written: dict[str, Any], paper_room: Any) -> None:
    answer = paper_room.app.test_client().get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json == json.loads(json.dumps(written))


def test_pages_and_probes_are_not_in_it(written: dict[str, Any]) -> None:
    assert all(path.startswith(PAPERS) for path in written["paths"])


def test_marks_become_security(written: dict[str, Any]) -> None:
    operation = written["paths"][PAPERS]["post"]
    assert operation["security"] == [{"bearer": []}]
    assert operation["x-access"] == {
        "roles": ["applicant"],
        "kinds": ["person"],
        "level": 2,
        "business": None,
        "grants": None,
        "unit_level": 0,
        "unit_account": False,
        "scopes": [],
    }
    assert "level 2 or above" in operation["description"]
    assert written["paths"][f"{PAPERS}/broken"]["get"]["security"] == []
    approve = written["paths"][f"{PAPERS}/{{id}}/approve"]["post"]
    assert approve["x-access"]["roles"] == ["reviewer"]
    assert "by: reviewer" in approve["summary"]
    assert f"{PAPERS}/{{id}}/expire" not in written["paths"]


def test_operation_ids_are_stable_and_unlike(written: dict[str, Any]) -> None:
    ids = [
        operation["operationId"]
        for operations in written["paths"].values()
        for method, operation in operations.items()
        if method != "parameters"
    ]
    assert len(set(ids)) == len(ids)
    assert {"papersWrite", "papersListPapers", "papersApprove"} <= set(ids)


def test_every_error_is_a_problem_document(written: dict[str, Any]) -> None:
    post = written["paths"][PAPERS]["post"]["responses"]
    assert set(post) == {
        "201", "400", "401", "403", "409", "413", "415", "422", "429", "500", "503",
    }  # fmt: skip
    patch = written["paths"][f"{PAPERS}/{{id}}"]["patch"]["responses"]
    assert {"404", "412", "428"} <= set(patch)
    for name, response in written["components"]["responses"].items():
        content = response["content"]
        assert set(content) == {"application/problem+json"}, name
    for operations in written["paths"].values():
        for method, operation in operations.items():
            for status, response in (
                operation["responses"].items() if method != "parameters" else ()
            ):
                assert status.startswith("2") or response["$ref"].endswith(f"Problem{status}")


@pytest.mark.req("AL-08")
def test_what_the_text_of_a_view_names_is_among_its_answers(written: dict[str, Any]) -> None:
    broken = written["paths"][f"{PAPERS}/broken"]["get"]
    assert broken["responses"]["409"] == {"$ref": "#/components/responses/Problem409"}
    assert "404" not in broken["responses"]


def test_keys_and_versions_are_parameters(written: dict[str, Any]) -> None:
    def names(path: str, method: str) -> list[str]:
        parameters = written["paths"][path][method].get("parameters", [])
        return [p.get("name") or p["$ref"].rpartition("/")[2] for p in parameters]

    assert names(PAPERS, "post") == ["IdempotencyKey"]
    assert names(PAPERS, "get") == ["limit", "cursor"]
    assert names(f"{PAPERS}/{{id}}", "patch") == ["IdempotencyKey", "IfMatch"]
    assert names(f"{PAPERS}/units", "post") == []


def test_what_is_sent_is_closed_and_what_is_shown_may_grow(written: dict[str, Any]) -> None:
    schemas = written["components"]["schemas"]
    assert schemas["Paper"]["additionalProperties"] is False
    assert schemas["Tag"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["Shown"]
    assert "additionalProperties" not in schemas["Problem"]
    assert "PaginationMetadata" not in schemas
    assert schemas["Paper"]["properties"]["price"] == {"type": "string", "format": "decimal"}
    assert schemas["Shown"]["properties"]["pages"]["type"] == ["integer", "null"]
    body = written["paths"][f"{PAPERS}/{{id}}/submit"]["post"]["requestBody"]
    assert body["required"] is False


def test_every_example_is_valid(written: dict[str, Any]) -> None:
    found = list(_examples(written))
    assert len(found) > 10
    for schema, example in found:
        whole = {**schema, "components": written["components"]}
        Draft202012Validator(whole).validate(example)


def _examples(part: Any) -> Any:
    if isinstance(part, dict):
        if "schema" in part and "example" in part:
            yield part["schema"], part["example"]
        for inner in part.values():
            yield from _examples(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _examples(inner)


def test_writing_it_warns_of_nothing(paper_room: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document(paper_room.app)
