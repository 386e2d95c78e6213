"""The lines of a list as plain rows: of the columns the list shows, and nothing else.

A mapped object costs as much as all that is shown of it, and opens personal values that nobody
sees. Which columns a line needs is read from its schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, make_dataclass
from functools import lru_cache
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import Select, inspect, select


class ReadsFrom:
    """Mixed into a field that works out its value from columns of the row.

    ``reads`` names them; without any it is a group, and its own schema says.
    """

    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """The columns of a line as a statement, and what makes an object of a row."""

    select: Select[Any]
    make: Callable[..., Any]

    def narrowed_as(self, query: Select[Any]) -> Select[Any]:
        """These columns of what a query of the mapped class finds."""
        conditions = query.whereclause
        return self.select if conditions is None else self.select.where(conditions)


@lru_cache(maxsize=200)
def line_of(schema: type[Schema], model: type[Any], by: tuple[str, ...]) -> Line | None:
    """What to select for a list of a mapped class; None where a line shows more than its columns.

    Args:
        by: the columns the list is ordered by; the cursor needs them.
    """
    known = inspect(model).column_attrs
    names = list(dict.fromkeys([*_reads(schema()), *by]))
    if not all(name in known for name in names):
        return None
    made = make_dataclass(f"{model.__name__}Line", names, slots=True)
    return Line(select(*(inspect(model).columns[name] for name in names)), made)


def _reads(schema: Schema) -> Iterator[str]:
    """The attributes that dumping an object looks at; an empty name stands for all of it."""
    for name, field in schema.dump_fields.items():
        own_value = type(field).get_value is fields.Field.get_value
        if isinstance(field, ReadsFrom):
            yield from field.reads or _reads(field.schema)  # type: ignore[attr-defined]
        else:
            yield (field.attribute or name).partition(".")[0] if own_value else ""
