"""A service that is put together once in a test process and is as new for each test.

Putting one together and letting SQLAlchemy, Jinja and PostgreSQL get to know its statements,
templates and tables takes longer than most tests. So it stands between tests: its rows go back to
those of the template (`recycling`), what its objects hold in memory to what they held when they
were new (`Remembered`), and its folder is emptied. One that a test left busy, or whose tables it
changed, is not used again.

In a room's conftest, beside its ``template``:

    from servicekit.testing.standing import Ground, Standing, stood  # noqa: F401 - a fixture

    def registry_beside_identity(ground: Ground) -> Stood: ...

    @pytest.fixture(scope="session")
    def standing(postgres, template):
        with Standing(postgres, template, registry_beside_identity) as standing:
            yield standing
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any, Generic, Self, TypeVar
from weakref import WeakSet

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import event
from sqlalchemy.pool import Pool, QueuePool

from servicekit.db import Database
from servicekit.testing.postgres import TestPostgres
from servicekit.testing.recycling import Pristine
from servicekit.testing.remembering import Remembered

T = TypeVar("T")

# The open connections of every pool in this process, by database.
_OPEN: dict[str, WeakSet[psycopg.Connection[Any]]] = {}


@event.listens_for(Pool, "connect")
def _connected(connection: Any, _record: Any) -> None:
    _OPEN.setdefault(connection.info.dbname, WeakSet()).add(connection)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a service is put together on.

    Args:
        url: of its database, migrated and empty.
        folder: its own, empty for every test.
        around: what is entered here, a server that plays another, lasts as long as all that stand.
    """

    url: str
    folder: Path
    around: ExitStack

    def clear(self) -> None:
        """Empty the folder."""
        rmtree(self.folder)
        self.folder.mkdir()


class Standing(Generic[T]):
    """One kind of service of a test process, each copy on ground of its own; enter it to close it.

    Args:
        postgres: the session's server.
        template: the name given to ``template_for``.
        make: puts the service together, and gives whatever a test works with: an app, its clock,
            who stands around it.
    """

    def __init__(self, postgres: TestPostgres, template: str, make: Callable[[Ground], T]) -> None:
        self._postgres, self._template, self._make = postgres, template, make
        self._idle: list[_Copy[T]] = []
        self._around = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close all that stand idle, then what stands around them."""
        with self._around:
            while self._idle:
                copy = self._idle.pop()
                copy.close()
                copy.pristine.close()

    @contextmanager
    def lent(self) -> Iterator[T]:
        """One that is as new, for one test."""
        copy = self._idle.pop() if self._idle else self._another()
        try:
            yield copy.made
        finally:
            if copy.renew():
                self._idle.append(copy)
            else:
                copy.close()
                self._postgres.throw_away(copy.pristine)

    def _another(self) -> _Copy[T]:
        pristine = self._postgres.copy_of(self._template)
        folder = Path(self._around.enter_context(TemporaryDirectory(prefix=self._template)))
        ground = Ground(pristine.url, folder, self._around)
        return _Copy(pristine, ground, self._make(ground))


class _Copy(Generic[T]):
    """A service that stands, and what it was like."""

    def __init__(self, pristine: Pristine, ground: Ground, made: T) -> None:
        self.pristine, self._ground, self.made = pristine, ground, made
        self._remembered = Remembered(made)
        self._databases = self._remembered.of_type(Database)

    def renew(self) -> bool:
        """Make it as it was; False when it is of no more use."""
        self._ground.clear()
        self._remembered.restore()
        if any(_busy(database) for database in self._databases):
            return False
        idle = _idle(self.pristine.database)
        if not self.pristine.restore(staying=idle):
            return False
        if self.pristine.living(idle) != len(idle):
            for database in self._databases:  # a test ended some, and the pool does not know
                database.engine.dispose()
        return True

    def close(self) -> None:
        for database in self._databases:
            database.close()


def _busy(database: Database) -> bool:
    pool = database.engine.pool
    return isinstance(pool, QueuePool) and pool.checkedout() > 0


def _idle(database: str) -> list[int]:
    """The server processes behind pooled connections that hold no transaction."""
    return [
        connection.info.backend_pid
        for connection in list(_OPEN.get(database, ()))
        if not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE
    ]


@pytest.fixture
def stood(standing: Standing[T]) -> Iterator[T]:
    """The room's service as it stands between tests, for this one."""
    with standing.lent() as stood:
        yield stood
