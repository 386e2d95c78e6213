"""The JSON of flexible employment: what forms send, and what people and officers are shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from employment_registry.flexible_employment import reviewing, rules
from employment_registry.flexible_employment.actions import Opening
from employment_registry.flexible_employment.model import FlexibleEmploymentApplication
from servicekit.clock import shanghai_date
from servicekit.errors import Invalid
from servicekit.identifiers import check_mobile_number
from servicekit.personal import MobileNumber
from servicekit.web import session
from servicekit.web.wording import Told
from servicekit.workflow import State

MAX_REASON: Final = 500
REGION: Final = r"^44(\d{2}|\d{4}|\d{7})$"
CORRECTABLE: Final = tuple(f"/employment/{name}" for name in rules.REQUIRED)
REVEALABLE: Final = ("person_name", "document_number", "born_on", "contact_phone")


class Part(fields.Nested):
    """A group in the JSON whose values are columns of the row itself."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """The whole row: the nested schema picks from it."""
        return obj


class Phone(fields.String):
    """A mobile number: read in full, shown masked."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return MobileNumber(check_mobile_number(text))
        except Invalid as refused:
            raise ValidationError(Told(refused.code, refused.message)) from refused


class EmploymentSchema(Schema):
    """个人就业信息: any field may be missing in a draft; null empties it."""

    employment_type = fields.Enum(rules.EmploymentType, by_value=True, allow_none=True)
    started_on = fields.Date(allow_none=True)
    work_place = fields.Str(
        allow_none=True, validate=validate.Regexp(REGION, error="请选择广东省内的行政区划")
    )
    address = fields.Str(allow_none=True, validate=validate.Length(1, 200))
    occupation = fields.Str(allow_none=True, validate=validate.Length(1, 60))
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


class EditSchema(Schema):
    """保存: fields that are not given stay as they are."""

    employment = fields.Nested(EmploymentSchema, required=True)


class CancellationSchema(Schema):
    """注销原因."""

    reason = fields.Str(required=True, validate=validate.Length(1, MAX_REASON))


class RevealSchema(Schema):
    """Which values an officer must see in full, and what for."""

    values = fields.List(
        fields.Str(validate=validate.OneOf(REVEALABLE)),
        required=True,
        validate=validate.Length(1, len(REVEALABLE)),
    )
    reason = fields.Str(required=True, validate=validate.Length(1, MAX_REASON))


class RevealedSchema(Schema):
    """The clear values; this look is on record."""

    person_name = fields.Str()
    document_number = fields.Str()
    born_on = fields.Str()
    contact_phone = fields.Str()


class _DecisionSchema(Schema):
    """A ready reason by its code, the officer's own words, or both."""

    reason = fields.Str(load_default=None, validate=validate.Length(1, MAX_REASON))

    @validates_schema
    def check_reason(self, values: dict[str, Any], **_: Any) -> None:
        """A decision against the applicant says why."""
        if not values.get("reason") and not values.get("reason_code"):
            raise ValidationError(Told("required", "请选择或填写理由"), "reason")

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> reviewing.Decision:
        """Input becomes a frozen dataclass before it meets an action."""
        return reviewing.Decision(
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


class EmploymentTypeSchema(Schema):
    """One way to be flexibly employed, and its Chinese name."""

    code = fields.Str(required=True)
    label = fields.Str(required=True)


class PersonSchema(Schema):
    """个人基本信息 from identity, masked."""

    name = fields.Str(attribute="person_name")
    document_kind = fields.Str()
    document_number = fields.Str()
    born_on = fields.Str()
    sex = fields.Str()


class _RowSchema(Schema):
    """What every list and every view of an application shows."""

    id = fields.Str()
    number = fields.Str(allow_none=True)
    kind = fields.Enum(rules.Kind, by_value=True)
    state = fields.Enum(State, by_value=True)
    state_label = fields.Str(attribute="state.label")
    region = fields.Str(allow_none=True)
    person = Part(PersonSchema)
    submitted_at = fields.AwareDateTime(allow_none=True)
    decided_at = fields.AwareDateTime(allow_none=True)
    due_on = fields.Date(allow_none=True)
    open_moves = fields.Method("list_open_moves")
    version = fields.Int()

    def list_open_moves(self, application: FlexibleEmploymentApplication) -> list[str]:
        """The buttons: what the asking person may do with it now."""
        return rules.WORKFLOW.open_moves(application.state, session.actor().role)


class RegistrationRowSchema(_RowSchema):
    """A line of the person's own list."""

    record_id = fields.Str(allow_none=True)
    created_at = fields.AwareDateTime()
    updated_at = fields.AwareDateTime()


class RegistrationSchema(RegistrationRowSchema):
    """The person's own application in full."""

    employment = Part(EmploymentSchema)
    decision_reason = fields.Str(allow_none=True)
    fields_to_correct = fields.List(fields.Str())


class ReviewRowSchema(_RowSchema):
    """A line of the officer's queue."""

    applicant_id = fields.Str()
    is_overdue = fields.Method("say_overdue")
    claimed_by = fields.Str(allow_none=True)
    claimed_until = fields.AwareDateTime(allow_none=True)

    def say_overdue(self, application: FlexibleEmploymentApplication) -> bool:
        """Is the time limit over, with the decision still open?"""
        today = shanghai_date(session.now())
        return rules.is_overdue(application.state, application.due_on, today)


class ReviewSchema(ReviewRowSchema):
    """What the officer decides on."""

    employment = Part(EmploymentSchema)
    decision_reason = fields.Str(allow_none=True)
    fields_to_correct = fields.List(fields.Str())
    in_force = fields.Nested(EmploymentSchema, allow_none=True)


class RecordSchema(Schema):
    """A record, and the information in force."""

    id = fields.Str()
    is_valid = fields.Bool()
    application_id = fields.Str()
    number = fields.Str()
    person = fields.Nested(PersonSchema)
    employment = fields.Nested(EmploymentSchema)
    valid_since = fields.AwareDateTime()
    changed_at = fields.AwareDateTime(allow_none=True)
    ended_at = fields.AwareDateTime(allow_none=True)


class HistoryEntrySchema(Schema):
    """One move: when, by whom in which role, from where to where, and why."""

    move = fields.Str()
    before = fields.Str()
    after = fields.Str()
    role = fields.Str()
    at = fields.AwareDateTime()
    note = fields.Str(allow_none=True)
