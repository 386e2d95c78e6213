"""Lists by keyset: a page begins after the last row of the one before, however long the list.

The cursor says where that was and is signed, so it is only good for the list it came from.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

import orjson
from flask import request
from marshmallow import Schema, fields, post_load, validate
from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from servicekit.errors import FieldError
from servicekit.statements import planned_anew
from servicekit.web.lines import line_of
from servicekit.web.parsing import InvalidInput
from servicekit.web.session import app

MAX_LIMIT: Final = 100
DEFAULT_LIMIT: Final = 20
MAX_TOTAL: Final = 10_000  # counting further costs more than anybody reads

Row = TypeVar("Row")
Order = Sequence[InstrumentedAttribute[Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PageOf(Generic[Row]):
    """One part of a list, as ``page_schema`` shows it."""

    items: Sequence[Row]
    next_cursor: str | None
    total: int


class PageArguments(Schema):
    """``limit`` and ``cursor`` of every list; loads a ``Page``."""

    limit = fields.Int(
        load_default=DEFAULT_LIMIT,
        validate=validate.Range(1, MAX_LIMIT),
        metadata={"description": "Rows per page (每页条数)."},
    )
    cursor = fields.Str(
        load_default=None,
        validate=validate.Length(1, 1000),
        metadata={"description": "next_cursor of the page before; opaque."},
    )

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Page:
        return Page(**values)


def page_schema(item: type[Schema]) -> type[Schema]:
    """The schema of a list of ``item``."""
    name = f"{item.__name__.removesuffix('Schema')}PageSchema"
    members = {
        "items": fields.List(fields.Nested(item), required=True),
        "next_cursor": fields.Str(
            required=True,
            allow_none=True,
            metadata={"description": "Send it back as cursor; null on the last page."},
        ),
        "total": fields.Int(
            required=True,
            metadata={"description": f"Rows in all pages; {MAX_TOTAL} stands for that or more."},
        ),
    }
    made: type[Schema] = type(name, (Schema,), {**members, "__doc__": "One page of a list."})
    return made


def page_of(
    db: Session,
    query: Select[Row],
    page: Page,
    by: Order,
    *,
    descending: bool = True,
    shown: type[Schema] | None = None,
) -> PageOf[Row]:
    """One page of a query, in a stable order.

    Args:
        query: selects one mapped class, without an order of its own; with ``shown`` it has
            conditions and no joins.
        by: columns without nulls that together are unique, mostly a time and the id.
        shown: the schema of a line; only what it shows is read, as plain rows with the names of
            the columns. Without it the items are the mapped objects.

    Raises:
        InvalidInput: the cursor is not of this list.
    """
    listed: Any = by[-1].class_
    line = line_of(shown, listed, tuple(c.key for c in by)) if shown else None
    wanted = query if line is None else line.narrowed_as(query)
    if page.cursor is not None:
        after = tuple(_read(page.cursor, by))
        here: Any = tuple_(*by)
        wanted = wanted.where(here < after if descending else here > after)
    order: list[ColumnElement[Any]] = [c.desc() if descending else c.asc() for c in by]
    total = _count(query, by)
    asked = wanted.order_by(*order).limit(page.limit + 1).add_columns(total)
    with planned_anew(db):
        result = db.execute(asked)
        found = result.unique().all() if line is None else result.all()
        past_the_end = not found and page.cursor is not None
        counted = db.scalar(select(total)) if past_the_end else found[0][-1] if found else 0
    rows: list[Row] = [row[0] if line is None else line.make(*row[:-1]) for row in found]
    more = len(rows) > page.limit
    rows = rows[: page.limit]
    next_cursor = _write([getattr(rows[-1], c.key) for c in by]) if more else None
    return PageOf(rows, next_cursor, counted or 0)


def _count(query: Select[Any], by: Order) -> ColumnElement[int]:
    """How many rows there are; a column beside them, so that one round trip answers both."""
    capped = query.with_only_columns(by[-1], maintain_column_froms=True).limit(MAX_TOTAL)
    counted = select(func.count()).select_from(capped.order_by(None).subquery())
    return counted.scalar_subquery().label("rows_in_all_pages")


def _write(values: Sequence[Any]) -> str:
    text = orjson.dumps(list(values), default=str)
    return base64.urlsafe_b64encode(_sign(text) + text).decode().rstrip("=")


def _read(cursor: str, by: Order) -> list[Any]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        signature, text = raw[:16], raw[16:]
        expected = _sign(text)
    except ValueError:  # no base64, or no text in it
        raise _bad_cursor() from None
    if not hmac.compare_digest(signature, expected):
        raise _bad_cursor()
    values = orjson.loads(text)
    if len(values) != len(by):
        raise _bad_cursor()
    return [_as_column(column, value) for column, value in zip(by, values, strict=True)]


def _sign(text: bytes) -> bytes:
    # Bound to the list: its address and its filters, all but the cursor and the page's length.
    filters = sorted((n, v) for n, v in request.args.items(multi=True) if n not in _PAGE)
    place = orjson.dumps([request.endpoint, request.view_args, filters])
    return app().vault.index((place + b"\n" + text).decode(), "paging.cursor")


_PAGE = frozenset(PageArguments._declared_fields)


def _as_column(column: InstrumentedAttribute[Any], value: Any) -> Any:
    kind = column.type.python_type
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is date:
        return date.fromisoformat(value)
    return Decimal(value) if kind is Decimal else value


def _bad_cursor() -> InvalidInput:
    return InvalidInput(fields=[FieldError("/cursor", "bad-cursor", "翻页标识有误，请回到第一页")])
