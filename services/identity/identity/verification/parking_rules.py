"""Where may a parked request lead back to, how long is it kept, and how large may it be?"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from servicekit.errors import Invalid, NotFound

LIFE: Final = timedelta(minutes=30)
LARGEST: Final = 100_000  # characters of content
MOST: Final = 20  # per account; older ones go
_PAGE: Final = re.compile(r"/(?![/\\])[A-Za-z0-9/_.~-]{0,300}")


class NoParkedRequest(NotFound):
    """None of this person's, or its half hour is over."""

    code = "parked-request-not-found"
    default_message = "暂存的内容不存在或已超过30分钟，请重新填写"


class NotOurPage(Invalid):
    """It would lead out of our site."""

    code = "parked-page-malformed"
    default_message = "返回地址应为本站的页面路径"


def check_page(page: str) -> None:
    """A path of this site, without query: what was typed belongs into the content."""
    if not _PAGE.fullmatch(page) or ".." in page:
        raise NotOurPage
