"""identity says that a login is over: OpenID Connect Back-Channel Logout 1.0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from frontdoor.answers import Answer, refusal
from frontdoor.exchange import Exchange, Step
from frontdoor.own_pages import ONLY_POST
from frontdoor.sessions import CLIENT_ID
from frontdoor.shared_ends import SharedEnds
from frontdoor.verifying import ALGORITHMS, LEEWAY, UnknownKey, Verifier

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LONGEST: Final = 8 << 10
OLDEST: Final = 600.0  # seconds since a token was made
_BAD: Final = refusal(400, "bad-logout-token", "注销通知无效", b"Cache-Control: no-store")
_DONE: Final = Answer(200, b"", lines=(b"Cache-Control: no-store",))


class LogoutTokens:
    """``browser_session back-channel-logout``.

    Args:
        verifier: knows identity's keys.
        issuer: the only ``iss`` that counts.
        ends: tells every worker.
        wall: seconds since 1970.
    """

    def __init__(
        self, verifier: Verifier, issuer: str, ends: SharedEnds, wall: Callable[[], float]
    ) -> None:
        self._verifier = verifier
        self._issuer = issuer
        self._ends = ends
        self._wall = wall

    def hear(self, exchange: Exchange) -> Step:
        """``POST`` with ``logout_token`` in a form."""
        if exchange.method != b"POST":
            return ONLY_POST
        return self._hear(exchange)

    async def _hear(self, exchange: Exchange) -> Answer:
        assert exchange.gather is not None
        body = await exchange.gather(LONGEST)
        if body is None:
            return _BAD
        try:
            (token,) = parse_qs(body.decode("ascii"), max_num_fields=5)["logout_token"]
            claims = await self._read(token)
            self._ends.tell(str(claims["sid"]))
        except (JoseError, UnknownKey, ValueError, KeyError, TypeError):
            return _BAD
        return _DONE

    async def _read(self, token: str) -> dict[str, Any]:
        """The claims (2.6); a token that comes twice ends the same session once more."""
        header = extract_compact(token.encode()).headers()
        if str(header.get("typ")).lower().removeprefix("application/") != "logout+jwt":
            raise ValueError("typ")
        try:
            key = self._verifier.keys.find(header.get("kid"))
        except UnknownKey:
            if self._verifier.keys.may_ask():
                await self._verifier.keys.refresh()
            key = self._verifier.keys.find(header.get("kid"))
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=ALGORITHMS).claims
        now, audience = self._wall(), claims["aud"]
        good = (
            claims["iss"] == self._issuer
            and CLIENT_ID in (audience if isinstance(audience, list) else [audience])
            and -LEEWAY < now - claims["iat"] < OLDEST
            and claims.get("exp", now + 1) > now
            and isinstance(claims["events"][EVENT], dict)
            and "nonce" not in claims
        )
        if not good:
            raise ValueError("claims")
        return claims
