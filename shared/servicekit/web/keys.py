"""The issuer's public keys, fetched from its JWKS and fetched again when a new one is named."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from servicekit import logs
from servicekit.client import Client
from servicekit.clock import Clock
from servicekit.errors import Unavailable

log = logs.get_logger()

FRESH_FOR: Final = timedelta(minutes=5)  # a key withdrawn by the issuer is forgotten by then
PAUSE: Final = timedelta(seconds=5)  # between two fetches, whatever kids strangers make up
TIMEOUT: Final = 2.0  # seconds


class RemoteKeys:
    """A JWKS address as a source of keys; one fetch at a time, never in a hurry.

    Args:
        url: of the JWKS document.
    """

    def __init__(self, url: str, clock: Clock, *, client: Client | None = None) -> None:
        self._url = url
        self._clock = clock
        self._client = client
        self._lock = threading.Lock()
        self._keys: dict[str, ECKey | RSAKey] = {}
        self._fetched_at = self._tried_at = 0.0

    def find(self, kid: str) -> ECKey | RSAKey | None:
        """The key of that id; None when the issuer has none.

        Raises:
            Unavailable: no key is known, and the issuer does not answer.
        """
        now = self._clock.now().timestamp()
        if kid in self._keys and now - self._fetched_at < FRESH_FOR.total_seconds():
            return self._keys[kid]
        with self._lock:
            if kid not in self._keys or now - self._fetched_at >= FRESH_FOR.total_seconds():
                self._refresh(now)
        if not self._keys:
            raise Unavailable(retry_after=int(PAUSE.total_seconds()))
        return self._keys.get(kid)

    def _refresh(self, now: float) -> None:
        if 0 <= now - self._tried_at < PAUSE.total_seconds():
            return
        self._tried_at = now
        if self._client is None:
            self._client = Client("", timeout=TIMEOUT, name="identity")
        try:
            self._keys = _read(self._client.get(self._url))
        except (Unavailable, JoseError, ValueError, KeyError, TypeError) as error:
            # The keys we have go on counting: an outage of the issuer logs nobody out.
            log.warning("keys not fetched", error=type(error).__name__)
            return
        self._fetched_at = now


def _read(document: Any) -> dict[str, ECKey | RSAKey]:
    keys = KeySet.import_key_set(document)
    return {
        str(key.kid): key
        for key in keys
        if isinstance(key, ECKey | RSAKey) and key.kid and not key.is_private
    }
