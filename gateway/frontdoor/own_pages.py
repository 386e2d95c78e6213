"""What is ours: pages that may change something, paths one may be sent back to."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs

from frontdoor.answers import Answer, refusal
from frontdoor.exchange import Exchange
from frontdoor.fields import Fields

FOREIGN_PAGE: Final = refusal(403, "cross-site", "该操作来自其他网站的页面，已拒绝")
ONLY_POST: Final[Answer] = refusal(405, "method-not-allowed", "不支持该请求方法", b"Allow: POST")

# A path of ours: not another site's address in disguise, not these very endpoints.
_OWN_PATH: Final = re.compile(r"/(?![/\\])(?!sso/)[!-\[\]-~]*")


class OwnPages:
    """Tells our pages from other sites' (Fetch Metadata, Origin).

    Args:
        public_url: where people reach the gateway.
    """

    def __init__(self, public_url: str) -> None:
        self._origin = public_url.encode()

    def sent(self, fields: Fields) -> bool:
        """Was the request sent by a page of ours? An older browser says so by Origin alone."""
        origin, site = fields.origin, fields.fetch_site
        if origin is not None and origin != self._origin:
            return False
        if site is not None:
            return site == b"same-origin"
        return origin is not None


def own_path(asked: str) -> str:
    """Where a browser is sent after an operation: the path, when it is ours."""
    return asked if _OWN_PATH.fullmatch(asked) else "/"


def query_of(exchange: Exchange) -> dict[str, str]:
    """The query's first values; empty when it has too many."""
    text = exchange.head.target.partition(b"?")[2].decode("ascii")
    try:
        return {name: values[0] for name, values in parse_qs(text, max_num_fields=20).items()}
    except ValueError:
        return {}
