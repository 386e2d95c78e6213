"""The JSON of the officers' side: the queue, what is decided on, and what a decision says."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from employment_registry.flexible_employment import review_actions, rules
from employment_registry.flexible_employment.schemas import (
    EXAMPLE_ENTRY,
    EXAMPLE_REGISTRATION,
    EXAMPLE_ROW,
    MAX_REASON,
    NOT_BLANK,
    EmploymentSchema,
    FiltersSchema,
    HistoryEntrySchema,
    Part,
    RowSchema,
)
from servicekit.clock import shanghai_date
from servicekit.web.session import now
from servicekit.web.wording import Told

CORRECTABLE = tuple(f"/employment/{name}" for name in rules.REQUIRED)
REVEALABLE = ("person_name", "document_number", "born_on", "contact_phone")

EXAMPLE_REVIEW_ROW = EXAMPLE_ROW | {
    "open_moves": ["claim", "approve", "return", "reject"],
    "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "is_overdue": False,
    "claimed_by": None,
    "claimed_until": None,
}
EXAMPLE_REVIEW = EXAMPLE_REVIEW_ROW | {
    "employment": EXAMPLE_REGISTRATION["employment"],
    "decision_reason": None,
    "fields_to_correct": [],
    "in_force": None,
}
EXAMPLE_REVIEW_ENTRY = EXAMPLE_ENTRY | {
    "actor_id": "01890a5d-ac96-774b-bcce-b302099a8058",
    "person_id": "01890a5d-ac96-774b-bcce-b302099a8058",
}


class RevealSchema(Schema):
    """Which values an officer must see in full, and what for."""

    values = fields.List(
        fields.Str(validate=validate.OneOf(REVEALABLE)),
        required=True,
        validate=validate.Length(1, len(REVEALABLE)),
    )
    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])


class RevealedSchema(Schema):
    """The clear values; this look is on record."""

    person_name = fields.Str()
    document_number = fields.Str()
    born_on = fields.Str()
    contact_phone = fields.Str()


class _DecisionSchema(Schema):
    """A ready reason by its code, the officer's own words, or both."""

    reason = fields.Str(load_default=None, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])

    @validates_schema
    def check_reason(self, values: dict[str, Any], **_: Any) -> None:
        """A decision against the applicant says why."""
        if not values.get("reason") and not values.get("reason_code"):
            raise ValidationError(Told("required", "请选择或填写理由"), "reason")

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> review_actions.Decision:
        """Input becomes a frozen dataclass before it meets an action."""
        return review_actions.Decision(
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


class Overdue(fields.Boolean):
    """Is the time limit over, with the decision still open?"""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Asked of the rules, on the day of the request."""
        return rules.is_overdue(obj.state, obj.due_on, shanghai_date(now()))


class ReviewRowSchema(RowSchema):
    """A line of the officer's queue."""

    applicant_id = fields.Str(required=True)
    is_overdue = Overdue(required=True)
    claimed_by = fields.Str(allow_none=True, required=True)
    claimed_until = fields.AwareDateTime(allow_none=True, required=True)


class ReviewSchema(ReviewRowSchema):
    """What the officer decides on."""

    employment = Part(EmploymentSchema, required=True)
    decision_reason = fields.Str(allow_none=True, required=True)
    fields_to_correct = fields.List(fields.Str(), required=True)
    in_force = fields.Nested(
        EmploymentSchema,
        attribute="record.application",
        allow_none=True,
        dump_default=None,
        required=True,
    )


class ReviewHistoryEntrySchema(HistoryEntrySchema):
    """The same for officers, with the accounts that acted."""

    actor_id = fields.Str(required=True)
    person_id = fields.Str(allow_none=True, required=True)


class QueueFiltersSchema(FiltersSchema):
    """What an officer narrows the queue by."""

    applicant_id = fields.Str(load_default=None, validate=validate.Length(1, 80))
