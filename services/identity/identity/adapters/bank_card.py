"""The bank-card check (银联四要素): do name, document, card and phone belong together?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from servicekit.client import Answered
from servicekit.errors import OutsideFailed
from servicekit.personal import BankCard, DocumentNumber, MobileNumber, PersonName
from servicekit.signed import SignedClient


@dataclass(frozen=True, slots=True)
class BankResult:
    """The bank's code, its reference, and a hash that proves later what it answered."""

    code: str
    reference: str
    answer_hash: bytes


class BankCardCheck(Protocol):
    """Asks a bank; a simulator stands in for it in development."""

    def check(
        self,
        *,
        name: PersonName,
        document_number: DocumentNumber,
        card_number: BankCard,
        phone: MobileNumber,
    ) -> BankResult:
        """The bank's answer.

        Raises:
            OutsideFailed: no answer in time, or one that makes no sense.
        """
        ...


class HttpBankCardCheck:
    """The check over HTTP."""

    def __init__(self, outside: SignedClient) -> None:
        self._outside = outside

    def check(
        self,
        *,
        name: PersonName,
        document_number: DocumentNumber,
        card_number: BankCard,
        phone: MobileNumber,
    ) -> BankResult:
        """Post the four elements and read the code."""
        question = {
            "name": name.expose(),
            "document_number": document_number.expose(),
            "card_number": card_number.expose(),
            "phone": phone.expose(),
        }
        try:
            answer = self._outside.ask("/checks", question)
        except Answered as error:
            raise OutsideFailed from error
        return BankResult(answer.text("code"), answer.reference, answer.answer_hash)
