"""The JSON of the officers' side: the queue and what is decided on."""

from __future__ import annotations

from marshmallow import fields

from employment_registry.checks.schemas import EXAMPLE_FINDING, Findings
from employment_registry.flexible_employment.schemas import (
    EXAMPLE_REGISTRATION,
    EXAMPLE_ROW,
    EmploymentSchema,
    RowSchema,
)
from servicekit.web.filing import Part
from servicekit.web.teamwork.comparing import EXAMPLE_DIFFERENCES, Comparison
from servicekit.web.teamwork.schemas import EXAMPLE_LINE, TeamLineSchema

EXAMPLE_REVIEW_ROW = EXAMPLE_ROW | {
    "open_moves": ["claim", "approve", "return", "reject"],
    "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "is_overdue": False,
    "due_colour": "green",
    "claimed_by": None,
    "claimed_until": None,
    **EXAMPLE_LINE,
}
EXAMPLE_REVIEW = EXAMPLE_REVIEW_ROW | {
    "employment": EXAMPLE_REGISTRATION["employment"],
    "decision_reason": None,
    "fields_to_correct": [],
    "findings": [EXAMPLE_FINDING],
    "in_force": None,
    "comparison": EXAMPLE_DIFFERENCES,
}


class ReviewRowSchema(TeamLineSchema, RowSchema):
    """A line of the officer's queue."""


class ReviewSchema(ReviewRowSchema):
    """What the officer decides on."""

    employment = Part(EmploymentSchema, required=True)
    decision_reason = fields.Str(allow_none=True, required=True)
    fields_to_correct = fields.List(fields.Str(), required=True)
    findings = Findings()
    in_force = fields.Nested(
        EmploymentSchema,
        attribute="record.application",
        allow_none=True,
        dump_default=None,
        required=True,
    )
    comparison = Comparison(
        "employment", EmploymentSchema, lambda row: row.record and row.record.application
    )
