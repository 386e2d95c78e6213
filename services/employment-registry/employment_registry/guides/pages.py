"""Service guides as pages: one for each business, on any telephone, without scripts."""

from __future__ import annotations

from typing import Any, Final

import flask
from flask import Response, request

from employment_registry.guides import queries
from employment_registry.guides.rules import GuideNotFound
from employment_registry.pages import page, show_trouble
from employment_registry.places import PROVINCE
from servicekit import regions
from servicekit.clock import shanghai_date
from servicekit.web.access import public
from servicekit.web.session import now, reading

PAGES: Final = "/guides"
pages = flask.Blueprint("guide-pages", __name__, url_prefix=PAGES)
pages.register_error_handler(Exception, show_trouble)


@pages.get("")
@public
def list_guides() -> Response:
    """Every business that has a guide."""
    with reading() as db:
        return page("guides.html", guides=queries.lines(db))


@pages.get("/<item>")
@public
def show(item: str) -> Response:
    """One guide; the region is chosen step by step, from the city to the street.

    ``version`` shows an older one, as links from applications that were filed under it do.
    """
    region = _chosen(request.args.getlist("region"))
    version = request.args.get("version", type=int)
    with reading() as db:
        try:
            guide = queries.read(
                db, item, region=region, today=shanghai_date(now()), version=version
            )
        except GuideNotFound:
            return page("guides.html", 404, guides=queries.lines(db), missing=True)
    return page("guide.html", guide=guide, choices=_choices(region))


def _chosen(codes: list[str]) -> str:
    """The lowest region that was chosen; another city makes the county below the old one void."""
    region = PROVINCE
    for code in codes:
        if code.startswith(region) and regions.find(code) is not None:
            region = code
    return region


def _choices(region: str) -> list[dict[str, Any]]:
    """One choice per level: those above are made, the next one is open."""
    above: list[str] = []
    found = regions.find(region)
    while found is not None and found.parent is not None:
        above.insert(0, found.code)
        found = regions.find(found.parent)
    parents = [PROVINCE, *above]
    labels = ("地市", "县区", "街道（镇）")
    return [
        {"label": label, "options": regions.children(parent), "chosen": [*above, ""][place]}
        for place, (label, parent) in enumerate(zip(labels, parents, strict=False))
        if regions.children(parent)
    ]
