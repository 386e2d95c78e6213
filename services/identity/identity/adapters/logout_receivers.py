"""Hands logout tokens to clients: one POST each, with a limit, and the answer in one word."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from servicekit.client import Answered, Client, OutsideUnavailable


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one try."""

    result: str
    is_over: bool


class LogoutReceivers(Protocol):
    """Whoever can be told."""

    def tell(self, uri: str, logout_token: str) -> Told:
        """Send one logout token."""
        ...


class HttpLogoutReceivers:
    """Over HTTP, as OpenID Connect Back-Channel Logout 1.0, 2.5 says.

    Args:
        timeout: seconds a client may take.
    """

    def __init__(self, *, timeout: float) -> None:
        self._timeout = timeout

    def tell(self, uri: str, logout_token: str) -> Told:
        """200 and 204 are a yes; 400 is a no for good; everything else may be otherwise later."""
        client = Client("", timeout=self._timeout, name="logout-receiver")
        try:
            client.post(uri, form={"logout_token": logout_token}, raw=True)
        except OutsideUnavailable:
            return Told("unreachable", is_over=False)
        except Answered as answer:
            over = answer.status == HTTPStatus.BAD_REQUEST
            return Told(f"refused-{answer.status}", is_over=over)
        return Told("delivered", is_over=True)
