"""Writes rows as they come into an .xlsx file, whatever their number, and marks whose it is.

A row is written and forgotten (XlsxWriter's constant memory). Every page says who asked for it,
when and what for; personal values are masked because nothing else can be written of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import xlsxwriter
from sqlalchemy.orm import InstrumentedAttribute

from servicekit.clock import SHANGHAI
from servicekit.exports.rules import defused
from servicekit.personal import Personal
from servicekit.vault import Sealed

_DAY: Final = "yyyy-mm-dd"
_TIME: Final = "yyyy-mm-dd hh:mm"
_HEADER: Final = 250  # letters; Excel takes 255 for a header with its codes
WARNING: Final = "内部资料，仅限所述用途使用，请勿外传；个人信息已脱敏。"


@dataclass(frozen=True)
class Column:
    """One column of a spreadsheet.

    Args:
        title: what stands above it.
        source: the mapped column.
        words: what is written for its values; without it an enum's label.
        width: in characters.

    Raises:
        ValueError: the column is personal and would be written in clear.
    """

    title: str
    source: InstrumentedAttribute[Any]
    words: Mapping[Any, str] | None = None
    width: int = 16

    def __post_init__(self) -> None:
        """What does not mask itself stays out."""
        column = self.source.property.columns[0]
        if column.info.get("personal") and not isinstance(column.type, Sealed):
            raise ValueError(f"{column}: personal, and nothing masks it")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What an export shows of every row."""

    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, kw_only=True)
class Watermark:
    """Whose the file is; on its first sheet, on every printed page and in its properties."""

    export_id: str
    officer_id: str
    region: str
    purpose: str
    filters: str
    requested_at: datetime
    built_at: datetime


def write(path: Path, sheet: Sheet, mark: Watermark, rows: Iterable[Sequence[Any]]) -> int:
    """Write the whole file.

    Args:
        rows: values in the order of the sheet's columns.

    Returns: how many rows there were.
    """
    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": sheet.title, "comments": f"{mark.export_id} {WARNING}"})
        formats = {
            date: book.add_format({"num_format": _DAY}),
            datetime: book.add_format({"num_format": _TIME}),
            str: book.add_format({"bold": True, "bg_color": "#E8EEF4", "border": 1}),
        }
        about, page = book.add_worksheet("说明"), book.add_worksheet(sheet.title)
        for place, column in enumerate(sheet.columns):
            page.set_column(place, place, column.width)
            page.write_string(0, place, column.title, formats[str])
        page.freeze_panes(1, 0)
        page.repeat_rows(0)
        _mark_pages(page, mark)
        count = 0
        for count, row in enumerate(rows, start=1):
            for place, (column, value) in enumerate(zip(sheet.columns, row, strict=True)):
                _write_cell(page, count, place, column, value, formats)
        _describe(about, sheet, mark, count)
        page.activate()
    return count


def _write_cell(
    page: Any, row: int, place: int, column: Column, value: Any, formats: Mapping[type, Any]
) -> None:
    if value is None:
        return
    if column.words is not None:
        page.write_string(row, place, defused(column.words.get(value, str(value))))
    elif isinstance(value, datetime):
        local = value.astimezone(SHANGHAI).replace(tzinfo=None)
        page.write_datetime(row, place, local, formats[datetime])
    elif isinstance(value, date):
        page.write_datetime(row, place, value, formats[date])
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        page.write_number(row, place, value)
    else:
        page.write_string(row, place, defused(text_of(value)))


def text_of(value: Any) -> str:
    """What is written of a value: a personal one's mask, a word's label."""
    if isinstance(value, Personal):
        return value.mask()
    if isinstance(value, StrEnum):
        return str(getattr(value, "label", value.value))
    if isinstance(value, bool):
        return "是" if value else "否"
    return "、".join(map(text_of, value)) if isinstance(value, list) else str(value)


def _mark_pages(page: Any, mark: Watermark) -> None:
    """In the header and the footer of every printed page; an ampersand is their code."""
    who = f"导出人 {mark.officer_id}　用途：{mark.purpose}".replace("&", "&&")
    page.set_header(f"&L{who[:_HEADER]}")
    page.set_footer(f"&L{_moment(mark.requested_at)}　{mark.export_id}&R&P / &N")
    page.set_landscape()


def _describe(about: Any, sheet: Sheet, mark: Watermark, count: int) -> None:
    about.set_column(0, 0, 14)
    about.set_column(1, 1, 90)
    told = {
        "名称": sheet.title,
        "导出人": mark.officer_id,
        "用途": mark.purpose,
        "申请时间": _moment(mark.requested_at),
        "生成时间": _moment(mark.built_at),
        "行政区划": mark.region,
        "查询条件": mark.filters,
        "行数": str(count),
        "导出编号": mark.export_id,
        "注意": WARNING,
    }
    for row, (title, text) in enumerate(told.items()):
        about.write_string(row, 0, title)
        about.write_string(row, 1, defused(text))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
