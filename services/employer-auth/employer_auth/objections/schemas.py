"""The JSON of objections: what a legal representative sends, what officers are shown."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate

from employer_auth import typed_codes
from employer_auth.objections import rules
from employer_auth.objections.model import ObjectionSecret
from servicekit.claims import reason_text
from servicekit.clock import shanghai_date
from servicekit.errors import Invalid
from servicekit.identifiers import check_uscc
from servicekit.web.paging import PageArguments
from servicekit.web.parsing import NOT_BLANK
from servicekit.web.reviewing import MAX_REASON
from servicekit.web.session import actor, now
from servicekit.web.wording import Told, field_errors

EXAMPLE: Final = {"uscc": "914403001922038216", "code": "8B7-QWX-3KM-0TN-V5Z-6"}
EXAMPLE_OBJECTION: Final = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8065",
    "unit_id": "01890a5d-ac96-774b-bcce-b302099a8058",
    "unit_name": "广州示例科技有限公司",
    "uscc": "914403001922038216",
    "region": "440106",
    "cause": "first-binding",
    "cause_label": "绑定了首位经办人",
    "state": "waiting",
    "state_label": "待核实",
    "filed_at": "2026-11-21T02:00:00+00:00",
    "due_on": "2026-11-25",
    "is_overdue": False,
    "decided_at": None,
    "decided_by": None,
    "reason": None,
    "open_moves": ["uphold", "lift"],
    "version": 1,
}
EXAMPLE_ENTRY: Final = {
    "move": "object",
    "before": "none",
    "after": "waiting",
    "role": "system",
    "at": "2026-11-21T02:00:00+00:00",
    "note": None,
    "actor_id": "system:employer-auth",
    "person_id": None,
}


class ObjectionInputSchema(Schema):
    """The unit's USCC and the code from the SMS; dashes and capitals do not matter."""

    uscc = fields.Str(required=True, validate=validate.Length(1, 40))
    code = fields.Str(required=True, validate=validate.Length(1, 60))

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Both in the form that is stored; the code is secret from here on."""
        code = typed_codes.read(values["code"])
        wrong: dict[str, list[str]] = {}
        try:
            uscc = check_uscc(values["uscc"].strip().upper())
        except Invalid as refused:
            wrong["uscc"] = [Told(refused.code, refused.message)]
        if not typed_codes.is_plausible(code, rules.CODE_BITS):
            wrong["code"] = [Told("code-mistyped", "异议码输入有误，请对照短信逐位核对")]
        if wrong:
            raise ValidationError(wrong)
        return {"uscc": uscc, "typed": ObjectionSecret(code)}


def read_form(given: dict[str, str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The page's form as the API reads it, or which field is wrong and why."""
    try:
        return ObjectionInputSchema().load(given), []
    except ValidationError as wrong:
        found = field_errors(wrong.messages)
        return {}, [(each.field.strip("/"), each.message) for each in found]


class ObjectionReceivedSchema(Schema):
    """The one answer there is."""

    message = fields.Str(required=True)


class ObjectionFiltersSchema(PageArguments):
    """What an officer narrows the queue by."""

    state = fields.Enum(rules.ObjectionState, by_value=True, load_default=None)

    @post_load
    def build(self, values: dict[str, Any], **how: Any) -> Any:
        """The state, and which part of the list."""
        state = values.pop("state")
        return state, super().build(values, **how)


class ObjectionSchema(Schema):
    """An objection, as officers see it."""

    id = fields.Str(required=True)
    unit_id = fields.Str(required=True)
    unit_name = fields.Str(required=True, attribute="unit.name")
    uscc = fields.Str(required=True, attribute="unit.certificate_number")
    region = fields.Str(required=True, attribute="unit.region")
    cause = fields.Enum(rules.Cause, by_value=True, required=True)
    cause_label = fields.Function(lambda it: rules.CAUSE_WORDS[it.cause], required=True)
    state = fields.Enum(rules.ObjectionState, by_value=True, required=True)
    state_label = fields.Str(required=True, attribute="state.label")
    filed_at = fields.AwareDateTime(required=True)
    due_on = fields.Date(required=True)
    is_overdue = fields.Function(
        lambda it: rules.is_overdue(it.state, it.due_on, shanghai_date(now())), required=True
    )
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    decided_by = fields.Str(required=True, allow_none=True)
    reason = fields.Str(required=True, allow_none=True)
    open_moves = fields.Function(
        lambda it: rules.WORKFLOW.open_moves(it.state, actor().role), required=True
    )
    version = fields.Int(required=True)


class ObjectionEntrySchema(Schema):
    """One move of an objection."""

    move = fields.Str(required=True)
    before = fields.Str(required=True)
    after = fields.Str(required=True)
    role = fields.Str(required=True)
    at = fields.AwareDateTime(required=True)
    note = fields.Str(required=True, allow_none=True)
    actor_id = fields.Str(required=True)
    person_id = fields.Str(required=True, allow_none=True)


class ObjectionReasonSchema(Schema):
    """One ready text."""

    code = fields.Str(required=True)
    move = fields.Str(required=True)
    text = fields.Str(required=True)


class ObjectionDecisionSchema(Schema):
    """Why, by a ready reason, in words, or both."""

    reason_code = fields.Str(
        load_default=None, validate=validate.OneOf([reason.code for reason in rules.REASONS])
    )
    reason = fields.Str(load_default=None, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> str:
        """The text that is kept and told."""
        text = reason_text(rules.REASONS, values["reason_code"], values["reason"])
        if not text:
            raise ValidationError({"reason": [Told("required", "请选择或填写理由")]})
        return text
