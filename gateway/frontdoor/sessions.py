"""A browser's session: the tokens its sealed cookie holds, refreshed once for many requests."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
import structlog

from frontdoor.identity_client import IdentityClient, IdentityUnavailable
from frontdoor.sealing import Sealer, joined, piece_names

log = structlog.get_logger(__name__)

CLIENT_ID: Final = "jiuye-gateway"
COOKIE: Final = "__Host-jiuye"
ATTRIBUTES: Final = "Path=/; Secure; HttpOnly; SameSite=Lax"
EARLY: Final = 30.0  # seconds before its end a token is renewed
REMEMBERED: Final = 60.0  # how long requests with the former cookie share the new tokens
MOST_REMEMBERED: Final = 10_000


Mandates = Callable[[bytes], Awaitable[tuple[int, bytes]]]


class SessionOver(Exception):
    """identity gives no more tokens for it."""


class ActingRefused(Exception):
    """No token to act with; the session goes on as the person's own.

    Args:
        session: the person's, perhaps with fresh tokens.
        status: what employer-auth answered.
        problem: its problem document; empty when identity said no.
    """

    def __init__(self, session: Session, status: int = 403, problem: bytes = b"") -> None:
        super().__init__(status)
        self.session = session
        self.status = status
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Session:
    """The tokens of one login.

    Args:
        home: the person's own refresh token while the others act for a unit.
    """

    access_token: str
    refresh_token: str
    id_token: str
    expires: float  # seconds since 1970
    home: str = ""

    @property
    def authorization(self) -> bytes:
        """How a service is told."""
        return b"Bearer " + self.access_token.encode()


class Sessions:
    """Reads, writes and renews sessions.

    Args:
        sealer: of the cookies.
        client: asks identity.
        secret: of the OAuth client.
        withdrawn: is a token signed with a key that has leaked?
        now: monotonic seconds.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        sealer: Sealer,
        client: IdentityClient,
        secret: str,
        withdrawn: Callable[[str], bool],
        *,
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._sealer = sealer
        self._client = client
        self._basic = basic(secret)
        self._withdrawn = withdrawn
        self._now = now
        self._wall = wall
        self._known: dict[bytes, Session] = {}
        self._renewing: dict[str, asyncio.Task[Session]] = {}
        self._renewed: dict[str, tuple[Session, float]] = {}

    def read(self, cookies: dict[bytes, bytes]) -> Session | None:
        """The session of a request, or its successor when it was renewed a moment ago."""
        text = joined(COOKIE, cookies)
        if not text:
            return None
        session = self._known.get(text)
        if session is None:
            opened = self._sealer.open(COOKIE, text)
            if opened is None:
                return None
            session = Session(*orjson.loads(opened))
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[text] = session
        renewed = self._renewed.get(session.refresh_token)
        return session if renewed is None or renewed[1] < self._now() else renewed[0]

    def is_due(self, session: Session) -> bool:
        """Does its token end soon, or is it worth nothing since its key leaked?"""
        return session.expires - EARLY < self._wall() or self._withdrawn(session.access_token)

    def is_over(self, session: Session) -> bool:
        """Has its token ended?"""
        return session.expires <= self._wall()

    def cookies(self, session: Session) -> bytes:
        """The Set-Cookie lines that keep it."""
        fields = [
            session.access_token, session.refresh_token, session.id_token, session.expires,
            session.home,
        ]  # fmt: skip
        pieces = self._sealer.seal(COOKIE, orjson.dumps(fields))
        kept = [f"Set-Cookie: {name}={value}; {ATTRIBUTES}" for name, value in pieces.items()]
        # A piece left over from a longer session would be read with these.
        kept += [_gone(name) for name in piece_names(COOKIE)[len(pieces) :][:1]]
        return "".join(f"{line}\r\n" for line in kept).encode()

    @staticmethod
    def end_cookies() -> bytes:
        """The Set-Cookie lines that forget it."""
        return "".join(f"{_gone(name)}\r\n" for name in piece_names(COOKIE)).encode()

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> Session:
        """A code's tokens.

        Raises:
            SessionOver: identity refuses the code.
            IdentityUnavailable: no answer.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        return await self._tokens(form, id_token="")

    async def renew(self, session: Session) -> Session:
        """Fresh tokens; parallel requests wait for one answer.

        Raises:
            SessionOver: identity refuses.
            IdentityUnavailable: no answer.
        """
        old = session.refresh_token
        task = self._renewing.get(old)
        if task is None:
            task = asyncio.ensure_future(self._renew(session))
            self._renewing[old] = task
            task.add_done_callback(lambda done: self._renewing.pop(old, None))
        return await asyncio.shield(task)

    async def act(self, session: Session, mandate: Mandates) -> Session:
        """The same login, now acting for a unit.

        Args:
            session: the person's, or one that acts already.
            mandate: asks employer-auth with the person's authorization.

        Raises:
            ActingRefused: employer-auth or identity says no.
            SessionOver: identity gives the person no tokens.
            IdentityUnavailable: no answer.
        """
        person = await self.leave(session)
        status, text = await mandate(person.authorization)
        if status >= 400:  # noqa: PLR2004 - a refusal
            raise ActingRefused(person, status, text)
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": text.decode(),
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "actor_token": person.access_token,
            "actor_token_type": "urn:ietf:params:oauth:token-type:access_token",
        }
        try:
            acting = await self._tokens(form, id_token=person.id_token)
        except SessionOver as error:
            raise ActingRefused(person) from error
        return replace(acting, home=person.refresh_token)

    async def leave(self, session: Session) -> Session:
        """The same login as the person's own again, with a token that lives for a while.

        Raises:
            SessionOver: identity refuses.
            IdentityUnavailable: no answer.
        """
        if session.home:
            return await self.renew(replace(session, refresh_token=session.home, home=""))
        return await self.renew(session) if self.is_due(session) else session

    async def _renew(self, session: Session) -> Session:
        form = {"grant_type": "refresh_token", "refresh_token": session.refresh_token}
        try:
            fresh = await self._tokens(form, id_token=session.id_token)
            fresh = replace(fresh, home=session.home)
        except SessionOver:
            if not session.home:
                raise
            form["refresh_token"] = session.home  # acting has ended, the login has not
            fresh = await self._tokens(form, id_token=session.id_token)
        now = self._now()
        if len(self._renewed) >= MOST_REMEMBERED:
            self._renewed = {k: v for k, v in self._renewed.items() if v[1] > now}
        self._renewed[session.refresh_token] = (fresh, now + REMEMBERED)
        return fresh

    async def _tokens(self, form: dict[str, str], *, id_token: str) -> Session:
        status, body = await self._client.post_form("/identity/token", form, self._basic)
        try:
            found: dict[str, Any] = orjson.loads(body)
            if status >= 500:  # noqa: PLR2004 - a server's fault
                raise IdentityUnavailable(f"status {status}")
            return Session(
                access_token=str(found["access_token"]),
                refresh_token=str(found.get("refresh_token") or form.get("refresh_token", "")),
                id_token=str(found.get("id_token") or id_token),
                expires=self._wall() + float(found["expires_in"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            log.info("identity gives no tokens", status=status)
            raise SessionOver from error


def _gone(name: str) -> str:
    return f"Set-Cookie: {name}=; Max-Age=0; {ATTRIBUTES}"


def basic(secret: str) -> bytes:
    """How the gateway says at identity who it is."""
    return b"Basic " + base64.b64encode(f"{CLIENT_ID}:{secret}".encode())
