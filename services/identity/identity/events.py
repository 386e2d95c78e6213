"""The facts identity announces: ids, levels and kinds, never a name, number or phone."""

from __future__ import annotations

from marshmallow import Schema, fields

from servicekit.facts import Facts
from servicekit.leaked_keys import EXAMPLE, SigningKeyWithdrawn

FACTS = Facts("identity")
FACTS.fact("signing-key.withdrawn", v=1, example=EXAMPLE)(SigningKeyWithdrawn)

_ACCOUNT = "01890a5d-ac96-774b-bcce-b302099a8057"
_SESSION = "01890a5d-ac96-774b-bcce-b302099a8058"
_UNIT = "01890a5d-ac96-774b-bcce-b302099a8059"
_CLIENT = "01890a5d-ac96-774b-bcce-b302099a805a"


@FACTS.fact("account.registered", v=1, example={"account_id": _ACCOUNT, "kind": "person"})
class AccountRegistered(Schema):
    """There is a new account."""

    account_id = fields.Str(required=True)
    kind = fields.Str(required=True)


@FACTS.fact(
    "account.verified",
    v=1,
    example={"account_id": _ACCOUNT, "level": 2, "channel": "bank-card"},
)
class AccountVerified(Schema):
    """A channel proved the identity behind an account; ``level`` holds from now on (ID-07)."""

    account_id = fields.Str(required=True)
    level = fields.Int(required=True)
    channel = fields.Str(required=True)


@FACTS.fact(
    "account.level-changed",
    v=1,
    example={"account_id": _ACCOUNT, "kind": "unit", "scale": "prov", "level": 3, "before": 5},
)
class LevelChanged(Schema):
    """A level rose or fell; after a fall the tokens of before are worth nothing (ID-43)."""

    account_id = fields.Str(required=True)
    kind = fields.Str(required=True)
    scale = fields.Str(required=True)
    level = fields.Int(required=True)
    before = fields.Int(required=True)


@FACTS.fact("account.locked", v=1, example={"account_id": _ACCOUNT})
class AccountLocked(Schema):
    """An admin locked the account; its tokens are worth nothing from now on (ID-43)."""

    account_id = fields.Str(required=True)


@FACTS.fact("session.ended", v=1, example={"session_id": _SESSION, "account_id": _ACCOUNT})
class SessionEnded(Schema):
    """A login ended; tokens that name the session are worth nothing from now on (ID-43)."""

    session_id = fields.Str(required=True)
    account_id = fields.Str(required=True)


@FACTS.fact("account.unlocked", v=1, example={"account_id": _ACCOUNT})
class AccountUnlocked(Schema):
    """An admin let the account in again; tokens from before stay worthless."""

    account_id = fields.Str(required=True)


@FACTS.fact("account.cancelled", v=1, example={"account_id": _ACCOUNT, "kind": "person"})
class AccountCancelled(Schema):
    """The account has ended for good, and what identity knew of its owner is unreadable (ID-17)."""

    account_id = fields.Str(required=True)
    kind = fields.Str(required=True)
    merged_into = fields.Str(
        metadata={"description": "Where one person had two accounts: the one that stays (ID-05)."}
    )


@FACTS.fact(
    "officer.changed",
    v=1,
    example={
        "officer_id": _ACCOUNT,
        "region": "440106",
        "businesses": ["employment-registry.unemployment"],
        "roles": ["reviewer"],
        "is_active": True,
    },
)
class OfficerChanged(Schema):
    """There is an officer, or where, for what or whether they are in office changed (ID-45)."""

    officer_id = fields.Str(required=True)
    region = fields.Str(required=True)
    businesses = fields.List(fields.Str(), required=True)
    roles = fields.List(fields.Str(), required=True)
    is_active = fields.Bool(required=True)


@FACTS.fact(
    "unit.registered",
    v=1,
    example={
        "unit_id": _UNIT,
        "person_id": _ACCOUNT,
        "certificate_type": "uscc",
        "certificate_number": "91350100M000100Y43",
        "name": "广州示例科技有限公司",
        "region": "440106",
        "level": 2,
    },
)
class UnitRegistered(Schema):
    """A verified person registered a unit (ID-20); number and name of a unit are public."""

    unit_id = fields.Str(required=True)
    person_id = fields.Str(required=True)
    certificate_type = fields.Str(required=True)
    certificate_number = fields.Str(required=True)
    name = fields.Str(required=True)
    region = fields.Str(required=True)
    level = fields.Int(required=True)


@FACTS.fact(
    "unit.changed",
    v=1,
    example={"unit_id": _UNIT, "name": "广州示例科技股份有限公司", "region": "440106"},
)
class UnitChanged(Schema):
    """A unit is called otherwise, is elsewhere, or another person represents it (ID-27)."""

    unit_id = fields.Str(required=True)
    name = fields.Str(required=True)
    region = fields.Str(required=True)


@FACTS.fact("client.suspended", v=1, example={"client_id": _CLIENT})
class ClientSuspended(Schema):
    """Another system was stopped; the tokens it holds are worth nothing from now on (ID-43)."""

    client_id = fields.Str(required=True)


@FACTS.fact("unit.recovered", v=1, example={"unit_id": _ACCOUNT})
class UnitRecovered(Schema):
    """Officers gave a unit its login name or a one-time password back."""

    unit_id = fields.Str(required=True)
