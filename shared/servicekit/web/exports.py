"""The endpoints of exports: ask for one, see how far it is, fetch the file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Response
from marshmallow import Schema, fields, post_load, validate

from servicekit import numbers
from servicekit.exports.desk import Exports
from servicekit.exports.rules import PURPOSE, ExportState, Failure
from servicekit.exports.table import ExportColumns
from servicekit.exports.wishes import Wish
from servicekit.teamwork.reviews import TeamFilters, TeamReviews
from servicekit.web.access import access
from servicekit.web.api import Blueprint
from servicekit.web.filing import page as one_page
from servicekit.web.paging import Page, PageArguments, PageOf, page_of, page_schema
from servicekit.web.parsing import NOT_BLANK
from servicekit.web.session import actor, now, reading, transaction
from servicekit.web.teamwork.schemas import TeamFiltersSchema
from servicekit.web.uploads import attachment, file_response
from servicekit.workflow import Role

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Mark = Callable[[Any], Any]
_PURPOSE: Final = "第三季度登记质量稽核"
_SHA256: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class ExportFiltersSchema(TeamFiltersSchema):
    """The filters and the order of the list on the screen."""

    class Meta:
        """A file has no pages."""

        exclude = ("limit", "cursor")

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Any:
        """Input becomes a frozen dataclass before it meets an action."""
        if values["number"] is not None:
            values["number"] = numbers.normalise(values["number"])
        return TeamFilters(**values)


class ExportWishSchema(Schema):
    """What for, and how the list is narrowed."""

    purpose = fields.Str(required=True, validate=[validate.Length(*PURPOSE), NOT_BLANK])
    filters = fields.Nested(ExportFiltersSchema, load_default=TeamFilters)

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Wish:
        """Input becomes a frozen dataclass before it meets an action."""
        return Wish(**values)


class ExportSchema(Schema):
    """How far an export is."""

    id = fields.Str(required=True)
    business = fields.Str(required=True)
    purpose = fields.Str(required=True)
    region = fields.Str(required=True)
    filters = fields.Raw(required=True)
    state = fields.Enum(ExportState, by_value=True, required=True)
    state_label = fields.Str(attribute="state.label", required=True)
    failure = fields.Enum(Failure, by_value=True, allow_none=True, required=True)
    failure_label = fields.Str(attribute="failure.label", allow_none=True, dump_default=None)
    rows = fields.Int(allow_none=True, required=True)
    size = fields.Int(allow_none=True, required=True, metadata={"description": "Bytes."})
    sha256 = fields.Str(allow_none=True, required=True)
    requested_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(allow_none=True, required=True)
    expires_at = fields.AwareDateTime(allow_none=True, required=True)


_PAGE: Final = page_schema(ExportSchema)


def add_exports(
    to: Blueprint, reviews: TeamReviews[Any], exports: Callable[[], Exports[Any]]
) -> None:
    """Write them into the blueprint of a matter's reviews.

    Args:
        exports: gives those of the application that answers.
    """
    officer = access(Role.REVIEWER, business=reviews.workflow.name)
    _add_asking(to, reviews, exports, officer)
    _add_showing(to, reviews.workflow.name, exports, officer)


def _add_asking(
    to: Blueprint, reviews: TeamReviews[Any], exports: Callable[[], Exports[Any]], officer: Mark
) -> None:
    business = reviews.workflow.name

    @to.route("/exports", methods=["POST"])
    @officer
    @to.arguments(
        ExportWishSchema,
        example={"purpose": _PURPOSE, "filters": {"state": "submitted"}},
    )
    @to.response(202, ExportSchema, example=_example(business, ExportState.WAITING))
    def ask_export(wanted: Wish) -> ExportColumns:
        """Have the list on the screen made into a spreadsheet, with the purpose (导出).

        The worker makes it of what the officer may see on that moment, masked, in the order of
        the list; it is kept for three days. One at a time in the whole service: 409
        `export-under-way`.
        """
        with transaction() as db:
            asked: ExportColumns = exports().ask(db, business, wanted, actor=actor(), now=now())
            return asked


def _add_showing(
    to: Blueprint, business: str, exports: Callable[[], Exports[Any]], officer: Mark
) -> None:
    ready = _example(business, ExportState.READY)

    @to.route("/exports", methods=["GET"])
    @officer
    @to.arguments(PageArguments, location="query")
    @to.response(200, _PAGE, example=one_page(ready))
    def list_exports(page: Page) -> PageOf[Any]:
        """What one has asked for oneself, the newest first; the rows stay as the log (导出记录)."""
        known = exports()
        with reading() as db:
            by = (known.table.requested_at, known.table.id)
            return page_of(db, known.own(business, actor()), page, by=by)

    @to.route("/exports/<export_id>", methods=["GET"])
    @officer
    @to.response(200, ExportSchema, example=ready)
    def show_export(export_id: str) -> ExportColumns:
        """How far one is.

        404 `export-not-found`: none, another officer's, or of a region that is theirs no more.
        """
        with reading() as db:
            found: ExportColumns = exports().find(db, business, export_id, actor())
            return found

    @to.route("/exports/<export_id>/file", methods=["GET"])
    @officer
    @file_response(to)
    def send_export(export_id: str) -> Response:
        """The spreadsheet; every look at it is on record (下载).

        404 `export-not-found`; 409 `export-not-ready`; 503 `storage-unavailable`.
        """
        with transaction() as db:
            row, data = exports().download(db, business, export_id, actor=actor(), now=now())
        return attachment(data, XLSX, row.file_name, row.size or 0)


def _example(business: str, state: ExportState) -> dict[str, Any]:
    ready = state is ExportState.READY
    return {
        "id": "01a1fcb7-9984-75ed-adc5-5ce1f0dc9fec",
        "business": business,
        "purpose": _PURPOSE,
        "region": "440106",
        "filters": {"state": "submitted", "order": "due"},
        "state": state.value,
        "state_label": state.label,
        "failure": None,
        "failure_label": None,
        "rows": 1204 if ready else None,
        "size": 81_920 if ready else None,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        if ready
        else None,
        "requested_at": "2026-09-30T03:00:00+00:00",
        "finished_at": "2026-09-30T03:00:04+00:00" if ready else None,
        "expires_at": "2026-10-03T03:00:04+00:00" if ready else None,
    }
