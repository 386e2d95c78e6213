"""Answers with the suite's API description; the services' own are read again now and then."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson
import structlog

from frontdoor.answers import READ_ONLY, UNAVAILABLE, Answer
from frontdoor.api_docs.merging import Document, merge
from frontdoor.api_docs.page import POLICY, Page
from frontdoor.api_docs.words import LANGUAGES
from frontdoor.asking import Answered, NoAnswer, ask
from frontdoor.content import Compression, OpenApi
from frontdoor.exchange import Exchange, Inward, Step
from frontdoor.kept_answers import Kept
from frontdoor.own_pages import query_of
from frontdoor.sites import Address

log = structlog.get_logger(__name__)

FRESH: Final = 60.0  # seconds
LONGEST: Final = 8 << 20
MOST_KEPT: Final = 64
_COMPRESSION: Final = Compression(
    gzip=True, brotli=True, types=frozenset(("application/json", "text/html")), least=1024
)


class ApiDocs:
    """The descriptions of some services, as one.

    Args:
        names: the upstreams.
        addresses: the servers of an upstream, by its name.
        public_url: where people reach the gateway.
        now: monotonic seconds.
    """

    def __init__(
        self,
        names: Sequence[str],
        addresses: Callable[[str], Sequence[Address]],
        public_url: str,
        now: Callable[[], float],
    ) -> None:
        self._names = names
        self._addresses = addresses
        self._public_url = public_url
        self._now = now
        self._documents: dict[str, Document] = {}
        self._merged: Document | None = None
        self._fresh_until = float("-inf")
        self._kept: dict[tuple[str, ...], Kept] = {}
        self._reading: asyncio.Task[None] | None = None

    def end(self, wanted: OpenApi, place: str, document_place: str) -> Inward:
        """What answers at a location.

        Args:
            wanted: document or page.
            place: the location's path.
            document_place: where the document is, for the page's link.
        """

        def answer(exchange: Exchange) -> Step:
            if exchange.method not in (b"GET", b"HEAD"):
                return READ_ONLY
            if self._now() >= self._fresh_until and self._reading is None:
                self._reading = asyncio.ensure_future(self._read())
            if self._merged is None:
                return self._wait(exchange, wanted.form, place, document_place)
            return self._show(exchange, wanted.form, place, document_place)

        return answer

    async def _wait(self, exchange: Exchange, form: str, place: str, document_place: str) -> Answer:
        if self._reading is not None:
            await asyncio.shield(self._reading)
        if self._merged is None:
            return UNAVAILABLE
        return self._show(exchange, form, place, document_place)

    def _show(self, exchange: Exchange, form: str, place: str, document_place: str) -> Answer:
        assert self._merged is not None
        key: tuple[str, ...]
        lines: tuple[bytes, ...]
        if form == "document":
            key, lines = ("document",), (b"Content-Type: application/json",)
            make: Callable[[], bytes] = lambda: orjson.dumps(self._merged)  # noqa: E731
        else:
            query = query_of(exchange)
            language = query.get("lang", "")
            language = language if language in LANGUAGES else _language(exchange)
            service = query.get("service")
            if service is not None and service not in self._documents:
                service = ""
            key = ("page", language, str(service), place)
            lines = (b"Content-Type: text/html; charset=utf-8", POLICY, b"Vary: Accept-Language")
            merged = self._merged
            make = lambda: (  # noqa: E731
                Page(merged, language, place, document_place).render(service).encode()
            )
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = _kept(make(), lines, self._now())
        return kept.answer(exchange.fields, self._now(), b"hit")

    async def _read(self) -> None:
        try:
            found = await asyncio.gather(*map(self._read_one, self._names))
        finally:
            self._reading = None
        missing = []
        for name, document in zip(self._names, found, strict=True):
            if document is not None:
                self._documents[name] = document
            elif name not in self._documents:
                missing.append(name)
        self._fresh_until = self._now() + (FRESH if not missing else FRESH / 10)
        if self._documents:
            order = {name: self._documents[name] for name in self._names if name in self._documents}
            self._merged = merge(order, self._public_url, tuple(missing))
            self._kept.clear()

    async def _read_one(self, name: str) -> Document | None:
        head = (
            f"GET /openapi.json HTTP/1.1\r\nHost: {name}\r\nAccept: application/json\r\n"
            "Connection: close\r\n"
        ).encode()
        for address in self._addresses(name):
            try:
                answered = await ask(address, head, longest=LONGEST)
                found: Any = orjson.loads(answered.body) if answered.status == 200 else None  # noqa: PLR2004
            except (NoAnswer, ValueError):
                continue
            if isinstance(found, dict) and isinstance(found.get("paths"), dict):
                return found
        log.warning("no API description", upstream=name)
        return None


def _kept(body: bytes, lines: tuple[bytes, ...], now: float) -> Kept:
    tag = b'ETag: "%b"' % hashlib.sha256(body).hexdigest()[:24].encode()
    told = (*lines, tag, b"Cache-Control: no-cache")
    return Kept(Answered(200, told, body), now, now + FRESH, _COMPRESSION)


def _language(exchange: Exchange) -> str:
    """Chinese, unless the browser asks for English first."""
    field = exchange.fields.value(b"accept-language") or b""
    return "en" if field.strip().lower().startswith(b"en") else "zh"
