"""The facts about a unit's data: what they are now, and that an officer corrected them."""

from __future__ import annotations

from marshmallow import Schema, fields

from employer_auth.events import FACTS

_UNIT = "01890a5d-ac96-774b-bcce-b302099a8058"


class UnitChangeSchema(Schema):
    """One value that was corrected."""

    field = fields.Str(required=True)
    before = fields.Str(required=True, allow_none=True)
    after = fields.Str(required=True)


@FACTS.fact(
    "unit.corrected",
    v=1,
    example={
        "unit_id": _UNIT,
        "name": "广州示例科技股份有限公司",
        "region": "440106",
        "version": 2,
        "changes": [
            {
                "field": "name",
                "before": "广州示例科技有限公司",
                "after": "广州示例科技股份有限公司",
            }
        ],
    },
)
class UnitCorrected(Schema):
    """An officer corrected a unit's public data (EA-10).

    ``name`` and ``region`` are those that hold now; ``version`` counts the corrections.
    """

    unit_id = fields.Str(required=True)
    name = fields.Str(required=True)
    region = fields.Str(required=True)
    version = fields.Int(required=True)
    changes = fields.List(fields.Nested(UnitChangeSchema), required=True)


@FACTS.fact(
    "unit.described",
    v=1,
    example={
        "unit_id": _UNIT,
        "management_code": "000000000172",
        "certificate_type": "uscc",
        "certificate_number": "914403001922038216",
        "organisation_code": "192203821",
        "name": "广州示例科技有限公司",
        "region": "440106",
        "kind": "enterprise",
        "industry": "I",
        "missing": ["address"],
    },
)
class UnitDescribed(Schema):
    """A unit's public data as they are now, told when it appears and at every change (EA-10, J4).

    ``missing`` names what nobody has said yet, ``address`` too, whose value stays here: a
    trader's shop is often the trader's home.
    """

    unit_id = fields.Str(required=True)
    management_code = fields.Str(required=True)
    certificate_type = fields.Str(required=True)
    certificate_number = fields.Str(required=True)
    organisation_code = fields.Str(required=True, allow_none=True)
    name = fields.Str(required=True)
    region = fields.Str(required=True)
    kind = fields.Str(required=True, allow_none=True)
    industry = fields.Str(required=True, allow_none=True)
    missing = fields.List(fields.Str(), required=True)
