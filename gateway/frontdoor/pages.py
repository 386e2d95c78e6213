"""The few pages the gateway shows itself: one style, no scripts, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import Final

from frontdoor.answers import Answer

STYLE: Final = """
:root { color-scheme: light; --ink: #1d2129; --quiet: #4e5969; --line: #d9dde4; --accent: #1457b8; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; background: #f3f5f8; color: var(--ink);
  font: 16px/1.7 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
header { background: var(--accent); color: #fff; padding: .9rem 1.25rem; font-weight: 600; }
main { max-width: 32rem; margin: 12vh auto 2rem; padding: 2rem; background: #fff;
  border: 1px solid var(--line); border-radius: .5rem; }
h1 { margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.3; }
p { margin: 0 0 1.25rem; color: var(--quiet); }
.choices { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0; }
button, .button { font: inherit; padding: .5rem 1.4rem; border-radius: .35rem; cursor: pointer;
  border: 1px solid var(--accent); background: var(--accent); color: #fff; text-decoration: none; }
.button.quiet { background: #fff; color: var(--accent); }
button:focus-visible, a:focus-visible { outline: 3px solid #f0a020; outline-offset: 2px; }
@media (max-width: 36rem) { main { margin: 1rem; padding: 1.25rem; } }
""".strip()

NAME: Final = "广东公共就业服务"


def style_source(style: str) -> str:
    """The CSP source that allows this style and no other."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"'sha256-{digest}'"


_POLICY: Final = (
    f"Content-Security-Policy: default-src 'none'; style-src {style_source(STYLE)};"
    " form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
)


def page(status: int, title: str, inner: str, *lines: bytes, forms: str = "'none'") -> Answer:
    """A page that is not kept.

    Args:
        status: the status code.
        title: of the page, plain text.
        inner: trusted HTML.
        lines: header lines beside the usual.
        forms: where forms may go (form-action).
    """
    html = (
        '<!doctype html>\n<html lang="zh-CN">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} · {NAME}</title>\n<style>{STYLE}</style>\n"
        f"<header>{NAME}</header>\n<main>\n<h1>{escape(title)}</h1>\n{inner}\n</main>\n</html>\n"
    )
    policy = _POLICY.replace("{forms}", forms).encode()
    kept = (b"Cache-Control: no-store", policy, *lines)
    return Answer(status, html.encode(), lines=kept, content_type=b"text/html; charset=utf-8")
