"""HTTP for officers: the queue of their region, and what they decide."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from employment_registry.flexible_employment import queries, reviewing, rules
from employment_registry.flexible_employment.model import FlexibleEmploymentApplication
from employment_registry.flexible_employment.schemas import (
    EmploymentSchema,
    FiltersSchema,
    HistoryEntrySchema,
    Part,
    RowSchema,
)
from servicekit import history
from servicekit.clock import shanghai_date
from servicekit.web import versions
from servicekit.web.access import access
from servicekit.web.api import Blueprint, NoteSchema
from servicekit.web.paging import Page, page_of, page_schema
from servicekit.web.session import actor, now, reading, transaction
from servicekit.web.wording import Told
from servicekit.workflow import Role

MAX_REASON = 500
CORRECTABLE = tuple(f"/employment/{name}" for name in rules.REQUIRED)
REVEALABLE = ("person_name", "document_number", "born_on", "contact_phone")


class RevealSchema(Schema):
    """Which values an officer must see in full, and what for."""

    values = fields.List(
        fields.Str(validate=validate.OneOf(REVEALABLE)),
        required=True,
        validate=validate.Length(1, len(REVEALABLE)),
    )
    reason = fields.Str(required=True, validate=validate.Length(1, MAX_REASON))


class RevealedSchema(Schema):
    """The clear values; this look is on record."""

    person_name = fields.Str()
    document_number = fields.Str()
    born_on = fields.Str()
    contact_phone = fields.Str()


class _DecisionSchema(Schema):
    """A ready reason by its code, the officer's own words, or both."""

    reason = fields.Str(load_default=None, validate=validate.Length(1, MAX_REASON))

    @validates_schema
    def check_reason(self, values: dict[str, Any], **_: Any) -> None:
        """A decision against the applicant says why."""
        if not values.get("reason") and not values.get("reason_code"):
            raise ValidationError(Told("required", "请选择或填写理由"), "reason")

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> reviewing.Decision:
        """Input becomes a frozen dataclass before it meets an action."""
        return reviewing.Decision(
            rules.reason_text(values["reason_code"], values["reason"]),
            tuple(values.get("fields_to_correct", ())),
        )


def _codes(move: str) -> list[str]:
    return [reason.code for reason in rules.REASONS if reason.move == move]


class ReturnSchema(_DecisionSchema):
    """退回补正: why, and which fields to correct."""

    reason_code = fields.Str(load_default=None, validate=validate.OneOf(_codes("return")))
    fields_to_correct = fields.List(
        fields.Str(validate=validate.OneOf(CORRECTABLE)),
        load_default=list,
        validate=validate.Length(max=len(CORRECTABLE)),
    )


class RejectionSchema(_DecisionSchema):
    """审核不通过: why."""

    reason_code = fields.Str(load_default=None, validate=validate.OneOf(_codes("reject")))


class ReasonSchema(Schema):
    """One entry of the reason library."""

    code = fields.Str(required=True)
    move = fields.Str(required=True)
    text = fields.Str(required=True)


class ReviewRowSchema(RowSchema):
    """A line of the officer's queue."""

    applicant_id = fields.Str()
    is_overdue = fields.Method("say_overdue")
    claimed_by = fields.Str(allow_none=True)
    claimed_until = fields.AwareDateTime(allow_none=True)

    def say_overdue(self, application: FlexibleEmploymentApplication) -> bool:
        """Is the time limit over, with the decision still open?"""
        today = shanghai_date(now())
        return rules.is_overdue(application.state, application.due_on, today)


class ReviewSchema(ReviewRowSchema):
    """What the officer decides on."""

    employment = Part(EmploymentSchema)
    decision_reason = fields.Str(allow_none=True)
    fields_to_correct = fields.List(fields.Str())
    in_force = fields.Nested(EmploymentSchema, attribute="record.application")


class ReviewHistoryEntrySchema(HistoryEntrySchema):
    """The same for officers, with the accounts that acted."""

    actor_id = fields.Str()
    person_id = fields.Str(allow_none=True)


class QueueFiltersSchema(FiltersSchema):
    """What an officer narrows the queue by."""

    applicant_id = fields.Str(load_default=None, validate=validate.Length(1, 80))


reviews = Blueprint(
    "flexible-employment-reviews",
    __name__,
    url_prefix="/flexible-employment-reviews",
    description="灵活就业登记：审核",
)
officer = access(Role.REVIEWER, business=rules.WORKFLOW.name)


@reviews.route("/reasons", methods=["GET"])
@officer
@reviews.response(200, ReasonSchema(many=True))
def list_reasons() -> list[rules.Reason]:
    """Ready texts for sending back and turning down (常用理由)."""
    return list(rules.REASONS)


@reviews.route("", methods=["GET"])
@officer
@reviews.arguments(QueueFiltersSchema, location="query")
@reviews.response(200, page_schema(ReviewRowSchema))
def list_queue(query: tuple[queries.Filters, Page]) -> Any:
    """What was filed in the officer's region and below, what is due first stands first."""
    filters, page = query
    with reading() as db:
        return page_of(
            db, queries.queue(actor(), filters), page, by=queries.DUE_FIRST, descending=False
        )


@reviews.route("/<application_id>", methods=["GET"])
@officer
@reviews.response(200, ReviewSchema)
def show_review(application_id: str) -> FlexibleEmploymentApplication:
    """What is asked, beside what is in force."""
    with reading() as db:
        return versions.tag(queries.find_for_officer(db, application_id, actor()))


@reviews.route("/<application_id>/history", methods=["GET"])
@officer
@reviews.response(200, ReviewHistoryEntrySchema(many=True))
def list_review_history(application_id: str) -> list[history.Entry]:
    """What happened to an application, with who did it."""
    with reading() as db:
        return history.list_history(db, queries.find_for_officer(db, application_id, actor()).id)


@reviews.route("/<application_id>/claim", methods=["POST"])
@officer
@reviews.response(200, ReviewSchema)
def claim(application_id: str) -> FlexibleEmploymentApplication:
    """Hold it for fifteen minutes (认领)."""
    with transaction() as db:
        return versions.tag(reviewing.claim(db, application_id, actor=actor(), now=now()))


@reviews.route("/<application_id>/release", methods=["POST"])
@officer
@reviews.response(200, ReviewSchema)
def release(application_id: str) -> FlexibleEmploymentApplication:
    """Give it back (取消认领)."""
    with transaction() as db:
        return versions.tag(reviewing.release(db, application_id, actor=actor(), now=now()))


@reviews.route("/<application_id>/approve", methods=["POST"])
@officer
@reviews.arguments(NoteSchema)
@reviews.response(200, ReviewSchema)
def approve(body: dict[str, Any], application_id: str) -> FlexibleEmploymentApplication:
    """审核通过: the record is founded or changed."""
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            reviewing.approve(
                db, application_id, actor=actor(), now=now(), note=body["note"], seen=seen
            )
        )


@reviews.route("/<application_id>/return", methods=["POST"])
@officer
@reviews.arguments(ReturnSchema)
@reviews.response(200, ReviewSchema)
def send_back(decision: reviewing.Decision, application_id: str) -> FlexibleEmploymentApplication:
    """退回补正, with a reason and the fields to correct."""
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            reviewing.send_back(db, application_id, decision, actor=actor(), now=now(), seen=seen)
        )


@reviews.route("/<application_id>/reject", methods=["POST"])
@officer
@reviews.arguments(RejectionSchema)
@reviews.response(200, ReviewSchema)
def reject(decision: reviewing.Decision, application_id: str) -> FlexibleEmploymentApplication:
    """审核不通过, with a reason."""
    seen = versions.expected_version(required=False)
    with transaction() as db:
        return versions.tag(
            reviewing.reject(db, application_id, decision, actor=actor(), now=now(), seen=seen)
        )


@reviews.route("/<application_id>/reveal", methods=["POST"])
@officer
@reviews.arguments(RevealSchema)
@reviews.response(200, RevealedSchema)
def reveal(body: dict[str, Any], application_id: str) -> dict[str, str]:
    """See masked values in full; the look is on record (查看完整信息)."""
    with transaction() as db:
        return reviewing.look_at(
            db, application_id, body["values"], actor=actor(), now=now(), reason=body["reason"]
        )
