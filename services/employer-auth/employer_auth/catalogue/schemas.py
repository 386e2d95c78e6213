"""The JSON of the catalogue."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields

EXAMPLE_BUSINESS: Final = {
    "code": "recruitment.jobs",
    "title": "招聘管理",
    "actions": ["view", "draft", "submit", "withdraw", "sign"],
    "person_level": 2,
    "unit_level": 5,
    "unit_account": False,
}


class BusinessSchema(Schema):
    """A business that can be granted, and what it asks of person and unit."""

    code = fields.Str(required=True)
    title = fields.Str(required=True)
    actions = fields.List(fields.Str(), required=True)
    person_level = fields.Int(required=True)
    unit_level = fields.Int(required=True)
    unit_account = fields.Bool(required=True)


class BusinessesSchema(Schema):
    """The whole catalogue; there are no pages."""

    items = fields.List(fields.Nested(BusinessSchema), required=True)
