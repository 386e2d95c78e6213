"""The end of a browser's session, and what is said of one while it lasts."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final
from urllib.parse import urlencode

from frontdoor.answers import READ_ONLY, UNAVAILABLE, Answer, as_json, go, refusal
from frontdoor.exchange import Exchange, Step
from frontdoor.identity_client import IdentityUnavailable
from frontdoor.own_pages import FOREIGN_PAGE, OwnPages
from frontdoor.pages import page
from frontdoor.sessions import CLIENT_ID, Session, SessionOver, Sessions
from frontdoor.verifying import BadToken, UnknownKey, Verifier

_WRONG_METHOD: Final = refusal(405, "method-not-allowed", "不支持该请求方法", b"Allow: GET, POST")
_LOGOUT_FORM: Final = (
    "<p>退出后，在这台设备上再办理业务需要重新登录；其他已打开的页面也会一并退出。</p>\n"
    '<form method="post" action="/sso/logout">\n<p class="choices">'
    '<button>退出登录</button> <a class="button quiet" href="/">返回首页</a></p>\n</form>'
)
_NOBODY: Final = (
    '<p>您当前没有登录。</p>\n<p class="choices"><a class="button" href="/sso/login">登录</a>'
    ' <a class="button quiet" href="/">返回首页</a></p>'
)


class SignOff:
    """``browser_session logout | show``.

    Args:
        sessions: the browser's.
        verifier: reads the tokens.
        own_pages: tells our pages from others'.
        issuer: identity, as people reach it.
        public_url: where people reach the gateway.
    """

    def __init__(
        self,
        sessions: Sessions,
        verifier: Verifier,
        own_pages: OwnPages,
        *,
        issuer: str,
        public_url: str,
    ) -> None:
        self._sessions = sessions
        self._verifier = verifier
        self._own_pages = own_pages
        self._issuer = issuer
        self._public_url = public_url

    def log_out(self, exchange: Exchange) -> Step:
        """Asks a person, then ends the session here and at identity."""
        session = self._sessions.read(exchange.fields.sealed or {})
        if exchange.method == b"GET":
            if session is None:
                return page(200, "退出登录", _NOBODY)
            return page(200, "退出登录", _LOGOUT_FORM, forms=f"'self' {self._public_url}")
        if exchange.method != b"POST":
            return _WRONG_METHOD
        if not self._own_pages.sent(exchange.fields):
            return FOREIGN_PAGE
        end = self._sessions.end_cookies().rstrip(b"\r\n")
        if session is None:
            return go("/", 303, [end])
        query = {
            "id_token_hint": session.id_token,
            "client_id": CLIENT_ID,
            "post_logout_redirect_uri": f"{self._public_url}/",
        }
        return go(f"{self._issuer}/logout?{urlencode(query)}", 303, [end])

    def show(self, exchange: Exchange) -> Step:
        """Who is logged in here: ids, a kind, a level, whom one acts for; nothing else."""
        if exchange.method not in (b"GET", b"HEAD"):
            return READ_ONLY
        session = self._sessions.read(exchange.fields.sealed or {})
        if session is None:
            return as_json({"logged_in": False})
        if self._sessions.is_due(session):
            return self._fresh_and_shown(exchange, self._sessions.renew(session))
        if session.home and self.is_worthless(session):
            return self._fresh_and_shown(exchange, self._sessions.leave(session))
        return self.shown(session)

    def is_worthless(self, session: Session) -> bool:
        """Has what its token says ended meanwhile? Keys that are not known yet do not tell."""
        try:
            self._verifier.check(session.authorization)
        except BadToken:
            return True
        except UnknownKey:
            pass
        return False

    async def _fresh_and_shown(self, exchange: Exchange, fresh: Awaitable[Session]) -> Answer:
        try:
            session = await fresh
        except SessionOver:
            exchange.response_lines += self._sessions.end_cookies()
            return as_json({"logged_in": False})
        except IdentityUnavailable:
            return UNAVAILABLE
        exchange.response_lines += self._sessions.cookies(session)
        return self.shown(session)

    def shown(self, session: Session) -> Answer:
        """What is said of a session in JSON."""
        try:
            claims = self._verifier.check(session.authorization).claims
        except (BadToken, UnknownKey):
            return as_json({"logged_in": False})
        found: dict[str, Any] = {
            "logged_in": True,
            "subject": claims["sub"],
            "kind": claims.get("sub_type"),
            "level": claims.get("acr"),
        }
        actor = claims.get("act")
        if isinstance(actor, dict):
            found["acting"] = {
                "person": actor["sub"],
                "agency": actor["act"]["sub"] if isinstance(actor.get("act"), dict) else None,
                "binding": claims.get("binding"),
                "permissions": claims.get("permissions", []),
            }
        return as_json(found)
