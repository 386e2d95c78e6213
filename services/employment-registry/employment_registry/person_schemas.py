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


class FilingSchema(Schema):
    """One application of a possible duplicate."""

    matter = fields.Str(required=True)
    id = fields.Str(attribute="row.id", required=True)
    number = fields.Str(attribute="row.number", required=True)
    state = fields.Enum(State, by_value=True, attribute="row.state", required=True)
    state_label = fields.Str(attribute="row.state.label", required=True)
    region = fields.Str(attribute="row.region", required=True)
    submitted_at = fields.AwareDateTime(attribute="row.submitted_at", required=True)
    decided_at = fields.AwareDateTime(attribute="row.decided_at", allow_none=True, required=True)


class HeldCertificateSchema(Schema):
    """A certificate of a possible duplicate, without its number."""

    validity = fields.Str(required=True)
    validity_label = fields.Str(attribute="validity.label", required=True)
    region = fields.Str(required=True)
    issued_at = fields.AwareDateTime(required=True)


class PartyPersonSchema(PersonSchema):
    """Who it is, masked, as the newest application says."""

    contact_phone = fields.Str(allow_none=True, required=True)


class PartySchema(Schema):
    """A person beside others; null and empty where the officer's region holds nothing."""

    person = fields.Nested(PartyPersonSchema, allow_none=True, required=True)
    applications = fields.List(fields.Nested(FilingSchema), required=True)
    certificates = fields.List(fields.Nested(HeldCertificateSchema), required=True)
    elsewhere = fields.List(
        fields.Str(),
        required=True,
        metadata={"description": "Counties outside the officer's region with filings of theirs."},
    )


EXAMPLE_PARTY: Final = {
    "person": EXAMPLE_PERSON | {"contact_phone": "138****0000"},
    "applications": [
        {
            "matter": "unemployment",
            "id": "01a1fcb7-993f-74cb-be82-b9befbd64971",
            "number": "440106-02-20260801-000001-7",
            "state": "approved",
            "state_label": "审核通过",
            "region": "440106003",
            "submitted_at": "2026-08-01T02:00:00+00:00",
            "decided_at": "2026-08-03T02:00:00+00:00",
        }
    ],
    "certificates": [
        {
            "validity": "valid",
            "validity_label": "有效",
            "region": "440106003",
            "issued_at": "2026-08-03T02:00:00+00:00",
        }
    ],
    "elsewhere": ["440305"],
}
