"""The certificate as a PDF: an A4 page and a card, with codes that anyone can scan."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import segno
from fpdf import FPDF
from pylopdf_fonts_zh_cn import sans_path

FONT: Final = "NotoSansSC"  # embedded, what is used of it: not every reader brings a Chinese font
TITLE: Final = "就业创业证"
ISSUER: Final = "广东省公共就业服务"
RED: Final = (163, 21, 21)
GREY: Final = (96, 96, 96)
BLACK: Final = (26, 26, 26)
A4: Final = (210.0, 297.0)  # mm, as every length here
CARD: Final = (85.6, 54.0)  # ISO/IEC 7810 ID-1
MARGIN: Final = 30.0
ROW: Final = 14.0
QUIET: Final = 4  # modules left white around a code (ISO/IEC 18004)
# They tell of every glyph they embed or miss, and so the letters of the owner's name.
TALKATIVE: Final = ("fpdf", "fontTools")


class Format(StrEnum):
    """What it is printed on."""

    A4 = "a4"
    CARD = "card"


@dataclass(frozen=True, slots=True, repr=False)
class Content:
    """What is printed; the owner's own data in clear."""

    number: str
    name: str
    sex: str
    document_number: str
    region: str
    issued_on: date
    link: str
    signed: str
    printed_at: datetime


def draw(content: Content, on: Format) -> bytes:
    """The PDF's bytes."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    size = A4 if on is Format.A4 else CARD
    pdf = FPDF(unit="mm", format=size)
    pdf.set_auto_page_break(False)
    pdf.c_margin = 0
    pdf.set_title(TITLE)
    pdf.set_author(ISSUER)
    pdf.set_lang("zh-CN")
    pdf.set_creation_date(content.printed_at)
    pdf.add_font(FONT, fname=sans_path())
    pdf.add_page()
    (_draw_page if on is Format.A4 else _draw_card)(pdf, content)
    return bytes(pdf.output())


def _draw_page(pdf: FPDF, content: Content) -> None:
    width, height = A4
    pdf.set_draw_color(RED)
    pdf.set_line_width(0.8)
    pdf.rect(12, 12, width - 24, height - 24)
    _write(pdf, ISSUER, 12, (0, 34), color=RED, width=width)
    _write(pdf, TITLE, 34, (0, 44), width=width)
    pdf.set_line_width(0.2)
    top = 76.0
    for row, (label, value) in enumerate(_lines(content)):
        y = top + row * ROW
        _write(pdf, label, 12, (MARGIN, y), color=GREY)
        _write(pdf, value, 15, (MARGIN + 34, y), within=width - 2 * MARGIN - 34)
        pdf.set_draw_color(GREY)
        pdf.line(MARGIN, y + 10, width - MARGIN, y + 10)
    bottom = 240.0
    _draw_code(pdf, content.link, MARGIN + 4, bottom - 44, 44, error="m")
    _draw_code(pdf, content.signed, width - MARGIN - 66, bottom - 66, 66, error="l")
    _write(pdf, "手机扫码，在线核验", 10, (MARGIN + 4, bottom + 2), width=44)
    _write(pdf, "离线核验（含数字签名）", 10, (width - MARGIN - 66, bottom + 2), width=66)
    link = content.link.partition("/certificates/")[0]
    _write(pdf, f"核验网址：{link}/certificates/", 9, (0, 259), color=GREY, width=width)
    notice = "本证仅限本人使用，不得转借、转让、涂改、伪造；是否有效以核验结果为准。"
    _write(pdf, notice, 9, (0, 267), color=GREY, width=width)


def _draw_card(pdf: FPDF, content: Content) -> None:
    width, _ = CARD
    pdf.set_fill_color(RED)
    pdf.rect(0, 0, width, 11, style="F")
    _write(pdf, TITLE, 13, (5, 2.4), color=(255, 255, 255))
    _write(pdf, ISSUER, 6.5, (width - 35, 3.8), color=(255, 255, 255), width=30, align="R")
    for row, (label, value) in enumerate(_lines(content)):
        y = 14.5 + row * 5.9
        _write(pdf, label, 6.5, (5, y), color=GREY)
        beside_code = row >= 3  # noqa: PLR2004 - the code begins beside the fourth line
        _write(pdf, value, 8, (19, y - 0.3), within=36 if beside_code else width - 24)
    _draw_code(pdf, content.link, width - 27, 21.5, 23, error="m")
    _write(pdf, "扫码核验", 6, (width - 27, 45.5), color=GREY, width=23)


def _lines(content: Content) -> Iterator[tuple[str, str]]:
    day = content.issued_on
    yield "姓名", content.name
    yield "性别", content.sex
    yield "证件号码", content.document_number
    yield "证号", content.number
    yield "发证地", content.region
    yield "发证日期", f"{day.year}年{day.month}月{day.day}日"


def _write(
    pdf: FPDF,
    text: str,
    size: float,
    at: tuple[float, float],
    *,
    color: tuple[int, int, int] = BLACK,
    width: float = 0,
    within: float | None = None,
    align: str = "C",
) -> None:
    """One line with its upper edge at ``at``: from there on, or aligned in ``width``.

    Args:
        within: what does not fit into so many mm is written smaller; a name is never cut.
    """
    pdf.set_text_color(color)
    pdf.set_font(FONT, size=size)
    if within is not None and (length := pdf.get_string_width(text)) > within:
        pdf.set_font(FONT, size=size * within / length)
    pdf.set_xy(*at)
    height = size * 0.46  # of a line, in mm per point
    pdf.cell(width or pdf.get_string_width(text), height, text, align=align if width else "L")


def _draw_code(pdf: FPDF, text: str, x: float, y: float, size: float, *, error: str) -> None:
    """A QR code of dark squares with its quiet zone inside ``size``; sharp at any size."""
    modules = list(segno.make(text, error=error, micro=False).matrix_iter(border=QUIET))
    step = size / len(modules)
    pdf.set_fill_color(0)
    for row, line in enumerate(modules):
        for first, length in _runs(line):
            pdf.rect(x + first * step, y + row * step, length * step, step, style="F")


def _runs(line: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Where dark modules begin, and how many stand together."""
    first = None
    for column, dark in enumerate((*line, 0)):
        if dark and first is None:
            first = column
        if not dark and first is not None:
            yield first, column - first
            first = None
