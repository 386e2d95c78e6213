"""AL-05: what a file is, is found from its bytes, and nothing is kept but what was asked for."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from PIL import Image

from servicekit import file_content, pdf_check, pictures
from servicekit.errors import Refusal
from servicekit.file_content import clean
from servicekit.file_kinds import JPEG, PDF, PNG, Unfit
from servicekit.testing import files

EVERY = frozenset({JPEG, PNG, PDF})


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.req("AL-05")
def test_a_photograph_keeps_its_pixels_and_loses_where_and_with_what_it_was_taken() -> None:
    sent = files.jpeg()
    assert dict(opened(sent).getexif().get_ifd(files.GPS))
    kept = clean(sent, EVERY)
    image = opened(kept.data)
    assert (kept.media_type, image.format, image.size) == (JPEG, "JPEG", (320, 200))
    assert not dict(image.getexif())
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"Kamera" not in kept.data
    assert b"taken" not in kept.data
    assert image.getpixel((5, 5)) < (60, 60, 60)


@pytest.mark.req("AL-05")
def test_a_photograph_taken_sideways_stands_upright() -> None:
    image = opened(clean(files.jpeg(orientation=6), EVERY).data)  # turned by 90 degrees
    assert image.size == (200, 320)
    assert image.getpixel((195, 5)) < (60, 60, 60)  # the dark corner is at the top right now


@pytest.mark.req("AL-05")
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_a_screenshot_loses_its_texts_and_what_is_transparent_becomes_paper(mode: str) -> None:
    kept = clean(files.png(mode=mode), EVERY)
    image = opened(kept.data)
    assert (kept.media_type, image.format) == (PNG, "PNG")
    assert image.mode in ("L", "RGB")
    assert image.info == {}
    assert b"Kamera" not in kept.data


@pytest.mark.req("AL-05")
def test_a_large_photograph_is_made_as_small_as_an_officer_needs_it() -> None:
    image = opened(clean(files.jpeg(4000, 1000), EVERY).data)
    assert image.size == (pictures.LONGEST_SIDE, 750)


def polyglot() -> bytes:
    """A photograph that is a ZIP with a script too."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as inside:
        inside.writestr("run.php", "<?php system($_GET['c']);")
    return files.jpeg() + archive.getvalue()


@pytest.mark.req("AL-05")
def test_a_second_file_behind_the_picture_is_gone() -> None:
    assert zipfile.is_zipfile(io.BytesIO(polyglot()))
    kept = clean(polyglot(), EVERY)
    assert not zipfile.is_zipfile(io.BytesIO(kept.data))
    assert b"php" not in kept.data


@pytest.mark.req("AL-05")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty-file"),
        (b"hello", "wrong-file-type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "wrong-file-type"),
        (b"<html><script>alert(1)</script></html>", "wrong-file-type"),
        (b"GIF89a" + bytes(64), "wrong-file-type"),
        (b"MZ" + bytes(64), "wrong-file-type"),
        (b"PK\x03\x04" + bytes(64), "wrong-file-type"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(64), "wrong-file-type"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(64), "unreadable-picture"),
        (files.jpeg()[:400], "unreadable-picture"),
        (files.png()[:200], "unreadable-picture"),
        (files.png_of_size(6000, 6000), "picture-too-large"),
        (files.png_of_size(60_000, 60_000), "picture-too-large"),
    ],
    ids=[
        *("nothing", "text", "svg", "html", "gif", "exe", "zip", "heic", "header alone"),
        *("cut jpeg", "cut png", "large png", "bomb"),
    ],
)
def test_what_is_no_picture_is_refused_whatever_it_says(data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        clean(data, EVERY)
    assert refused.value.code == code


@pytest.mark.req("AL-05")
def test_only_the_types_of_the_kind_are_taken_and_the_person_is_told_which() -> None:
    with pytest.raises(file_content.WrongFileType, match="请上传 JPG、PNG 文件"):
        clean(files.pdf(), {JPEG, PNG})


@pytest.mark.req("AL-05")
def test_a_pdf_is_written_anew_without_its_author() -> None:
    kept = clean(files.pdf(pages=2) + b"\nPK\x03\x04 what follows the end", EVERY)
    assert (kept.media_type, kept.pages) == (PDF, 2)
    assert b"what follows" not in kept.data
    with pikepdf.open(io.BytesIO(kept.data)) as pdf:
        assert len(pdf.pages) == 2
        assert "/Author" not in pdf.docinfo


def script(pdf: Any) -> None:
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")


def launch(pdf: Any) -> None:
    link = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Link,
        Rect=[0, 0, 9, 9],
        A=pikepdf.Dictionary(S=pikepdf.Name.Launch, F="cmd.exe"),
    )
    pdf.pages[0].Annots = pdf.make_indirect([link])


def attachment(pdf: Any) -> None:
    pdf.attachments["virus.exe"] = b"MZ"


def page_action(pdf: Any) -> None:
    pdf.pages[0].AA = pikepdf.Dictionary(O=pikepdf.Dictionary(S=pikepdf.Name.Named))


def named_script(pdf: Any) -> None:
    script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="1")
    pdf.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=["a", script]))


def form(pdf: Any) -> None:
    pdf.Root.AcroForm = pikepdf.Dictionary(XFA="<xdp/>")


def opens_at_a_page(pdf: Any) -> None:
    pdf.Root.OpenAction = pikepdf.Array([pdf.pages[0].obj, pikepdf.Name.Fit])


@pytest.mark.req("AL-05")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (script, "active-pdf"),
        (launch, "active-pdf"),
        (attachment, "active-pdf"),
        (page_action, "active-pdf"),
        (named_script, "active-pdf"),
        (form, "active-pdf"),
        (opens_at_a_page, None),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_pdf_that_could_act_is_refused(
    change: Callable[[Any], None], code: str | None, packed: bool
) -> None:
    mode = pikepdf.ObjectStreamMode
    data = files.pdf(1, change, object_stream_mode=mode.generate if packed else mode.disable)
    if code is None:
        assert pdf_check.rewrite(data)[1] == 1
        return
    with pytest.raises(Unfit, match=code):
        pdf_check.rewrite(data)


def locked() -> bytes:
    return files.pdf(encryption=pikepdf.Encryption(owner="a", user="b"))


@pytest.mark.req("AL-05")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"%PDF-1.7\nnothing more", "unreadable-pdf"),
        (b"\n%PDF-1.7", "unreadable-pdf"),
        (files.pdf()[:300], "unreadable-pdf"),
        (files.pdf(pages=0), "unreadable-pdf"),
        (locked(), "unreadable-pdf"),
        (files.pdf(pages=pdf_check.MAX_PAGES + 1), "pdf-too-long"),
    ],
    ids=["header alone", "nothing before it", "cut", "no pages", "locked", "long"],
)
def test_a_pdf_that_cannot_be_read_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Unfit, match=code):
        pdf_check.rewrite(data)


def bomb() -> bytes:
    """A PDF of four megabytes whose one stream of objects is four gigabytes long, unpacked."""
    catalog, pages = b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"
    index = b"1 0 2 %d " % (len(catalog) + 1)
    packer = zlib.compressobj(9)
    packed = packer.compress(index + catalog + b" " + pages) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed += block * 4096
    head = b"%PDF-1.7\n"
    objects = b"3 0 obj\n<</Type/ObjStm/N 2/First %d/Filter/FlateDecode/Length %d>>stream\n" % (
        len(index),
        len(packed),
    )
    objects += packed + b"\nendstream\nendobj\n"
    table = len(head) + len(objects)
    rows = [(0, 0, 65535), (2, 3, 0), (2, 3, 1), (1, len(head), 0), (1, table, 0)]
    entries = b"".join(struct.pack(">BIH", *row) for row in rows)
    tail = b"4 0 obj\n<</Type/XRef/Size 5/W[1 4 2]/Root 1 0 R/Length %d>>stream\n" % len(entries)
    return (
        head + objects + tail + entries + (b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % table)
    )


@pytest.mark.slow
@pytest.mark.req("AL-05")
def test_a_pdf_that_would_fill_the_memory_ends_its_own_reader_and_nobody_else() -> None:
    with pytest.raises(file_content.UnreadablePdf):
        clean(bomb(), EVERY)


@pytest.mark.req("AL-05")
def test_the_reader_of_pdfs_says_why_it_refused() -> None:
    with pytest.raises(file_content.ActivePdf, match="脚本"):
        clean(files.pdf(1, script), EVERY)
