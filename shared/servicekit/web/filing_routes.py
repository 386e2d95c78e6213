"""The applicant's side of a matter: one declaration gives its list, form, submission and progress.

How a form is opened is the matter's own endpoint; what it submits is checked by its own rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response
from marshmallow import Schema, fields

from servicekit import filing, history
from servicekit.filing import Filings, Filters, Order
from servicekit.teamwork import urging
from servicekit.web import versions
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.filing import COLUMNS, EXAMPLE_ENTRY, FiltersSchema, HistoryEntrySchema
from servicekit.web.filing import page as one_page
from servicekit.web.paging import Page, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction

Mark = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the applicant's side of one matter takes and shows.

    Args:
        part: the name of the form's section in the JSON, ``employment``.
        section: its schema, every field of which may be missing in a draft.
        row, view: schemas of a line of the list and of one application in full.
        example_section, example_row, example: of the three.
        submit: ``submit(db, id, *, actor, now, note, seen)``; checks everything and files it.
        buttons: above the list, beside 新增: their words and the operations behind them.
    """

    part: str
    section: type[Schema]
    row: type[Schema]
    view: type[Schema]
    example_section: dict[str, Any]
    example_row: dict[str, Any]
    example: dict[str, Any]
    submit: Callable[..., Any]
    buttons: Mapping[str, str] = field(default_factory=dict)


def add_filings(to: Blueprint, filings: Filings[Any], form: Form, mark: Mark) -> None:
    """Write the endpoints of the applicant's side into a blueprint.

    Args:
        mark: who may use them.
    """
    _add_reading(to, filings, form, mark)
    _add_writing(to, filings, form, mark)
    _add_moves(to, filings, form, mark)


def _add_reading(to: Blueprint, filings: Filings[Any], form: Form, mark: Mark) -> None:
    newest = (filings.model.created_at, filings.model.id)
    drawn = _drawn(to, form)

    @to.route("", methods=["GET"])
    @mark
    @to.doc(**{"x-list": drawn})
    @to.arguments(FiltersSchema, location="query")
    @to.response(200, page_schema(form.row), example=one_page(form.example_row))
    def list_own(query: tuple[Filters, Page]) -> Any:
        """One's own applications and their progress, newest first unless asked otherwise (查询)."""
        filters, page = query
        with reading() as db:
            wanted = filing.own(filings.model, actor(), filters)
            down = filters.order is not Order.OLDEST
            return page_of(db, wanted, page, by=newest, descending=down, shown=form.row)

    @to.route("/<application_id>", methods=["GET"])
    @mark
    @to.response(200, form.view, example=form.example)
    def show_own(application_id: str) -> Any:
        """One's own application in full.

        404 `application-not-found`: there is none, or it is somebody else's.
        """
        with reading() as db:
            return versions.tag(filings.find(db, application_id, actor()))

    @to.route("/<application_id>/history", methods=["GET"])
    @mark
    @to.response(200, HistoryEntrySchema(many=True), example=[EXAMPLE_ENTRY])
    def list_history(application_id: str) -> list[history.Entry]:
        """What happened to one's own application, oldest first (办理进度)."""
        with reading() as db:
            return filing.progress(db, filings.find(db, application_id, actor()).id)


def _drawn(to: Blueprint, form: Form) -> dict[str, object]:
    """The list as the manuals show it: columns, buttons above, 查询 and 重置 beside the filters."""
    buttons = {"新增": f"POST {to.url_prefix}", **form.buttons}
    query = dict.fromkeys(("查询", "重置"), f"GET {to.url_prefix}")  # 重置 asks for everything
    return {"title": "申请列表", "columns": COLUMNS, "buttons": buttons, "query": query}


def _add_writing(to: Blueprint, filings: Filings[Any], form: Form, mark: Mark) -> None:
    edit = Schema.from_dict(
        {form.part: fields.Nested(form.section, required=True)},
        name=f"{filings.model.__name__}EditSchema",
    )

    @to.route("/<application_id>", methods=["PATCH"])
    @mark
    @to.arguments(edit, example={form.part: form.example_section})
    @to.response(200, form.view, example=form.example)
    def save(body: dict[str, Any], application_id: str) -> Any:
        """Keep what is filled in so far; nothing is submitted (保存).

        Fields that are not given stay as they are, null empties one. 409 `wrong-state`; 412
        `changed-meanwhile`; 428 without If-Match.
        """
        seen = versions.expected_version()
        values = body[form.part]
        with transaction() as db:
            return versions.tag(
                filings.save(db, application_id, values, actor=actor(), now=now(), seen=seen)
            )

    @to.route("/<application_id>", methods=["DELETE"])
    @mark
    @to.response(204)
    def delete(application_id: str) -> Response:
        """Throw a draft away (删除).

        409 `wrong-state`: it has been filed.
        """
        seen = versions.expected_version(required=False)
        with transaction() as db:
            filings.delete(db, application_id, actor=actor(), seen=seen)
        return Response(status=204)


def _add_moves(to: Blueprint, filings: Filings[Any], form: Form, mark: Mark) -> None:
    @to.route("/<application_id>/submit", methods=["POST"])
    @mark
    @to.arguments(NoteSchema, example={"note": "已补充地址"})
    @to.response(200, form.view, example=form.example)
    def submit(body: dict[str, Any], application_id: str) -> Any:
        """Check everything that was saved and send it to review (提交).

        422 `application-incomplete` names every wrong field at once; 409 `wrong-state`,
        `changed-meanwhile`, and what the matter's own rules refuse.
        """
        seen = versions.expected_version(required=False)
        with transaction() as db:
            return versions.tag(
                form.submit(
                    db, application_id, actor=actor(), now=now(), note=body["note"], seen=seen
                )
            )

    @to.route("/<application_id>/withdraw", methods=["POST"])
    @mark
    @to.arguments(NoteSchema, example={"note": "需要修改地址"})
    @to.response(200, form.view, example=form.example)
    def withdraw(body: dict[str, Any], application_id: str) -> Any:
        """Take back what is not decided yet (撤回).

        409 `wrong-state`: it is decided already, or was never filed.
        """
        with transaction() as db:
            versions.as_seen(filings.find, db, application_id, actor())
            return versions.tag(
                filings.withdraw(db, application_id, actor=actor(), now=now(), note=body["note"])
            )

    if any(move.name == "urge" for move in filings.workflow.moves):
        _add_urging(to, filings, form, mark)


def _add_urging(to: Blueprint, filings: Filings[Any], form: Form, mark: Mark) -> None:
    @to.route("/<application_id>/urge", methods=["POST"])
    @mark
    @to.arguments(NoteSchema, example={"note": "急需证明"})
    @to.response(200, form.view, example=form.example)
    def urge(body: dict[str, Any], application_id: str) -> Any:
        """Ask that it be decided on; the officers see it in their queue (催办).

        409 `urged-already` (with `next_on`): once per working day; `urged-enough`; `wrong-state`.
        """
        with transaction() as db:
            versions.as_seen(filings.find, db, application_id, actor())
            application = filings.find(db, application_id, actor())
            urging.urge(
                db, filings.workflow, application, actor=actor(), now=now(), note=body["note"]
            )
            return versions.tag(application)
