"""The facts about objections: a unit is frozen, and what an officer decides."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from employer_auth.events import FACTS

_UNIT = "01890a5d-ac96-774b-bcce-b302099a8058"


class ObjectionFactSchema(Schema):
    """What every fact about an objection says; ``cause`` is what the legal representative heard of:
    registered, first-binding or recovered."""

    unit_id = fields.Str(required=True)
    objection_id = fields.Str(required=True)
    cause = fields.Str(required=True)


_OBJECTION: Final[dict[str, Any]] = {
    "unit_id": _UNIT,
    "objection_id": "01890a5d-ac96-774b-bcce-b302099a8065",
    "cause": "first-binding",
}


@FACTS.fact("unit.frozen", v=1, example=_OBJECTION)
class UnitFrozen(ObjectionFactSchema):
    """The legal representative objected: nobody acts for the unit any more (EA-12)."""


@FACTS.fact("unit.unfrozen", v=1, example=_OBJECTION)
class UnitUnfrozen(ObjectionFactSchema):
    """An officer lifted the objection: what rested for it works again."""


@FACTS.fact("objection.upheld", v=1, example=_OBJECTION)
class ObjectionUpheld(ObjectionFactSchema):
    """An officer agreed with the legal representative; the unit stays frozen until it is lifted."""
