"""The one endpoint every service has: what it is and which version runs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from marshmallow import Schema, fields

from servicekit.web.access import public
from servicekit.web.api import Blueprint
from servicekit.web.session import service


class AboutSchema(Schema):
    """A service in a few words."""

    service = fields.Str(required=True)
    title = fields.Str(required=True)
    version = fields.Str(required=True)
    matters = fields.List(fields.Str(), required=True)


def about(name: str, title: str) -> Blueprint:
    """``GET /api/<service>/v1/about``, open to everybody."""
    blueprint = Blueprint("about", __name__, url_prefix="/about", description="关于本服务")
    example = {"service": name, "title": title, "version": "0.1.0", "matters": []}

    @blueprint.route("")
    @blueprint.response(200, AboutSchema, example=example)
    @public
    def show_about() -> dict[str, Any]:
        """What this service is, and which version runs (服务简介)."""
        here = service()
        return {
            "service": here.name,
            "title": here.title,
            "version": _version(here.name),
            "matters": sorted(workflow.name for workflow in here.workflows),
        }

    return blueprint


def _version(name: str) -> str:
    try:
        return version(f"jiuye-{name}")
    except PackageNotFoundError:  # run from a folder, not installed
        return "0"
