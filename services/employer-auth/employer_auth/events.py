"""The facts employer-auth announces: ids, states, versions; of people nothing else."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from servicekit.facts import Facts
from servicekit.leaked_keys import EXAMPLE, SigningKeyWithdrawn

FACTS = Facts("employer-auth")
FACTS.fact("signing-key.withdrawn", v=1, example=EXAMPLE)(SigningKeyWithdrawn)

_BINDING = "01890a5d-ac96-774b-bcce-b302099a8057"
_UNIT = "01890a5d-ac96-774b-bcce-b302099a8058"
_PERSON = "01890a5d-ac96-774b-bcce-b302099a8059"
_TOLD: Final[dict[str, Any]] = {
    "binding_id": _BINDING,
    "unit_id": _UNIT,
    "unit_name": "广州示例科技有限公司",
    "person_id": _PERSON,
    "via": None,
    "version": 2,
    "by": None,
    "reasons": [],
}


@FACTS.fact(
    "binding.revised",
    v=1,
    example={
        "binding_id": _BINDING,
        "unit_id": _UNIT,
        "person_id": _PERSON,
        "via": None,
        "version": 3,
        "state": "active",
        "permissions": ["recruitment.jobs:submit", "recruitment.jobs:view"],
        "valid_until": "2027-11-20",
    },
)
class BindingRevised(Schema):
    """A binding or what is granted under it changed; tokens of an older version are worth nothing.

    ``state`` is invited, active, suspended, declined, cancelled, expired or released; ``via`` is
    the agency of a chain mandate; ``permissions`` are those in force now; ``valid_until`` is the
    binding's last day.
    """

    binding_id = fields.Str(required=True)
    unit_id = fields.Str(required=True)
    person_id = fields.Str(required=True)
    via = fields.Str(required=True, allow_none=True)
    version = fields.Int(required=True)
    state = fields.Str(required=True)
    permissions = fields.List(fields.Str(), required=True)
    valid_until = fields.Date(required=True, allow_none=True)


class SubAccountSchema(Schema):
    """What these facts say; ``by`` is unit, agent, agency, officer or system."""

    binding_id = fields.Str(required=True)
    unit_id = fields.Str(required=True)
    unit_name = fields.Str(required=True)
    person_id = fields.Str(required=True)
    via = fields.Str(required=True, allow_none=True)
    version = fields.Int(required=True)
    by = fields.Str(required=True, allow_none=True)
    reasons = fields.List(fields.Str(), required=True)


@FACTS.fact("sub-account.invited", v=1, example=_TOLD | {"version": 1, "by": "unit"})
class SubAccountInvited(SubAccountSchema):
    """A unit asks a person to act for it; nothing binds before the person agrees (EA-03)."""


@FACTS.fact("sub-account.declined", v=1, example=_TOLD | {"by": "agent"})
class SubAccountDeclined(SubAccountSchema):
    """The person refused the unit's invitation."""


@FACTS.fact("sub-account.cancelled", v=1, example=_TOLD | {"by": "unit"})
class SubAccountCancelled(SubAccountSchema):
    """The unit took its invitation back."""


@FACTS.fact("sub-account.expired", v=1, example=_TOLD | {"by": "system"})
class SubAccountExpired(SubAccountSchema):
    """Nobody answered the invitation in time."""


@FACTS.fact("sub-account.bound", v=1, example=_TOLD | {"by": "agent"})
class SubAccountBound(SubAccountSchema):
    """Both sides agreed: the person is bound to the unit (EA-04)."""


@FACTS.fact("sub-account.unbound", v=1, example=_TOLD | {"version": 7, "by": "unit"})
class SubAccountUnbound(SubAccountSchema):
    """The binding ended, by the unit, the agent, an officer or the system (EA-04, EA-05)."""


@FACTS.fact(
    "sub-account.suspended",
    v=1,
    example=_TOLD | {"version": 5, "by": "system", "reasons": ["person-level"]},
)
class SubAccountSuspended(SubAccountSchema):
    """The binding rests until its reasons are gone."""


@FACTS.fact("sub-account.resumed", v=1, example=_TOLD | {"version": 6, "by": "system"})
class SubAccountResumed(SubAccountSchema):
    """The binding works again."""


class PermissionSchema(Schema):
    """What both facts about permissions say."""

    binding_id = fields.Str(required=True)
    unit_id = fields.Str(required=True)
    person_id = fields.Str(required=True)
    via = fields.Str(required=True, allow_none=True)
    unit_name = fields.Str(required=True)
    version = fields.Int(required=True)
    business = fields.Str(required=True)
    title = fields.Str(required=True)
    actions = fields.List(fields.Str(), required=True)


_PERMISSION: Final[dict[str, Any]] = {
    "binding_id": _BINDING,
    "unit_id": _UNIT,
    "person_id": _PERSON,
    "via": None,
    "unit_name": "广州示例科技有限公司",
    "version": 3,
    "business": "recruitment.jobs",
    "title": "招聘管理",
    "actions": ["submit", "view"],
}


@FACTS.fact(
    "permission.granted",
    v=1,
    example=_PERMISSION
    | {"region": "440106", "valid_from": "2026-11-21", "valid_until": "2027-11-20"},
)
class PermissionGranted(PermissionSchema):
    """The unit granted a business to a bound person, or changed what it had granted (EA-04)."""

    region = fields.Str(required=True, allow_none=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True)


@FACTS.fact("permission.withdrawn", v=1, example=_PERMISSION | {"ending": "withdrawn"})
class PermissionWithdrawn(PermissionSchema):
    """A permission was withdrawn or expired (EA-04); a binding's end says so for all of its own."""

    ending = fields.Str(required=True)


class UnitManagementSchema(Schema):
    """What the facts about a unit's management say; ``days`` are those it has, or had."""

    unit_id = fields.Str(required=True)
    unit_name = fields.Str(required=True)
    days = fields.Int(required=True)


_MANAGEMENT: Final[dict[str, Any]] = {
    "unit_id": _UNIT,
    "unit_name": "广州示例科技有限公司",
    "days": 30,
}


@FACTS.fact("unit.unmanaged", v=1, example=_MANAGEMENT)
class UnitUnmanaged(UnitManagementSchema):
    """Nobody manages a unit any more; after these days its agents must rest."""


@FACTS.fact("unit.restricted", v=1, example=_MANAGEMENT)
class UnitRestricted(UnitManagementSchema):
    """The days are over: the unit's bindings rest until it appoints somebody who manages."""


@FACTS.fact("unit.managed", v=1, example=_MANAGEMENT)
class UnitManaged(UnitManagementSchema):
    """Somebody manages the unit again; what rested for want of it works again."""


@FACTS.fact(
    "entrustment.changed",
    v=1,
    example={
        "entrustment_id": "01890a5d-ac96-774b-bcce-b302099a8061",
        "unit_id": _UNIT,
        "unit_name": "广州示例科技有限公司",
        "agency_id": "01890a5d-ac96-774b-bcce-b302099a8062",
        "agency_name": "广东示例人力资源有限公司",
        "version": 2,
        "state": "active",
        "state_label": "委托中",
        "businesses": ["recruitment.jobs"],
        "valid_until": "2027-11-20",
    },
)
class EntrustmentChanged(Schema):
    """A unit's entrustment to an agency was offered, answered, changed or ended (EA-13)."""

    entrustment_id = fields.Str(required=True)
    unit_id = fields.Str(required=True)
    unit_name = fields.Str(required=True)
    agency_id = fields.Str(required=True)
    agency_name = fields.Str(required=True)
    version = fields.Int(required=True)
    state = fields.Str(required=True)
    state_label = fields.Str(required=True)
    businesses = fields.List(fields.Str(), required=True)
    valid_until = fields.Date(required=True)
