"""The facts identity announces: ids, levels and kinds, never a name, number or phone."""

from __future__ import annotations

from marshmallow import Schema, fields

from servicekit.facts import Facts

FACTS = Facts("identity")

_ACCOUNT = "01890a5d-ac96-774b-bcce-b302099a8057"
_SESSION = "01890a5d-ac96-774b-bcce-b302099a8058"


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


@FACTS.fact("account.locked", v=1, example={"account_id": _ACCOUNT})
class AccountLocked(Schema):
    """An admin locked the account; its tokens are worth nothing from now on (ID-43)."""

    account_id = fields.Str(required=True)


@FACTS.fact("session.ended", v=1, example={"session_id": _SESSION, "account_id": _ACCOUNT})
class SessionEnded(Schema):
    """A login ended; tokens that name the session are worth nothing from now on (ID-43)."""

    session_id = fields.Str(required=True)
    account_id = fields.Str(required=True)
