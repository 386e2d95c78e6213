"""The legal-person base (法人基础库): is there such a unit, of this name and representative?

Guangdong's units only. Name, number and representative must agree to the letter with what the
registration authority issued; which of them differs is never told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from servicekit.client import Answered
from servicekit.errors import OutsideFailed
from servicekit.personal import PersonName
from servicekit.signed import SignedClient

PROVIDER: Final = "legal-person-base"


@dataclass(frozen=True, slots=True)
class BaseAnswer:
    """What the base says; ``agrees`` is False for an unknown unit as for a wrong name."""

    agrees: bool
    reference: str
    answer_hash: bytes
    region: str = ""  # where the unit is registered, when everything agrees
    standing: str = ""  # in-business | revoked | deregistered, when everything agrees

    @property
    def is_in_business(self) -> bool:
        """Does the unit still exist? (存续)"""
        return self.agrees and self.standing == "in-business"


class LegalPersonBase(Protocol):
    """Asks the base; a simulator stands in for it in development."""

    def check(
        self, *, certificate_number: str, name: str, legal_representative: PersonName | None = None
    ) -> BaseAnswer:
        """Do number, name and, when given, the legal representative's name belong together?

        Raises:
            OutsideFailed: no answer in time, three tries included, or one that makes no sense.
        """
        ...

    def health(self) -> bool:
        """Does the base answer at all?"""
        ...


class HttpLegalPersonBase:
    """The base over HTTP."""

    def __init__(self, outside: SignedClient) -> None:
        self._outside = outside

    def check(
        self, *, certificate_number: str, name: str, legal_representative: PersonName | None = None
    ) -> BaseAnswer:
        """Post what should agree, and read the verdict."""
        question = {"certificate_number": certificate_number, "name": name}
        if legal_representative is not None:
            question["legal_representative"] = legal_representative.expose()
        try:
            answer = self._outside.ask("/checks", question)
        except Answered as error:
            raise OutsideFailed from error
        agrees = answer.body.get("agrees")
        if not isinstance(agrees, bool):
            raise OutsideFailed
        return BaseAnswer(
            agrees,
            answer.reference,
            answer.answer_hash,
            region=answer.text("region") if agrees else "",
            standing=answer.text("standing") if agrees else "",
        )

    def health(self) -> bool:
        """Does the base answer at all?"""
        return self._outside.answers()
