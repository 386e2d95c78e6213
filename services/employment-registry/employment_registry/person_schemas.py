"""The JSON that every matter about a natural person shares."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from servicekit.web.filing import Part
from servicekit.workflow import State

REGION: Final = r"^44(\d{2}|\d{4}|\d{7})$"
EXAMPLE_PERSON: Final = {
    "name": "林**",
    "document_kind": "resident-card",
    "document_number": "440***********0012",
    "born_on": "1990-**-**",
    "sex": "male",
}


def region_field() -> fields.Str:
    """A region of Guangdong by its code; null empties it."""
    wrong = "请选择广东省内的行政区划"
    return fields.Str(allow_none=True, validate=validate.Regexp(REGION, error=wrong))


class PersonSchema(Schema):
    """个人基本信息 from identity, masked."""

    name = fields.Str(attribute="person_name", required=True)
    document_kind = fields.Str(required=True)
    document_number = fields.Str(required=True)
    born_on = fields.Str(required=True)
    sex = fields.Str(required=True)


class FiledSchema(Schema):
    """What every list and every view of a person's application shows."""

    id = fields.Str(required=True)
    number = fields.Str(allow_none=True, required=True)
    state = fields.Enum(State, by_value=True, required=True)
    state_label = fields.Str(attribute="state.label", required=True)
    region = fields.Str(allow_none=True, required=True)
    person = Part(PersonSchema, required=True)
    submitted_at = fields.AwareDateTime(allow_none=True, required=True)
    decided_at = fields.AwareDateTime(allow_none=True, required=True)
    due_on = fields.Date(allow_none=True, required=True)
    guide_version = fields.Int(allow_none=True, required=True)
    version = fields.Int(required=True)


class OwnFiledSchema(FiledSchema):
    """The same for its owner."""

    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class LabelSchema(Schema):
    """One value to choose from, and its Chinese name."""

    code = fields.Str(required=True)
    label = fields.Str(required=True)
