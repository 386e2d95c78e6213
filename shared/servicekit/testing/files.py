"""Files as people and attackers send them, made on the spot; nothing here is anybody's document."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageDraw, PngImagePlugin

GPS = 0x8825
ORIENTATION = 0x0112
MAKER = 0x010F


def picture(width: int = 320, height: int = 200) -> Image.Image:
    """A paper with a dark corner at the top left, so that one sees how it is turned."""
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).rectangle((0, 0, width // 4, height // 4), fill="black")
    return image


def jpeg(width: int = 320, height: int = 200, *, orientation: int = 1) -> bytes:
    """A photograph with the camera's name, a position, a comment and an orientation."""
    exif = Image.Exif()
    exif[MAKER] = "Kamera-Muster"
    exif[ORIENTATION] = orientation
    exif.get_ifd(GPS).update({1: "N", 2: (23.0, 7.0, 48.0), 3: "E", 4: (113.0, 15.0, 0.0)})
    written = io.BytesIO()
    picture(width, height).save(written, "JPEG", exif=exif, comment=b"taken at home")
    return written.getvalue()


def png(width: int = 320, height: int = 200, *, mode: str = "RGB") -> bytes:
    """A screenshot with a text beside its pixels."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "Kamera-Muster")
    written = io.BytesIO()
    picture(width, height).convert(mode).save(written, "PNG", pnginfo=notes)
    return written.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is this large: a decompression bomb."""
    rows = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            _chunk(b"IDAT", rows),
            _chunk(b"IEND", b""),
        )
    )


def pdf(pages: int = 1, change: Callable[[Any], None] | None = None, **how: Any) -> bytes:
    """A PDF of empty pages, with a title and what ``change`` puts in.

    Args:
        how: for pikepdf's ``save``, ``encryption=…``.
    """
    import pikepdf

    made = pikepdf.new()
    for _ in range(pages):
        made.add_blank_page()
    made.docinfo["/Author"] = "Kamera-Muster"
    if change is not None:
        change(made)
    written = io.BytesIO()
    made.save(written, **how)
    return written.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check
