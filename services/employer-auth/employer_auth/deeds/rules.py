"""Which moves of applications are deeds of an agent."""

from __future__ import annotations


def is_deed(acted_by: str | None) -> bool:
    """Did a person do it for a unit? What people do for themselves, and officers, is none."""
    return acted_by is not None
