"""Looks up businesses."""

from __future__ import annotations

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
