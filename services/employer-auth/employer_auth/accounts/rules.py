"""What identity's words about accounts mean here."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from servicekit.errors import Conflict

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


class UnitIsFrozen(Conflict):
    """EA-12: the legal representative objected, and nobody has decided yet."""

    code = "unit-frozen"
    default_message = "单位账号已冻结，请联系当地人社部门核实；解除冻结后方可办理。"


def lowest_level(kind: Kind | None) -> int:
    """The level of an account nobody has verified, on the scale of its kind."""
    return LOWEST_UNIT_LEVEL if kind is Kind.UNIT else 1


def is_active(standing: Standing) -> bool:
    """May the account be used?"""
    return standing is Standing.ACTIVE


def check_not_frozen(frozen_at: datetime | None) -> None:
    """A frozen unit does nothing before an officer has decided (EA-12).

    Raises:
        UnitIsFrozen
    """
    if frozen_at is not None:
        raise UnitIsFrozen
