"""The JSON of service guides: what anyone reads, what a person is told, what admins publish."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from employment_registry.guides.actions import Text
from employment_registry.person_schemas import REGION_OR_PROVINCE
from employment_registry.places import PROVINCE
from servicekit.web.parsing import NOT_BLANK, Whole

LONGEST: Final = 1000
EXAMPLE_CONTENT: Final = {
    "introduction": "失业人员更换为自己提供服务的人社部门，直接生效，无需审核。",
    "audience": "处于失业登记状态的人员",
    "stated_conditions": [{"code": "living-there", "text": "在新的服务地常住。"}],
    "materials": [
        {
            "code": "service-place",
            "name": "新的服务地",
            "note": "在线选择，到街道（镇）。",
            "needed": True,
        }
    ],
    "steps": ["点击【变更服务地】。", "选择新的服务地并确认，立即生效。"],
    "result": "{pause_days}天内只能变更一次。",
    "notes": ["变更服务地不改变失业登记的日期和效力。"],
    "remedies": ["对服务有意见的，可拨打12345投诉。"],
    "fee": "不收费",
    "legal_bases": [{"title": "广东公共就业服务云平台省系统操作指引", "clause": "1.3.2.1"}],
    "contacts": [],
}
EXAMPLE_LINE: Final = {
    "item": "service-place",
    "version": 1,
    "title": "变更服务地",
    "introduction": EXAMPLE_CONTENT["introduction"],
}
_CONDITION: Final = {
    "code": "pause-over",
    "text": "距上次变更服务地已满30天。",
    "next_step": "请自提示的日期起再次变更；急需办理的，可前往当前服务地的窗口。",
}
EXAMPLE_GUIDE: Final = {
    **{name: value for name, value in EXAMPLE_CONTENT.items() if name != "contacts"},
    **EXAMPLE_LINE,
    "result": "30天内只能变更一次。",
    "is_newest": True,
    "published_on": "2026-09-01",
    "conditions": [_CONDITION | {"checked": True}],
    "time_limit": {"working_days": None, "text": "即时办结"},
    "contact": {
        "region": "440106",
        "name": "广东省广州市天河区人力资源和社会保障部门",
        "phone": "12333",
        "address": None,
        "hours": None,
    },
    "form": "POST /unemployment-records/current/change-service-place",
}
EXAMPLE_CHECK: Final = {
    "item": "service-place",
    "version": 1,
    "may_open": False,
    "form": EXAMPLE_GUIDE["form"],
    "conditions": [
        _CONDITION
        | {
            "met": False,
            "refusal": "service-place-changed-recently",
            "message": "您可自2026年10月29日起再次变更。",
            "application_id": None,
            "next_date": "2026-10-29",
        }
    ],
}


def _text(longest: int = LONGEST) -> fields.Str:
    return fields.Str(required=True, validate=[validate.Length(1, longest), NOT_BLANK])


def _texts() -> fields.List[Any]:
    return fields.List(_text(), required=True, validate=validate.Length(max=20))


def _code() -> fields.Str:
    return fields.Str(
        allow_none=True,
        load_default=None,
        validate=Whole(r"[a-z][a-z-]{1,39}"),
        metadata={"description": "What ready reasons name it by; stays over versions."},
    )


class MaterialSchema(Schema):
    """One thing the applicant needs (申请材料)."""

    code = _code()
    name = _text(100)
    note = fields.Str(allow_none=True, required=True, validate=validate.Length(1, LONGEST))
    needed = fields.Bool(required=True)


class StatedConditionSchema(Schema):
    """One condition for the applicant to know; officers look at it, the form does not."""

    code = _code()
    text = _text()


class LegalBasisSchema(Schema):
    """One law or document the business rests on (设定依据)."""

    title = _text(200)
    clause = fields.Str(allow_none=True, required=True, validate=validate.Length(1, 100))


class ContactSchema(Schema):
    """Whom to ask in a region (咨询方式)."""

    region = fields.Str(required=True, validate=Whole(REGION_OR_PROVINCE))
    name = _text(100)
    phone = fields.Str(required=True, validate=Whole(r"[0-9-]{5,20}"))
    address = fields.Str(allow_none=True, load_default=None, validate=validate.Length(1, 200))
    hours = fields.Str(allow_none=True, load_default=None, validate=validate.Length(1, 100))


class _TextsSchema(Schema):
    introduction = _text()
    audience = _text()
    materials = fields.List(
        fields.Nested(MaterialSchema), required=True, validate=validate.Length(max=20)
    )
    steps = _texts()
    result = _text()
    notes = _texts()
    remedies = _texts()
    fee = _text(100)
    legal_bases = fields.List(
        fields.Nested(LegalBasisSchema), required=True, validate=validate.Length(1, 20)
    )
    stated_conditions = fields.List(
        fields.Nested(StatedConditionSchema), required=True, validate=validate.Length(max=20)
    )


class GuideContentSchema(_TextsSchema):
    """What an admin writes; a policy's number is a placeholder: {youngest_years} and others."""

    contacts = fields.List(
        fields.Nested(ContactSchema), required=True, validate=validate.Length(max=300)
    )


class GuideTextSchema(Schema):
    """A new version in place of the one the admin saw."""

    replaces = fields.Int(required=True, strict=True, validate=validate.Range(1))
    title = _text(80)
    content = fields.Nested(GuideContentSchema, required=True)

    @post_load
    def build(self, values: dict[str, Any], **_: Any) -> Text:
        """Input becomes a frozen dataclass before it meets an action."""
        return Text(**values)


class RegionSchema(Schema):
    """Whose office is shown, and of which version."""

    region = fields.Str(load_default=PROVINCE, validate=Whole(REGION_OR_PROVINCE))
    version = fields.Int(load_default=None, validate=validate.Range(1))


class GuideLineSchema(Schema):
    """One business in the list of guides."""

    item = fields.Str(required=True)
    version = fields.Int(required=True)
    title = fields.Str(required=True)
    introduction = fields.Str(required=True)


class GuideListSchema(Schema):
    """Every guide in its newest version."""

    items = fields.List(fields.Nested(GuideLineSchema), required=True)


class GuideConditionSchema(Schema):
    """One condition; ``checked`` before the form opens, or for the applicant to know."""

    code = fields.Str(allow_none=True, required=True)
    text = fields.Str(required=True)
    next_step = fields.Str(allow_none=True, required=True)
    checked = fields.Bool(required=True)


class TimeLimitSchema(Schema):
    """办理时限, from the policy in force; null takes effect at once."""

    working_days = fields.Int(allow_none=True, required=True)
    text = fields.Str(required=True)


class GuideSchema(GuideLineSchema, _TextsSchema):
    """A service guide in full (办事指南)."""

    is_newest = fields.Bool(required=True)
    published_on = fields.Date(required=True)
    conditions = fields.List(fields.Nested(GuideConditionSchema), required=True)
    time_limit = fields.Nested(TimeLimitSchema, required=True)
    contact = fields.Nested(ContactSchema, required=True)
    form = fields.Str(
        required=True, metadata={"description": "Method and path that open the form."}
    )


class FindingSchema(Schema):
    """One condition, met or not, and what to do."""

    code = fields.Str(required=True)
    text = fields.Str(required=True)
    met = fields.Bool(required=True)
    refusal = fields.Str(
        attribute="refusal.code",
        dump_default=None,
        allow_none=True,
        required=True,
        metadata={"description": "The code the form would refuse with."},
    )
    message = fields.Str(
        attribute="refusal.message", dump_default=None, allow_none=True, required=True
    )
    application_id = fields.Str(
        attribute="refusal.extra.application_id", dump_default=None, allow_none=True
    )
    next_date = fields.Str(
        attribute="refusal.extra.next_date",
        dump_default=None,
        allow_none=True,
        metadata={"format": "date"},
    )
    next_step = fields.Str(required=True)


class GuideCheckSchema(Schema):
    """Would the form open for this person now?"""

    item = fields.Str(required=True)
    version = fields.Int(required=True)
    may_open = fields.Bool(required=True)
    form = fields.Str(required=True)
    conditions = fields.List(fields.Nested(FindingSchema), required=True)


class GuideVersionSchema(Schema):
    """One version that was published."""

    version = fields.Int(required=True)
    title = fields.Str(required=True)
    published_at = fields.AwareDateTime(required=True)
