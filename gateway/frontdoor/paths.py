"""Which paths are taken, and what they mean: the gateway must read them as the services will."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

# Everything two programs might read differently: empty and dot segments, plain, encoded or
# with parameters; encoded slashes, backslashes and control characters; broken encodings.
_AMBIGUOUS: Final = re.compile(
    rb"//|/\.\.?(?:[/;]|$)|%(?:2[eEfF]|5[cC]|7[fF]|[01][0-9a-fA-F])"
    rb"|%(?![0-9a-fA-F]{2})|[\\\"<>#^`{|}]"
)
_ENCODED: Final = re.compile(rb"%[0-9a-fA-F]{2}")  # what is left was encoded twice
_QUERY: Final = re.compile(rb"#|%00")


class BadPath(Exception):
    """The target may mean two things."""


def decode(target: bytes) -> bytes:
    """The path a request target means, percent-decoded.

    Args:
        target: path and query as they were sent; printable ASCII.

    Raises:
        BadPath: it is not one clear path.
    """
    path, _, query = target.partition(b"?")
    if _AMBIGUOUS.search(path) or (query and _QUERY.search(query)):
        raise BadPath
    if b"%" not in path:
        return path
    path = unquote_to_bytes(path)
    if _ENCODED.search(path):
        raise BadPath
    try:
        path.decode()
    except UnicodeDecodeError:
        raise BadPath from None
    return path
