"""How a person may be registered: the two words, for rules that know no table."""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """How a person is registered."""

    EMPLOYED = "employed"  # 就业
    UNEMPLOYED = "unemployed"  # 失业
