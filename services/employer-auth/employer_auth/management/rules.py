"""How long a unit may be without somebody who manages."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class Step(StrEnum):
    """What is to be done about a unit's management now."""

    NOTHING = "nothing"
    WARN = "warn"
    RESTRICT = "restrict"
    RELIEVE = "relieve"


def next_step(
    *,
    needed: bool,
    unmanaged_since: datetime | None,
    restricted: bool,
    now: datetime,
    days: int,
) -> Step:
    """Warn at once, restrict when the days are over, relieve when somebody manages again.

    Args:
        needed: it has agents, and none of them manages.
        unmanaged_since: when it was warned, if it was.
        days: how many the installation grants (Corppass: 30).
    """
    if not needed:
        return Step.NOTHING if unmanaged_since is None else Step.RELIEVE
    if unmanaged_since is None:
        return Step.WARN
    over = now - unmanaged_since >= timedelta(days=days)
    return Step.RESTRICT if over and not restricted else Step.NOTHING
