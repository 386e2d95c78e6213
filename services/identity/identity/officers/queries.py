"""The officers there are."""

from __future__ import annotations

from sqlalchemy import Select, select

from identity.officers.model import Officer


def officers_of(region: str) -> Select[Officer]:
    """Everybody in a region and below it; the page decides how many."""
    return select(Officer).where(Officer.region.startswith(region, autoescape=True))
