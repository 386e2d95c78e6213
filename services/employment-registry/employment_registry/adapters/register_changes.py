"""What the registers tell by themselves: numbered changes, read on from where one stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

from servicekit.client import Answered
from servicekit.errors import OutsideFailed
from servicekit.personal import DocumentNumber
from servicekit.signed import SignedClient

LONGEST_PAGE: Final = 1_000
LARGEST: Final = 2**63 - 1  # what the database counts to


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a register's list; the kinds are the register's own words."""

    number: int
    kind: str
    document_kind: str
    document_number: DocumentNumber
    on: date


class RegisterChanges(Protocol):
    """Reads the list; a simulator stands in for it in development."""

    def after(self, number: int) -> list[Change]:
        """The next page after a number, in order; empty when there is nothing new.

        Raises:
            OutsideFailed: no answer in time, or one that makes no sense.
        """
        ...


class HttpRegisterChanges:
    """The list over HTTP."""

    def __init__(self, outside: SignedClient) -> None:
        self._outside = outside

    def after(self, number: int) -> list[Change]:
        """Ask for the page, and take it whole or not at all."""
        try:
            answer = self._outside.ask("/changes", {"after": str(number)})
            changes = [_change(row) for row in answer.body["changes"][:LONGEST_PAGE]]
        except (Answered, KeyError, TypeError, ValueError) as error:
            raise OutsideFailed from error
        numbers = [number, *(change.number for change in changes)]
        if numbers != sorted(set(numbers)):
            raise OutsideFailed
        return changes


def _change(row: Any) -> Change:
    number, words = row["number"], (row["kind"], row["document_kind"])
    if type(number) is not int or number > LARGEST or {type(word) for word in words} != {str}:
        raise TypeError("not a change")
    on = date.fromisoformat(row["on"])
    return Change(number, *words, DocumentNumber(row["document_number"]), on)
