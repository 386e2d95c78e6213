"""Whatever a client sends, the answer is a problem in Chinese, and nothing is half done."""

from __future__ import annotations

import json
from typing import Any

import pytest

GOOD = {"title": "论就业", "pages": 12}


def problem_of(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The document, after checking what every one of them promises."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    document: dict[str, Any] = json.loads(answer.data)
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"] == f"urn:jiuye:problem:{code}"
    assert document["instance"] == f"urn:jiuye:request:{answer.headers['X-Request-Id']}"
    assert any("\u4e00" <= letter <= "\u9fff" for letter in document["detail"])
    return document


@pytest.mark.req("AL-08")
@pytest.mark.parametrize(
    "body",
    [b"{", b"title=x", b"\xff\xfe", b'{"title": NaN}', b"[" * 5000 + b"]" * 5000],
)
def test_a_body_that_is_not_json(paper_room: Any, body: bytes) -> None:
    answer = paper_room.person().post("/papers", data=body, content_type="application/json")
    problem_of(answer, 400, "not-json")
    assert paper_room.titles() == []


@pytest.mark.req("AL-08")
@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null"])
def test_json_that_is_no_object(paper_room: Any, body: bytes) -> None:
    answer = paper_room.person().post("/papers", data=body, content_type="application/json")
    problem_of(answer, 422, "invalid-input")


@pytest.mark.req("AL-08")
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", ""])
def test_another_content_type(paper_room: Any, kind: str) -> None:
    answer = paper_room.person().post("/papers", data=json.dumps(GOOD), content_type=kind)
    problem_of(answer, 415, "unsupported-media-type")


@pytest.mark.req("AL-08")
def test_ten_megabytes(paper_room: Any) -> None:
    body = b'{"title": "' + b"x" * 10_000_000 + b'"}'
    answer = paper_room.person().post("/papers", data=body, content_type="application/json")
    assert problem_of(answer, 413, "body-too-large")["limit"] == 1024 * 1024


@pytest.mark.req("AL-08")
def test_ten_megabytes_of_unknown_length(paper_room: Any) -> None:
    import io

    answer = paper_room.person().post(
        "/papers",
        input_stream=io.BytesIO(b"x" * 2_000_000),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    problem_of(answer, 413, "body-too-large")


@pytest.mark.req("AL-01", "AL-08")
def test_every_wrong_field_is_named_at_once(paper_room: Any) -> None:
    body = {
        "title": "",
        "pages": "12",
        "price": 9.9,
        "weight": "1",
        "urgent": "true",
        "due_on": "31.3.2026",
        "seen_at": "2026-03-02T09:30:00",
        "tags": [{"word": "好"}, {"word": 7}, {}],
        "main_tag": {"word": "toolong", "colour": "red"},
        "a/b~c": 1,
    }
    document = problem_of(paper_room.person().post("/papers", body), 422, "invalid-input")
    assert {wrong["field"]: wrong["code"] for wrong in document["errors"]} == {
        "/title": "wrong-length",
        "/pages": "wrong-type",
        "/price": "wrong-type",
        "/weight": "wrong-type",
        "/urgent": "wrong-type",
        "/due_on": "wrong-format",
        "/seen_at": "wrong-format",
        "/tags/1/word": "wrong-type",
        "/tags/2/word": "required",
        "/main_tag/word": "wrong-length",
        "/main_tag/colour": "unknown-field",
        "/a~1b~0c": "unknown-field",
    }
    assert paper_room.titles() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pages", True),
        ("pages", 5.7),
        ("pages", 10**30),
        ("urgent", 1),
        ("price", "1.239"),
        ("price", "NaN"),
        ("price", "1e5000"),
        ("title", "with \x00 inside"),
        ("title", 7),
        ("tags", {"word": "好"}),
        ("due_on", 20260331),
    ],
)
def test_nothing_is_coerced_silently(paper_room: Any, field: str, value: Any) -> None:
    answer = paper_room.person().post("/papers", {**GOOD, field: value})
    document = problem_of(answer, 422, "invalid-input")
    assert {wrong["field"].split("/")[1] for wrong in document["errors"]} == {field}


def test_a_character_the_database_does_not_have(paper_room: Any) -> None:
    person = paper_room.person()
    problem_of(person.call("GET", "/papers/%00"), 404, "no-such-page")
    document = problem_of(person.call("GET", "/papers?cursor=a%00"), 422, "invalid-input")
    assert document["errors"][0]["field"] == "/cursor"


def test_a_lone_surrogate_is_no_text(paper_room: Any) -> None:
    body = b'{"title": "\\ud800"}'
    answer = paper_room.person().post("/papers", data=body, content_type="application/json")
    problem_of(answer, 400, "not-json")


@pytest.mark.parametrize("query", ["stat=draft", "limit=5&kursor=x", "%00=1"])
def test_a_misspelt_filter_is_refused(paper_room: Any, query: str) -> None:
    answer = paper_room.person().call("GET", f"/papers?{query}")
    wrong = problem_of(answer, 422, "invalid-input")["errors"]
    assert [one["code"] for one in wrong] == ["unknown-field"]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1.5", ""])
def test_a_page_has_one_to_a_hundred_rows(paper_room: Any, limit: str) -> None:
    document = problem_of(paper_room.person().get("/papers", limit=limit), 422, "invalid-input")
    assert document["errors"][0]["field"] == "/limit"


def test_addresses_and_methods_that_are_not_there(paper_room: Any) -> None:
    person = paper_room.person()
    problem_of(person.get("/nothing"), 404, "no-such-page")
    answer = person.delete("/papers")
    problem_of(answer, 405, "method-not-allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.req("AL-08")
def test_a_mistake_of_ours_shows_nothing_of_itself(paper_room: Any, written_log: Any) -> None:
    answer = paper_room.visitor().get("/papers/broken")
    problem_of(answer, 500, "internal")
    assert b"ZeroDivision" not in answer.data
    assert b"440106" not in answer.data
    lines = [line for line in written_log() if line["event"] == "request failed"]
    assert lines[0]["error"] == "ZeroDivisionError"
    assert "Traceback" in lines[0]["exception"]
    assert "440106199001011234" not in json.dumps(lines)


@pytest.mark.req("AL-08")
def test_a_refusal_rolls_everything_back(paper_room: Any) -> None:
    person = paper_room.person()
    document = problem_of(person.post("/papers/refused"), 422, "paper-refused")
    assert document["limit"] == 3
    assert person.post("/papers/caught").get_json() == {"title": "caught"}
    assert paper_room.titles() == []


def test_an_index_answers_where_no_rule_did(paper_room: Any) -> None:
    person = paper_room.person()
    assert person.post("/papers", GOOD).status_code == 201
    problem_of(person.post("/papers", GOOD), 409, "conflict")
    assert paper_room.titles() == ["论就业"]


@pytest.mark.req("AL-08")
def test_a_database_that_is_gone_is_unavailable(make_room: Any) -> None:
    room = make_room(database_url="postgresql://nobody@127.0.0.1:1/nothing")
    answer = room.person().post("/papers", GOOD)
    problem_of(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "1"
