"""A browser's session changes for whom it acts: a unit, another unit, the person's own again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from frontdoor.answers import PROBLEM, UNAVAILABLE, Answer, go, refusal
from frontdoor.asking import NoAnswer, ask
from frontdoor.exchange import Exchange, Step
from frontdoor.identity_client import IdentityUnavailable
from frontdoor.own_pages import FOREIGN_PAGE, ONLY_POST, OwnPages, own_path, query_of
from frontdoor.sessions import ActingRefused, Mandates, Session, SessionOver, Sessions
from frontdoor.sites import Address, Source

_NOT_LOGGED_IN: Final = refusal(
    401, "login-needed", "请先登录", b'WWW-Authenticate: Bearer realm="jiuye"'
)
_NO_CHOICE: Final = refusal(400, "bad-request", "请选择要以其身份办理业务的单位")
_REFUSED: Final = refusal(403, "acting-refused", "暂时不能以该单位的身份办理业务，请重新选择")
_NOBODY: Final = refusal(404, "no-such-page", "您访问的地址不存在")
_LONGEST: Final = 64


class Acting:
    """``browser_session act | leave``.

    Args:
        sessions: the browser's.
        source: who signs mandates; without one nobody acts.
        addresses: the servers of an upstream, by its name.
        own_pages: tells our pages from others'.
        shown: what is said of a session in JSON.
    """

    def __init__(
        self,
        sessions: Sessions,
        source: Source | None,
        addresses: Callable[[str], Sequence[Address]],
        own_pages: OwnPages,
        shown: Callable[[Session], Answer],
    ) -> None:
        self._sessions = sessions
        self._source = source
        self._addresses = addresses
        self._own_pages = own_pages
        self._shown = shown

    def act(self, exchange: Exchange) -> Step:
        """``POST /sso/act?unit_id=…&binding_id=…[&return_to=/…]`` by a page of ours."""
        query = query_of(exchange)
        unit, binding = query.get("unit_id", ""), query.get("binding_id", "")
        session = self._session(exchange)
        if isinstance(session, Answer):
            return session
        if self._source is None:
            return _NOBODY
        if not 0 < len(unit) <= _LONGEST or not 0 < len(binding) <= _LONGEST:
            return _NO_CHOICE
        return self._act(exchange, session, self._mandates(unit, binding))

    def leave(self, exchange: Exchange) -> Step:
        """``POST /sso/act/leave[?return_to=/…]`` by a page of ours."""
        session = self._session(exchange)
        return session if isinstance(session, Answer) else self._leave(exchange, session)

    def _session(self, exchange: Exchange) -> Session | Answer:
        if exchange.method != b"POST":
            return ONLY_POST
        if not self._own_pages.sent(exchange.fields):
            return FOREIGN_PAGE
        return self._sessions.read(exchange.fields.sealed or {}) or _NOT_LOGGED_IN

    async def _act(self, exchange: Exchange, session: Session, mandates: Mandates) -> Answer:
        try:
            acting = await self._sessions.act(session, mandates)
        except ActingRefused as refused:
            exchange.response_lines += self._sessions.cookies(refused.session)
            if not refused.problem:
                return _REFUSED
            return Answer(refused.status, refused.problem, content_type=PROBLEM)
        except SessionOver:
            exchange.response_lines += self._sessions.end_cookies()
            return _NOT_LOGGED_IN
        except (IdentityUnavailable, NoAnswer):
            return UNAVAILABLE
        return self._done(exchange, acting)

    async def _leave(self, exchange: Exchange, session: Session) -> Answer:
        try:
            person = await self._sessions.leave(session)
        except SessionOver:
            exchange.response_lines += self._sessions.end_cookies()
            return _NOT_LOGGED_IN
        except IdentityUnavailable:
            return UNAVAILABLE
        return self._done(exchange, person)

    def _done(self, exchange: Exchange, session: Session) -> Answer:
        exchange.response_lines += self._sessions.cookies(session)
        if b"text/html" in (exchange.fields.accept or b""):
            return go(own_path(query_of(exchange).get("return_to", "/")), 303)
        return self._shown(session)

    def _mandates(self, unit: str, binding: str) -> Mandates:
        source = self._source
        assert source is not None
        body = orjson.dumps({"unit_id": unit, "binding_id": binding})
        head = (
            b"POST %b HTTP/1.1\r\nHost: %b\r\nAccept: application/json\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\nIdempotency-Key: %b\r\n"
            % (
                source.path.encode(),
                source.upstream.encode(),
                len(body),
                secrets.token_hex(16).encode(),
            )
        )

        async def mandate(authorization: bytes) -> tuple[int, bytes]:
            cause = NoAnswer("no server")
            for address in self._addresses(source.upstream):
                try:
                    answered = await ask(
                        address, head + b"Authorization: %b\r\n" % authorization, body
                    )
                except NoAnswer as error:
                    cause = error
                    continue
                if answered.status >= 500:  # noqa: PLR2004 - a server's fault
                    raise NoAnswer(f"status {answered.status}")
                if answered.status >= 400:  # noqa: PLR2004 - a refusal
                    return answered.status, answered.body
                return answered.status, _mandate_of(answered.body)
            raise cause

        return mandate


def _mandate_of(body: bytes) -> bytes:
    try:
        found: dict[str, Any] = orjson.loads(body)
        return str(found["mandate"]).encode("ascii")
    except (ValueError, KeyError, TypeError) as error:
        raise NoAnswer("no mandate") from error
