"""Which policies the registry has, and their table: ages, limits, pauses, the certificate (AL-11).

How they come into force is the kit's; how admins change and try them is ``policy_changes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from sqlalchemy.orm import Session

from employment_registry.certificate.policy import CertificatePolicy
from employment_registry.events import FACTS, PolicyChanged
from employment_registry.tables import Base
from employment_registry.working_age import WorkingAge
from servicekit.outbox import announce
from servicekit.policies import Kind, Policies, PolicyColumns


@dataclass(frozen=True, slots=True)
class ReviewLimit:
    """Working days an officer has to decide, per matter (AL-09)."""

    flexible_employment: int
    unemployment: int
    certificate: int

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """The policy a row says."""
        return cls(**value)


@dataclass(frozen=True, slots=True)
class LookBack:
    """How long ago a person may have lost work who registers as unemployed (UNE-10)."""

    length: timedelta

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """The policy a row says, in days."""
        return cls(timedelta(days=value["days"]))


@dataclass(frozen=True, slots=True)
class ServicePlacePause:
    """How long an office serves before another one may be chosen (UNE-08)."""

    length: timedelta

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """The policy a row says, in days."""
        return cls(timedelta(days=value["days"]))


class Policy(PolicyColumns, Base):
    """One policy of the registry."""

    __tablename__ = "policy"


KINDS: Final[Mapping[str, type[Kind]]] = {
    "working-age": WorkingAge,
    "review-limit": ReviewLimit,
    "unemployment-look-back": LookBack,
    "service-place-pause": ServicePlacePause,
    "certificate": CertificatePolicy,
}


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
