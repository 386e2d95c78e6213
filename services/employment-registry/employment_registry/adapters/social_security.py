"""Social-insurance and tax data (社会保险与税务征缴): insured by an employer, or a pensioner?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from servicekit.client import Answered
from servicekit.errors import OutsideFailed
from servicekit.personal import DocumentNumber, PersonName
from servicekit.signed import SignedClient


@dataclass(frozen=True, slots=True)
class Insured:
    """What the data say of a person today.

    Attributes:
        employed_since: from when an employer insures the person; None when none does.
    """

    employed_since: date | None
    is_pensioner: bool
    reference: str
    answer_hash: bytes


class SocialSecurity(Protocol):
    """Asks the data; a simulator stands in for them in development."""

    def find(self, name: PersonName, document_number: DocumentNumber) -> Insured:
        """What they say of a person.

        Raises:
            OutsideFailed: no answer in time, or one that makes no sense.
        """
        ...


class HttpSocialSecurity:
    """The data over HTTP."""

    def __init__(self, outside: SignedClient) -> None:
        self._outside = outside

    def find(self, name: PersonName, document_number: DocumentNumber) -> Insured:
        """Post name and number, and read the verdict."""
        question = {"name": name.expose(), "document_number": document_number.expose()}
        try:
            answer = self._outside.ask("/checks", question)
        except Answered as error:
            raise OutsideFailed from error
        employed, pensioner = answer.body.get("employed"), answer.body.get("pensioner")
        if not isinstance(employed, bool) or not isinstance(pensioner, bool):
            raise OutsideFailed
        try:
            since = date.fromisoformat(answer.text("since", longest=10)) if employed else None
        except ValueError as error:
            raise OutsideFailed from error
        return Insured(since, pensioner, answer.reference, answer.answer_hash)
