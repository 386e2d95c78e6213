"""The certificate as a PDF: an A4 page and a card, with codes that anyone can scan."""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

FONT: Final = "STSong-Light"  # every reader of PDFs brings this one; nothing is embedded
CARD: Final = (85.6 * mm, 54 * mm)  # ISO/IEC 7810 ID-1
TITLE: Final = "就业创业证"


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
    issued_on: str
    link: str
    signed: str


def draw(content: Content, on: Format) -> bytes:
    """The PDF's bytes."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4 if on is Format.A4 else CARD, pageCompression=1)
    canvas.setTitle(TITLE)
    canvas.setAuthor("广东省公共就业服务")
    (_draw_page if on is Format.A4 else _draw_card)(canvas, content)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _draw_page(canvas: Canvas, content: Content) -> None:
    width, height = A4
    canvas.setFont(FONT, 30)
    canvas.drawCentredString(width / 2, height - 45 * mm, TITLE)
    canvas.setFont(FONT, 13)
    for row, (label, value) in enumerate(_lines(content)):
        y = height - (75 + row * 12) * mm
        canvas.drawString(40 * mm, y, label)
        canvas.drawString(75 * mm, y, value)
    _draw_code(canvas, content.link, 40 * mm, 45 * mm, 40 * mm, error="m")
    _draw_code(canvas, content.signed, 115 * mm, 35 * mm, 60 * mm, error="l")
    canvas.setFont(FONT, 9)
    canvas.drawCentredString(60 * mm, 38 * mm, "在线核验")
    canvas.drawCentredString(145 * mm, 28 * mm, "离线核验（含数字签名）")
    canvas.drawCentredString(width / 2, 15 * mm, "本证仅限本人使用，不得转借、转让、涂改、伪造。")


def _draw_card(canvas: Canvas, content: Content) -> None:
    width, height = CARD
    canvas.setFont(FONT, 12)
    canvas.drawCentredString(width / 2, height - 9 * mm, TITLE)
    canvas.setFont(FONT, 7)
    for row, (label, value) in enumerate(_lines(content)):
        y = height - (17 + row * 5.5) * mm
        canvas.drawString(5 * mm, y, f"{label}：{value}")
    _draw_code(canvas, content.link, width - 24 * mm, 5 * mm, 20 * mm, error="m")


def _lines(content: Content) -> list[tuple[str, str]]:
    return [
        ("证号", content.number),
        ("姓名", content.name),
        ("性别", content.sex),
        ("证件号码", content.document_number),
        ("发证地", content.region),
        ("发证日期", content.issued_on),
    ]


def _draw_code(canvas: Canvas, text: str, x: float, y: float, size: float, *, error: str) -> None:
    """A QR code of dark squares; sharp at any size."""
    modules = list(segno.make(text, error=error, micro=False).matrix_iter(border=0))
    step = size / len(modules)
    for row, line in enumerate(modules):
        for column, dark in enumerate(line):
            if dark:
                top = y + size - (row + 1) * step
                canvas.rect(x + column * step, top, step, step, stroke=0, fill=1)
