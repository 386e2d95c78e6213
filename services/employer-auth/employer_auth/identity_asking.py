"""Asks identity on the service's own behalf, with its own token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from employer_auth.person_match import CLIENT_ID, SCOPE
from employer_auth.settings import Settings
from servicekit.client import Answered, Client
from servicekit.clock import Clock
from servicekit.errors import JSON
from servicekit.service_token import ServiceToken


class IdentityAsking:
    """One run's client; its token is fetched when it is first needed.

    Args:
        scope: what the token is for.
    """

    def __init__(self, settings: Settings, clock: Clock, *, scope: str = SCOPE) -> None:
        seconds = settings.outside_seconds
        self._client = Client(settings.identity_url, timeout=seconds, name="identity")
        self._token = ServiceToken(
            settings.identity_url,
            client_id=CLIENT_ID,
            secret=settings.employer_auth_client_secret,
            clock=clock,
            scope=scope,
            timeout=seconds,
        )

    def post(self, path: str, body: JSON, *, key: str) -> None:
        """Send JSON under an Idempotency-Key; what was taken already is not taken twice.

        Raises:
            OutsideUnavailable, Answered
        """
        self._ask(
            lambda token: self._client.post(
                path, body, headers={**token, "Idempotency-Key": key}, repeatable=True
            )
        )

    def get(self, path: str, query: Mapping[str, str]) -> Any:
        """Read JSON.

        Raises:
            OutsideUnavailable, Answered
        """
        return self._ask(lambda token: self._client.get(path, query=query, headers=token))

    def _ask(self, call: Callable[[dict[str, str]], Any]) -> Any:
        """A token that was refused is asked for anew, once."""
        try:
            return call(self._token.headers())
        except Answered as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
            self._token.forget()
        return call(self._token.headers())
