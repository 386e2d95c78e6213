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


EXPORTS = "flexible-employment-reviews/exports"
FLEXIBLE = {"kind": "registration", "employment": {}}


@pytest.mark.req("AL-08", "EV-02")
@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("get", "certificates/current", None, 404, "certificate-not-found"),
        ("get", "certificates/current/signed", None, 404, "certificate-not-found"),
        ("get", "certificates/current/paper", None, 404, "certificate-not-found"),
        ("get", "flexible-employment-records/current", None, 404, "record-not-found"),
        ("get", "unemployment-records/current", None, 404, "record-not-found"),
        (
            "post",
            "unemployment-records/current/end",
            {"ending": "pension"},
            404,
            "record-not-found",
        ),
        ("post", "flexible-employment-registrations", FLEXIBLE, 404, "application-not-found"),
        ("post", "unemployment-registrations", {"unemployment": {}}, 404, "application-not-found"),
        ("post", "certificates/current/wallet-offer", None, 404, "certificate-not-found"),
        ("get", f"{EXPORTS}/{{export_id}}/file", None, 409, "export-not-ready"),
        ("get", "guides/{item}", None, 304, None),
    ],
)
def test_what_is_answered_is_documented(
    written: dict[str, Any],
    desk: Any,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    status: int,
    code: str | None,
) -> None:
    caller, headers, address = desk.person(), {}, path.replace("{item}", "unemployment")
    if "{export_id}" in path:
        caller = desk.officer("440106")
        asked = caller.done(caller.post(EXPORTS, {"purpose": "第三季度登记质量稽核"}), 202)
        address = path.format(export_id=asked["id"])
    if status == 304:
        headers["If-None-Match"] = caller.get(address).headers["ETag"]
    if code == "application-not-found":
        body = (body or {}) | {"copy_of": "01890a5d-ac96-774b-bcce-b302099a8057"}
    answer = caller.client.call(method.upper(), address, body, headers=headers)
    assert (answer.status_code, (answer.json or {}).get("code")) == (status, code), answer.text
    documented = written["paths"][f"/api/employment-registry/v1/{path}"][method]
    assert str(status) in documented["responses"]
    assert code is None or f"`{code}`" in documented["summary"] + documented["description"]


@pytest.mark.req("AL-10", "AL-08")
def test_no_move_is_made_on_what_has_changed_since(desk: Any) -> None:
    lin, officer = desk.person(), desk.officer("440106")
    filed = lin.submits(lin.opens(**desk.form))
    own, queue = (
        f"flexible-employment-{name}/{filed['id']}" for name in ("registrations", "reviews")
    )
    opinion = f"{queue}/opinions/01890a5d-ac96-774b-bcce-b302099a8057"
    moves = [
        (lin, f"{own}/submit", {}),
        (lin, f"{own}/withdraw", {}),
        (lin, f"{own}/urge", {}),
        (lin, f"{own}/check-again", None),
        (lin, f"{own}/cancel", {"reason": "已入职"}),
        (officer, f"{queue}/claim", None),
        (officer, f"{queue}/release", None),
        (officer, f"{queue}/approve", {}),
        (officer, f"{opinion}/answer", {"answer": "agree", "words": None}),
        (officer, f"{opinion}/withdraw", {}),
    ]
    before = [row.version for row in desk.rows("flexible_employment_application")]
    for caller, path, body in moves:
        answer = caller.post(path, body, version=filed["version"] - 1)
        assert (answer.status_code, answer.json["code"]) == (412, "changed-meanwhile"), path
    items = [{"id": filed["id"], "version": filed["version"] - 1}]
    batch = officer.post("flexible-employment-reviews/batch", {"move": "claim", "items": items})
    (line,) = batch.json["results"]
    assert (line["done"], line["problem"]["code"]) == (False, "changed-meanwhile")
    assert [row.version for row in desk.rows("flexible_employment_application")] == before


@pytest.mark.req("AL-08")
def test_only_an_edit_needs_to_say_what_was_seen(written: dict[str, Any]) -> None:
    for name, operation in operations(written):
        is_edit = name.startswith(("patch", "put"))
        assert ("428" in operation["responses"]) is is_edit, name
