"""The JSON of the officers' side of authorisation codes."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from employer_auth.authorisation_codes import rules
from employer_auth.authorisation_codes.schemas import (
    EXAMPLE_CASE,
    EXAMPLE_MATERIAL,
    CaseSchema,
    Materials,
    OpenCaseMoves,
)
from employer_auth.parts import parts
from servicekit.web.parsing import NOT_BLANK
from servicekit.web.reviewing import (
    MAX_REASON,
    QueueLineSchema,
    ReasonSchema,
    rejection_schema,
    return_schema,
)
from servicekit.web.session import reading
from servicekit.workflow import State

_PERSON: Final = "01890a5d-ac96-774b-bcce-b302099a8064"
CORRECTABLE: Final = tuple(f"/materials/{kind.code}" for kind in rules.FILES)

EXAMPLE_ROW: Final = {
    name: EXAMPLE_CASE[name]
    for name in ("id", "number", "state", "state_label", "unit_id", "unit_name", "region", "due_on")
} | {
    "open_moves": ["claim", "accept", "return", "reject"],
    "applicant_id": _PERSON,
    "submitted_at": "2026-11-21T02:10:00+00:00",
    "is_overdue": False,
    "due_colour": "green",
    "claimed_by": None,
    "claimed_until": None,
    "channel": "online",
    "accepted_by": None,
    "version": 2,
}
EXAMPLE: Final = (
    EXAMPLE_CASE
    | EXAMPLE_ROW
    | {"agent_materials": [EXAMPLE_MATERIAL | {"kind": "agent-document"}]}
)
EXAMPLE_COUNTER: Final = {
    "binding_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "materials": ["01890a5d-ac96-774b-bcce-b302099a8059", "01890a5d-ac96-774b-bcce-b302099a8060"],
    "originals_seen": True,
}

ReturnAuthorisationSchema = return_schema("ReturnAuthorisationSchema", rules.REASONS, CORRECTABLE)
RejectAuthorisationSchema = rejection_schema("RejectAuthorisationSchema", rules.REASONS)


class AuthorisationReasonSchema(ReasonSchema):
    """One ready text of this matter."""


class CaseQueueSchema(QueueLineSchema):
    """A line of the officers' queue: one unit of an application."""

    id = fields.Str(required=True)
    number = fields.Str(required=True)
    state = fields.Enum(State, by_value=True, required=True)
    state_label = fields.Str(required=True, attribute="state.label")
    unit_id = fields.Str(required=True)
    unit_name = fields.Str(required=True, attribute="unit.name")
    region = fields.Str(required=True)
    submitted_at = fields.AwareDateTime(required=True)
    channel = fields.Enum(
        rules.Channel, by_value=True, required=True, attribute="application.channel"
    )
    accepted_by = fields.Str(required=True, allow_none=True)
    open_moves = OpenCaseMoves()
    version = fields.Int(required=True)


class AgentMaterials(Materials):
    """The files about the agent, which belong to the whole application."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Asked for when it is shown."""
        with reading() as db:
            return parts().uploads.of_subject(db, obj.application_id)


class CaseReviewSchema(CaseQueueSchema, CaseSchema):
    """What an officer decides on."""

    agent_materials = AgentMaterials()


class CounterApplicationSchema(Schema):
    """窗口受理: whose binding, the scans, and that the originals were compared (EA-08)."""

    binding_id = fields.Str(required=True, validate=validate.Length(1, 36))
    materials = fields.List(
        fields.Str(validate=validate.Length(1, 36)),
        required=True,
        validate=validate.Length(1, 2 * rules.MOST_FILES),
    )
    originals_seen = fields.Bool(required=True)
    note = fields.Str(load_default=None, allow_none=True, validate=validate.Length(max=MAX_REASON))


class AgentRevealSchema(Schema):
    """Why the agent's name must be seen in full."""

    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])


class AgentRevealedSchema(Schema):
    """The clear name; this look is on record."""

    person_name = fields.Str(required=True)
