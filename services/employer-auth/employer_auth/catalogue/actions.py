"""Keeps what services publish."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from employer_auth.catalogue.model import Business


def keep_business(db: Session, said: dict[str, Any], *, now: datetime) -> None:
    """The newest declaration holds; a service tells of one business in order."""
    values = {**said, "published_at": now}
    row = insert(Business).values(**values)
    db.execute(row.on_conflict_do_update(index_elements=["code"], set_=values))
