"""What identity's words about accounts mean here."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

VERIFIED_LEVEL: Final = 2  # 二级实名: below it nobody is bound (EA-06)
LOWEST_UNIT_LEVEL: Final = 2  # of the province's scale: registered, not verified


class Kind(StrEnum):
    """Whose account it is."""

    PERSON = "person"
    UNIT = "unit"
    OFFICER = "officer"


class Standing(StrEnum):
    """Whether an account may be used."""

    ACTIVE = "active"
    LOCKED = "locked"
    CANCELLED = "cancelled"


def lowest_level(kind: Kind | None) -> int:
    """The level of an account nobody has verified, on the scale of its kind."""
    return LOWEST_UNIT_LEVEL if kind is Kind.UNIT else 1


def is_active(standing: Standing) -> bool:
    """May the account be used?"""
    return standing is Standing.ACTIVE
