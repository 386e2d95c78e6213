"""The facts about an agent's authorisation, beside the states of applications."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from employer_auth.events import FACTS

_BINDING = "01890a5d-ac96-774b-bcce-b302099a8057"
_UNIT = "01890a5d-ac96-774b-bcce-b302099a8058"
_PERSON = "01890a5d-ac96-774b-bcce-b302099a8059"


class AuthorisationSchema(Schema):
    """What both facts about an agent's authorisation say."""

    authorisation_id = fields.Str(required=True)
    binding_id = fields.Str(required=True)
    unit_id = fields.Str(required=True)
    person_id = fields.Str(required=True)
    case_id = fields.Str(required=True)
    channel = fields.Str(required=True)


_AUTHORISATION: Final[dict[str, Any]] = {
    "authorisation_id": "01890a5d-ac96-774b-bcce-b302099a8061",
    "binding_id": _BINDING,
    "unit_id": _UNIT,
    "person_id": _PERSON,
    "case_id": "01890a5d-ac96-774b-bcce-b302099a8062",
    "channel": "online",
}


@FACTS.fact("authorisation.activated", v=1, example=_AUTHORISATION)
class AuthorisationActivated(AuthorisationSchema):
    """授权码实名: the agent proved to the agency that they act for the unit (EA-09)."""


@FACTS.fact("authorisation.revoked", v=1, example=_AUTHORISATION)
class AuthorisationRevoked(AuthorisationSchema):
    """What the agent had proved holds no longer."""
