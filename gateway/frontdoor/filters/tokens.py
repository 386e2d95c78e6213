"""Lets nobody pass without a valid access token where the location needs one (GW-02)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from frontdoor.answers import Answer, go, refusal
from frontdoor.demands import Demands
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.filters import Passive
from frontdoor.limits import AllBuckets
from frontdoor.proofs import BadProof, Proofs
from frontdoor.sites import Location
from frontdoor.verifying import BadToken, Identity, UnknownKey, Verifier

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

Judge = Callable[[Exchange, Identity], Answer | None]


class Tokens(Passive):
    """auth_jwt and what begins with it.

    Args:
        verifier: knows good tokens.
        proofs: knows good proofs, for tokens that are bound to a key.
        now: monotonic seconds.
        buckets: where wrong tokens are counted, for all workers.
    """

    def __init__(
        self, verifier: Verifier, proofs: Proofs, now: Callable[[], float], buckets: AllBuckets
    ) -> None:
        self._verifier = verifier
        self._proofs = proofs
        self._now = now
        self._wrong = buckets.of("wrong tokens", WRONG_MEMORY, WRONG_PER_SECOND)

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
        trivial, judge = self._judge(location, realm)

        def check(exchange: Exchange) -> Step:
            header = exchange.authorization
            if header is None:
                return None if optional else _sign_in(exchange) or missing
            identity = known(header, exchange.started)
            if identity is None:
                return self._check(exchange, header, invalid, judge)
            if trivial and identity.jkt is None:
                exchange.identity = identity
                return None
            return _admit(exchange, identity, judge)

        return check

    def _judge(self, location: Location, realm: bytes) -> tuple[bool, Judge]:
        """What else the location wants; is it nothing but a good token?"""
        unproved = refusal(
            401,
            "invalid-dpop-proof",
            "登录凭证缺少有效的持有证明",
            b'WWW-Authenticate: DPoP realm="%b", error="invalid_dpop_proof"' % realm,
        )
        demands = None
        if location.demand is not None:
            demands = Demands(location.demand, self._verifier.audiences, realm)

        def judge(exchange: Exchange, identity: Identity) -> Answer | None:
            if identity.jkt is not None and not self._is_proved(exchange, identity.jkt):
                self._wrong.take(exchange.address, WRONG_BURST, self._now())
                return unproved
            return None if demands is None else demands.refuse(identity)

        return demands is None or demands.trivial, judge

    def _is_proved(self, exchange: Exchange, jkt: str) -> bool:
        """Afterwards the token goes on as a bearer's: the proof was for us."""
        assert exchange.authorization is not None
        token = exchange.authorization.partition(b" ")[2].strip()
        path = exchange.head.target.partition(b"?")[0].decode("ascii")
        try:
            self._proofs.check(exchange.fields.value(b"dpop"), exchange.method, path, token, jkt)
        except BadProof:
            return False
        exchange.authorization = b"Bearer " + token
        return True

    def _check(self, exchange: Exchange, header: bytes, invalid: Answer, judge: Judge) -> Step:
        if self._wrong.is_full(exchange.address, WRONG_BURST, self._now()):
            return _TOO_MANY_WRONG
        try:
            identity = self._verifier.check(header)
        except UnknownKey:
            if self._verifier.keys.may_ask():
                return self._ask_and_check(exchange, header, invalid, judge)
            return self._refuse(exchange, invalid) if self._verifier.keys.ready else _NO_KEYS
        except BadToken:
            return self._refuse(exchange, invalid)
        return _admit(exchange, identity, judge)

    async def _ask_and_check(
        self, exchange: Exchange, header: bytes, invalid: Answer, judge: Judge
    ) -> Answer | None:
        await self._verifier.keys.refresh()
        step = self._check(exchange, header, invalid, judge)
        return step if isinstance(step, Answer) or step is None else invalid

    def _refuse(self, exchange: Exchange, invalid: Answer) -> Answer:
        self._wrong.take(exchange.address, WRONG_BURST, self._now())
        return _sign_in(exchange) or invalid


def _admit(exchange: Exchange, identity: Identity, judge: Judge) -> Answer | None:
    refused = judge(exchange, identity)
    if refused is None:
        exchange.identity = identity
    return refused


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
