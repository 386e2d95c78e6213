"""Statements that go another way than the ORM's: straight to libpq, or planned anew.

What SQLAlchemy and a cursor add to a small statement costs more than the statement. Those that
nearly every write makes are prepared once per connection and handed to libpq, which waits for the
answer with other threads free to run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, LiteralString, cast

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

_PLACE = re.compile(r"%\((\w+)\)s|%%")
_GOOD: Final = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK})
_DRIVER: Final = "servicekit.driver"
_MOST_PREPARED: Final = 200  # a connection; what comes later is parsed each time

Row = tuple[Any, ...]


class DriverConnection(psycopg.Connection[Any]):
    """psycopg's connection, which remembers what it has prepared and ends transactions quickly."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._known: dict[str, _Prepared] = {}

    def run(self, query: str, values: Mapping[str, Any]) -> list[Row]:
        """One statement and its rows, in the transaction, begun if need be.

        Raises:
            psycopg.Error
        """
        prepared = self._known.get(query) or self._prepare(query)
        if not self.autocommit and self.pgconn.transaction_status == pq.TransactionStatus.IDLE:
            self._command(b"BEGIN")
        return prepared.run(self.pgconn, values)

    def commit(self) -> None:
        """What psycopg's does, without its waiting loop."""
        if self.pgconn.transaction_status == pq.TransactionStatus.INTRANS:
            self._command(b"COMMIT")
        else:
            super().commit()

    def rollback(self) -> None:
        """What psycopg's does; nothing where nothing was begun, as when the pool takes it back."""
        if self.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            super().rollback()

    def _deallocate(self, name: bytes | None) -> Any:
        if name is None:
            self._known.clear()  # psycopg forgets all at once after a rollback, ours with its own
        return super()._deallocate(name)

    def _prepare(self, query: str) -> _Prepared:
        sql, names = _numbered(query)
        many = len(self._known)
        prepared = _Prepared(self, sql, names, b"kit%d" % many if many < _MOST_PREPARED else None)
        if prepared.name is not None:
            _checked(self.pgconn.prepare(prepared.name, sql))
            self._known[query] = prepared
        return prepared

    def _command(self, command: bytes) -> None:
        _checked(self.pgconn.exec_(command))


class Writing(Session):
    """A session whose transaction is the request's.

    Most of a request's statements need the connection alone: SQLAlchemy's own connection and
    transaction, which cost more than they, are put round it when the ORM first asks.
    """

    def __init__(self, engine: Engine, info: dict[Any, Any]) -> None:
        super().__init__(engine, expire_on_commit=False, info=info)
        self._engine = engine
        self._pooled: PoolProxiedConnection | None = None
        self._driver: DriverConnection | None = None
        self._wrapped: Connection | None = None

    @property
    def driver(self) -> DriverConnection:
        """The connection of this transaction, from the pool."""
        if self._driver is None:
            self._driver = cast(DriverConnection, self._taken().driver_connection)
        if self.in_nested_transaction():
            self.connection()  # which sets the savepoint that was asked for
        return self._driver

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        """What the ORM works with."""
        if self._wrapped is None:
            self._wrapped = Connection(self._engine, connection=self._taken())
        return self._wrapped

    def commit(self) -> None:
        """Write what is pending and commit.

        Raises:
            DBAPIError: the database refused; the transaction is to be undone.
        """
        self.flush()
        has_joined = self._wrapped is not None and self._wrapped.in_transaction()
        if self._driver is not None and not has_joined:
            try:
                self._driver.commit()
            except psycopg.Error as error:
                raise _as_sqlalchemys(error) from None
        super().commit()

    def rollback(self) -> None:
        """Undo everything; where the connection has died, the pool is told."""
        driver = self._driver
        if driver is not None and driver.closed:
            self.connection()  # SQLAlchemy's rollback finds out, and drops what died of the same
        super().rollback()
        if driver is not None:
            driver.rollback()  # nothing, if that was SQLAlchemy's

    def close(self) -> None:
        """Give the connection back, which is rolled back if it is not committed."""
        super().close()
        held = self._wrapped or self._pooled
        self._pooled = self._driver = self._wrapped = None
        if held is not None:
            held.close()

    def _taken(self) -> PoolProxiedConnection:
        if self._pooled is None:
            try:
                self._pooled = self._engine.raw_connection()
            except psycopg.Error as error:
                raise _as_sqlalchemys(error) from None
        return self._pooled


class _Prepared:
    """A statement on one connection, with what turns its values and rows over."""

    def __init__(
        self, connection: DriverConnection, sql: bytes, names: Sequence[str], name: bytes | None
    ) -> None:
        self.name = name
        self._sql = sql
        self._names = names
        self._formats = [PyFormat.TEXT] * len(names)
        self._adapter = Transformer.from_context(connection)
        self._loads = False

    def run(self, pgconn: pq.abc.PGconn, values: Mapping[str, Any]) -> list[Row]:
        given = self._adapter.dump_sequence([values[n] for n in self._names], self._formats)
        if self.name is None:
            result = pgconn.exec_params(self._sql, given)
        else:
            result = pgconn.exec_prepared(self.name, cast(Any, given))  # None too
        if not _checked(result).ntuples:
            return []
        self._adapter.set_pgresult(result, set_loaders=not self._loads)
        self._loads = True  # the columns are the same every time
        return self._adapter.load_rows(0, result.ntuples, cast(Any, tuple))


def run(
    db: Session, query: LiteralString, values: Mapping[str, Any], *, flush: bool = True
) -> list[Row]:
    """One statement straight on the transaction's connection, after what is still to be flushed.

    Args:
        query: with ``%(name)s`` for values, which are sent as text: where PostgreSQL cannot see
            the type from the place, the statement names it (``%(name)s::int``). One of few, so
            that it is prepared once.
        flush: False for what writes a pending change itself.

    Raises:
        DBAPIError: SQLAlchemy's kind for what the database refused.
    """
    if flush:
        db.flush()
    connection = _driver(db)
    try:
        return connection.run(query, values)
    except psycopg.Error as error:
        raise _as_sqlalchemys(error, query) from None


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


def _as_sqlalchemys(error: psycopg.Error, query: str | None = None) -> BaseException:
    return DBAPIError.instance(query, None, error, psycopg.Error, hide_parameters=True)


def _driver(db: Session) -> DriverConnection:
    if isinstance(db, Writing):
        return db.driver
    transaction = db.get_transaction()
    known: tuple[object, DriverConnection] | None = db.info.get(_DRIVER)
    if known is not None and known[0] is transaction:
        return known[1]
    connection = db.connection().connection.driver_connection
    assert isinstance(connection, DriverConnection)
    db.info[_DRIVER] = (db.get_transaction(), connection)  # the same until the transaction ends
    return connection


@lru_cache(maxsize=1000)
def _numbered(query: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement as PostgreSQL numbers its values, and their names in that order."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        if found[1] is None:
            return "%"
        return f"${names.setdefault(found[1], len(names) + 1)}"

    return _PLACE.sub(number, query).encode(), tuple(names)


def _checked(result: pq.abc.PGresult) -> pq.abc.PGresult:
    if result.status not in _GOOD:
        raise error_from_result(result)
    return result
