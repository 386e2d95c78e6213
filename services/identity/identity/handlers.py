"""What identity does when the other services speak: it tells the applicant."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from identity.messages import actions, rules
from servicekit.facts import ApplicationMovedSchema
from servicekit.inbox import Envelope, Subscriptions

SUBSCRIPTIONS = Subscriptions("identity")


@SUBSCRIPTIONS.on_application("*", reads=ApplicationMovedSchema)
def tell_applicant(db: Session, moved: dict[str, Any], envelope: Envelope) -> None:
    """Write the message and queue the SMS (ID-48).

    The inbox lets an event in once, and both rows are written in its transaction, so a
    repetition tells nobody twice.
    """
    if not rules.is_told(moved["before"], moved["after"]):
        return  # saving a draft is no news
    words = {
        "matter": rules.matter_title(moved["business"]),
        "number": moved["number"] or "—",
    }
    actions.tell(
        db,
        moved["applicant_id"],
        f"application-{moved['after']}",
        words,
        subject=envelope.subject,
        now=envelope.time,
    )
