"""Which kinds of policy the registry has: ages, limits, pauses, the certificate … (AL-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self

from employment_registry.certificate.policy import CertificatePolicy
from employment_registry.working_age import WorkingAge
from servicekit.policy_rules import Kind

LONGEST_PAUSE: Final = timedelta(minutes=5)
GROWTH: Final = 4  # how much longer each pause is than the one before


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


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a register is asked about one application (ER-09).

    Args:
        attempts: after so many that failed the person is told.
        first_pause: after the first one; ``GROWTH`` times as long after each further one.
        longest: after it the person is told in any case.
    """

    attempts: int
    first_pause: timedelta
    longest: timedelta

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """The policy a row says."""
        return cls(
            value["attempts"],
            timedelta(seconds=value["first_pause_seconds"]),
            timedelta(minutes=value["longest_minutes"]),
        )

    def pause_after(self, attempts: int, chance: float) -> timedelta | None:
        """How long to wait after so many attempts; None when they are used up.

        Args:
            chance: 0 … 1; the pause lies between half and one and a half of its size, so that
                what failed together does not come back together.
        """
        if attempts >= self.attempts:
            return None
        size: timedelta = min(self.first_pause * GROWTH ** (attempts - 1), LONGEST_PAUSE)
        return size * (0.5 + chance)


@dataclass(frozen=True, slots=True)
class SharedPhone:
    """How many other persons may give the same telephone before an officer is shown them (AL-12).

    Families share one: two parents and a child are nothing to ask about.
    """

    others: int

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """The policy a row says."""
        return cls(**value)

    def is_shared(self, others: int) -> bool:
        """Is it worth a question when so many others have it?"""
        return others >= self.others


KINDS: Final[Mapping[str, type[Kind]]] = {
    "working-age": WorkingAge,
    "review-limit": ReviewLimit,
    "unemployment-look-back": LookBack,
    "service-place-pause": ServicePlacePause,
    "certificate": CertificatePolicy,
    "ending-notice": EndingNotice,
    "check-patience": Patience,
    "shared-phone": SharedPhone,
}
