"""The few calls the gateway itself makes to identity: keys, codes for tokens, fresh tokens."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from frontdoor.asking import NoAnswer, ask
from frontdoor.sites import Address


class IdentityUnavailable(Exception):
    """identity did not answer, or not in HTTP."""


class IdentityClient:
    """One request a connection; nothing here is on the way of ordinary requests.

    Args:
        url: ``http(s)://host[:port]``.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._address = Address(parts.hostname or "", port)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._authority = parts.netloc.encode()

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body.

        Raises:
            IdentityUnavailable: no answer in time.
        """
        return await self._ask(b"GET %b HTTP/1.1\r\n" % path.encode(), b"", b"")

    async def post_form(
        self, path: str, form: Mapping[str, str], authorization: bytes
    ) -> tuple[int, bytes]:
        """Status and body of a form's answer.

        Raises:
            IdentityUnavailable: no answer in time.
        """
        body = urlencode(form).encode()
        lines = (
            b"Content-Type: application/x-www-form-urlencoded\r\nAuthorization: %b\r\n"
            b"Content-Length: %d\r\n" % (authorization, len(body))
        )
        return await self._ask(b"POST %b HTTP/1.1\r\n" % path.encode(), lines, body)

    async def _ask(self, first: bytes, lines: bytes, body: bytes) -> tuple[int, bytes]:
        head = b"%bHost: %b\r\nAccept: application/json\r\nConnection: close\r\n%b"
        try:
            answered = await ask(
                self._address, head % (first, self._authority, lines), body, tls=self._tls
            )
        except NoAnswer as error:
            raise IdentityUnavailable(str(error)) from error
        return answered.status, answered.body
