"""The JSON of unemployment registration: what forms send, and what people and officers see."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from employment_registry.checks.schemas import EXAMPLE_FINDING, Check, Findings
from employment_registry.person_schemas import (
    EXAMPLE_FILED,
    EXAMPLE_OWN_FILED,
    EXAMPLE_PERSON,
    DecisionRestsOn,
    FiledSchema,
    OwnFiledSchema,
    PersonSchema,
    region_field,
)
from employment_registry.policies import POLICIES
from employment_registry.policy_kinds import ServicePlacePause
from employment_registry.unemployment import place_rules, rules
from employment_registry.unemployment.opening_rules import GUIDE
from servicekit.clock import shanghai_date
from servicekit.web.filing import OpenMoves, Part, Phone, each_once
from servicekit.web.parsing import NOT_BLANK, Whole
from servicekit.web.reviewing import MAX_REASON
from servicekit.web.session import now, reading
from servicekit.web.teamwork.schemas import EXAMPLE_LINE, TeamLineSchema

EXAMPLE_STATEMENT: Final = {
    "cause": "left-employer",
    "unemployed_on": "2026-09-15",
    "former_employer": "广州市明德机械有限公司",
    "service_place": "440106003",
    "address": "五山路1号",
    "wishes": ["job", "training"],
}
EXAMPLE_ROW: Final[dict[str, Any]] = {
    "id": "01a1fcb7-993f-74cb-be82-b9befbd64971",
    "number": "440106-02-20260929-000001-2",
    **EXAMPLE_FILED,
    "open_moves": ["withdraw"],
}
EXAMPLE_OWN_ROW: Final = EXAMPLE_ROW | EXAMPLE_OWN_FILED
_DECIDED: Final[dict[str, Any]] = {
    "unemployment": EXAMPLE_STATEMENT | {"contact_phone": "138****0000"},
    "decision_reason": None,
    "fields_to_correct": [],
}
EXAMPLE_OWN: Final = EXAMPLE_OWN_ROW | _DECIDED | {"decision_rests_on": None, "check": None}
EXAMPLE_REVIEW_ROW: Final = EXAMPLE_ROW | {
    "open_moves": ["claim", "approve", "return", "reject"],
    "applicant_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "is_overdue": False,
    "due_colour": "green",
    "claimed_by": None,
    "claimed_until": None,
    **EXAMPLE_LINE,
}
EXAMPLE_REVIEW: Final = EXAMPLE_REVIEW_ROW | _DECIDED | {"findings": [EXAMPLE_FINDING]}
EXAMPLE_RECORD: Final = {
    "id": "01a1fcb7-9984-75ed-adc5-5ce1f0dc9fe9",
    "is_valid": True,
    "application_id": EXAMPLE_ROW["id"],
    "number": EXAMPLE_ROW["number"],
    "person": EXAMPLE_PERSON,
    "unemployment": _DECIDED["unemployment"],
    "service_place": "440106003",
    "next_change_on": None,
    "valid_since": "2026-09-30T03:00:00+00:00",
    "ended_at": None,
    "ending": None,
}


class UnemploymentSchema(Schema):
    """失业登记信息: any field may be missing in a draft; null empties it."""

    cause = fields.Enum(rules.Cause, by_value=True, allow_none=True)
    unemployed_on = fields.Date(allow_none=True)
    former_employer = fields.Str(allow_none=True, validate=[validate.Length(1, 120), NOT_BLANK])
    service_place = region_field()
    address = fields.Str(allow_none=True, validate=[validate.Length(1, 200), NOT_BLANK])
    contact_phone = Phone(allow_none=True)
    wishes = fields.List(
        fields.Str(validate=validate.OneOf([wish.value for wish in rules.Wish])),
        validate=validate.Length(max=len(rules.Wish)),
        post_load=each_once,
    )


class UnemploymentOpeningSchema(Schema):
    """新增, with what the person has filled in already."""

    unemployment = fields.Nested(UnemploymentSchema, load_default=dict)
    copy_of = fields.Str(load_default=None, validate=validate.Length(max=36))


class ServicePlaceSchema(Schema):
    """变更服务地: the street whose office is to serve from now on."""

    service_place = fields.Str(required=True, validate=Whole(r"44[0-9]{7}"))


class _EndingSchema(Schema):
    note = fields.Str(load_default=None, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])


class UnemploymentOwnEndingSchema(_EndingSchema):
    """Why the person ends the registration."""

    ending = fields.Str(
        required=True, validate=validate.OneOf([ending.value for ending in rules.OWN_ENDINGS])
    )


class UnemploymentOfficeEndingSchema(_EndingSchema):
    """Why the office ends it."""

    ending = fields.Str(
        required=True, validate=validate.OneOf([ending.value for ending in rules.Ending])
    )


class UnemploymentRowSchema(FiledSchema):
    """What every list and every view of an application shows."""

    open_moves = OpenMoves(rules.WORKFLOW)


class UnemploymentOwnRowSchema(OwnFiledSchema, UnemploymentRowSchema):
    """A line of 申请列表."""


class UnemploymentOwnSchema(UnemploymentOwnRowSchema):
    """The person's own application in full."""

    unemployment = Part(UnemploymentSchema, required=True)
    decision_reason = fields.Str(allow_none=True, required=True)
    decision_rests_on = DecisionRestsOn(rules.REASONS, lambda _: GUIDE)
    fields_to_correct = fields.List(fields.Str(), required=True)
    check = Check()


class UnemploymentReviewRowSchema(TeamLineSchema, UnemploymentRowSchema):
    """A line of the officers' queue."""


class UnemploymentReviewSchema(UnemploymentReviewRowSchema):
    """What the officer decides on."""

    unemployment = Part(UnemploymentSchema, required=True)
    decision_reason = fields.Str(allow_none=True, required=True)
    fields_to_correct = fields.List(fields.Str(), required=True)
    findings = Findings()


class _NextChange(fields.Date):
    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        with reading() as db:
            pause = POLICIES.in_force(db, ServicePlacePause, shanghai_date(now())).length
        return place_rules.next_change(obj.service_place_changed_on, pause)


class UnemploymentRecordSchema(Schema):
    """A registration, who serves it, and when that may change again."""

    id = fields.Str(required=True)
    is_valid = fields.Bool(required=True)
    application_id = fields.Str(required=True)
    number = fields.Str(attribute="application.number", dump_only=True)
    person = fields.Nested(PersonSchema, attribute="application", dump_only=True)
    unemployment = fields.Nested(UnemploymentSchema, attribute="application", dump_only=True)
    service_place = fields.Str(required=True)
    next_change_on = _NextChange(allow_none=True, required=True)
    valid_since = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(allow_none=True, required=True)
    ending = fields.Enum(rules.Ending, by_value=True, allow_none=True, required=True)
