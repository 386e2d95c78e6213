"""Only one: whoever comes second is refused, and the transaction goes on."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from servicekit.db import Database
from servicekit.errors import Conflict
from servicekit.testing.racing import at_once
from servicekit.uniqueness import refusing_a_second


class Taken(Conflict):
    """There is one."""

    code = "taken"
    default_message = "已被占用。"


@pytest.fixture
def seats(postgres, vault):
    with postgres.fresh_database() as url:
        database = Database(url, vault=vault, application_name="seats")
        with database.transaction() as db:
            db.execute(
                text(
                    "CREATE TABLE seat (name text CONSTRAINT one_name UNIQUE,"
                    " row integer CONSTRAINT one_row UNIQUE NOT NULL)"
                )
            )
        yield database
        database.close()


def take(db, name, row, **how):
    with refusing_a_second(db, Taken, **how):
        db.execute(text("INSERT INTO seat VALUES (:name, :row)"), {"name": name, "row": row})


def taken(database):
    with database.reading() as db:
        rows = db.execute(text("SELECT name, row FROM seat ORDER BY row"))
        return [tuple(row) for row in rows]


def test_what_comes_second_is_undone_and_no_more(seats):
    with seats.transaction() as db:
        take(db, "a", 1)
        with pytest.raises(Taken) as refused:
            take(db, "a", 2)
        take(db, "b", 2)
    assert taken(seats) == [("a", 1), ("b", 2)]
    assert refused.value.__cause__ is None, "it would carry the values of the row"


@pytest.mark.parametrize(
    ("name", "row", "raised"),
    [("a", 2, Taken), ("b", 1, IntegrityError), ("b", None, IntegrityError)],
)
def test_only_the_constraint_that_was_meant_refuses(seats, name, row, raised):
    with seats.transaction() as db:
        take(db, "a", 1)
    with pytest.raises(raised), seats.transaction() as db:
        take(db, name, row, of="one_name")


def test_of_many_at_once_one_is_first(seats):
    outcomes = []

    def sit():
        try:
            with seats.transaction() as db:
                take(db, "a", 1)
            outcomes.append("sits")
        except Taken:
            outcomes.append("refused")

    at_once(*[sit] * 6)
    assert sorted(outcomes) == ["refused"] * 5 + ["sits"]
