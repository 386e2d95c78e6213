"""HTTP for persons: their own flexible-employment registrations and records."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from employment_registry.flexible_employment import actions, queries, rules, schemas
from employment_registry.flexible_employment.model import (
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from employment_registry.parts import parts
from servicekit import filing, history
from servicekit.filing import Filters
from servicekit.web import versions
from servicekit.web.access import access, public
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.filing import EXAMPLE_ENTRY, FiltersSchema, HistoryEntrySchema
from servicekit.web.filing import page as one_page
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.web.tokens import bearer
from servicekit.workflow import Role

registrations = Blueprint(
    "flexible-employment-registrations",
    __name__,
    url_prefix="/flexible-employment-registrations",
    description="灵活就业登记：本人的申请",
)
records = Blueprint(
    "flexible-employment-records",
    __name__,
    url_prefix="/flexible-employment-records",
    description="灵活就业登记：本人的登记记录",
)
own = access(Role.APPLICANT, level=2, kinds=("person",))


@registrations.route("/employment-types", methods=["GET"])
@public
@registrations.response(
    200,
    schemas.EmploymentTypeSchema(many=True),
    example=[{"code": "part-time", "label": "非全日制就业"}],
)
def list_employment_types() -> list[dict[str, str]]:
    """The kinds of flexible employment to choose from (灵活就业类型)."""
    return [{"code": code, "label": label} for code, label in rules.EMPLOYMENT_TYPES.items()]


@registrations.route("", methods=["GET"])
@own
@registrations.arguments(FiltersSchema, location="query")
@registrations.response(
    200,
    page_schema(schemas.RegistrationRowSchema),
    example=one_page(schemas.EXAMPLE_REGISTRATION_ROW),
)
def list_registrations(query: tuple[Filters, Page]) -> Any:
    """One's own applications and their progress, newest first (查询)."""
    filters, page = query
    with reading() as db:
        return page_of(
            db, filing.own(FlexibleEmploymentApplication, actor(), filters), page, by=queries.NEWEST
        )


@registrations.route("", methods=["POST"])
@own
@registrations.arguments(
    schemas.OpeningSchema,
    example={"kind": "registration", "employment": schemas.EXAMPLE_EMPLOYMENT},
)
@registrations.response(201, schemas.RegistrationSchema, example=schemas.EXAMPLE_REGISTRATION)
def open_draft(opening: actions.Opening) -> FlexibleEmploymentApplication:
    """Open the form for a registration or a change (新增 / 变更).

    409 `application-open` (with `application_id`, when it is one's own),
    `already-flexibly-employed`, `not-flexibly-employed`, `record-invalid`; 422
    `not-of-working-age`; 404 `application-not-found` for `copy_of`; 503 `external-unavailable`
    with `retryable`: send it again with the same key.
    """
    token = bearer(request.headers.get("Authorization")) or ""
    person = parts().userinfo.read(token)
    with transaction() as db:
        return versions.tag(
            actions.open_draft(db, opening, person=person, actor=actor(), now=now())
        )


@registrations.route("/<application_id>", methods=["GET"])
@own
@registrations.response(200, schemas.RegistrationSchema, example=schemas.EXAMPLE_REGISTRATION)
def show_registration(application_id: str) -> FlexibleEmploymentApplication:
    """One's own application in full.

    404 `application-not-found`: there is none, or it is somebody else's.
    """
    with reading() as db:
        return versions.tag(queries.find_own(db, application_id, actor()))


@registrations.route("/<application_id>", methods=["PATCH"])
@own
@registrations.arguments(schemas.EditSchema, example={"employment": {"occupation": "网约配送员"}})
@registrations.response(200, schemas.RegistrationSchema, example=schemas.EXAMPLE_REGISTRATION)
def save(edit: dict[str, Any], application_id: str) -> FlexibleEmploymentApplication:
    """Keep what is filled in so far; nothing is submitted (保存).

    Fields that are not given stay as they are, null empties one. 409 `wrong-state`; 412
    `changed-meanwhile`; 428 without If-Match.
    """
    seen = versions.expected_version()
    with transaction() as db:
        return versions.tag(
            actions.save(
                db, application_id, edit["employment"], actor=actor(), now=now(), seen=seen
            )
        )


@registrations.route("/<application_id>", methods=["DELETE"])
@own
@registrations.response(204)
def delete(application_id: str) -> Response:
    """Throw a draft away (删除).

    409 `wrong-state`: it has been filed.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        actions.delete(db, application_id, actor=actor(), seen=seen)
    return Response(status=204)


@registrations.route("/<application_id>/submit", methods=["POST"])
@own
@registrations.arguments(NoteSchema, example={"note": "已补充地址"})
@registrations.response(200, schemas.RegistrationSchema, example=schemas.EXAMPLE_REGISTRATION)
def submit(body: dict[str, Any], application_id: str) -> FlexibleEmploymentApplication:
    """Check everything that was saved and send it to review (提交).

    422 `application-incomplete` names every wrong field of `/employment` and `/person`; 409
    `wrong-state`, `already-flexibly-employed`, `record-invalid`, `changed-meanwhile`.
    """
    seen = versions.expected_version(required=False)
    days = parts().settings.review_working_days
    with transaction() as db:
        return versions.tag(
            actions.submit(
                db,
                application_id,
                actor=actor(),
                now=now(),
                review_days=days,
                note=body["note"],
                seen=seen,
            )
        )


@registrations.route("/<application_id>/withdraw", methods=["POST"])
@own
@registrations.arguments(NoteSchema, example={"note": "需要修改地址"})
@registrations.response(200, schemas.RegistrationSchema, example=schemas.EXAMPLE_REGISTRATION)
def withdraw(body: dict[str, Any], application_id: str) -> FlexibleEmploymentApplication:
    """Take back what is not decided yet (撤回).

    409 `wrong-state`: it is decided already, or was never filed.
    """
    with transaction() as db:
        return versions.tag(
            actions.withdraw(db, application_id, actor=actor(), now=now(), note=body["note"])
        )


@registrations.route("/<application_id>/cancel", methods=["POST"])
@own
@registrations.arguments(schemas.CancellationSchema, example={"reason": "已入职单位"})
@registrations.response(200, schemas.RegistrationSchema, example=schemas.EXAMPLE_REGISTRATION)
def cancel(body: dict[str, str], application_id: str) -> FlexibleEmploymentApplication:
    """End the record at once and for ever (注销).

    What was approved for the record becomes `cancelled` (无效), a filed change is withdrawn, a
    change in draft is deleted. 409 `only-approved-can-be-cancelled`, `record-invalid`.
    """
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            actions.cancel(
                db, application_id, actor=actor(), now=now(), reason=body["reason"], seen=seen
            )
        )


@registrations.route("/<application_id>/history", methods=["GET"])
@own
@registrations.response(200, HistoryEntrySchema(many=True), example=[EXAMPLE_ENTRY])
def list_history(application_id: str) -> list[history.Entry]:
    """What happened to one's own application, oldest first (办理进度)."""
    with reading() as db:
        return history.list_history(db, queries.find_own(db, application_id, actor()).id)


@records.route("", methods=["GET"])
@own
@records.arguments(PageArguments, location="query")
@records.response(200, page_schema(schemas.RecordSchema), example=one_page(schemas.EXAMPLE_RECORD))
def list_records(page: Page) -> Any:
    """One's own records, the one in force and those that ended."""
    with reading() as db:
        return page_of(db, queries.own_records(actor()), page, by=queries.NEWEST_RECORD)


@records.route("/current", methods=["GET"])
@own
@records.response(200, schemas.RecordSchema, example=schemas.EXAMPLE_RECORD)
def show_current_record() -> FlexibleEmploymentRecord:
    """The record in force (当前有效的登记).

    404 `record-not-found`: the person is not registered now.
    """
    with reading() as db:
        return versions.tag(queries.find_current(db, actor()))
