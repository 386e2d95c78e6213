"""Makes a picture anew: its pixels, upright and no larger than needed, and nothing beside them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from servicekit.file_kinds import JPEG, PNG, Unfit

if TYPE_CHECKING:
    from PIL.Image import Image

# A telephone's camera makes 50 million pixels, a scan of A4 at 350 dots per inch 12; a JPEG is
# decoded at about the size that is kept, a PNG whole. Either takes some 150 MB while it lasts.
MAX_PIXELS: Final[Mapping[str, int]] = {JPEG: 50_000_000, PNG: 12_000_000}
LONGEST_SIDE: Final = 3000  # pixels kept; a licence on A4 at 250 dots per inch
JPEG_QUALITY: Final = 88
_FORMS: Final = {JPEG: "JPEG", PNG: "PNG"}
# The ways in which Pillow tells of broken files.
_BROKEN: Final = (OSError, ValueError, SyntaxError, EOFError, IndexError, MemoryError)


def redraw(data: bytes, media_type: str) -> bytes:
    """The pixels of a picture, without anything that came beside them.

    Raises:
        Unfit: ``unreadable-picture`` or ``picture-too-large``.
    """
    from PIL import Image, ImageOps

    form = _FORMS[media_type]
    try:
        with Image.open(io.BytesIO(data), formats=[form]) as picture:
            if picture.width * picture.height > MAX_PIXELS[media_type]:
                raise Unfit("picture-too-large")  # said by the header, nothing is decoded yet
            _shrink(picture)
            bare = _bare(ImageOps.exif_transpose(picture))
        written = io.BytesIO()
        bare.save(written, form, **({"quality": JPEG_QUALITY} if form == "JPEG" else {}))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unfit("picture-too-large") from None
    except _BROKEN:
        raise Unfit("unreadable-picture") from None
    return written.getvalue()


def _shrink(picture: Image) -> None:
    ratio = max(picture.size) / LONGEST_SIDE
    if ratio > 1:
        box = (round(picture.width / ratio) or 1, round(picture.height / ratio) or 1)
        picture.draft("RGB", box)  # a JPEG can be decoded at a half, a quarter, an eighth
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))


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
