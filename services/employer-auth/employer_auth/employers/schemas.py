"""The JSON of unit data: what is found, what is held, what officers correct."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, post_load, validate

from employer_auth.employers import rules
from employer_auth.employers.rules import UnitField
from servicekit.web.paging import PageArguments
from servicekit.web.parsing import NOT_BLANK, Whole
from servicekit.web.reviewing import MAX_REASON

_UNIT: Final = "01890a5d-ac96-774b-bcce-b302099a8058"
EXAMPLE_AGENCY: Final = {
    "region": "440106",
    "name": "广东省广州市天河区社会保险基金管理中心",
    "phone": "000-440106",
}
EXAMPLE_FOUND: Final = {
    "id": _UNIT,
    "name": "广州示例科技有限公司",
    "uscc": "914403001922038216",
    "region": "440106",
    "management_code": "000000000172",
    "is_bound": True,
    "agency": EXAMPLE_AGENCY,
    "next_step": "可申请该单位的授权码。",
}
EXAMPLE_PROFILE: Final = {
    "id": _UNIT,
    "management_code": "000000000172",
    "uscc": "914403001922038216",
    "organisation_code": "192203821",
    "values": {
        "name": "广州示例科技有限公司",
        "region": "440106",
        "address": "五山路1号",
        "kind": "enterprise",
        "industry": "I",
    },
    "agency": EXAMPLE_AGENCY,
    "missing": [],
    "is_frozen": False,
    "version": 2,
    "notes": rules.notes("440106"),
}
EXAMPLE_VALUE: Final = {
    "field": "name",
    "label": "单位名称",
    "value": "广州示例科技有限公司",
    "source": "officer",
    "valid_since": "2026-11-21T02:00:00+00:00",
    "valid_until": None,
    "reason": "营业执照名称已变更，单位来函更正。",
}
EXAMPLE_CORRECTION: Final = {
    "values": {"name": "广州示例科技股份有限公司"},
    "reason": "营业执照名称已变更，单位来函更正。",
}


class SocialInsuranceAgencySchema(Schema):
    """The social-insurance agency of a region (所属社保经办机构)."""

    region = fields.Str(required=True)
    name = fields.Str(required=True)
    phone = fields.Str(required=True)


class RegionSchema(Schema):
    """Whose agency is asked for."""

    region = fields.Str(required=True, validate=Whole(r"[0-9]{2,12}"))


class NumberSchema(Schema):
    """单位管理码, USCC or organisation code, in full."""

    number = fields.Str(required=True, validate=[validate.Length(1, 40), NOT_BLANK])


class FoundUnitSchema(Schema):
    """A unit as somebody finds it who looks for it."""

    id = fields.Str(required=True)
    name = fields.Str(required=True)
    uscc = fields.Str(required=True)
    region = fields.Str(required=True)
    management_code = fields.Str(required=True)
    is_bound = fields.Bool(required=True, metadata={"description": "May the asker act for it?"})
    agency = fields.Nested(SocialInsuranceAgencySchema, required=True)
    next_step = fields.Str(required=True)


class FoundUnitsSchema(Schema):
    """What a number finds; mostly one."""

    items = fields.List(fields.Nested(FoundUnitSchema), required=True)


class UnitValuesSchema(Schema):
    """A unit's data; what is not known is left out."""

    name = fields.Str(validate=validate.Length(1, rules.LONGEST_NAME))
    region = fields.Str(validate=Whole(r"[0-9]{2,12}"))
    address = fields.Str(validate=validate.Length(1, rules.LONGEST_ADDRESS))
    kind = fields.Str(validate=validate.OneOf(sorted(rules.KINDS)))
    industry = fields.Str(validate=validate.OneOf(sorted(rules.INDUSTRIES)))


class UnitProfileSchema(Schema):
    """Everything held of a unit, and who is responsible for it."""

    id = fields.Str(required=True, attribute="unit.id")
    management_code = fields.Str(required=True, attribute="numbers.management_code")
    uscc = fields.Str(required=True, attribute="unit.certificate_number")
    organisation_code = fields.Str(
        required=True, allow_none=True, attribute="numbers.organisation_code"
    )
    values = fields.Nested(UnitValuesSchema, required=True)
    missing = fields.List(
        fields.Enum(UnitField, by_value=True),
        required=True,
        metadata={"description": "What nobody has said yet; platforms may ask for it (J4)."},
    )
    agency = fields.Nested(SocialInsuranceAgencySchema, required=True)
    is_frozen = fields.Function(lambda it: it.unit.frozen_at is not None, required=True)
    version = fields.Int(required=True)
    notes = fields.Function(lambda it: rules.notes(it.unit.region), required=True)


class UnitValueSchema(Schema):
    """One value and the time in which it held."""

    field = fields.Enum(UnitField, by_value=True, required=True)
    label = fields.Function(lambda it: rules.LABELS[it.field], required=True)
    value = fields.Str(required=True)
    source = fields.Enum(rules.Source, by_value=True, required=True)
    valid_since = fields.AwareDateTime(required=True)
    valid_until = fields.AwareDateTime(required=True, allow_none=True)
    reason = fields.Str(required=True, allow_none=True)


class OfficerUnitValueSchema(UnitValueSchema):
    """The same for officers, with who corrected it."""

    corrected_by = fields.Str(required=True, allow_none=True)


class UnitCorrectionSchema(Schema):
    """更正: the new values, and why.

    `certificate_number` is refused whatever it holds: the code of a unit does not change.
    """

    values = fields.Nested(UnitValuesSchema, required=True)
    certificate_number = fields.Str(load_default=None, validate=validate.Length(max=40))
    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), NOT_BLANK])

    @post_load
    def build(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Field names become the closed set they are."""
        return given | {"values": {UnitField(k): v for k, v in given["values"].items()}}


class OfficerNumberSchema(PageArguments):
    """An officer may narrow the list to one number."""

    number = fields.Str(load_default=None, validate=validate.Length(1, 40))

    @post_load
    def build(self, values: dict[str, Any], **how: Any) -> Any:
        """The number, and which part of the list."""
        number = values.pop("number")
        return number, super().build(values, **how)


class UnitRowSchema(Schema):
    """A line of the officers' list."""

    id = fields.Str(required=True)
    name = fields.Str(required=True)
    uscc = fields.Str(required=True, attribute="certificate_number")
    region = fields.Str(required=True)
    is_frozen = fields.Function(lambda unit: unit.frozen_at is not None, required=True)
    registered_at = fields.AwareDateTime(required=True)


EXAMPLE_ROW: Final = {
    "id": _UNIT,
    "name": "广州示例科技有限公司",
    "uscc": "914403001922038216",
    "region": "440106",
    "is_frozen": False,
    "registered_at": "2026-11-21T02:00:00+00:00",
}


def page(*rows: object) -> dict[str, object]:
    """An example of a list that is one page long."""
    return {"items": list(rows), "next_cursor": None, "total": len(rows)}
