"""Gives what is announced to end a registration, and an objection to it, to the new office."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from employment_registry.life_events import queries
from servicekit.teamwork.reviews import ask_no_more


def hand_over(db: Session, record_id: str, region: str, *, now: datetime) -> None:
    """The new office sees it from now on, the old no longer (UNE-07); nobody there has it yet.

    Whoever writes histories in the same transaction holds the ending before, as who objects does.

    Args:
        record_id: the registration, whose person's standing is held.
        region: where it belongs from now on; where that is the same, whoever has it keeps it.
    """
    ending = queries.find_open(db, record_id)
    if ending is not None and ending.region != region:
        ending.region, ending.assigned_to = region, None
        ending.claimed_by = ending.claimed_until = None
        ask_no_more(db, ending, now)
        db.flush()
