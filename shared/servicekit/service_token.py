"""A service's own access token: asked of identity by client credentials, kept until it runs out.

For calls a service makes on nobody's behalf (RFC 6749, 4.4). What the token may do is its scopes,
which identity keeps with the client.
"""

from __future__ import annotations

import base64
import threading
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from servicekit.client import Answered, Client, OutsideUnavailable
from servicekit.clock import Clock

_EARLIER: Final = timedelta(seconds=60)  # a token is not used in its last minute


class ServiceToken:
    """One client's token, shared by every thread.

    Args:
        identity_url: where identity listens inside, without a path.
        client_id: ours, as identity knows it.
        secret: shared with identity.
        scope: what is asked for, separated by spaces; everything the client has when empty.
    """

    def __init__(
        self,
        identity_url: str,
        *,
        client_id: str,
        secret: str,
        clock: Clock,
        scope: str = "",
        timeout: float = 5.0,
    ) -> None:
        pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"  # RFC 6749, 2.3.1
        basic = base64.b64encode(pair.encode()).decode()
        self._client = Client(
            identity_url,
            timeout=timeout,
            name="identity",
            headers={"Authorization": f"Basic {basic}"},
        )
        self._scope = scope
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._until: datetime | None = None

    def get(self) -> str:
        """A token that holds for a minute at least.

        Raises:
            OutsideUnavailable: identity does not answer, or does not know this client.
        """
        with self._lock:
            now = self._clock.now()
            if self._until is None or now >= self._until:
                self._token, life = self._fetch()
                self._until = now + timedelta(seconds=life) - _EARLIER
            return self._token

    def headers(self) -> dict[str, str]:
        """What a call carries."""
        return {"Authorization": f"Bearer {self.get()}"}

    def forget(self) -> None:
        """Ask anew next time: the token was refused."""
        with self._lock:
            self._until = None

    def _fetch(self) -> tuple[str, int]:
        form = {"grant_type": "client_credentials"}
        if self._scope:
            form["scope"] = self._scope
        try:
            answer = self._client.post("/identity/token", form=form, repeatable=True)
            return str(answer["access_token"]), int(answer["expires_in"])
        except (Answered, KeyError, TypeError, ValueError):
            raise OutsideUnavailable("identity") from None
