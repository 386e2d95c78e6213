"""The JSON of the officers' side of recoveries; personal values are masked."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from identity.recovery import rules
from servicekit.web.filing import OpenMoves
from servicekit.web.reviewing import QueueLineSchema

_ID: Final = "01890a5d-ac96-774b-bcce-b302099a8057"
_ROW: Final[dict[str, Any]] = {
    "id": _ID,
    "number": "440106-91-20261121-000001-7",
    "state": "submitted",
    "state_label": "待审核",
    "region": "440106",
    "goal": "password",
    "is_matched": True,
    "contact_name": "林**",
    "contact_phone": "138****0000",
    "submitted_at": "2026-11-21T02:00:00+00:00",
    "decided_at": None,
    "due_on": "2026-11-24",
    "is_overdue": False,
    "due_colour": "green",
    "claimed_by": None,
    "claimed_until": None,
    "applicant_id": "visitor",
    "version": 2,
}
_FILE: Final = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8059",
    "kind": "id-front",
    "label": "身份证件正面照片",
    "media_type": "image/jpeg",
    "size": 182044,
}
_VIEW: Final = {
    "files": [_FILE],
    "decision_reason": None,
    "fields_to_correct": [],
}
EXAMPLE_PERSON_ROW: Final = _ROW | {"open_moves": ["claim", "return", "reject", "approve"]}
EXAMPLE_PERSON: Final = (
    EXAMPLE_PERSON_ROW
    | _VIEW
    | {
        "document_type": "resident-card",
        "document_number": "440***********0012",
        "login_name": "*",
    }
)
EXAMPLE_UNIT_ROW: Final = _ROW | {
    "number": "440106-92-20261121-000001-5",
    "open_moves": ["claim", "return", "reject", "endorse"],
    "certificate_number": "914403001922038216",
    "unit_name": "广州示例人力资源有限公司",
    "endorsed_by": None,
    "endorsed_at": None,
}
EXAMPLE_UNIT: Final = EXAMPLE_UNIT_ROW | _VIEW


class RecoveryFileSchema(Schema):
    """One photograph; its bytes are asked for apart, and every look is on record."""

    id = fields.Str(required=True)
    kind = fields.Str(required=True)
    label = fields.Function(lambda f: rules.LABELS[f.kind], required=True)
    media_type = fields.Str(required=True)
    size = fields.Int(required=True)


class RecoveryRowSchema(QueueLineSchema):
    """What every line of the queue shows."""

    id = fields.Str(required=True)
    number = fields.Str(required=True)
    state = fields.Str(required=True)
    state_label = fields.Function(lambda c: c.state.label, required=True)
    region = fields.Str(required=True)
    goal = fields.Enum(rules.Goal, by_value=True, required=True)
    is_matched = fields.Bool(required=True)
    contact_name = fields.Str(required=True)
    contact_phone = fields.Str(required=True)
    submitted_at = fields.AwareDateTime(required=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    version = fields.Int(required=True)


class _ViewSchema(Schema):
    files = fields.List(fields.Nested(RecoveryFileSchema), required=True)
    decision_reason = fields.Str(allow_none=True, required=True)
    fields_to_correct = fields.List(fields.Str(), required=True)


class PersonRecoveryRowSchema(RecoveryRowSchema):
    """A line of the persons' queue."""

    open_moves = OpenMoves(rules.PERSON_WORKFLOW)


class PersonRecoverySchema(PersonRecoveryRowSchema, _ViewSchema):
    """What an officer decides on, for a person."""

    document_type = fields.Str(required=True)
    document_number = fields.Str(required=True)
    login_name = fields.Str(required=True, allow_none=True)


class UnitRecoveryRowSchema(RecoveryRowSchema):
    """A line of the units' queue."""

    open_moves = OpenMoves(rules.UNIT_WORKFLOW)
    certificate_number = fields.Str(required=True)
    unit_name = fields.Str(required=True)
    endorsed_by = fields.Str(required=True, allow_none=True)
    endorsed_at = fields.AwareDateTime(required=True, allow_none=True)


class UnitRecoverySchema(UnitRecoveryRowSchema, _ViewSchema):
    """What two officers decide on, for a unit."""
