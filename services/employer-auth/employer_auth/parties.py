"""Who stands behind a request: the human, alone or acting for a unit."""

from __future__ import annotations

from servicekit.applications import Actor
from servicekit.web.refusals import DelegateRequired


def human(actor: Actor) -> str:
    """The account of the person who asks, in a session of their own or an acting one.

    Raises:
        DelegateRequired: a unit's own account, behind which nobody is named (EA-01).
    """
    if actor.kind == "unit" and not actor.is_acting:
        raise DelegateRequired
    return actor.person_id or actor.id
