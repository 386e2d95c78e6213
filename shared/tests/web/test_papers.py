"""The life of a paper over HTTP: versions, moves, health, ids, the log, the time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from servicekit.testing.client import ApiClient, moving, walk
from servicekit.web.access_log import request_id
from servicekit.web.health import CACHED_SECONDS, Readiness

GOOD = {"title": "论就业", "pages": 12, "price": "9.90", "due_on": "2026-03-31"}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def code_of(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, json.loads(answer.data)["code"]


def test_what_was_written_is_shown(paper_room: Any) -> None:
    shown = paper_room.person().post("/papers", GOOD).get_json()
    assert shown == {
        "id": shown["id"],
        "title": "论就业",
        "pages": 12,
        "price": "9.90",
        "due_on": "2026-03-31",
        "state": "draft",
        "created_at": "2026-03-02T01:30:00+00:00",
        "version": 1,
    }


def test_an_edit_says_which_version_it_saw(paper_room: Any) -> None:
    person = paper_room.person()
    first = person.post("/papers", GOOD)
    address = f"/papers/{first.get_json()['id']}"
    assert code_of(person.patch(address, {"pages": 13})) == (428, "version-needed")
    assert code_of(person.patch(address, {"pages": 13}, version="seven")) == (400, "bad-version")
    edited = person.patch(address, {"pages": 13}, version=first.headers["ETag"])
    assert (edited.status_code, edited.headers["ETag"]) == (200, '"2"')
    assert code_of(person.patch(address, {"pages": 14}, version=1)) == (412, "changed-meanwhile")
    assert person.patch(address, {"pages": 14}, version='W/"2"').headers["ETag"] == '"3"'
    assert person.patch(address, {"pages": 15}, version="*").headers["ETag"] == '"4"'
    assert person.get(address).headers["ETag"] == '"4"'


@pytest.mark.req("AL-03")
def test_the_table_makes_the_endpoints(paper_room: Any) -> None:
    person, officer = paper_room.person(), paper_room.officer()
    address = f"/papers/{person.post('/papers', GOOD).get_json()['id']}"
    assert code_of(person.post(f"{address}/approve")) == (403, "wrong-role")
    assert code_of(officer.post(f"{address}/approve")) == (409, "wrong-state")
    assert code_of(person.post(f"{address}/expire")) == (404, "no-such-page")
    too_long = person.post(f"{address}/submit", {"note": "x" * 501})
    assert json.loads(too_long.data)["errors"][0]["field"] == "/note"
    shown = walk(address, [moving(person, "submit"), moving(officer, "approve", note="同意")])
    assert shown["state"] == "approved"


def test_health_says_what_it_must(paper_room: Any, make_room: Any, paper_package: Path) -> None:
    probe = ApiClient(paper_room.app)
    assert probe.call("GET", "/livez").get_json() == {"status": "alive"}
    assert probe.call("GET", "/readyz").get_json()["status"] == "ready"
    figures = probe.call("GET", "/metrics")
    assert figures.content_type.startswith("text/plain")
    assert "jiuye_request_seconds" in figures.text
    paper_room.app.draining = lambda: True
    assert probe.call("GET", "/readyz").status_code == 503
    gone = ApiClient(make_room(database_url="postgresql://nobody@127.0.0.1:1/nothing").app)
    assert gone.call("GET", "/livez").status_code == 200
    assert gone.call("GET", "/readyz").get_json()["database"] == "unreachable"


def test_readiness_is_looked_at_once_a_second() -> None:
    seconds, looks = [100.0], []

    def look() -> dict[str, Any]:
        looks.append(readiness.check())  # somebody asks while we look
        return {"status": "ready", "look": len(looks)}

    readiness = Readiness(look, lambda: seconds[0])
    assert readiness.check()["look"] == readiness.check()["look"] == 1
    assert looks[0]["status"] == "unready"  # told at once what is known so far
    seconds[0] += CACHED_SECONDS
    assert readiness.check()["look"] == 2
    assert looks[1]["look"] == 1


def test_a_database_behind_the_code_is_not_ready(
    make_room: Any, postgres: Any, paper_template: str
) -> None:
    with postgres.fresh_database(paper_template) as url:
        room = make_room(database_url=url)
        with room.app.database.transaction() as db:
            db.connection().exec_driver_sql("DELETE FROM alembic_version")
        answer = ApiClient(room.app).call("GET", "/readyz")
        assert answer.status_code == 503
        assert answer.get_json()["migrations"] == ["0001"]
        room.app.database.close()


@pytest.mark.req("OP-03")
def test_ids_come_in_and_go_out(paper_room: Any) -> None:
    headers = {"X-Request-Id": "0123456789abcdef", "traceparent": TRACE}
    answer = paper_room.person().call("GET", "/papers", headers=headers)
    assert answer.headers["X-Request-Id"] == "0123456789abcdef"
    assert answer.headers["traceparent"].split("-")[1] == TRACE.split("-")[1]
    assert answer.headers["traceparent"] != TRACE
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("given", [None, "", "short", "x" * 65, "with space 12345", "中文中文中文"])
def test_what_is_no_id_is_replaced(given: str | None) -> None:
    made = request_id(given)
    assert made != given
    assert request_id(made) == made


@pytest.mark.req("OP-03")
def test_one_line_per_request_without_what_people_typed(paper_room: Any, written_log: Any) -> None:
    person = paper_room.person(sub="p-1")
    headers = {"X-Request-Id": "0123456789abcdef", "traceparent": TRACE}
    shown = person.call("POST", "/papers", GOOD, headers=headers).get_json()
    person.get(f"/papers/{shown['id']}")
    person.get("/papers", cursor="13800138000")
    person.call("GET", "/papers?13800138000=x")
    person.get("/440106199001011234")
    ApiClient(paper_room.app).call("GET", "/livez")
    lines = [line for line in written_log() if line["event"] == "request answered"]
    first = lines[0]
    assert first["request_id"] == "0123456789abcdef"
    assert first["trace_id"] == TRACE.split("-")[1]
    assert (first["service"], first["actor_id"]) == ("paper-room", "p-1")
    assert (first["method"], first["status"]) == ("POST", 201)
    assert [line["route"] for line in lines] == [
        "/api/paper-room/v1/papers",
        "/api/paper-room/v1/papers/<id>",
        "/api/paper-room/v1/papers",
        "/api/paper-room/v1/papers",
        "",
    ]
    assert [line["code"] for line in lines[2:]] == ["invalid-input"] * 2 + ["no-such-page"]
    everything = json.dumps(written_log())
    assert "13800138000" not in everything
    assert "440106" not in everything
    assert "论就业" not in str(written_log())


def test_a_read_does_not_write(paper_room: Any) -> None:
    person = paper_room.person()
    person.post("/papers", GOOD)
    assert person.get("/papers").get_json()["total"] == 1
    answer = person.call("OPTIONS", "/papers")
    assert answer.status_code == 200
    assert "POST" in answer.headers["Allow"]
    assert person.call("HEAD", "/papers").status_code == 200
