"""Which files a form asks for: their kinds, their types, how large they may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from servicekit.errors import Invalid

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
PDF: Final = "application/pdf"
EXTENSIONS: Final[Mapping[str, str]] = {JPEG: "jpg", PNG: "png", PDF: "pdf"}


class FileTooLarge(Invalid):
    """More bytes than this kind of file may have."""

    code = "file-too-large"


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of file a form asks for: 营业执照, 身份证正面 …

    Args:
        code: kebab-case, unique in a service; it becomes the name of a downloaded file too.
        label: for people.
        purpose: the matter it is for.
        types: media types that are taken.
        limit: bytes.
    """

    code: str
    label: str
    purpose: str
    types: frozenset[str]
    limit: int

    def check_size(self, size: int) -> None:
        """Raises: FileTooLarge"""
        if size > self.limit:
            megabytes = self.limit / (1024 * 1024)
            raise FileTooLarge(
                f"{self.label}文件过大，请控制在 {megabytes:g} MB 以内",
                extra={"limit": self.limit},
            )


class Unfit(Exception):
    """A file that cannot be kept; its text is the code of the refusal."""
