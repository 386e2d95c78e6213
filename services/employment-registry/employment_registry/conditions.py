"""What must be so before a form opens: one table for the service guide, the check and the form.

ER-10: a matter's rules hold its conditions. The guide shows their texts, the check answers each
of them, and the form opens only when none refuses, so that the three can never disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from servicekit.errors import Refusal

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Condition(Generic[S]):
    """One condition (办理条件) of a business.

    Args:
        text: for people; a ``{placeholder}`` is filled from the policies in force.
        check: refuses as the form would.
        next_step: what a person does who does not meet it.
    """

    code: str
    text: str
    check: Callable[[S], None]
    next_step: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Does a person meet a condition? ``refusal`` says why not."""

    code: str
    text: str
    next_step: str
    refusal: Refusal | None

    @property
    def met(self) -> bool:
        """Would the form open, as far as this condition goes?"""
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class OpenOne:
    """An application that is not decided yet.

    ``application_id`` is None when it was filed with another account of the person.
    """

    application_id: str | None

    def refuse(self, refusal: type[Refusal]) -> Refusal:
        """The matter's own refusal, naming the application."""
        return refusal(extra={"application_id": self.application_id})


def require(conditions: Iterable[Condition[S]], situation: S) -> None:
    """Refuse by the first condition that is not met."""
    for each in conditions:
        each.check(situation)


def assess(conditions: Iterable[Condition[S]], situation: S) -> list[Finding]:
    """Every condition, met or not."""
    found = []
    for each in conditions:
        refusal = None
        try:
            each.check(situation)
        except Refusal as refused:
            refusal = refused
        found.append(Finding(each.code, each.text, each.next_step, refusal))
    return found
