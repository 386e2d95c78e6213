"""Keeps what services publish, and has bindings revised when a business offers less than before."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from employer_auth.catalogue import rules
from employer_auth.catalogue.model import Business
from employer_auth.catalogue.rules import Offer

CHANNEL: Final = "employer_auth_catalogue"
_CALL: Final = text("SELECT pg_notify(:channel, '')")


def keep_business(db: Session, said: dict[str, Any], *, now: datetime) -> None:
    """The newest declaration holds; a service tells of one business in order."""
    known = db.get(Business, said["code"], with_for_update=True)
    values: dict[str, Any] = {**said, "published_at": now}
    if known is not None and rules.is_narrower(_offer(known), _offer_said(said)):
        values["narrowed_at"] = now
        db.execute(_CALL, {"channel": CHANNEL})
    row = insert(Business).values(**values)
    db.execute(row.on_conflict_do_update(index_elements=["code"], set_=values))


def settle_narrowed(db: Session, code: str, narrowed_at: datetime) -> None:
    """Every binding has been revised since; a newer narrowing stays to be done."""
    business = db.get_one(Business, code, with_for_update=True, populate_existing=True)
    if business.narrowed_at == narrowed_at:
        business.narrowed_at = None


def _offer(known: Business) -> Offer:
    return Offer(tuple(known.actions), known.person_level, known.retired)


def _offer_said(said: dict[str, Any]) -> Offer:
    return Offer(tuple(said["actions"]), said["person_level"], said["retired"])
