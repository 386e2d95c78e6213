"""A list reads the columns its lines show, and no more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from servicekit.web.filing import Part
from servicekit.web.lines import ReadsFrom, line_of


class Base(DeclarativeBase):
    """Tables of this file."""


class Book(Base):
    __tablename__ = "book"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    secret: Mapped[str]
    bought_at: Mapped[datetime]
    author_id: Mapped[str] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship()

    @property
    def is_long(self) -> bool:
        """More than one word."""
        return " " in self.title


class Author(Base):
    __tablename__ = "author"
    id: Mapped[str] = mapped_column(primary_key=True)


class Length(ReadsFrom, fields.Int):
    reads = ("title",)

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        return len(obj.title)


class Opaque(fields.Int):
    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        return len(obj.secret)


class Titled(Schema):
    title = fields.Str()


def columns(by: tuple[str, ...] = ("id",), **shown: fields.Field[Any]) -> list[str] | None:
    line = line_of(Schema.from_dict(dict(shown)), Book, by)
    return None if line is None else list(line.select.selected_columns.keys())


def test_a_line_reads_the_columns_it_shows_and_those_it_is_ordered_by() -> None:
    shown = columns(("bought_at", "id"), name=fields.Str(attribute="title"))
    assert shown == ["title", "bought_at", "id"]


def test_a_field_that_works_out_its_value_says_what_from() -> None:
    assert columns(length=Length()) == ["title", "id"]


def test_a_group_of_the_row_s_own_columns_is_looked_into() -> None:
    group = Part(Schema.from_dict({"title": fields.Str()}))
    assert columns(group=group, length=Length()) == ["title", "id"]


def test_what_is_more_than_columns_is_read_as_objects() -> None:
    assert columns(author=fields.Str(attribute="author.id")) is None
    assert columns(is_long=fields.Bool()) is None
    assert columns(opaque=Opaque()) is None


def test_a_row_has_the_names_of_its_columns() -> None:
    line = line_of(Titled, Book, ("id",))
    assert line is not None
    made = line.make("论就业", "1")
    assert (made.title, made.id) == ("论就业", "1")
    assert not hasattr(made, "secret")


def test_the_conditions_of_the_query_stay() -> None:
    line = line_of(Titled, Book, ("id",))
    assert line is not None
    assert "WHERE" not in str(line.narrowed_as(select(Book)))
    assert "WHERE book.title" in str(line.narrowed_as(select(Book).where(Book.title == "论就业")))
