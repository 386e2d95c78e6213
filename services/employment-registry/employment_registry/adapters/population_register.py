"""The police's register of residents (公安人口库): name and number, alive, where the hukou is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Protocol

from servicekit.client import Answered
from servicekit.errors import OutsideFailed
from servicekit.personal import DocumentNumber, PersonName
from servicekit.signed import SignedClient

_REGION: Final = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Resident:
    """What the register says; of whom it does not know it says nothing more.

    Attributes:
        hukou: six digits, where the household is registered; empty where nothing agrees.
    """

    agrees: bool
    is_alive: bool
    hukou: str
    reference: str
    answer_hash: bytes


class PopulationRegister(Protocol):
    """Asks the register; a simulator stands in for it in development."""

    def find(self, name: PersonName, document_number: DocumentNumber) -> Resident:
        """What it says of the holder of a resident card.

        Raises:
            OutsideFailed: no answer in time, or one that makes no sense.
        """
        ...


class HttpPopulationRegister:
    """The register over HTTP."""

    def __init__(self, outside: SignedClient) -> None:
        self._outside = outside

    def find(self, name: PersonName, document_number: DocumentNumber) -> Resident:
        """Post name and number, and read the verdict."""
        question = {"name": name.expose(), "document_number": document_number.expose()}
        try:
            answer = self._outside.ask("/checks", question)
        except Answered as error:
            raise OutsideFailed from error
        agrees = answer.body.get("agrees")
        if agrees is False:
            return Resident(False, True, "", answer.reference, answer.answer_hash)
        alive, hukou = answer.body.get("alive"), answer.text("hukou")
        # Half an answer is none: who is not said to be alive is not known to be.
        if agrees is not True or not isinstance(alive, bool) or not _REGION.fullmatch(hukou):
            raise OutsideFailed
        return Resident(agrees, alive, hukou, answer.reference, answer.answer_hash)
