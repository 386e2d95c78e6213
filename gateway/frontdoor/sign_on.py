"""Logging a browser in and out: authorization code with PKCE, state and nonce (RFC 9700, OIDC)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from frontdoor.answers import READ_ONLY, UNAVAILABLE, Answer, as_json, go, page, refusal
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.fields import Fields
from frontdoor.identity_client import IdentityClient, IdentityUnavailable
from frontdoor.sealing import Sealer, joined
from frontdoor.sessions import ATTRIBUTES, CLIENT_ID, Session, SessionOver, Sessions
from frontdoor.settings import Settings
from frontdoor.verifying import ALGORITHMS, BadToken, UnknownKey, Verifier

SCOPE: Final = "openid profile real_name phone offline_access"
LOGIN_COOKIE: Final = "__Host-jiuye-login"
LOGIN_LIFE: Final = 600  # seconds from the start of a login to its end
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{43}")

# A path of ours: not another site's address in disguise, not this very endpoint.
_OWN_PATH: Final = re.compile(r"/(?![/\\])(?!sso/)[!-\[\]-~]*")

_WRONG_METHOD: Final = refusal(405, "method-not-allowed", "不支持该请求方法", b"Allow: GET, POST")
_LOGOUT_FORM: Final = (
    '<form method="post" action="/sso/logout"><p>确定要退出登录吗？</p>'
    "<p><button>退出登录</button></p></form>"
)
_FORM_POLICY: Final = (
    b"Content-Security-Policy: default-src 'none'; form-action %b; base-uri 'none';"
    b" frame-ancestors 'none'"
)


class SignOn:
    """The steps of a browser's session.

    Args:
        settings: addresses and secrets.
        client: asks identity.
        verifier: knows identity's keys.
        now: monotonic seconds.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        settings: Settings,
        client: IdentityClient,
        verifier: Verifier,
        *,
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._public_url = settings.public_url
        self._issuer = settings.issuer
        self._redirect_uri = f"{settings.public_url}/sso/callback"
        self._verifier = verifier
        self._wall = wall
        self._sealer = Sealer(settings.cookie_keys)
        self._origin = settings.public_url.encode()
        self.sessions = Sessions(self._sealer, client, settings.client_secret, now=now, wall=wall)

    def step(self, name: str) -> Inward:
        """What answers ``browser_session login | callback | logout | show``."""
        steps: dict[str, Inward] = {
            "login": self._log_in,
            "callback": self._come_back,
            "logout": self._log_out,
            "show": self._show,
        }
        return steps[name]

    def is_own_page(self, fields: Fields) -> bool:
        """Was the request sent by a page of ours? An older browser says so by Origin alone."""
        if fields.origin is not None and fields.origin != self._origin:
            return False
        if fields.fetch_site is not None:
            return fields.fetch_site == b"same-origin"
        return fields.origin is not None

    def _log_in(self, exchange: Exchange) -> Step:
        if exchange.method != b"GET":
            return _WRONG_METHOD
        asked = _query(exchange).get("return_to", "/")
        return_to = asked if _OWN_PATH.fullmatch(asked) else "/"
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
        query = _query(exchange)
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

    def _log_out(self, exchange: Exchange) -> Step:
        if exchange.method == b"GET":
            policy = _FORM_POLICY % b"'self'"
            return page(200, "退出登录", _LOGOUT_FORM, policy)
        if exchange.method != b"POST":
            return _WRONG_METHOD
        if not self.is_own_page(exchange.fields):
            return refusal(403, "cross-site", "该操作来自其他网站的页面，已拒绝")
        session = self.sessions.read(exchange.fields.sealed or {})
        end = self.sessions.end_cookies().rstrip(b"\r\n")
        if session is None:
            return go("/", 303, [end])
        query = {
            "id_token_hint": session.id_token,
            "client_id": CLIENT_ID,
            "post_logout_redirect_uri": f"{self._public_url}/",
        }
        return go(f"{self._issuer}/logout?{urlencode(query)}", 303, [end])

    def _show(self, exchange: Exchange) -> Step:
        """Who is logged in here: an id, a kind and a level, nothing else."""
        if exchange.method not in (b"GET", b"HEAD"):
            return READ_ONLY
        session = self.sessions.read(exchange.fields.sealed or {})
        if session is None:
            return as_json({"logged_in": False})
        if self.sessions.is_due(session):
            return self._renew_and_show(exchange, session)
        return self._shown(session)

    async def _renew_and_show(self, exchange: Exchange, session: Session) -> Answer:
        try:
            session = await self.sessions.renew(session)
        except SessionOver:
            exchange.response_lines += self.sessions.end_cookies()
            return as_json({"logged_in": False})
        except IdentityUnavailable:
            return UNAVAILABLE
        exchange.response_lines += self.sessions.cookies(session)
        return self._shown(session)

    def _shown(self, session: Session) -> Answer:
        try:
            claims = self._verifier.check(session.authorization).claims
        except (BadToken, UnknownKey):
            return as_json({"logged_in": False})
        return as_json(
            {
                "logged_in": True,
                "subject": claims["sub"],
                "kind": claims.get("sub_type"),
                "level": claims.get("acr"),
            }
        )


def _login_cookie(state: str) -> str:
    """Each login has its own, so that two tabs do not disturb each other."""
    return f"{LOGIN_COOKIE}-{state[:8]}"


def _query(exchange: Exchange) -> dict[str, str]:
    text = exchange.head.target.partition(b"?")[2].decode("ascii")
    try:
        return {name: values[0] for name, values in parse_qs(text, max_num_fields=20).items()}
    except ValueError:
        return {}


def _not_logged_in(return_to: str) -> Answer:
    query = urlencode({"return_to": return_to})
    inner = f'<p>登录没有完成，请重试。</p><p><a href="/sso/login?{query}">重新登录</a></p>'
    return page(400, "登录未完成", inner)
