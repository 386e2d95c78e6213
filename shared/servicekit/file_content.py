"""What is in a file that somebody sent: its type from its bytes, pictures made anew, PDFs checked.

Nothing here trusts a name or a header. A picture is decoded and written again as pixels alone,
so what hid beside them (position, camera, a second file) is gone. A PDF that could act is refused.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from servicekit import logs
from servicekit.errors import Invalid
from servicekit.file_kinds import EXTENSIONS, JPEG, PDF, PNG

SECONDS: Final = 20  # for the process that reads a file, from its start to its end

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
    default_message = "图片尺寸过大，请缩小到 1,200 万像素以内后上传"


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
    default_message = "PDF 文件页数过多，请控制在 50 页以内"


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
    if found is None or found not in types or found not in EXTENSIONS:
        raise WrongFileType(_told(types))
    return _read_apart(data, found)


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


def _read_apart(data: bytes, kind: str) -> Content:
    """Read by a process of its own, with limits: a file may be made to fill the memory."""
    try:
        child = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", "servicekit.file_reading", kind],
            input=data,
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise _unreadable(kind) from None
    head, _, body = child.stdout.partition(b"\n")
    if child.returncode != 0 or not head:
        log.warning("a file was too much for its reader", kind=kind, status=child.returncode)
        raise _unreadable(kind)
    told = json.loads(head)
    if "refused" in told:
        raise _REFUSED[told["refused"]]
    return Content(kind, body, told["pages"])


def _unreadable(kind: str) -> Invalid:
    return UnreadablePdf() if kind == PDF else UnreadablePicture()


_REFUSED: Final = {
    refusal.code: refusal
    for refusal in (UnreadablePicture, PictureTooLarge, UnreadablePdf, ActivePdf, PdfTooLong)
}
