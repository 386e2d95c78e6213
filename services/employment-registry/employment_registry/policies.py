"""The table of the registry's policies, and what holds on a day (AL-11).

How they come into force is the kit's; how admins change and try them is ``policy_changes``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from employment_registry.events import FACTS, PolicyChanged
from employment_registry.policy_kinds import KINDS
from employment_registry.tables import Base
from servicekit.outbox import announce
from servicekit.policies import Policies, PolicyColumns


class Policy(PolicyColumns, Base):
    """One policy of the registry."""

    __tablename__ = "policy"


def _announce(db: Session, policy: Policy, now: datetime) -> None:
    announce(
        db,
        FACTS.of(
            PolicyChanged,
            subject=policy.id,
            now=now,
            policy_id=policy.id,
            kind=policy.kind,
            status=policy.status.value,
            in_force_from=policy.in_force_from,
        ),
    )


POLICIES: Final = Policies(
    name="employment-registry.policies", model=Policy, kinds=KINDS, changed=_announce
)
