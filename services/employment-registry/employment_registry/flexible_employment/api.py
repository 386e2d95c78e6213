"""HTTP for persons: their own flexible-employment registrations and records."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from employment_registry.checks.api import add_checks
from employment_registry.checks.schemas import EXAMPLE_CHECKING
from employment_registry.flexible_employment import actions, queries, rules, schemas
from employment_registry.flexible_employment.model import (
    FlexibleEmploymentApplication,
    FlexibleEmploymentRecord,
)
from employment_registry.flexible_employment.opening_rules import CANCELLATION_GUIDE, GUIDES
from employment_registry.guide_links import link_guides
from employment_registry.parts import asking_person, parts
from employment_registry.person_schemas import LabelSchema
from servicekit.web import versions
from servicekit.web.access import access, public
from servicekit.web.api import Blueprint
from servicekit.web.filing import page as one_page
from servicekit.web.filing_routes import Form, add_filings
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
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
link_guides(registrations, [*GUIDES.values(), CANCELLATION_GUIDE])


@registrations.route("/employment-types", methods=["GET"])
@public
@registrations.response(
    200,
    LabelSchema(many=True),
    example=[{"code": "part-time", "label": "非全日制就业"}],
)
def list_employment_types() -> list[dict[str, str]]:
    """The kinds of flexible employment to choose from (灵活就业类型)."""
    return [{"code": code, "label": label} for code, label in rules.EMPLOYMENT_TYPES.items()]


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
    person = asking_person()
    with transaction() as db:
        return versions.tag(
            actions.open_draft(db, opening, person=person, actor=actor(), now=now())
        )


@registrations.route("/<application_id>/cancel", methods=["POST"])
@own
@registrations.doc(**{"x-confirm": rules.CANCELLATION_WARNING})
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


def _submit(db: Session, application_id: str, **how: Any) -> FlexibleEmploymentApplication:
    return actions.submit(db, application_id, off=parts().settings.outside_off, **how)


add_filings(
    registrations,
    actions.FILINGS,
    Form(
        part="employment",
        section=schemas.EmploymentSchema,
        row=schemas.RegistrationRowSchema,
        view=schemas.RegistrationSchema,
        example_section={"occupation": "网约配送员"},
        example_row=schemas.EXAMPLE_REGISTRATION_ROW,
        example=schemas.EXAMPLE_REGISTRATION,
        submit=_submit,
    ),
    own,
)
add_checks(
    registrations,
    actions.FILINGS,
    actions.CHECKED,
    own,
    view=schemas.RegistrationSchema,
    example=schemas.EXAMPLE_REGISTRATION | EXAMPLE_CHECKING,
)


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
