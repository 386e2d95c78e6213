"""Examples for the documentation of what admins do: named people, valid numbers, made up."""

from __future__ import annotations

from typing import Final

from identity.examples import Example

_ID: Final = "01890a5d-ac96-774b-bcce-b302099a8057"
_OTHER_ID: Final = "01890a5d-ac96-774b-bcce-b302099a8058"
_TIME: Final = "2026-11-21T02:00:00+00:00"
_BUSINESS: Final = "employment-registry.flexible-employment"

REASON: Final[Example] = {"reason": "本人电话申报账号被盗"}
ACCOUNT_SOUGHT: Final[Example] = {"document_number": "440106199001010012"}
ACCOUNT_FOUND: Final[Example] = {
    "id": _ID,
    "kind": "person",
    "standing": "active",
    "level": 2,
    "login_name": "l***********",
    "phone": "138****0000",
    "name": "林**",
    "document_type": "resident-card",
    "document_number": "440***********0012",
    "certificate_number": None,
    "region": None,
    "migrated_twice": False,
    "created_at": _TIME,
}
ACCOUNTS_FOUND: Final[Example] = {"items": [ACCOUNT_FOUND]}
ACCOUNT_RECORD: Final[Example] = {
    "account": ACCOUNT_FOUND,
    "record": [
        {
            "move": "lock",
            "before": "active",
            "after": "locked",
            "actor_id": _OTHER_ID,
            "at": _TIME,
            "note": "本人电话申报账号被盗",
        }
    ],
}
REVEAL: Final[Example] = {"field": "phone", "reason": "回拨核实本人"}
REVEALED: Final[Example] = {"value": "13800000000"}
DUPLICATES: Final[Example] = {
    "items": [{"by": "document", "accounts": [ACCOUNT_FOUND, {**ACCOUNT_FOUND, "id": _OTHER_ID}]}]
}
PROPOSAL: Final[Example] = {
    "kept_id": _ID,
    "given_up_id": _OTHER_ID,
    "way": "cancel",
    "reason": "迁移数据中同一人有两个账号，本人确认保留常用账号",
}
RESOLUTION: Final[Example] = {
    **PROPOSAL,
    "id": _ID,
    "outcome": "proposed",
    "proposed_by": _ID,
    "proposed_at": _TIME,
    "decided_by": None,
    "decided_at": None,
}
NOTE: Final[Example] = {"note": "已电话核实本人"}
DUTIES: Final[Example] = {
    "region": "440106",
    "businesses": [_BUSINESS],
    "roles": ["reviewer"],
    "reason": "调岗至天河区",
}
BUSINESSES: Final[Example] = {"items": [_BUSINESS]}
