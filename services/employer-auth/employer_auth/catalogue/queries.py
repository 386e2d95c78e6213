"""Looks up businesses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from employer_auth.catalogue import rules
from employer_auth.catalogue.model import Business


def list_businesses(db: Session) -> list[Business]:
    """Every business that is offered, by code."""
    found = select(Business).where(~Business.retired).order_by(Business.code)
    return list(db.scalars(found))


def find_business(db: Session, code: str) -> Business:
    """A business that is offered.

    Raises:
        BusinessNotFound
    """
    business = db.get(Business, code)
    if business is None or business.retired:
        raise rules.BusinessNotFound
    return business


def title_of(db: Session, code: str) -> str:
    """The Chinese name of a business, retired ones too; the code where there is none."""
    business = db.get(Business, code)
    return code if business is None else business.title


def narrowed(db: Session) -> list[tuple[str, datetime]]:
    """The businesses that offer less than some binding's tokens may say, and since when."""
    found = select(Business.code, Business.narrowed_at).where(Business.narrowed_at.is_not(None))
    return [(code, at) for code, at in db.execute(found.order_by(Business.code)) if at is not None]
