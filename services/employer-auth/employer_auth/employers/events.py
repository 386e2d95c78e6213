"""The fact about a unit's data: an officer corrected them."""

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
