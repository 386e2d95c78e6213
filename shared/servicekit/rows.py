"""One row by its key, loaded and written back without the unit of work; the object stays mapped.

What a request does most is to read one application, change it and write it back with its version.
The ORM does that by general means that cost more than the statements; here the statements are put
together once per table. The object belongs to the session all the same: relationships load, a
rollback expires it, and what is not as simple as this goes the ORM's way.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, LiteralString, TypeVar, cast

from sqlalchemy import Dialect, Table, inspect
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.base import NO_VALUE
from sqlalchemy.orm.exc import StaleDataError

from servicekit.statements import Row, run

T = TypeVar("T")

_NUMERIC: Final = 1700  # PostgreSQL's number of the type; psycopg makes Decimals of it by itself


def get(db: Session, model: type[T], key: str) -> T | None:
    """What ``db.get`` gives: the row as an object of the session; None when there is none."""
    mapper = inspect(model)
    identity = mapper.identity_key_from_primary_key((key,))
    if identity in db.identity_map:
        return db.get(model, key)
    table = _table(mapper, db.get_bind().dialect)
    found = run(db, table.select, {"key": key})
    if not found:
        return None
    made = mapper.class_manager.new_instance()
    # As the ORM's own loading registers it; adding it as something new costs as much as the rest.
    state: Any = inspect(made)
    state.dict.update(table.read(found[0]))
    state.key, state.session_id = identity, db.hash_key
    db.identity_map.add(state)
    return cast(T, made)


def store(db: Session, row: object) -> None:
    """What ``db.flush`` writes: the row's changes under a new version.

    Raises:
        StaleDataError: somebody else wrote the row since it was read.
    """
    state: Any = inspect(row)
    table = _table(state.mapper, db.get_bind().dialect)
    before, now = state.committed_state, state.dict
    if not _is_alone(db, row) or not before.keys() <= table.columns.keys():
        db.flush()
        return
    changed = [
        name for name in table.columns if name in before and table.differs(name, before, now)
    ]
    if changed:
        now.update(table.write(db, now, changed))
    # As the ORM's own flush ends: nothing of this row is left to write.
    state._commit_all(now, db.identity_map)


def _is_alone(db: Session, row: object) -> bool:
    """Is a plain change of this row all there is to write, in a session that may write?"""
    if db.new or db.deleted or db.in_nested_transaction() or not db.autoflush:
        return False
    return all(each is row for each in db.dirty) and row in db


class _Table:
    """The statements of one mapped table, and how its values go to the driver and come back."""

    def __init__(self, mapper: Mapper[Any], dialect: Dialect) -> None:
        (key,) = mapper.primary_key
        self._version: Any = mapper.version_id_col
        self.columns = {each.key: each.columns[0] for each in mapper.column_attrs}
        kinds = {name: column.type.dialect_impl(dialect) for name, column in self.columns.items()}
        self._bind = {name: kind.bind_processor(dialect) for name, kind in kinds.items()}
        self._load = [kind.result_processor(dialect, _NUMERIC) for kind in kinds.values()]
        self._computed = [name for name, column in self.columns.items() if column.computed]
        self._name, self._key = (
            cast(Table, mapper.local_table).name,
            mapper.get_property_by_column(key).key,
        )
        listed = ", ".join(f'"{column.name}"' for column in self.columns.values())
        self.select: LiteralString = (
            f'SELECT {listed} FROM "{self._name}" WHERE "{key.name}" = %(key)s'  # noqa: S608
        )

    def read(self, row: Row) -> dict[str, Any]:
        """The attributes of an object."""
        return {
            name: value if load is None else load(value)
            for name, load, value in zip(self.columns, self._load, row, strict=True)
        }

    def differs(self, name: str, before: dict[str, Any], now: dict[str, Any]) -> bool:
        """Has the attribute another value than the row?"""
        if before[name] is NO_VALUE:
            return True
        return not self.columns[name].type.compare_values(before[name], now[name])

    def write(self, db: Session, now: dict[str, Any], changed: Sequence[str]) -> dict[str, Any]:
        """Write these attributes; gives those that the database made."""
        values = {name: self._bound(name, now[name]) for name in changed}
        values |= {"key_": now[self._key], "seen_": now[self._version.key]}
        found = run(db, self._update(tuple(changed)), values, flush=False)
        if not found:
            raise StaleDataError(f"{self._name}: written by somebody else")
        made = dict(zip(self._computed, found[0][1:], strict=True))
        return made | {self._version.key: found[0][0]}

    def _bound(self, name: str, value: Any) -> Any:
        bind = self._bind[name]
        return value if bind is None else bind(value)

    def _update(self, changed: tuple[str, ...]) -> LiteralString:
        version = f'"{self._version.name}"'
        made = [f'"{self.columns[name].name}"' for name in self._computed]
        written = [f'"{self.columns[name].name}" = %({name})s' for name in changed]
        return (
            f'UPDATE "{self._name}" SET {", ".join(written)}, '  # noqa: S608 - names of the model
            f"{version} = %(seen_)s::int + 1 "
            f'WHERE "{self.columns[self._key].name}" = %(key_)s AND {version} = %(seen_)s::int '
            f"RETURNING {', '.join((version, *made))}"
        )


@lru_cache(maxsize=200)
def _table(mapper: Mapper[Any], dialect: Dialect) -> _Table:
    return _Table(mapper, dialect)
