"""What the registry does when others speak: it knows the officers there are, and merged accounts.

An account that is merely cancelled ends no registration: the person is still without work, and the
office that serves them still knows it.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from employment_registry import merging
from servicekit.inbox import Envelope, Subscriptions
from servicekit.teamwork import roster

SUBSCRIPTIONS = Subscriptions("employment-registry")
roster.subscribe(SUBSCRIPTIONS)


class AccountCancelledSchema(Schema):
    """Which account ended, and which one goes on for the same person."""

    account_id = fields.Str(required=True)
    merged_into = fields.Str(load_default=None)


@SUBSCRIPTIONS.on("identity.account.cancelled.v1", reads=AccountCancelledSchema)
def follow_merge(db: Session, cancelled: dict[str, Any], _envelope: Envelope) -> None:
    """The person goes on with the account that stays (ID-05)."""
    if cancelled["merged_into"] is not None:
        merging.follow(db, ended=cancelled["account_id"], stays=cancelled["merged_into"])
