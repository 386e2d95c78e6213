"""The JSON of flexible employment: what forms send, and what people and officers are shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from marshmallow import Schema, fields, validate

from employment_registry.flexible_employment import rules

MAX_REASON: Final = 500
CORRECTABLE: Final = tuple(f"/employment/{name}" for name in rules.REQUIRED)
REGION_DIGITS: Final = r"^44(\d{4}|\d{7}|\d{10})$"


class EmploymentSchema(Schema):
    """个人就业信息; any field may be missing while it is a draft, and null clears it."""

    employment_type = fields.Enum(rules.EmploymentType, by_value=True, allow_none=True)
    started_on = fields.Date(allow_none=True)
    work_place = fields.Str(
        allow_none=True,
        validate=validate.Regexp(REGION_DIGITS, error="请选择广东省内的行政区划"),
        metadata={"description": "行政区划代码，到街道（镇）", "example": "440106001"},
    )
    address = fields.Str(allow_none=True, validate=validate.Length(1, 200))
    occupation = fields.Str(allow_none=True, validate=validate.Length(1, 60))
    monthly_income = fields.Decimal(
        places=2,
        as_string=True,
        allow_none=True,
        allow_nan=False,
        validate=validate.Range(Decimal(0), rules.LARGEST_INCOME),
        metadata={"example": "4500.00"},
    )
    contact_phone = fields.Method(
        "show_phone",
        deserialize="read_phone",
        allow_none=True,
        metadata={"type": "string", "example": "13800000000"},
    )
