"""Asks identity and employer-auth what ended while the gateway did not hear."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import orjson
import structlog

from frontdoor.asking import NoAnswer, ask
from frontdoor.identity_client import IdentityClient, IdentityUnavailable
from frontdoor.revocations import REMEMBERED, Revocations
from frontdoor.sites import Address, Source

log = structlog.get_logger(__name__)

SCOPE: Final = "revocations"
LONGEST_LIST: Final = 16 << 20
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 20.0
EARLIER: Final = 60.0  # a token is not used in its last minute
OVERLAP: Final = 5.0  # seconds asked for twice: a transaction may be announced after it began


class CatchingUp:
    """Keeps asking until every source has answered since the last `wake`.

    Args:
        sources: who lists ends.
        addresses: the servers of an upstream, by its name.
        client: asks identity for a token.
        basic: how the gateway says who it is.
        revocations: what is told.
        now: monotonic seconds.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        addresses: Callable[[str], Sequence[Address]],
        client: IdentityClient,
        basic: bytes,
        revocations: Revocations,
        *,
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._sources = sources
        self._addresses = addresses
        self._client = client
        self._basic = basic
        self._revocations = revocations
        self._now = now
        self._wall = wall
        self._since: dict[Source, float] = {}
        self._due: set[Source] = set(sources)
        self._woken = asyncio.Event()
        self.tried = asyncio.Event()  # once, however it went
        self._token = b""
        self._until = float("-inf")

    @property
    def behind(self) -> bool:
        """Is there a source that has not answered since the gateway hears?"""
        return bool(self._due)

    def wake(self) -> None:
        """The gateway hears (again): ask for what was said before."""
        self._due = set(self._sources)
        self._woken.set()

    async def run(self) -> None:
        """Ask, now and whenever woken; never ends."""
        pause = FIRST_PAUSE
        while True:
            self._woken.clear()
            for source in list(self._due):
                await self._ask(source)
            self.tried.set()
            pause = min(pause * 2, LONGEST_PAUSE) if self._due else FIRST_PAUSE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause if self._due else None):
                    await self._woken.wait()

    async def _ask(self, source: Source) -> None:
        started = self._wall()
        since = self._since.get(source, started - REMEMBERED)
        try:
            found = await self._list(source, max(since, started - REMEMBERED) - OVERLAP)
            self._revocations.learn(found)
        except (NoAnswer, IdentityUnavailable, ValueError, KeyError, TypeError) as error:
            log.info(
                "not caught up", source=source.upstream, cause=str(error) or type(error).__name__
            )
            return
        self._since[source] = started
        self._due.discard(source)

    async def _list(self, source: Source, since: float) -> dict[str, Any]:
        token = await self._access_token()
        query = urlencode({"since": datetime.fromtimestamp(since, UTC).isoformat()})
        head = (
            f"GET {source.path}?{query} HTTP/1.1\r\nHost: {source.upstream}\r\n"
            "Accept: application/json\r\nConnection: close\r\n"
        ).encode() + b"Authorization: Bearer %b\r\n" % token
        cause: NoAnswer = NoAnswer("no server")
        for address in self._addresses(source.upstream):
            try:
                answered = await ask(address, head, longest=LONGEST_LIST)
            except NoAnswer as error:
                cause = error
                continue
            if answered.status == 200:  # noqa: PLR2004 - a list
                found: dict[str, Any] = orjson.loads(answered.body)
                return found
            self._until = float("-inf")  # perhaps the token was not good enough
            cause = NoAnswer(f"status {answered.status}")
        raise cause

    async def _access_token(self) -> bytes:
        if self._now() >= self._until:
            form = {"grant_type": "client_credentials", "scope": SCOPE}
            status, body = await self._client.post_form("/identity/token", form, self._basic)
            if status != 200:  # noqa: PLR2004 - a token
                raise NoAnswer(f"no token, status {status}")
            found = orjson.loads(body)
            self._token = str(found["access_token"]).encode("ascii")
            self._until = self._now() + float(found["expires_in"]) - EARLIER
        return self._token
