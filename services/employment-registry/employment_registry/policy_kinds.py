"""Which kinds of policy the registry has: ages, limits, pauses, the certificate (AL-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self

from employment_registry.certificate.policy import CertificatePolicy
from employment_registry.working_age import WorkingAge
from servicekit.policy_rules import Kind


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


@dataclass(frozen=True, slots=True)
class EndingNotice:
    """Working days around the ending of a registration (ER-07): notice, objection, correction.

    Args:
        notice: between the announcement that a registration ends and its end.
        review: an officer has to decide on an objection.
        correction: a person has to add what the officer asks for.
    """

    notice: int
    review: int
    correction: int

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """The policy a row says."""
        return cls(**value)


KINDS: Final[Mapping[str, type[Kind]]] = {
    "working-age": WorkingAge,
    "review-limit": ReviewLimit,
    "unemployment-look-back": LookBack,
    "service-place-pause": ServicePlacePause,
    "certificate": CertificatePolicy,
    "ending-notice": EndingNotice,
}
