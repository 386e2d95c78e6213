"""Asks identity on the service's own behalf, with its own token."""

from __future__ import annotations

from http import HTTPStatus

from employer_auth.person_match import CLIENT_ID, SCOPE
from employer_auth.settings import Settings
from servicekit.client import Answered, Client
from servicekit.clock import Clock
from servicekit.errors import JSON
from servicekit.service_token import ServiceToken


class IdentityAsking:
    """One run's client; its token is fetched when it is first needed."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        seconds = settings.outside_seconds
        self._client = Client(settings.identity_url, timeout=seconds, name="identity")
        self._token = ServiceToken(
            settings.identity_url,
            client_id=CLIENT_ID,
            secret=settings.employer_auth_client_secret,
            clock=clock,
            scope=SCOPE,
            timeout=seconds,
        )

    def post(self, path: str, body: JSON, *, key: str) -> None:
        """Send JSON under an Idempotency-Key; what was taken already is not taken twice.

        Raises:
            OutsideUnavailable, Answered
        """
        for last in (False, True):
            headers = {**self._token.headers(), "Idempotency-Key": key}
            try:
                self._client.post(path, body, headers=headers, repeatable=True)
            except Answered as error:
                if last or error.status != HTTPStatus.UNAUTHORIZED:
                    raise
                self._token.forget()
            else:
                return
