"""HTTP for persons: their own unemployment registration, and the office that serves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from employment_registry.checks.api import add_checks
from employment_registry.checks.schemas import EXAMPLE_CHECKING
from employment_registry.guide_links import link_guides
from employment_registry.parts import asking_person, parts
from employment_registry.person_schemas import LabelSchema
from employment_registry.unemployment import actions, queries, rules, schemas
from employment_registry.unemployment.model import UnemploymentApplication, UnemploymentRecord
from employment_registry.unemployment.opening_rules import GUIDE, PLACE_GUIDE
from servicekit.web import versions
from servicekit.web.access import access, public
from servicekit.web.api import Blueprint
from servicekit.web.filing import page as one_page
from servicekit.web.filing_routes import Form, add_filings
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.workflow import Role

applications = Blueprint(
    "unemployment-registrations",
    __name__,
    url_prefix="/unemployment-registrations",
    description="失业登记：本人的申请",
)
records = Blueprint(
    "unemployment-records",
    __name__,
    url_prefix="/unemployment-records",
    description="失业登记：本人的登记记录",
)
own = access(Role.APPLICANT, level=2, kinds=("person",))
link_guides(applications, [GUIDE])
link_guides(records, [PLACE_GUIDE])


@applications.route("/causes", methods=["GET"])
@public
@applications.response(
    200, LabelSchema(many=True), example=[{"code": "graduated", "label": "毕业（肄业）未就业"}]
)
def list_causes() -> list[dict[str, str]]:
    """Why a person may be without work (失业原因)."""
    return [{"code": code, "label": label} for code, label in rules.CAUSES.items()]


@applications.route("/endings", methods=["GET"])
@public
@applications.response(
    200, LabelSchema(many=True), example=[{"code": "employed", "label": "已就业"}]
)
def list_endings() -> list[dict[str, str]]:
    """Why a person may end the registration (终止原因)."""
    return [{"code": each, "label": rules.ENDINGS[each]} for each in rules.OWN_ENDINGS]


@applications.route("", methods=["POST"])
@own
@applications.arguments(
    schemas.UnemploymentOpeningSchema, example={"unemployment": schemas.EXAMPLE_STATEMENT}
)
@applications.response(201, schemas.UnemploymentOwnSchema, example=schemas.EXAMPLE_OWN)
def open_draft(opening: Mapping[str, Any]) -> UnemploymentApplication:
    """Open the form (新增).

    409 `application-open` (with `application_id`, when it is one's own), `already-unemployed`,
    `registered-as-employed`; 422 `not-of-working-age`; 404 `application-not-found` for `copy_of`;
    503 `external-unavailable` with `retryable`: send it again with the same key.
    """
    person = asking_person()
    stated, copied = opening["unemployment"], opening["copy_of"]
    with transaction() as db:
        return versions.tag(
            actions.open_draft(db, stated, person=person, actor=actor(), now=now(), copy_of=copied)
        )


def _submit(db: Session, application_id: str, **how: Any) -> UnemploymentApplication:
    return actions.submit(db, application_id, off=parts().settings.outside_off, **how)


add_filings(
    applications,
    actions.FILINGS,
    Form(
        part="unemployment",
        section=schemas.UnemploymentSchema,
        row=schemas.UnemploymentOwnRowSchema,
        view=schemas.UnemploymentOwnSchema,
        example_section={"wishes": ["job"]},
        example_row=schemas.EXAMPLE_OWN_ROW,
        example=schemas.EXAMPLE_OWN,
        submit=_submit,
        buttons={"变更服务地": "POST /unemployment-records/current/change-service-place"},
    ),
    own,
)
add_checks(
    applications,
    actions.FILINGS,
    actions.CHECKED,
    own,
    view=schemas.UnemploymentOwnSchema,
    example=schemas.EXAMPLE_OWN | EXAMPLE_CHECKING,
)


@records.route("", methods=["GET"])
@own
@records.arguments(PageArguments, location="query")
@records.response(
    200, page_schema(schemas.UnemploymentRecordSchema), example=one_page(schemas.EXAMPLE_RECORD)
)
def list_records(page: Page) -> Any:
    """One's own registrations, the one in force and those that ended."""
    with reading() as db:
        return page_of(db, queries.own_records(actor()), page, by=queries.NEWEST_RECORD)


@records.route("/current", methods=["GET"])
@own
@records.response(200, schemas.UnemploymentRecordSchema, example=schemas.EXAMPLE_RECORD)
def show_current_record() -> UnemploymentRecord:
    """The registration in force (当前有效的登记).

    404 `record-not-found`: the person is not registered as unemployed now.
    """
    with reading() as db:
        return versions.tag(queries.find_current(db, actor()))


@records.route("/current/change-service-place", methods=["POST"])
@own
@records.arguments(schemas.ServicePlaceSchema, example={"service_place": "440106007"})
@records.response(200, schemas.UnemploymentRecordSchema, example=schemas.EXAMPLE_RECORD)
def change_service_place(body: dict[str, str]) -> UnemploymentRecord:
    """Choose another office; takes effect at once, once in a pause of the policy (变更服务地).

    409 `not-unemployed`, `service-place-changed-recently` (with `next_date`); 422
    `service-place-unchanged`, `application-incomplete`.
    """
    place = body["service_place"]
    with transaction() as db:
        return versions.tag(actions.change_service_place(db, place, actor=actor(), now=now()))


@records.route("/current/end", methods=["POST"])
@own
@records.arguments(
    schemas.UnemploymentOwnEndingSchema, example={"ending": "employed", "note": "已入职"}
)
@records.response(200, schemas.UnemploymentRecordSchema, example=schemas.EXAMPLE_RECORD)
def end(body: dict[str, Any]) -> UnemploymentRecord:
    """End the registration, with the reason, for ever (终止登记).

    404 `record-not-found`.
    """
    ending = rules.Ending(body["ending"])
    with transaction() as db:
        return versions.tag(
            actions.end_own(db, ending, actor=actor(), now=now(), note=body["note"])
        )
