"""A spreadsheet's cells, whom it is for, and how filters are kept until it is made."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy import Date, DateTime, Integer, Numeric, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from servicekit.columns import NOT_PERSONAL, PERSONAL
from servicekit.exports import rules, sheets, wishes
from servicekit.exports.sheets import Column, Sheet, Watermark
from servicekit.filing import Order
from servicekit.personal import DocumentNumber, PersonName
from servicekit.queues import Holder
from servicekit.teamwork.reviews import TeamFilters
from servicekit.teamwork.rules import KnownOfficer
from servicekit.vault import Sealed
from servicekit.workflow import State

NOON = datetime(2026, 9, 29, 4, 0, tzinfo=UTC)
MARK = Watermark(
    export_id="01a1fcb7-9984-75ed-adc5-5ce1f0dc9fec",
    officer_id="officer-1",
    region="440106",
    purpose="R&D 核查",
    filters="",
    requested_at=NOON,
    built_at=NOON,
)


class Base(DeclarativeBase):
    """Of a table that is never made."""


class Thing(Base):
    """One row."""

    __tablename__ = "thing"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, info=NOT_PERSONAL)
    name: Mapped[PersonName] = mapped_column(Sealed(PersonName, "thing.name"), info=PERSONAL)
    address: Mapped[str] = mapped_column(String(80), info=PERSONAL)
    on: Mapped[date] = mapped_column(Date, info=NOT_PERSONAL)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)
    count: Mapped[int] = mapped_column(Integer, info=NOT_PERSONAL)
    money: Mapped[Decimal] = mapped_column(Numeric(9, 2), info=NOT_PERSONAL)


TEXT = Sheet(title="列表", columns=(Column("文字", Thing.id),))


def book_of(folder: Path, sheet: Sheet, rows: Iterable[Any]) -> Any:
    path = folder / "a.xlsx"
    assert sheets.write(path, sheet, MARK, list(rows)) >= 0
    return load_workbook(path)


def cells(folder: Path, *texts: str) -> list[Any]:
    page = book_of(folder, TEXT, [(each,) for each in texts]).worksheets[1]
    return [row[0] for row in page.iter_rows(min_row=2)]


INJECTIONS = [
    "=1+1",
    '=HYPERLINK("http://evil.example","点击")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "|calc",
    "%0A=1",
    "<r><t>a</t></r>",
    "<r></is></c><c><f>1+1</f></c></r>",
]


@pytest.mark.req("AL-06")
@pytest.mark.parametrize("text", INJECTIONS)
def test_no_cell_is_a_formula(text: str, tmp_path: Path) -> None:
    (cell,) = cells(tmp_path, text)
    assert cell.data_type in ("s", "inlineStr")
    assert cell.hyperlink is None
    assert str(cell.value).startswith("'")
    # Nor when somebody makes a CSV of it.
    written = io.StringIO()
    csv.writer(written).writerow([cell.value])
    assert not written.getvalue().lstrip('"').startswith(tuple(text[:1]))


@pytest.mark.req("AL-06")
@pytest.mark.parametrize(
    "text",
    ["五山路1号", "http://a.example", "12345678901234567890", "0012", "a=b", " ", "<b>&</b>"],
)
def test_other_texts_stay_what_they_are(text: str, tmp_path: Path) -> None:
    (cell,) = cells(tmp_path, text)
    assert (cell.value, cell.hyperlink) == (text, None)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1))
def test_whatever_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    (cell,) = cells(tmp_path_factory.mktemp("book"), text)
    assert cell.data_type != "f"
    if all(letter.isprintable() for letter in text):
        assert cell.value == rules.defused(text)


@pytest.mark.req("AL-06", "AL-04")
def test_values_have_their_kinds_and_persons_their_masks(tmp_path: Path) -> None:
    columns = tuple(Column(n, getattr(Thing, n)) for n in ("name", "on", "at", "count", "money"))
    row = (PersonName("林小满"), date(2026, 9, 1), NOON, 3, Decimal("4500.50"))
    book = book_of(
        tmp_path, Sheet(title="列表", columns=columns), [row, (None, None, None, 0, None)]
    )
    titles, first, empty = book.worksheets[1].iter_rows(values_only=True)
    assert titles == ("name", "on", "at", "count", "money")
    guangzhou = datetime(2026, 9, 29, 12, 0)  # noqa: DTZ001 - as it is written
    assert first == ("林**", datetime(2026, 9, 1), guangzhou, 3, 4500.5)  # noqa: DTZ001
    assert empty == (None, None, None, 0, None)
    assert sheets.text_of([State.DRAFT, True, DocumentNumber("440106199001010012")]) == (
        "暂存、是、440***********0012"
    )


@pytest.mark.req("AL-06", "AL-04")
def test_a_column_that_does_not_mask_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="address"):
        Column("地址", Thing.address)


@pytest.mark.req("AL-06")
def test_every_page_says_whose_it_is_and_what_for(tmp_path: Path) -> None:
    book = book_of(tmp_path, TEXT, [("a",), ("b",)])
    about = dict(book.worksheets[0].iter_rows(values_only=True))
    assert (about["导出人"], about["用途"], about["行数"]) == ("officer-1", "R&D 核查", "2")
    assert about["生成时间"] == "2026-09-29 12:00"
    page = book.worksheets[1]
    assert page.oddHeader.left.text == "导出人 officer-1　用途：R&&D 核查"
    assert MARK.export_id in page.oddFooter.left.text
    assert page.print_title_rows == "$1:$1"
    assert book.active.title == "列表"


OFFICER = KnownOfficer("o", "4401", frozenset({"a.b"}), frozenset({"reviewer"}), is_active=True)


@pytest.mark.req("AL-06", "AL-02")
@pytest.mark.parametrize(
    ("requested", "officer", "business", "region"),
    [
        ("4401", OFFICER, "a.b", "4401"),
        ("440106", OFFICER, "a.b", "440106"),
        ("44", OFFICER, "a.b", "4401"),
        ("4403", OFFICER, "a.b", None),
        ("4401", OFFICER, "a.c", None),
        ("4401", None, "a.b", None),
        ("4401", KnownOfficer("o", "4401", OFFICER.businesses, OFFICER.roles, False), "a.b", None),
        (
            "4401",
            KnownOfficer("o", "4401", OFFICER.businesses, frozenset({"admin"}), True),
            "a.b",
            None,
        ),
        ("4401", KnownOfficer("o", "", OFFICER.businesses, OFFICER.roles, True), "a.b", None),
    ],
)
def test_the_smaller_region_of_then_and_now(
    requested: str, officer: KnownOfficer | None, business: str, region: str | None
) -> None:
    assert rules.region_now(requested, officer, business) == region


@given(
    st.builds(
        TeamFilters,
        number=st.none() | st.text(max_size=5),
        state=st.none() | st.sampled_from(State),
        submitted_from=st.none() | st.dates(),
        submitted_to=st.none() | st.dates(),
        region=st.none() | st.just("4401"),
        due=st.none() | st.just("soon"),
        held_by=st.none() | st.sampled_from(Holder),
        order=st.sampled_from(Order),
        asked=st.booleans(),
        urged=st.booleans(),
    )
)
def test_filters_are_kept_as_they_were(filters: TeamFilters) -> None:
    kept = wishes.written(filters)
    assert wishes.read(kept) == filters
    assert wishes.described(filters).count("；") == len(kept) - 1
