"""What is in a file that somebody sent: its type from its bytes, pictures made anew, PDFs checked.

Nothing here trusts a name or a header. A picture is decoded and written again as pixels alone,
so what hid beside them (position, camera, a second file) is gone. A PDF that could act is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from servicekit import logs
from servicekit.errors import Invalid
from servicekit.file_kinds import JPEG, PDF, PNG

if TYPE_CHECKING:
    from PIL.Image import Image

# A telephone's camera makes 50 million pixels, a scan of A4 at 400 dots per inch 15; a JPEG is
# decoded at the size that is kept, a PNG whole. Either takes less than 200 MB while it lasts.
MAX_PIXELS: Final[Mapping[str, int]] = {JPEG: 50_000_000, PNG: 25_000_000}
LONGEST_SIDE: Final = 3000  # pixels kept; a licence on A4 at 250 dots per inch
JPEG_QUALITY: Final = 88
MAX_PAGES: Final = 50
PDF_SECONDS: Final = 20  # for the child that reads a PDF, from its start to its end

log = logs.get_logger()


class WrongFileType(Invalid):
    """The bytes are not of a type that is taken here, whatever the file is called."""

    code = "wrong-file-type"
    default_message = "文件类型不符合要求，请上传 JPG、PNG 图片或 PDF 文件"


class EmptyFile(Invalid):
    """Nothing came."""

    code = "empty-file"
    default_message = "文件是空的，请重新选择文件"


class UnreadablePicture(Invalid):
    """It begins like a picture and is none."""

    code = "unreadable-picture"
    default_message = "图片无法打开，请重新拍照或另存为 JPG、PNG 后上传"


class PictureTooLarge(Invalid):
    """More pixels than are decoded for anybody."""

    code = "picture-too-large"
    default_message = "图片尺寸过大，请缩小到 2,500 万像素以内后上传"


class UnreadablePdf(Invalid):
    """It begins like a PDF and is none, or is locked by a password, or never ends."""

    code = "unreadable-pdf"
    default_message = "PDF 文件无法打开，请取消密码保护并重新导出后上传"


class ActivePdf(Invalid):
    """The PDF holds scripts, actions or other files."""

    code = "active-pdf"
    default_message = "PDF 文件中含有脚本、自动操作或附件，请打印为普通 PDF 后上传"


class PdfTooLong(Invalid):
    """More pages than an officer reads."""

    code = "pdf-too-long"
    default_message = f"PDF 文件页数过多，请控制在 {MAX_PAGES} 页以内"


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it is kept: what came, made anew."""

    media_type: str
    data: bytes
    pages: int = 1

    @property
    def sha256(self) -> str:
        """Of what is kept, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def clean(data: bytes, types: Collection[str]) -> Content:
    """Find out what came, and give back what may be kept of it.

    Args:
        types: media types that are taken.

    Raises:
        EmptyFile, WrongFileType, UnreadablePicture, PictureTooLarge, UnreadablePdf, ActivePdf,
        PdfTooLong: the person can send another file.
    """
    if not data:
        raise EmptyFile
    found = media_type(data)
    if found is None or found not in types or found not in _CLEANERS:
        raise WrongFileType(_told(types))
    return _CLEANERS[found](data)


def media_type(data: bytes) -> str | None:
    """The type by the bytes alone; None when they are of no known type."""
    import puremagic

    try:
        return puremagic.from_string(data[:4096], mime=True) or None
    except (puremagic.PureError, ValueError):
        return None


def _told(types: Collection[str]) -> str:
    words = "、".join(word for kind, word in _WORDS.items() if kind in types)
    return f"文件类型不符合要求，请上传 {words} 文件（苹果手机的 HEIC 照片请先转换为 JPG）"


_WORDS: Final = {JPEG: "JPG", PNG: "PNG", PDF: "PDF"}


def _jpeg(data: bytes) -> Content:
    return Content(JPEG, _redrawn(data, "JPEG", MAX_PIXELS[JPEG], quality=JPEG_QUALITY))


def _png(data: bytes) -> Content:
    return Content(PNG, _redrawn(data, "PNG", MAX_PIXELS[PNG]))


def _redrawn(data: bytes, form: str, limit: int, **how: Any) -> bytes:
    """The pixels of a picture, upright, without anything that came beside them."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=[form]) as picture:
            if picture.width * picture.height > limit:  # from the header, nothing is decoded yet
                raise PictureTooLarge
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            bare = _bare(ImageOps.exif_transpose(picture))
        written = io.BytesIO()
        bare.save(written, form, **how)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureTooLarge from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError):
        raise UnreadablePicture from None  # Pillow tells of broken files in all these ways
    return written.getvalue()


def _bare(picture: Image) -> Image:
    """A copy that knows nothing but its pixels; what is transparent becomes paper."""
    from PIL import Image

    mode = "L" if picture.mode in ("1", "L") else "RGB"
    bare = Image.new(mode, picture.size, "white")
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        bare = bare.convert("RGB")
        bare.paste(clear, mask=clear.getchannel("A"))
    else:
        bare.paste(picture.convert(mode))
    return bare


def _pdf(data: bytes) -> Content:
    """Read by a process of its own, with limits: a PDF may be made to fill the memory."""
    try:
        child = subprocess.run(
            [sys.executable, "-m", "servicekit.pdf_check"],
            input=data,
            capture_output=True,
            check=False,
            timeout=PDF_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise UnreadablePdf from None
    head, _, body = child.stdout.partition(b"\n")
    if child.returncode != 0 or not head:
        log.warning("a PDF was too much for its reader", status=child.returncode)
        raise UnreadablePdf
    told = json.loads(head)
    if "refused" in told:
        raise _REFUSED[told["refused"]]
    return Content(PDF, body, told["pages"])


_REFUSED: Final = {kind.code: kind for kind in (UnreadablePdf, ActivePdf, PdfTooLong)}
_CLEANERS: Final[Mapping[str, Callable[[bytes], Content]]] = {JPEG: _jpeg, PNG: _png, PDF: _pdf}
