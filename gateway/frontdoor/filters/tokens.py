"""Lets nobody pass without a valid access token where the location needs one (GW-02)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from frontdoor.answers import Answer, go, refusal
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.filters import Passive
from frontdoor.limits import Buckets
from frontdoor.sites import Location
from frontdoor.verifying import BadToken, UnknownKey, Verifier

# A wrong token costs a full check each time; an address has only so many.
WRONG_PER_SECOND: Final = 1.0
WRONG_BURST: Final = 30
WRONG_MEMORY: Final = 1 << 20

_TOO_MANY_WRONG: Final = refusal(
    429, "too-many-bad-tokens", "无效的登录凭证过多，请稍后再试", b"Retry-After: 30"
)
_NO_KEYS: Final = refusal(
    503, "keys-unavailable", "暂时无法核验登录状态，请稍后再试", b"Retry-After: 5"
)


class Tokens(Passive):
    """auth_jwt and auth_jwt_optional.

    Args:
        verifier: knows good tokens.
        now: monotonic seconds.
    """

    def __init__(self, verifier: Verifier, now: Callable[[], float]) -> None:
        self._verifier = verifier
        self._now = now
        self._wrong = Buckets(WRONG_MEMORY, WRONG_PER_SECOND)

    def inward(self, location: Location) -> Inward | None:
        if location.realm is None:
            return None
        realm = location.realm.encode()
        optional = location.token_optional
        known = self._verifier.known
        missing = _challenge(realm, b"", "login-needed", "请先登录")
        invalid = _challenge(
            realm, b', error="invalid_token"', "invalid-token", "登录已失效，请重新登录"
        )

        def check(exchange: Exchange) -> Step:
            header = exchange.authorization
            if header is None:
                return None if optional else _sign_in(exchange) or missing
            identity = known(header)
            if identity is not None:
                exchange.identity = identity
                return None
            return self._check(exchange, header, invalid)

        return check

    def _check(self, exchange: Exchange, header: bytes, invalid: Answer) -> Step:
        if self._wrong.is_full(exchange.address, WRONG_BURST, self._now()):
            return _TOO_MANY_WRONG
        try:
            exchange.identity = self._verifier.check(header)
        except UnknownKey:
            if self._verifier.keys.may_ask():
                return self._ask_and_check(exchange, header, invalid)
            return self._refuse(exchange, invalid) if self._verifier.keys.ready else _NO_KEYS
        except BadToken:
            return self._refuse(exchange, invalid)
        return None

    async def _ask_and_check(
        self, exchange: Exchange, header: bytes, invalid: Answer
    ) -> Answer | None:
        await self._verifier.keys.refresh()
        step = self._check(exchange, header, invalid)
        return step if isinstance(step, Answer) or step is None else invalid

    def _refuse(self, exchange: Exchange, invalid: Answer) -> Answer:
        self._wrong.take(exchange.address, WRONG_BURST, self._now())
        return _sign_in(exchange) or invalid


def _challenge(realm: bytes, error: bytes, code: str, detail: str) -> Answer:
    line = b'WWW-Authenticate: Bearer realm="%b"%b' % (realm, error)
    return refusal(401, code, detail, line)


def _sign_in(exchange: Exchange) -> Answer | None:
    """A person opening a page is sent to log in; a program gets the challenge."""
    accept = exchange.fields.accept or b""
    if exchange.method != b"GET" or b"text/html" not in accept:
        return None
    target = exchange.head.target.decode("ascii")
    return go(f"/sso/login?return_to={quote(target, safe='')}")
