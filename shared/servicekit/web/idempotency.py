"""Asking twice has one effect: the answer to an Idempotency-Key is kept for a day (AL-07).

The key's row is inserted first and commits with the effect. A second request with the key waits
for the first at the row's unique index and is then given the same answer; after a refusal
nothing was kept and the key is free. The answer is sealed, the request is known by a keyed hash.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson
from flask import Request, Response
from psycopg.errors import LockNotAvailable
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from servicekit.columns import IDEMPOTENCY_KEY
from servicekit.errors import Conflict, Invalid, Refusal
from servicekit.statements import run
from servicekit.web.access import Mark
from servicekit.web.session import Exchange, app

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
KEPT_FOR: Final = timedelta(hours=24)  # then housekeeping deletes the row
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_FORM = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Retry-After")
_TAKE: Final = """
    INSERT INTO idempotency_key AS kept (actor_key, key, fingerprint, created_at)
    VALUES (%(owner)s, %(key)s, %(fingerprint)s, %(now)s)
    ON CONFLICT (actor_key, key) DO UPDATE SET
        fingerprint = excluded.fingerprint, created_at = excluded.created_at,
        status = NULL, body = NULL
    WHERE kept.created_at < %(forgotten)s
    RETURNING key
"""
_KEEP: Final = """
    UPDATE idempotency_key SET status = %(status)s, headers = %(headers)s::jsonb, body = %(body)s
    WHERE actor_key = %(owner)s AND key = %(key)s
"""
_BODY = "idempotency_key.body"
_REQUEST = "idempotency_key.fingerprint"


class KeyMissing(Refusal):
    """Every unsafe request to the API says under which key it may be repeated."""

    code = "idempotency-key-missing"
    default_message = "请求缺少 Idempotency-Key，请升级客户端后重试"


class KeyMalformed(Refusal):
    """1 to 255 visible ASCII characters; a UUID is best."""

    code = "idempotency-key-malformed"
    default_message = "Idempotency-Key 格式不正确"


class KeyReused(Invalid):
    """The key was used for another request."""

    code = "idempotency-key-reused"
    default_message = "该 Idempotency-Key 已用于内容不同的请求，请重新提交"


class StillAnswering(Conflict):
    """The first request with this key has not been answered yet."""

    code = "request-in-progress"
    default_message = "相同的请求正在处理中，请稍后再试"


KEY_REFUSALS: Final = (KeyMissing, KeyMalformed, KeyReused)


def needed(asked: Request, mark: Mark) -> bool:
    """Must this request carry a key?"""
    unsafe = asked.method not in SAFE and asked.path.startswith("/api/")
    return mark.keyed and not mark.parted and unsafe


def answer(exchange: Exchange, run: Callable[[], Response]) -> Response:
    """Run the view in the request's transaction, or give the answer it gave before.

    Raises:
        KeyMissing, KeyMalformed: 400.
        KeyReused: 422.
        StillAnswering: 409, the first request took longer than one waits for a lock.
    """
    key = _key(exchange)
    db = exchange.writing()
    fingerprint = _fingerprint(exchange)
    owner = _owner(exchange)
    if not _take(db, owner, key, fingerprint, exchange.now):
        return _replay(db, owner, key, fingerprint)
    response = run()
    if exchange.is_writing:  # the view may have rolled back and answered all the same
        _keep(db, owner, key, response)
    return response


def part(exchange: Exchange, db: Session, name: str, run: Callable[[], Any]) -> Any:
    """Do one part of a request whose parts commit one by one, or give the answer it gave before.

    Args:
        db: the part's own transaction.
        name: of the part within the request.
        run: does it and gives its answer, as JSON; a refusal keeps nothing.

    Raises:
        KeyMissing, KeyMalformed, KeyReused, StillAnswering: as for ``answer``.
    """
    key = sha256(f"{_key(exchange)}\n{name}".encode()).hexdigest()
    owner, fingerprint = _owner(exchange), _fingerprint(exchange)
    if not _take(db, owner, key, fingerprint, exchange.now):
        return orjson.loads(_replay(db, owner, key, fingerprint).get_data())
    made = run()
    _keep(db, owner, key, Response(orjson.dumps(made), 200))
    return made


def keep_refusal(exchange: Exchange, refusal: Refusal) -> Response:
    """Commit what a refused request asked to keep, with the refusal as the key's answer."""
    from servicekit.web.problem import of_refusal

    response = of_refusal(refusal)
    key = exchange.request.headers.get(HEADER)
    if exchange.is_writing:
        if key is not None:
            _keep(exchange.writing(), _owner(exchange), key, response)
        exchange.commit()
    return response


def _key(exchange: Exchange) -> str:
    key = exchange.request.headers.get(HEADER)
    if key is None:
        raise KeyMissing
    if not _FORM.fullmatch(key):
        raise KeyMalformed
    return key


def _owner(exchange: Exchange) -> str:
    actor = exchange.actor
    return actor.id if actor.person_id in (None, actor.id) else f"{actor.person_id}>{actor.id}"


def _fingerprint(exchange: Exchange) -> str:
    # Keyed, because a form holds numbers that a plain hash would give away.
    asked = exchange.request
    said = f"{asked.method} {asked.full_path}\n".encode() + asked.get_data(cache=True)
    return app().vault.index(said.decode("latin-1"), _REQUEST).hex()


def _take(db: Session, owner: str, key: str, fingerprint: str, now: datetime) -> bool:
    """Insert the key first; whoever comes second waits here for the first one's commit."""
    values = {
        "owner": owner,
        "key": key,
        "fingerprint": fingerprint,
        "now": now,
        "forgotten": now - KEPT_FOR,
    }
    try:
        return bool(run(db, _TAKE, values))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise StillAnswering(retry_after=1) from None
        raise


def _replay(db: Session, owner: str, key: str, fingerprint: str) -> Response:
    table = IDEMPOTENCY_KEY.c
    row = db.execute(
        select(table.fingerprint, table.status, table.headers, table.body).where(
            table.actor_key == owner, table.key == key
        )
    ).one()
    if row.fingerprint != fingerprint:
        raise KeyReused
    if row.status is None:
        raise StillAnswering(retry_after=1)
    body = app().vault.open(row.body, _BODY).encode("latin-1")
    response = Response(body, row.status, row.headers)
    response.headers[REPLAYED] = "true"
    return response


def _keep(db: Session, owner: str, key: str, response: Response) -> None:
    headers = {name: value for name, value in response.headers if name in _KEPT_HEADERS}
    sealed = app().vault.seal(response.get_data().decode("latin-1"), _BODY)
    values = {
        "owner": owner,
        "key": key,
        "status": response.status_code,
        "headers": orjson.dumps(headers).decode(),
        "body": sealed,
    }
    run(db, _KEEP, values)
