"""Every answer around a form names the service guide of its business (PRT-06)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Blueprint, Response


def link_guides(blueprint: Blueprint, items: Iterable[str]) -> None:
    """Answer with ``Link: </guides/…>; rel="help"``, also where the form is refused (RFC 8288)."""
    links = [f'</guides/{item}>; rel="help"' for item in items]

    def add(response: Response) -> Response:
        for link in links:
            response.headers.add("Link", link)
        return response

    blueprint.after_request(add)
