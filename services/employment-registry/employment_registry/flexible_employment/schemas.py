"""The JSON of flexible employment: what forms send, and what people and officers are shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from employment_registry.checks.schemas import Check
from employment_registry.flexible_employment import rules
from employment_registry.flexible_employment.actions import Opening
from employment_registry.flexible_employment.opening_rules import GUIDES
from employment_registry.person_schemas import (
    EXAMPLE_FILED,
    EXAMPLE_OWN_FILED,
    DecisionRestsOn,
    FiledSchema,
    OwnFiledSchema,
    PersonSchema,
    region_field,
)
from servicekit.web.filing import OpenMoves, Part, Phone
from servicekit.web.parsing import NOT_BLANK
from servicekit.web.reviewing import MAX_REASON

EXAMPLE_EMPLOYMENT: Final = {
    "employment_type": "platform",
    "started_on": "2026-09-01",
    "work_place": "440106003",
    "address": "五山路1号",
    "occupation": "网约配送员",
    "monthly_income": "4500.00",
}
EXAMPLE_ROW: Final[dict[str, Any]] = {
    "id": "01a1fcb7-993f-74cb-be82-b9befbd64970",
    "number": "440106-01-20260929-000001-2",
    "kind": "registration",
    **EXAMPLE_FILED,
    "open_moves": ["withdraw"],
}
EXAMPLE_REGISTRATION_ROW: Final = EXAMPLE_ROW | EXAMPLE_OWN_FILED | {"record_id": None}
EXAMPLE_REGISTRATION: Final = EXAMPLE_REGISTRATION_ROW | {
    "employment": EXAMPLE_EMPLOYMENT | {"contact_phone": "138****0000"},
    "decision_reason": None,
    "decision_rests_on": None,
    "fields_to_correct": [],
    "check": None,
}
EXAMPLE_RECORD: Final = {
    "id": "01a1fcb7-9984-75ed-adc5-5ce1f0dc9fe8",
    "is_valid": True,
    "application_id": EXAMPLE_ROW["id"],
    "number": EXAMPLE_ROW["number"],
    "person": EXAMPLE_ROW["person"],
    "employment": EXAMPLE_REGISTRATION["employment"],
    "valid_since": "2026-09-30T03:00:00+00:00",
    "changed_at": None,
    "ended_at": None,
}


class EmploymentSchema(Schema):
    """个人就业信息: any field may be missing in a draft; null empties it."""

    employment_type = fields.Enum(rules.EmploymentType, by_value=True, allow_none=True)
    started_on = fields.Date(allow_none=True)
    work_place = region_field()
    address = fields.Str(allow_none=True, validate=[validate.Length(1, 200), NOT_BLANK])
    occupation = fields.Str(allow_none=True, validate=[validate.Length(1, 60), NOT_BLANK])
    monthly_income = fields.Decimal(
        places=2,
        as_string=True,
        allow_none=True,
        allow_nan=False,
        validate=validate.Range(Decimal(0), rules.LARGEST_INCOME),
    )
    contact_phone = Phone(allow_none=True)


class OpeningSchema(Schema):
    """新增 or 变更, with what the person has filled in already."""

    kind = fields.Enum(rules.Kind, by_value=True, required=True)
    employment = fields.Nested(EmploymentSchema, load_default=dict)
    copy_of = fields.Str(load_default=None, validate=validate.Length(max=36))

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Opening:
        """Input becomes a frozen dataclass before it meets an action."""
        return Opening(**values)


class CancellationSchema(Schema):
    """注销原因."""

    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])


class RowSchema(FiledSchema):
    """What every list and every view of an application shows."""

    kind = fields.Enum(rules.Kind, by_value=True, required=True)
    open_moves = OpenMoves(rules.WORKFLOW)


class RegistrationRowSchema(OwnFiledSchema, RowSchema):
    """A line of the person's own list."""

    record_id = fields.Str(allow_none=True, required=True)


class RegistrationSchema(RegistrationRowSchema):
    """The person's own application in full."""

    employment = Part(EmploymentSchema, required=True)
    decision_reason = fields.Str(allow_none=True, required=True)
    decision_rests_on = DecisionRestsOn(rules.REASONS, lambda row: GUIDES[row.kind])
    fields_to_correct = fields.List(fields.Str(), required=True)
    check = Check()


class RecordSchema(Schema):
    """A record, and the information in force."""

    id = fields.Str(required=True)
    is_valid = fields.Bool(required=True)
    application_id = fields.Str(required=True)
    number = fields.Str(attribute="application.number", dump_only=True)
    person = fields.Nested(PersonSchema, attribute="application", dump_only=True)
    employment = fields.Nested(EmploymentSchema, attribute="application", dump_only=True)
    valid_since = fields.AwareDateTime(required=True)
    changed_at = fields.AwareDateTime(allow_none=True, required=True)
    ended_at = fields.AwareDateTime(allow_none=True, required=True)
