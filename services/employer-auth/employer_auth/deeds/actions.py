"""Keeps what services tell of applications that somebody moved for a unit."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from employer_auth.deeds.model import Deed
from servicekit.inbox import Envelope


def keep_deed(db: Session, moved: dict[str, Any], envelope: Envelope) -> None:
    """One row per event; the inbox lets an event in once."""
    db.add(
        Deed(
            id=envelope.id,
            unit_id=moved["applicant_id"],
            person_id=moved["acted_by"],
            via=moved.get("acted_via"),
            business=moved["business"],
            application_id=envelope.subject,
            number=moved["number"],
            move=moved["move"],
            after=moved["after"],
            at=envelope.time,
        )
    )
