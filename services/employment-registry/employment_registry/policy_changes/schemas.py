"""The JSON of policies: what admins draft of each kind, see, and learn from a trial run."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from employment_registry.certificate.policy import PARTS, REGION_DIGITS
from employment_registry.person_schemas import REGION_OR_PROVINCE
from employment_registry.policy_changes.rules import TITLES, Phase
from employment_registry.policy_kinds import KINDS
from employment_registry.working_age import Category
from servicekit.policy_rules import Draft, Status
from servicekit.web.paging import PageArguments
from servicekit.web.parsing import NOT_BLANK, Whole
from servicekit.web.wording import Told

LONGEST_NUMBER: Final = 20  # digits; the column's length
EXAMPLE_DRAFT: Final = {
    "kind": "review-limit",
    "value": {"flexible_employment": 3, "unemployment": 3, "certificate": 5},
    "in_force_from": "2030-01-01",
    "source": "粤人社函〔2029〕99号（示例）",
}
EXAMPLE_POLICY: Final = {
    **EXAMPLE_DRAFT,
    "id": "01890a5d-ac96-774b-bcce-b302099a8060",
    "title": "审核时限",
    "status": "draft",
    "phase": "draft",
    "phase_label": "拟定",
    "followed_on": None,
    "drafted_by": "01890a5d-ac96-774b-bcce-b302099a8061",
    "drafted_at": "2029-11-01T02:00:00+00:00",
    "activated_by": None,
    "activated_at": None,
    "withdrawn_by": None,
    "withdrawn_at": None,
}
EXAMPLE_TRIAL: Final = {
    "policy_id": EXAMPLE_POLICY["id"],
    "asked_at": "2029-11-01T02:05:00+00:00",
    "finished_at": "2029-11-01T02:05:04+00:00",
    "looked_at": 48210,
    "touched": 12,
    "unseen_touched": 3,
    "effects": [
        {
            "matter": "unemployment",
            "is_record": True,
            "effect": "可再次变更服务地的日期：2029年11月20日 → 2029年12月5日",
            "count": 12,
        }
    ],
}
EXAMPLE_LINE: Final = {
    "matter": "unemployment",
    "is_record": True,
    "application_id": "01a1fcb7-993f-74cb-be82-b9befbd64971",
    "number": "440106-02-20260929-000001-2",
    "name": "林**",
    "region": "440106003",
    "effect": "可再次变更服务地的日期：2029年11月20日 → 2029年12月5日",
}


def _number(least: int, most: int) -> fields.Int:
    return fields.Int(required=True, strict=True, validate=validate.Range(least, most))


class DelaySchema(Schema):
    """One row of the retirement table; months, and the first birth month as 1965-01."""

    base_months = _number(480, 900)
    first_birth_month = fields.Str(
        required=True, validate=Whole(r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])")
    )
    births_per_step = _number(1, 24)
    longest_months = _number(0, 240)


class WorkingAgeSchema(Schema):
    """就业年龄与法定退休年龄."""

    youngest_years = _number(16, 25)  # 劳动法第十五条: nobody younger
    retirement = fields.Nested(
        Schema.from_dict(
            {each.value: fields.Nested(DelaySchema, required=True) for each in Category},
            name="RetirementSchema",
        ),
        required=True,
    )


class ReviewLimitSchema(Schema):
    """审核时限, in working days."""

    flexible_employment = _number(1, 60)
    unemployment = _number(1, 60)
    certificate = _number(1, 60)


class LookBackDaysSchema(Schema):
    """失业日期最长追溯期."""

    days = _number(1, 3650)


class PauseDaysSchema(Schema):
    """变更服务地间隔."""

    days = _number(0, 365)


class CertificateValueSchema(Schema):
    """就业创业证编号与发放."""

    number = fields.List(fields.Str(validate=validate.OneOf(PARTS)), required=True)
    serial_digits = _number(4, 9)
    number_stays_on_replacement = fields.Bool(required=True)
    issued_with_registration = fields.Bool(required=True)

    @validates_schema
    def check_number(self, value: dict[str, Any], **_: Any) -> None:
        """Every part once, and no longer than there is room."""
        if sorted(value["number"]) != sorted(PARTS):
            raise ValidationError(Told("parts-wrong", "编号的五个部分须各出现一次"), "number")
        if REGION_DIGITS + len("nc") + len("yy") + value["serial_digits"] > LONGEST_NUMBER:
            raise ValidationError(Told("too-long", "编号过长"), "serial_digits")


class EndingNoticeSchema(Schema):
    """终止登记的告知、申诉与补正期限, in working days."""

    notice = _number(1, 60)
    review = _number(1, 60)
    correction = _number(1, 60)


class PatienceSchema(Schema):
    """外厅局接口核验的重试次数与时限."""

    attempts = _number(1, 20)
    first_pause_seconds = _number(1, 300)
    longest_minutes = _number(1, 1440)


class SharedPhoneSchema(Schema):
    """多人使用同一联系电话的提示."""

    others = _number(1, 50)


VALUES: Final[dict[str, type[Schema]]] = {
    "working-age": WorkingAgeSchema,
    "review-limit": ReviewLimitSchema,
    "unemployment-look-back": LookBackDaysSchema,
    "service-place-pause": PauseDaysSchema,
    "certificate": CertificateValueSchema,
    "ending-notice": EndingNoticeSchema,
    "check-patience": PatienceSchema,
    "shared-phone": SharedPhoneSchema,
}
_KIND: Final = validate.OneOf(sorted(KINDS))
_VALUE: Final = {"description": "As its kind wants it; docs/policies.md shows each (政策内容)."}


class PolicyDraftSchema(Schema):
    """What is to hold from a day on, and the document behind it."""

    kind = fields.Str(required=True, validate=_KIND)
    value = fields.Dict(keys=fields.Str(), required=True, metadata=_VALUE)
    in_force_from = fields.Date(required=True)
    source = fields.Str(required=True, validate=[validate.Length(2, 500), NOT_BLANK])

    @validates_schema
    def check_value(self, values: dict[str, Any], **_: Any) -> None:
        """Every wrong field of the value at once, as its kind wants it."""
        if wrong := VALUES[values["kind"]]().validate(values["value"]):
            raise ValidationError({"value": wrong})

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Draft:
        """Input becomes a frozen dataclass before it meets an action."""
        return Draft(**values)


class PoliciesAskedSchema(PageArguments):
    """Of which kind."""

    kind = fields.Str(load_default=None, validate=_KIND)

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Any:
        """The kind, and which part of the list."""
        kind = values.pop("kind")
        return kind, super().build(values)


class RegionAskedSchema(Schema):
    """Below which region."""

    region = fields.Str(load_default=None, validate=Whole(REGION_OR_PROVINCE))


class LinesAskedSchema(PageArguments):
    """Below which region, and which part of the list."""

    region = fields.Str(load_default=None, validate=Whole(REGION_OR_PROVINCE))

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Any:
        """The region, and which part of the list."""
        region = values.pop("region")
        return region, super().build(values)


class PolicySchema(Schema):
    """One policy, and where it stands today."""

    id = fields.Str(required=True)
    kind = fields.Str(required=True, validate=validate.OneOf(sorted(TITLES)))
    title = fields.Str(required=True)
    value = fields.Dict(keys=fields.Str(), required=True, metadata=_VALUE)
    in_force_from = fields.Date(required=True)
    followed_on = fields.Date(
        allow_none=True,
        required=True,
        metadata={"description": "The first day of the next one of its kind."},
    )
    source = fields.Str(required=True)
    status = fields.Enum(Status, by_value=True, required=True)
    phase = fields.Enum(Phase, by_value=True, required=True)
    phase_label = fields.Str(required=True)
    drafted_by = fields.Str(required=True)
    drafted_at = fields.AwareDateTime(required=True)
    activated_by = fields.Str(allow_none=True, required=True)
    activated_at = fields.AwareDateTime(allow_none=True, required=True)
    withdrawn_by = fields.Str(allow_none=True, required=True)
    withdrawn_at = fields.AwareDateTime(allow_none=True, required=True)


class TrialEffectSchema(Schema):
    """How many are touched in one way."""

    matter = fields.Str(required=True)
    is_record = fields.Bool(required=True)
    effect = fields.Str(required=True)
    count = fields.Int(required=True)


class TrialSchema(Schema):
    """How far a trial run is, and whom it found in the region."""

    policy_id = fields.Str(required=True)
    asked_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(allow_none=True, required=True)
    looked_at = fields.Int(required=True)
    touched = fields.Int(required=True)
    unseen_touched = fields.Int(
        allow_none=True,
        required=True,
        metadata={"description": "What no officer knows of yet; told of the whole province alone."},
    )
    effects = fields.List(fields.Nested(TrialEffectSchema), required=True)


class TrialLineSchema(Schema):
    """One application or registration that is touched, and how; the name is masked."""

    matter = fields.Str(required=True)
    is_record = fields.Bool(required=True)
    application_id = fields.Str(required=True)
    number = fields.Str(allow_none=True, required=True)
    name = fields.Str(allow_none=True, required=True)
    region = fields.Str(required=True)
    effect = fields.Str(required=True)
