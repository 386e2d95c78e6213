"""The JSON that every officers' side shares: lines of a queue, decisions with their reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from servicekit.claims import Decision, Due, Reason, due_colour, is_overdue, reason_text
from servicekit.filing import Order
from servicekit.queues import SOON, Holder, QueueFilters
from servicekit.reviewing import holder
from servicekit.web.filing import FiltersSchema
from servicekit.web.lines import ReadsFrom
from servicekit.web.parsing import NOT_BLANK, Whole
from servicekit.web.session import now, today
from servicekit.web.wording import Told

MAX_REASON: Final = 500


class ReasonSchema(Schema):
    """One entry of the reason library (常用理由)."""

    code = fields.Str(required=True)
    move = fields.Str(required=True)
    text = fields.Str(required=True)


class Overdue(ReadsFrom, fields.Boolean):
    """Is the time limit over, with the decision still open?"""

    reads = ("state", "due_on")

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Asked of the rules, on the day of the request."""
        return is_overdue(obj.state, obj.due_on, today())


class DueColour(ReadsFrom, fields.Enum[Due]):
    """How near the end of the time limit is, on the day of the request."""

    reads = ("state", "due_on")

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Asked of the rules."""
        return due_colour(obj.state, obj.due_on, today())


class _ClaimedBy(ReadsFrom, fields.String):
    reads = ("claimed_by", "claimed_until")

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        held = holder(obj, now())
        return held and held.officer_id


class _ClaimedUntil(ReadsFrom, fields.AwareDateTime):
    reads = ("claimed_by", "claimed_until")

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        held = holder(obj, now())
        return held and held.until


class QueueLineSchema(Schema):
    """What stands in every line of an officers' queue, beside what the matter shows."""

    applicant_id = fields.Str(required=True)
    due_on = fields.Date(allow_none=True, required=True)
    is_overdue = Overdue(required=True)
    due_colour = DueColour(Due, by_value=True, allow_none=True, required=True)
    claimed_by = _ClaimedBy(allow_none=True, required=True)
    claimed_until = _ClaimedUntil(allow_none=True, required=True)


class QueueFiltersSchema(FiltersSchema):
    """What an officer narrows the queue by."""

    loads = QueueFilters
    applicant_id = fields.Str(load_default=None, validate=validate.Length(1, 80))
    region = fields.Str(
        load_default=None,
        validate=Whole(r"[0-9]{2,12}"),
        metadata={"description": "行政区划及下级"},
    )
    due = fields.Str(
        load_default=None,
        validate=validate.OneOf([*(due.value for due in Due), SOON]),
        metadata={"description": "到期颜色；soon 为即将到期（红色和黄色）"},
    )
    held_by = fields.Enum(Holder, by_value=True, load_default=None)
    officer_id = fields.Str(load_default=None, validate=validate.Length(1, 80))
    order = fields.Enum(Order, by_value=True, load_default=Order.DUE)


class CountsSchema(Schema):
    """What waits in one business."""

    business = fields.Str(required=True)
    waiting = fields.Int(required=True)
    overdue = fields.Int(required=True)
    red = fields.Int(required=True)
    yellow = fields.Int(required=True)
    green = fields.Int(required=True)
    mine = fields.Int(required=True)
    free = fields.Int(required=True)


class _DecisionSchema(Schema):
    """A ready reason by its code, the officer's own words, or both."""

    reasons: tuple[Reason, ...] = ()
    reason = fields.Str(load_default=None, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])

    @validates_schema
    def check_reason(self, values: dict[str, Any], **_: Any) -> None:
        """A decision against the applicant says why."""
        if not values.get("reason") and not values.get("reason_code"):
            raise ValidationError(Told("required", "请选择或填写理由"), "reason")

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Decision:
        """Input becomes a frozen dataclass before it meets an action."""
        return Decision(
            reason_text(self.reasons, values["reason_code"], values["reason"]),
            tuple(values.get("fields_to_correct", ())),
            values["reason_code"],
        )


def return_schema(
    name: str, reasons: Iterable[Reason], correctable: Sequence[str]
) -> type[_DecisionSchema]:
    """退回补正: why, and which fields to correct.

    Args:
        name: of the schema in the API's document.
        reasons: the matter's library.
        correctable: JSON pointers an officer may name.
    """
    correct = fields.List(
        fields.Str(validate=validate.OneOf(correctable)),
        load_default=list,
        validate=validate.Length(max=len(correctable)),
    )
    return _decision(name, "return", reasons, {"fields_to_correct": correct})


def rejection_schema(name: str, reasons: Iterable[Reason]) -> type[_DecisionSchema]:
    """审核不通过: why."""
    return _decision(name, "reject", reasons, {})


def _decision(
    name: str, move: str, reasons: Iterable[Reason], more: dict[str, Any]
) -> type[_DecisionSchema]:
    known = tuple(reason for reason in reasons if reason.move == move)
    codes = [reason.code for reason in known]
    code = fields.Str(load_default=None, validate=validate.OneOf(codes))
    doc = "退回补正: why, and which fields to correct." if more else "审核不通过: why."
    made = {"__doc__": doc, "reasons": known, "reason_code": code, **more}
    return type(name, (_DecisionSchema,), made)
