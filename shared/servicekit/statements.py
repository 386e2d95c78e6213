"""Statements that go another way than the ORM's: straight to the driver, or planned anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


def run(db: Session, query: LiteralString, values: Mapping[str, Any]) -> psycopg.Cursor[Any]:
    """One statement straight on the transaction's connection, after what is still to be flushed.

    For the few that nearly every write makes: what SQLAlchemy adds costs more than the statement.

    Args:
        query: psycopg's, with ``%(name)s``; a constant, so that it is prepared once.

    Raises:
        DBAPIError: SQLAlchemy's kind for what the database refused.
    """
    db.flush()
    connection = _driver(db)
    try:
        return connection.execute(query, values)
    except psycopg.Error as error:
        raise DBAPIError.instance(query, None, error, psycopg.Error, hide_parameters=True) from None


@contextmanager
def planned_anew(db: Session) -> Iterator[None]:
    """Let PostgreSQL plan these statements for their own values, however often they come.

    For lists with filters: a plan that fits every filter reads the whole table for most.
    """
    connection = _driver(db)
    before, connection.prepare_threshold = connection.prepare_threshold, None
    try:
        yield
    finally:
        connection.prepare_threshold = before


def _driver(db: Session) -> psycopg.Connection[Any]:
    connection = db.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection
