"""The bank-card check (银联四要素): do name, document, card and phone belong together?"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from identity.verification.rules import OutsideFailed
from servicekit.client import Answered, Client
from servicekit.clock import Clock
from servicekit.errors import Unavailable
from servicekit.personal import BankCard, DocumentNumber, MobileNumber, PersonName

LONGEST_REFERENCE: Final = 80


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
    """The check over HTTP.

    Args:
        client: knows the address and the time limit.
        secret: signs every question.
        clock: the signature is good for a few minutes.
    """

    def __init__(self, client: Client, secret: str, clock: Clock) -> None:
        self._client = client
        self._secret = secret
        self._clock = clock

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
            answer = self._client.post("/checks", question, headers=self._signature(question))
            code, reference = answer["code"], answer["reference"]
        except (Unavailable, Answered, KeyError, TypeError) as error:
            raise OutsideFailed from error
        texts = isinstance(code, str) and isinstance(reference, str)
        if not (texts and 0 < len(reference) <= LONGEST_REFERENCE):
            raise OutsideFailed
        raw = orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)
        return BankResult(code, reference, hashlib.sha256(raw).digest())

    def _signature(self, question: Mapping[str, str]) -> dict[str, str]:
        """HMAC-SHA256 over all members sorted by name, as the acquirer asks."""
        timestamp = str(int(self._clock.now().timestamp()))
        nonce = secrets.token_hex(16)
        members = {**question, "timestamp": timestamp, "nonce": nonce}
        text = "&".join(f"{name}={members[name]}" for name in sorted(members))
        signature = hmac.new(self._secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return {"X-Timestamp": timestamp, "X-Nonce": nonce, "X-Signature": signature}
