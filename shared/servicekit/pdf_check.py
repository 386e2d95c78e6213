"""Writes a PDF anew when it does nothing by itself.

No older versions, no metadata, nothing before its beginning or after its end.
"""

from __future__ import annotations

import io
from typing import Any, Final

from servicekit.file_kinds import Unfit

MAX_PAGES: Final = 50
MAX_VALUES: Final = 100_000  # entries looked at
DEEPEST: Final = 50

# Keys and names by which a PDF acts by itself or carries other files (ISO 32000-2, 7.11.4, 12.6.4).
ACTIVE: Final = frozenset(
    {
        "/AA",
        "/EF",
        "/EmbeddedFile",
        "/EmbeddedFiles",
        "/ImportData",
        "/JS",
        "/JavaScript",
        "/Launch",
        "/OpenAction",
        "/RichMedia",
        "/SubmitForm",
        "/XFA",
    }
)
# The ways in which qpdf tells of broken and monstrous files.
_BROKEN: Final = (ValueError, TypeError, RuntimeError, OverflowError, MemoryError)
PRIVATE: Final = ("/Metadata", "/PieceInfo")


def rewrite(data: bytes) -> tuple[bytes, int]:
    """The PDF made anew, and its number of pages.

    Raises:
        Unfit: with ``unreadable-pdf``, ``active-pdf`` or ``pdf-too-long``.
    """
    import pikepdf

    if not data.startswith(b"%PDF-"):
        raise Unfit("unreadable-pdf")
    try:
        with pikepdf.open(io.BytesIO(data), attempt_recovery=False) as pdf:
            pages = len(pdf.pages)
            if pdf.is_encrypted or pages == 0:
                raise Unfit("unreadable-pdf")
            if pages > MAX_PAGES:
                raise Unfit("pdf-too-long")
            check(pdf)
            for key in PRIVATE:
                if key in pdf.Root:
                    del pdf.Root[key]
            del pdf.docinfo
            written = io.BytesIO()
            pdf.save(written, stream_decode_level=pikepdf.StreamDecodeLevel.none)
            return written.getvalue(), pages
    except (pikepdf.PdfError, pikepdf.PasswordError, *_BROKEN):
        raise Unfit("unreadable-pdf") from None


def check(pdf: Any) -> None:
    """Look at every entry of every object.

    Raises:
        Unfit
    """
    import pikepdf

    seen = 0
    waiting: list[tuple[Any, int]] = [(pdf.trailer, 0), *((each, 0) for each in pdf.objects)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, pikepdf.Stream):
            item = item.stream_dict
        if isinstance(item, pikepdf.Dictionary):
            entries = list(item.items())
        elif isinstance(item, pikepdf.Array):
            entries = [("", value) for value in item]
        else:
            entries = [("", item)]
        seen += len(entries)
        if seen > MAX_VALUES or depth > DEEPEST:
            raise Unfit("unreadable-pdf")
        for key, value in entries:
            _check_entry(key, value)
            held = isinstance(value, pikepdf.Dictionary | pikepdf.Array | pikepdf.Stream)
            if held and not value.is_indirect:  # what is referred to has its turn by itself
                waiting.append((value, depth + 1))


def _check_entry(key: str, value: Any) -> None:
    import pikepdf

    if isinstance(value, pikepdf.Name) and str(value) in ACTIVE:
        raise Unfit("active-pdf")  # /S /JavaScript
    if key not in ACTIVE:
        return
    if key == "/OpenAction":  # to open at a page is no action of this kind
        if isinstance(value, pikepdf.Array):
            return
        if isinstance(value, pikepdf.Dictionary) and value.get("/S") == pikepdf.Name.GoTo:
            return
    raise Unfit("active-pdf")
