"""The registry's forms in FastAPI on async SQLAlchemy's ORM and asyncpg, served by uvicorn.

The application's table is mapped by the registry's own class, sealed columns included; see
``registry_duty`` for what is done and what is not.
"""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import Annotated, Any

import registry_duty as duty
from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from registry_fastapi_forms import EmploymentShown, Note, Person, Saving, Shown
from sqlalchemy import or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from employment_registry.flexible_employment.model import FlexibleEmploymentApplication as Filing
from employment_registry.flexible_employment.model import FlexibleEmploymentRecord as Record
from servicekit import columns
from servicekit.personal import MobileNumber
from servicekit.workflow import State

_url = make_url(os.environ["PEER_DATABASE_URL"])
engine = create_async_engine(_url.set(drivername="postgresql+asyncpg"), pool_size=8, max_overflow=0)
engine.sync_engine.dialect.vault = duty.vault  # type: ignore[attr-defined]
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()
PATH = "/api/employment-registry/v1/flexible-employment-registrations/{application_id}"


_NEXT_SERIAL = text(duty.NEXT_SERIAL)
_NEXT_SEQUENCE = text(duty.NEXT_SEQUENCE)
_NOTIFY = text("SELECT pg_notify('outbox', '')")


class Base(DeclarativeBase):
    """The tables beside the application's."""


class Key(columns.IdempotencyColumns, Base):
    __tablename__ = "idempotency_key"


class Entry(columns.HistoryColumns, Base):
    __tablename__ = "application_history"


class Head(columns.HistoryHeadColumns, Base):
    __tablename__ = "history_head"


class Outbox(columns.OutboxColumns, Base):
    __tablename__ = "outbox"


class Sequence(columns.SequenceColumns, Base):
    __tablename__ = "event_sequence"


class Serial(columns.SerialColumns, Base):
    __tablename__ = "serial"


class Tell:
    """Middleware: ids, the line and the measurement of every request."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        given = Headers(scope=scope)
        ids = given.get("X-Request-Id", ""), given.get("traceparent")
        with duty.told(scope["method"], *ids) as told:
            status = size = 0

            async def sent(message: Message) -> None:
                nonlocal status, size
                if message["type"] == "http.response.start":
                    status = message["status"]
                    MutableHeaders(scope=message).update(told.headers)
                size += len(message.get("body", b""))
                await send(message)

            await self._inner(scope, receive, sent)
            told.answered(getattr(scope.get("route"), "path", ""), status, size)


app.add_middleware(Tell)


@app.exception_handler(duty.Refused)
async def refuse(_: Request, refused: duty.Refused) -> JSONResponse:
    return JSONResponse({"code": refused.code}, refused.status)


async def account(authorization: Annotated[str, Header()]) -> str:
    return duty.person(authorization)


Account = Annotated[str, Depends(account)]
KeyHeader = Annotated[str, Header(alias="Idempotency-Key")]
Match = Annotated[str | None, Header(alias="If-Match")]


@app.get("/livez")
async def livez() -> dict[str, bool]:
    return {"ok": True}


@app.patch(PATH)
async def save(
    application_id: str,
    body: Saving,
    request: Request,
    account: Account,
    key: KeyHeader,
    if_match: Match = None,
) -> Response:
    async with sessions.begin() as db:
        kept = await take(db, request, account, key)
        if isinstance(kept, Response):
            return kept
        filing = await db.get(Filing, application_id)
        duty.check(filing, account, duty.seen(if_match))
        assert filing is not None
        for name, value in body.employment.model_dump(exclude_unset=True).items():
            phone = name == "contact_phone" and value is not None
            setattr(filing, name, MobileNumber(value) if phone else value)
        filing.updated_at = duty.today()[0]
        await db.flush()
        return keep(kept, filing)


@app.post(PATH + "/submit")
async def submit(
    application_id: str,
    body: Note,
    request: Request,
    account: Account,
    key: KeyHeader,
    if_match: Match = None,
) -> Response:
    async with sessions.begin() as db:
        kept = await take(db, request, account, key)
        if isinstance(kept, Response):
            return kept
        filing = await db.get(Filing, application_id)
        duty.check(filing, account, duty.seen(if_match))
        assert filing is not None
        registered = or_(Record.applicant_id == account, Record.person_key == filing.person_key)
        if await db.scalar(select(Record.id).where(registered, Record.is_valid).with_for_update()):
            raise duty.Refused(409, "already-flexibly-employed")
        now, today = duty.today()
        duty.check_submission(filing, filing.born_on.day, today)
        region = filing.work_place or ""
        filing.number = duty.number(region, today, await next_serial(db, region, today))
        filing.region, filing.state, filing.due_on = region, State.SUBMITTED, duty.due_on(today)
        filing.submitted_at = filing.updated_at = now
        await db.flush()
        head = await db.get(Head, duty.lane_of(filing.id), with_for_update=True)
        assert head is not None
        entry = Entry(**duty.entry(filing.id, account, now, head))
        head.position, head.hash = entry.position, entry.hash
        db.add(entry)
        event = duty.event(filing, now)
        last, before = await next_sequence(db, event)
        db.add(Outbox(**event, sequence=last, preceded_at=before))
        await db.execute(_NOTIFY)
        answer = keep(kept, filing)
    duty.moved(application_id)
    return answer


async def take(db: AsyncSession, request: Request, account: str, key: str) -> Key | Response:
    """The key's row, inserted first; the answer there was before."""
    print_ = duty.fingerprint(request.method, request.url.path, await request.body())
    row = {"actor_key": account, "key": key, "fingerprint": print_, "created_at": duty.today()[0]}
    taken = insert(Key).values(row).on_conflict_do_nothing().returning(Key)
    kept = await db.scalar(taken)
    if kept is not None:
        return kept
    before = await db.get_one(Key, (account, key))
    if before.fingerprint != print_ or before.status is None or before.body is None:
        raise duty.Refused(422, "idempotency-key-reused")
    body = duty.vault.open(before.body, "idempotency_key.body")
    return Response(body, before.status, before.headers)


def keep(key: Key, filing: Filing) -> Response:
    """The answer, kept sealed under its key."""
    body = show(filing).model_dump_json()
    headers = {"ETag": f'"{filing.version}"', "Content-Type": "application/json"}
    key.status, key.headers = 200, headers
    key.body = duty.vault.seal(body, "idempotency_key.body")
    return Response(body, 200, headers)


def show(filing: Filing) -> Shown:
    state = str(filing.state)
    return Shown(
        **{name: getattr(filing, name) for name in Shown.model_fields if hasattr(filing, name)},
        state_label=duty.STATES[state],
        person=Person(
            name=filing.person_name.mask(),
            document_kind=filing.document_kind,
            document_number=filing.document_number.mask(),
            born_on=filing.born_on.mask(),
            sex=filing.sex,
        ),
        open_moves=duty.MOVES[state],
        employment=EmploymentShown(
            **{name: getattr(filing, name) for name in duty.EMPLOYMENT[:5]},
            monthly_income=duty.income(filing.monthly_income),
            contact_phone=None if filing.contact_phone is None else filing.contact_phone.mask(),
        ),
    )


async def next_serial(db: AsyncSession, region: str, today: date) -> int:
    values = {"name": duty.serial_name(region), "day": today}
    return int(await db.scalar(_NEXT_SERIAL, values) or 0)


async def next_sequence(db: AsyncSession, event: dict[str, Any]) -> tuple[int, datetime | None]:
    values = {name: event[name] for name in ("matter", "stream", "subject", "time")}
    found = (await db.execute(_NEXT_SEQUENCE, values)).one()
    return found.last, found.previous_time
