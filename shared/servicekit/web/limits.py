"""How much a request may send, refused before anything reads it."""

from __future__ import annotations

from typing import Final

from flask import Request

from servicekit.errors import Refusal
from servicekit.web.access import Mark

MAX_BODY: Final = 1024 * 1024  # bytes


class BodyTooLarge(Refusal):
    """More than the route takes."""

    code = "body-too-large"


def check_body(asked: Request, mark: Mark) -> None:
    """Refuse a body that is too long, by its own account or by what arrives.

    Raises:
        BodyTooLarge: it is over the limit.
    """
    limit = MAX_BODY if mark.max_body is None else mark.max_body
    asked.max_content_length = limit
    length = asked.content_length
    if length is None and asked.environ.get("wsgi.input_terminated"):
        # Werkzeug cuts a body of unknown length at the limit; one byte more tells.
        asked.max_content_length = limit + 1
        length = len(asked.get_data(cache=True))
    if (length or 0) > limit:
        raise too_large(limit)


def too_large(limit: int) -> BodyTooLarge:
    """The refusal, with the limit in words."""
    size = f"{limit // MAX_BODY} MB" if limit >= MAX_BODY else f"{limit // 1024} KB"
    return BodyTooLarge(f"提交的内容过大，请控制在 {size} 以内", extra={"limit": limit})
