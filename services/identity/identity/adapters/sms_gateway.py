"""The SMS gateway: takes a text for a number, once per reference."""

from __future__ import annotations

from http import HTTPStatus
from typing import Protocol

from identity.messages.rules import DeliveryState
from servicekit.client import Answered, Client
from servicekit.errors import Unavailable
from servicekit.personal import MobileNumber, PersonalText


class SmsGateway(Protocol):
    """Sends texts; a simulator stands in for it in development."""

    def send(self, *, to: MobileNumber, text: PersonalText, reference: str) -> DeliveryState:
        """What became of it: delivered, or a temporary or permanent failure."""
        ...


class HttpSmsGateway:
    """The gateway over HTTP.

    Args:
        client: knows the address and the time limit.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, *, to: MobileNumber, text: PersonalText, reference: str) -> DeliveryState:
        """Post the text; the reference makes a repetition harmless."""
        message = {"to": to.expose(), "text": text.expose(), "reference": reference}
        try:
            self._client.post("/messages", message, repeatable=True)
        except Unavailable:
            return DeliveryState.TEMPORARY_FAILURE
        except Answered as answer:
            busy = answer.status == HTTPStatus.TOO_MANY_REQUESTS
            return DeliveryState.TEMPORARY_FAILURE if busy else DeliveryState.PERMANENT_FAILURE
        return DeliveryState.DELIVERED
