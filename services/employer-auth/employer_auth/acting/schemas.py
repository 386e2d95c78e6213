"""The JSON of acting: units to choose from, mandates, what was revoked."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from employer_auth.bindings.schemas import AgencySchema

EXAMPLE_UNIT: Final = {
    "unit_id": "01890a5d-ac96-774b-bcce-b302099a8058",
    "name": "广州示例科技有限公司",
    "uscc": "914403001922038216",
    "binding_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "version": 3,
    "permissions": ["recruitment.jobs:submit", "recruitment.jobs:view"],
    "via": None,
}


class ActingUnitSchema(Schema):
    """One unit the person may act for."""

    unit_id = fields.Str(attribute="binding.unit_id", required=True)
    name = fields.Str(attribute="binding.unit.name", required=True)
    uscc = fields.Str(attribute="binding.unit.certificate_number", required=True)
    binding_id = fields.Str(attribute="binding.id", required=True)
    version = fields.Int(attribute="binding.version", required=True)
    permissions = fields.List(fields.Str(), required=True)
    via = fields.Nested(AgencySchema, attribute="binding.agency", allow_none=True, required=True)


class ActingUnitsSchema(Schema):
    """Every unit the person may act for; there are no pages."""

    items = fields.List(fields.Nested(ActingUnitSchema), required=True)


class ChoiceSchema(Schema):
    """The unit that was chosen, and by which binding."""

    unit_id = fields.Str(required=True, validate=validate.Length(1, 80))
    binding_id = fields.Str(required=True, validate=validate.Length(1, 36))


class MandateSchema(Schema):
    """A mandate to exchange at identity at once."""

    mandate = fields.Str(required=True)
    expires_at = fields.AwareDateTime(required=True)


class KeySetSchema(Schema):
    """A JWK set (RFC 7517)."""

    keys = fields.List(fields.Dict(), required=True)


class SinceSchema(Schema):
    """From when on."""

    since = fields.AwareDateTime(
        required=True, metadata={"description": "ISO 8601; at most an hour back is looked at."}
    )


class RevisedSchema(Schema):
    """A binding whose older tokens are worth nothing."""

    binding_id = fields.Str(attribute="id", required=True)
    version = fields.Int(required=True)
    state = fields.Str(required=True)
    at = fields.AwareDateTime(attribute="changed_at", required=True)


class RevocationsSchema(Schema):
    """What changed since; ask next time from ``now`` on."""

    now = fields.AwareDateTime(required=True)
    bindings = fields.List(fields.Nested(RevisedSchema), required=True)


EXAMPLE_REVOCATIONS: Final[dict[str, Any]] = {
    "now": "2026-11-21T02:00:00+00:00",
    "bindings": [
        {
            "binding_id": EXAMPLE_UNIT["binding_id"],
            "version": 4,
            "state": "released",
            "at": "2026-11-21T01:59:58+00:00",
        }
    ],
}
