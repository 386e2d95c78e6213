"""Logging a browser in and out: authorization code with PKCE, state and nonce (RFC 9700, OIDC)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from frontdoor.acting import Acting
from frontdoor.answers import UNAVAILABLE, Answer, go, refusal
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.identity_client import IdentityClient, IdentityUnavailable
from frontdoor.logout_tokens import LogoutTokens
from frontdoor.own_pages import OwnPages, own_path, query_of
from frontdoor.pages import page
from frontdoor.sealing import Sealer, joined
from frontdoor.sessions import ATTRIBUTES, CLIENT_ID, Session, SessionOver, Sessions
from frontdoor.settings import Settings
from frontdoor.shared_ends import SharedEnds
from frontdoor.sign_off import SignOff
from frontdoor.sites import Address, Source
from frontdoor.verifying import ALGORITHMS, BadToken, UnknownKey, Verifier

SCOPE: Final = "openid profile real_name phone offline_access"
LOGIN_COOKIE: Final = "__Host-jiuye-login"
LOGIN_LIFE: Final = 600  # seconds from the start of a login to its end
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_WRONG_METHOD: Final = refusal(405, "method-not-allowed", "不支持该请求方法", b"Allow: GET")


class SignOn:
    """The steps of a browser's session.

    Args:
        settings: addresses and secrets.
        client: asks identity.
        verifier: knows identity's keys.
        mandates: who signs them; without one nobody acts.
        addresses: the servers of an upstream, by its name.
        now: monotonic seconds.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        settings: Settings,
        client: IdentityClient,
        verifier: Verifier,
        *,
        mandates: Source | None,
        addresses: Callable[[str], Sequence[Address]],
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._issuer = settings.issuer
        self._redirect_uri = f"{settings.public_url}/sso/callback"
        self._verifier = verifier
        self._wall = wall
        self._sealer = Sealer(settings.cookie_keys)
        self.ends = SharedEnds()
        self.logout_tokens = LogoutTokens(verifier, settings.issuer, self.ends, wall)
        self.own_pages = OwnPages(settings.public_url)
        self.sessions = Sessions(
            self._sealer,
            client,
            settings.client_secret,
            verifier.names_withdrawn_key,
            now=now,
            wall=wall,
        )
        self.sign_off = SignOff(
            self.sessions,
            verifier,
            self.own_pages,
            issuer=settings.issuer,
            public_url=settings.public_url,
        )
        self.acting = Acting(
            self.sessions, mandates, addresses, self.own_pages, self.sign_off.shown
        )

    def step(self, name: str) -> Inward:
        """What answers ``browser_session …``."""
        steps: dict[str, Inward] = {
            "login": self._log_in,
            "callback": self._come_back,
            "logout": self.sign_off.log_out,
            "show": self.sign_off.show,
            "back-channel-logout": self.logout_tokens.hear,
            "act": self.acting.act,
            "leave": self.acting.leave,
        }
        return steps[name]

    def _log_in(self, exchange: Exchange) -> Step:
        if exchange.method != b"GET":
            return _WRONG_METHOD
        asked = query_of(exchange).get("return_to", "/")
        return_to = own_path(asked)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        query = urlencode(
            {
                "response_type": "code",
                "client_id": CLIENT_ID,
                "redirect_uri": self._redirect_uri,
                "scope": SCOPE,
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge.decode().rstrip("="),
                "code_challenge_method": "S256",
            }
        )
        kept = orjson.dumps([state, nonce, verifier, return_to, self._wall() + LOGIN_LIFE])
        name = _login_cookie(state)
        (sealed,) = self._sealer.seal(name, kept).values()
        cookie = f"Set-Cookie: {name}={sealed}; Max-Age={LOGIN_LIFE}; {ATTRIBUTES}"
        return go(f"{self._issuer}/authorize?{query}", lines=[cookie.encode()])

    def _come_back(self, exchange: Exchange) -> Step:
        query = query_of(exchange)
        state = query.get("state", "")
        kept = self._opened(exchange, state)
        if kept is None or query.get("iss", self._issuer) != self._issuer:
            return _not_logged_in("/")
        if "code" not in query:
            return _not_logged_in(kept[3])
        return self._finish_login(query["code"], kept)

    def _opened(self, exchange: Exchange, state: str) -> list[Any] | None:
        """What was kept when this login began, in this browser."""
        if not _STATE.fullmatch(state):
            return None
        name = _login_cookie(state)
        text = self._sealer.open(name, joined(name, exchange.fields.sealed or {}))
        kept: list[Any] | None = None if text is None else orjson.loads(text)
        if kept is None or kept[0] != state or kept[4] < self._wall():
            return None
        return kept

    async def _finish_login(self, code: str, kept: list[Any]) -> Answer:
        state, nonce, verifier, return_to, _ = kept
        try:
            session = await self.sessions.exchange(code, verifier, self._redirect_uri)
            await self._check_id_token(session, nonce)
        except IdentityUnavailable:
            return UNAVAILABLE
        except (SessionOver, BadToken):
            return _not_logged_in(return_to)
        gone = f"Set-Cookie: {_login_cookie(state)}=; Max-Age=0; {ATTRIBUTES}"
        cookies = self.sessions.cookies(session).rstrip(b"\r\n")
        return go(return_to, 303, [gone.encode(), cookies])

    async def _check_id_token(self, session: Session, nonce: str) -> None:
        """OIDC Core 3.1.3.7. Raises: BadToken."""
        text = session.id_token
        try:
            kid = extract_compact(text.encode()).headers().get("kid")
            try:
                key = self._verifier.keys.find(kid)
            except UnknownKey:
                await self._verifier.keys.refresh()
                key = self._verifier.keys.find(kid)
            claims = jwt.decode(text, key, algorithms=ALGORITHMS).claims
            audience = claims["aud"]
            good = (
                claims["iss"] == self._issuer
                and audience in (CLIENT_ID, [CLIENT_ID])
                and claims["nonce"] == nonce
                and claims["exp"] > self._wall()
            )
        except (JoseError, UnknownKey, ValueError, KeyError, TypeError) as error:
            raise BadToken from error
        if not good:
            raise BadToken


def _login_cookie(state: str) -> str:
    """Each login has its own, so that two tabs do not disturb each other."""
    return f"{LOGIN_COOKIE}-{state[:8]}"


def _not_logged_in(return_to: str) -> Answer:
    query = urlencode({"return_to": return_to})
    inner = (
        "<p>登录没有完成，可能是等待时间过长，或在其他页面中已经取消。请重试。</p>\n"
        f'<p class="choices"><a class="button" href="/sso/login?{escape(query)}">重新登录</a>'
        ' <a class="button quiet" href="/">返回首页</a></p>'
    )
    return page(400, "登录未完成", inner)
