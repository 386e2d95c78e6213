"""Answers visitors from what a service said before, where the location keeps public answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Final

from frontdoor import freshness
from frontdoor.answers import Answer
from frontdoor.asking import Answered, NoAnswer, TooLong, ask
from frontdoor.content import Caching
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.filters import Passive
from frontdoor.kept_answers import Kept, Key, Memory
from frontdoor.pools import Pool
from frontdoor.sites import Location

NOT_KEPT: Final = 30.0  # seconds for which what may not be kept is not tried
MOST_NOT_KEPT: Final = 4096
_CONDITIONS: Final = re.compile(
    rb"^(?:if-none-match|if-modified-since|if-match|if-unmodified-since|range|if-range):[^\r]*\r\n",
    re.IGNORECASE | re.MULTILINE,
)
_NOT_MODIFIED: Final = 304
_FAULT: Final = 500


_Found = tuple[Kept | None, bool]


class Cache(Passive):
    """proxy_cache. The last on the way in: who may not see the place has gone by then.

    Args:
        memories: by zone.
        pools: the upstreams.
        now: monotonic seconds.
    """

    def __init__(
        self,
        memories: Mapping[str, Memory],
        pools: Mapping[str, Pool],
        now: Callable[[], float],
    ) -> None:
        self._memories = memories
        self._pools = pools
        self._now = now

    def inward(self, location: Location) -> Inward | None:
        if location.caching is None or location.proxy_pass is None:
            return None
        memory = self._memories[location.caching.zone.name]
        pool = self._pools[location.proxy_pass]
        return _Keeping(location, location.caching, memory, pool, self._now).answer


class _Keeping:
    """One location's use of a memory."""

    def __init__(
        self,
        location: Location,
        caching: Caching,
        memory: Memory,
        pool: Pool,
        now: Callable[[], float],
    ) -> None:
        self._location = location
        self._caching = caching
        self._memory = memory
        self._pool = pool
        self._now = now
        self._not_kept: dict[Key, float] = {}
        self._asking: dict[tuple[Key, bytes], asyncio.Task[_Found]] = {}

    def answer(self, exchange: Exchange) -> Step:
        fields = exchange.fields
        if exchange.method not in (b"GET", b"HEAD") or exchange.authorization is not None:
            return None
        if fields.value(b"cookie") is not None or fields.value(b"range") is not None:
            return None
        if freshness.wants_the_service(fields.value(b"cache-control"), fields.value(b"pragma")):
            return None
        key = (fields.host or b"", exchange.service_line or exchange.head.target)
        kept = self._memory.find(key, fields)
        now = self._now()
        if kept is not None and kept.fresh_until > now:
            return kept.answer(fields, now, b"hit")
        if exchange.method == b"HEAD" or self._not_kept.get(key, 0.0) > now:
            return None
        return self._ask(exchange, key, kept)

    async def _ask(self, exchange: Exchange, key: Key, stale: Kept | None) -> Answer | None:
        """Ask the service once for all who want the same; None lets the request pass on."""
        alike = (key, exchange.fields.lines)
        task = self._asking.get(alike)
        first = task is None
        if task is None:
            task = asyncio.ensure_future(self._fetch(exchange, key, stale))
            self._asking[alike] = task
            task.add_done_callback(lambda _: self._asking.pop(alike, None))
        kept, for_all = await asyncio.shield(task)
        if kept is None or not (first or for_all):
            return None
        status = b"fwd=stale" if stale is not None else b"fwd=miss"
        if not first:
            status += b"; collapsed"
        return kept.answer(exchange.fields, self._now(), status)

    async def _fetch(self, exchange: Exchange, key: Key, stale: Kept | None) -> _Found:
        """The answer, and whether it is for everybody; none when the request goes its own way."""
        peer = self._pool.choose()
        if peer is None:
            return self._last_resort(stale)
        condition = b"" if stale is None else _condition(stale.answered)
        head = _CONDITIONS.sub(b"", exchange.head_for_service()[:-2])
        began = self._now()
        peer.busy += 1
        try:
            answered = await ask(
                peer.server.address,
                b"%b%bConnection: close\r\n" % (head, condition),
                patience=self._location.read_timeout,
                longest=self._caching.longest,
            )
        except TooLong:
            self._let_pass(key)
            return None, False
        except NoAnswer:
            self._pool.failed(peer)
            return self._last_resort(stale)
        finally:
            peer.busy -= 1
        self._pool.answered(peer, answered.status)
        if answered.status >= _FAULT:
            return self._last_resort(stale)
        if stale is not None and answered.status == _NOT_MODIFIED:
            answered = _renewed(stale.answered, answered)
        return self._keep(exchange, key, answered, began)

    def _keep(self, exchange: Exchange, key: Key, answered: Answered, began: float) -> _Found:
        valid = self._caching.valid
        made = began - freshness.age(answered)
        if not freshness.may_be_kept(answered, valid):
            self._let_pass(key)
            return Kept(answered, made, made, self._location.compression), False
        until = made + freshness.lifetime(answered, valid)
        kept = Kept(answered, made, until, self._location.compression)
        self._memory.keep(key, exchange.fields, kept)
        return kept, True

    def _last_resort(self, stale: Kept | None) -> _Found:
        if stale is None:
            return None, False
        until = stale.fresh_until + freshness.may_be_stale(stale.answered)
        return (stale, True) if until > self._now() else (None, False)

    def _let_pass(self, key: Key) -> None:
        """Ask no more in vain for a while: such answers are streamed, not gathered."""
        if len(self._not_kept) >= MOST_NOT_KEPT:
            self._not_kept.clear()
        self._not_kept[key] = self._now() + NOT_KEPT


def _condition(answered: Answered) -> bytes:
    etag, modified = answered.value(b"etag"), answered.value(b"last-modified")
    if etag is not None:
        return b"If-None-Match: %b\r\n" % etag
    return b"" if modified is None else b"If-Modified-Since: %b\r\n" % modified


def _renewed(old: Answered, confirmed: Answered) -> Answered:
    """The kept answer with the fields of the 304 that confirmed it (RFC 9111 3.2)."""
    told = {line.partition(b":")[0].strip().lower() for line in confirmed.lines}
    kept = [line for line in old.lines if line.partition(b":")[0].strip().lower() not in told]
    return Answered(old.status, (*kept, *confirmed.lines), old.body)
