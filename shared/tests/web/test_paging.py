"""A list is walked page by page without losing, doubling or moving a row."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import DeclarativeBase

from servicekit.web.paging import MAX_TOTAL, Page, page_of


def fill(room: Any, ages: list[int]) -> None:
    """Papers of these ages in seconds; equal ages are told apart by their ids."""
    paper = paper_table(room)
    now = room.clock.now()
    rows = [
        {
            "id": f"{n:08d}",
            "title": f"paper {n}",
            "applicant_id": "p-1",
            "state": "draft",
            "version": 1,
            "created_at": now - timedelta(seconds=age),
            "updated_at": now,
        }
        for n, age in enumerate(ages)
    ]
    with room.app.database.transaction() as db:
        db.execute(delete(paper))
        for start in range(0, len(rows), 5000):
            db.execute(insert(paper), rows[start : start + 5000])


def paper_table(room: Any) -> Any:
    """The table, found through the declaration."""
    base: type[DeclarativeBase] = room.app.service.base
    return base.metadata.tables["paper"]


def walk(client: Any, limit: int) -> list[dict[str, Any]]:
    """Every page of the list."""
    pages, cursor = [], None
    while True:
        answer = client.get("/papers", limit=limit, cursor=cursor)
        assert answer.status_code == 200, answer.text
        pages.append(answer.get_json())
        cursor = pages[-1]["next_cursor"]
        if cursor is None:
            return pages


@pytest.mark.req("AL-06")
@settings(max_examples=25)
@given(ages=st.lists(st.integers(0, 5), max_size=30), limit=st.integers(1, 12))
def test_pages_hold_every_row_once_in_order(paper_room: Any, ages: list[int], limit: int) -> None:
    fill(paper_room, ages)
    pages = walk(paper_room.person(), limit)
    ids = [row["id"] for page in pages for row in page["items"]]
    newest = sorted(range(len(ages)), key=lambda n: (-ages[n], n), reverse=True)
    assert ids == [f"{n:08d}" for n in newest]
    assert all(len(page["items"]) == limit for page in pages[:-1])
    assert {page["total"] for page in pages} == {len(ages)}


@pytest.mark.req("AL-06")
def test_rows_that_come_and_go_do_not_move_the_others(paper_room: Any) -> None:
    fill(paper_room, list(range(1, 11)))
    client = paper_room.person()
    first = client.get("/papers", limit=4).get_json()
    seen = [row["title"] for row in first["items"]]
    paper = paper_table(paper_room)
    with paper_room.app.database.transaction() as db:
        db.execute(delete(paper).where(paper.c.title == seen[-1]))
    client.post("/papers", {"title": "newer"})
    second = client.get("/papers", limit=4, cursor=first["next_cursor"]).get_json()
    assert [row["title"] for row in second["items"]] == ["paper 4", "paper 5", "paper 6", "paper 7"]


@pytest.mark.req("AL-06")
def test_counting_stops_at_ten_thousand(paper_room: Any) -> None:
    fill(paper_room, [1] * (MAX_TOTAL + 7))
    page = paper_room.person().get("/papers", limit=1).get_json()
    assert page["total"] == MAX_TOTAL


@given(cursor=st.text(st.characters(codec="ascii"), max_size=80))
@example(cursor="9" * 30)  # bytes that are no text
@settings(max_examples=60)
def test_a_made_up_cursor_is_refused(paper_room: Any, cursor: str) -> None:
    answer = paper_room.person().get("/papers", cursor=cursor)
    assert answer.status_code == 422
    assert json.loads(answer.data)["errors"][0]["field"] == "/cursor"


def test_a_changed_cursor_is_refused(paper_room: Any) -> None:
    fill(paper_room, [1, 2, 3])
    client = paper_room.person()
    cursor = client.get("/papers", limit=1).get_json()["next_cursor"]
    for place in range(0, len(cursor), 7):
        letter = "A" if cursor[place] != "A" else "B"
        changed = cursor[:place] + letter + cursor[place + 1 :]
        answer = client.get("/papers", limit=1, cursor=changed)
        assert answer.status_code == 422, place


def test_a_cursor_is_good_for_its_own_list_only(paper_room: Any) -> None:
    fill(paper_room, [1, 2, 3])
    app, base = paper_room.app, paper_room.app.service.base
    paper = next(m.class_ for m in base.registry.mappers if m.class_.__tablename__ == "paper")
    columns = (paper.created_at, paper.id)

    def next_of(address: str, cursor: str | None = None) -> str | None:
        with app.test_request_context(address), app.database.reading() as db:
            page = page_of(db, select(paper), Page(1, cursor), columns)
            return page.next_cursor

    cursor = next_of("/api/paper-room/v1/papers?state=draft&limit=1")
    assert next_of("/api/paper-room/v1/papers?limit=2&state=draft", cursor) is not None
    for other in ("/api/paper-room/v1/papers", "/api/paper-room/v1/papers?state=submitted"):
        with pytest.raises(Exception, match="填写的内容有误"):
            next_of(other, cursor)


def test_ascending_lists_walk_the_other_way(paper_room: Any) -> None:
    fill(paper_room, [3, 1, 2])
    app, base = paper_room.app, paper_room.app.service.base
    paper = next(m.class_ for m in base.registry.mappers if m.class_.__tablename__ == "paper")
    titles, cursor = [], None
    for _ in range(3):
        with app.test_request_context("/x"), app.database.reading() as db:
            by = (paper.created_at, paper.id)
            page = page_of(db, select(paper), Page(1, cursor), by, descending=False)
            titles += [row.title for row in page.items]
            cursor = page.next_cursor
    assert titles == ["paper 0", "paper 2", "paper 1"]
    assert cursor is None
