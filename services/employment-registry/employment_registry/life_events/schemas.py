"""The JSON of announced endings and of objections to them."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from employment_registry.life import Standing
from employment_registry.life_events import rules
from employment_registry.life_events.opening_rules import GUIDE
from employment_registry.person_schemas import EXAMPLE_PERSON, DecisionRestsOn, PersonSchema
from servicekit.web.filing import OpenMoves, Part
from servicekit.web.parsing import NOT_BLANK
from servicekit.web.teamwork.schemas import EXAMPLE_LINE, TeamLineSchema
from servicekit.workflow import State

EXAMPLE_ENDING: Final = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8060",
    "number": None,
    "state": "draft",
    "state_label": "已告知",
    "standing": "unemployed",
    "happening": "enrolled",
    "reason": "用人单位已为您办理就业参保登记",
    "happened_on": "2026-09-20",
    "announced_at": "2026-09-29T02:00:00+00:00",
    "takes_effect_on": "2026-10-20",
    "took_effect": False,
    "explanation": None,
    "due_on": None,
    "decision_reason": None,
    "decision_rests_on": None,
    "open_moves": ["object"],
    "version": 1,
}
EXAMPLE_REVIEW: Final = EXAMPLE_ENDING | {
    "number": "440106-04-20260930-000001-7",
    "state": "submitted",
    "state_label": "申诉待审核",
    "explanation": "本人未入职该单位，系冒名参保。",
    "due_on": "2026-10-13",
    "open_moves": ["claim", "approve", "return", "reject", "transfer", "ask-opinion"],
    **EXAMPLE_LINE,
    "region": "440106003",
    "person": EXAMPLE_PERSON,
    "submitted_at": "2026-09-30T02:00:00+00:00",
    "decided_at": None,
    "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "is_overdue": False,
    "due_colour": "green",
    "claimed_by": None,
    "claimed_until": None,
    "fields_to_correct": [],
}


class ObjectionSchema(Schema):
    """Why the person says that it is not so (申诉)."""

    explanation = fields.Str(required=True, validate=[validate.Length(1, 1000), NOT_BLANK])


class _Label(fields.Str):
    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        return rules.LABELS[obj.state]


class _Reason(fields.Str):
    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        return rules.HAPPENINGS[obj.event.happening]


class EndingSchema(Schema):
    """What ends, why, from which day on, and how an objection to it stands."""

    id = fields.Str(required=True)
    number = fields.Str(allow_none=True, required=True)
    state = fields.Enum(State, by_value=True, required=True)
    state_label = _Label(required=True)
    standing = fields.Enum(Standing, by_value=True, required=True)
    happening = fields.Enum(
        rules.Happening, by_value=True, attribute="event.happening", required=True
    )
    reason = _Reason(required=True)
    happened_on = fields.Date(attribute="event.on", required=True)
    announced_at = fields.AwareDateTime(attribute="created_at", required=True)
    takes_effect_on = fields.Date(required=True)
    took_effect = fields.Bool(required=True)
    explanation = fields.Str(allow_none=True, required=True)
    due_on = fields.Date(allow_none=True, required=True)
    decision_reason = fields.Str(allow_none=True, required=True)
    decision_rests_on = DecisionRestsOn(rules.REASONS, lambda _: GUIDE)
    open_moves = OpenMoves(rules.WORKFLOW)
    version = fields.Int(required=True)


class EndingReviewSchema(TeamLineSchema, EndingSchema):
    """A line of the officers' queue, and what the officer decides on."""

    region = fields.Str(required=True)
    person = Part(PersonSchema, required=True)
    submitted_at = fields.AwareDateTime(allow_none=True, required=True)
    decided_at = fields.AwareDateTime(allow_none=True, required=True)
    fields_to_correct = fields.List(fields.Str(), required=True)
