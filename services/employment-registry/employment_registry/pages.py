"""What every page of the registry is sent with, and what people see who cannot be shown one."""

from __future__ import annotations

import secrets
from typing import Any

import orjson
from flask import Response, render_template

from servicekit.web import problem


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page without scripts and with nothing from elsewhere."""
    nonce = secrets.token_urlsafe(16)
    text = render_template(template, nonce=nonce, **values)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return Response(text, status, headers={"Content-Security-Policy": policy})


def show_trouble(error: Exception) -> Response:
    """The problem document as a page: who has scanned a code is no program (AL-08)."""
    answer = problem.answer(error)
    told = orjson.loads(answer.get_data())
    shown = page("trouble.html", answer.status_code, detail=told["detail"], id=told["instance"])
    if wait := answer.headers.get("Retry-After"):
        shown.headers["Retry-After"] = wait
    return shown
