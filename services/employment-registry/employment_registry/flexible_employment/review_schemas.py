"""The JSON of the officers' side: the queue, what is decided on, and what a decision says."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from employment_registry.flexible_employment import rules
from employment_registry.flexible_employment.schemas import (
    EXAMPLE_ENTRY,
    EXAMPLE_REGISTRATION,
    EXAMPLE_ROW,
    EmploymentSchema,
    FiltersSchema,
    HistoryEntrySchema,
    Part,
    RowSchema,
)
from servicekit.web.reviewing import (
    MAX_REASON,
    NOT_BLANK,
    QueueLineSchema,
    rejection_schema,
    return_schema,
)

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


ReturnSchema = return_schema("ReturnSchema", rules.REASONS, CORRECTABLE)
RejectionSchema = rejection_schema("RejectionSchema", rules.REASONS)


class ReviewRowSchema(QueueLineSchema, RowSchema):
    """A line of the officer's queue."""


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
