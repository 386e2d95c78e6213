"""Turns a browser's sealed cookie into the bearer token a service checks; no token leaves us."""

from __future__ import annotations

from typing import Final

from frontdoor.answers import UNAVAILABLE, Answer, go, refusal
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.filters import Passive
from frontdoor.identity_client import IdentityUnavailable
from frontdoor.own_pages import FOREIGN_PAGE
from frontdoor.sessions import Session, SessionOver
from frontdoor.sign_on import SignOn
from frontdoor.sites import Location

ACTING_ENDED: Final = refusal(
    403, "acting-ended", "您已不能以该单位的身份办理业务，已切换回个人账号，请确认后重试"
)
_SAFE: Final = frozenset((b"GET", b"HEAD", b"OPTIONS"))


class BrowserSession(Passive):
    """Works where a token is checked (auth_jwt) and the request brings none itself.

    Args:
        sign_on: keeps the sessions.
    """

    def __init__(self, sign_on: SignOn) -> None:
        self._sign_on = sign_on

    def inward(self, location: Location) -> Inward | None:
        return None if location.realm is None else self._open

    def _open(self, exchange: Exchange) -> Step:
        cookies = exchange.fields.sealed
        if cookies is None or exchange.authorization is not None:
            return None
        sessions = self._sign_on.sessions
        session = sessions.read(cookies)
        if session is None:
            return None
        if exchange.method not in _SAFE and not self._sign_on.own_pages.sent(exchange.fields):
            return FOREIGN_PAGE
        if sessions.is_due(session):
            return self._renew(exchange, session)
        if session.home and self._sign_on.sign_off.is_worthless(session):
            return self._go_home(exchange, session)
        exchange.authorization = session.authorization
        return None

    async def _renew(self, exchange: Exchange, session: Session) -> Answer | None:
        sessions = self._sign_on.sessions
        try:
            fresh = await sessions.renew(session)
        except SessionOver:
            exchange.response_lines += sessions.end_cookies()
            return None  # a location that needs a token says so next
        except IdentityUnavailable:
            if sessions.is_over(session):
                return UNAVAILABLE
            fresh = session
        if fresh is not session:
            exchange.response_lines += sessions.cookies(fresh)
        if session.home and not fresh.home:
            return _acting_ended(exchange)
        exchange.authorization = fresh.authorization
        return None

    async def _go_home(self, exchange: Exchange, session: Session) -> Answer:
        """The binding has ended, the login has not."""
        sessions = self._sign_on.sessions
        try:
            person = await sessions.leave(session)
        except SessionOver:
            exchange.response_lines += sessions.end_cookies()
        except IdentityUnavailable:
            return UNAVAILABLE
        else:
            exchange.response_lines += sessions.cookies(person)
        return _acting_ended(exchange)


def _acting_ended(exchange: Exchange) -> Answer:
    """Never goes on as the person in silence: what was meant for the unit is not done at all."""
    accept = exchange.fields.accept or b""
    if exchange.method == b"GET" and b"text/html" in accept:
        return go(exchange.head.target.decode("ascii"), 303)
    return ACTING_ENDED
