"""A service that stands between tests is as new for each, or is not used again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from servicekit.db import Database
from servicekit.testing.clock import START, FixedClock
from servicekit.testing.postgres import TestPostgres
from servicekit.testing.remembering import Remembered
from servicekit.testing.standing import Ground, Standing

ADD = text("INSERT INTO serial VALUES ('a', '2026-03-02', 1)")
COUNT = text("SELECT count(*) FROM serial")


@dataclass(slots=True)
class Slotted:
    """Holds without a ``__dict__``."""

    told: int = 0


@dataclass
class Room:
    """What stands: a database, a clock, and all kinds of memory."""

    database: Database
    folder: Path
    clock: FixedClock = field(default_factory=FixedClock)
    names: list[str] = field(default_factory=lambda: ["甲"])
    known: dict[str, list[int]] = field(default_factory=lambda: {"a": [1]})
    seen: set[str] = field(default_factory=set)
    slotted: Slotted = field(default_factory=Slotted)
    hidden: Any = None

    @cached_property
    def length(self) -> int:
        return len(self.names)


@pytest.fixture
def standing(postgres: TestPostgres, kit_template: str) -> Iterator[Standing[Room]]:
    def make(ground: Ground) -> Room:
        database = Database(ground.url, vault=None, application_name="standing")
        return Room(database, ground.folder)

    with Standing(postgres, kit_template.removeprefix("template_"), make) as standing:
        yield standing


def count(room: Room) -> int:
    with room.database.reading() as db:
        return int(db.execute(COUNT).scalar_one())


def add(room: Room) -> None:
    with room.database.transaction() as db:
        db.execute(ADD)


def backend(room: Room) -> int:
    with room.database.reading() as db:
        return int(db.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_rows_memory_and_time_are_as_they_were_and_connections_stay(
    standing: Standing[Room],
) -> None:
    with standing.lent() as first:
        process, clock = backend(first), first.clock
        add(first)
        first.clock.advance(days=3)
        first.clock = FixedClock()
    with standing.lent() as second:
        assert second is first
        assert second.clock is clock
        assert second.clock.now() == START
        assert count(second) == 0
        assert backend(second) == process


def test_its_folder_is_empty_again_and_goes_with_it(
    postgres: TestPostgres, kit_template: str
) -> None:
    template = kit_template.removeprefix("template_")
    ended = []
    with Standing(postgres, template, lambda ground: ground) as standing:
        with standing.lent() as first:
            (first.folder / "uploads").mkdir()
            (first.folder / "uploads" / "photo").write_bytes(b"x")
            first.around.callback(ended.append, "last")
        with standing.lent() as second:
            assert second is first
            assert list(second.folder.iterdir()) == []
            assert ended == []
    assert not first.folder.exists()
    assert ended == ["last"]


def test_two_at_once_are_two(standing: Standing[Room]) -> None:
    with standing.lent() as one, standing.lent() as two:
        add(one)
        assert (count(one), count(two)) == (1, 0)


def test_what_is_still_at_work_is_not_used_again(standing: Standing[Room]) -> None:
    with standing.lent() as first:
        left = first.database.engine.connect()
    with standing.lent() as second:
        assert second is not first
    left.detach()
    left.close()


def test_what_changed_its_tables_is_not_used_again(standing: Standing[Room]) -> None:
    with standing.lent() as first, first.database.transaction() as db:
        db.execute(text("CREATE TABLE more (n int)"))
    with standing.lent() as second:
        assert second is not first


def test_connections_that_were_ended_are_made_again(standing: Standing[Room]) -> None:
    with standing.lent() as room:
        assert count(room) == 0
        with psycopg.connect(room.database.url, autocommit=True) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    with standing.lent() as again:
        assert again is room
        assert count(again) == 0


def test_all_kinds_of_memory_are_put_back() -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/x"
    room = Room(Database(nowhere, vault=None, application_name="x"), Path())
    within = Slotted()
    room.hidden = partial(lambda: within.told)
    remembered = Remembered(room)
    room.names.append("乙")
    room.known["a"].append(2)
    room.known["b"] = []
    room.seen.add("丙")
    room.slotted.told = within.told = 7
    room.other = 1  # type: ignore[attr-defined]
    assert room.length == 2
    remembered.restore()
    assert (room.names, room.known, room.seen) == (["甲"], {"a": [1]}, set())
    assert (room.slotted.told, within.told) == (0, 0)
    assert not hasattr(room, "other")
    assert room.length == 2  # worked out once
    assert remembered.of_type(Database) == [room.database]
