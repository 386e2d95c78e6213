"""The registry's forms in FastAPI on async SQLAlchemy's ORM and asyncpg, served by uvicorn.

The application's table is mapped by the registry's own class, sealed columns included; see
``registry_duty`` for what is done and what is not.
"""

from __future__ import annotations

import os
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import registry_duty as duty
from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from employment_registry.flexible_employment.model import FlexibleEmploymentApplication as Filing
from employment_registry.flexible_employment.model import FlexibleEmploymentRecord as Record
from employment_registry.flexible_employment.rules import EmploymentType
from servicekit import columns
from servicekit.identifiers import check_mobile_number
from servicekit.personal import MobileNumber
from servicekit.workflow import State

_url = make_url(os.environ["PEER_DATABASE_URL"])
engine = create_async_engine(_url.set(drivername="postgresql+asyncpg"), pool_size=8, max_overflow=0)
engine.sync_engine.dialect.vault = duty.vault  # type: ignore[attr-defined]
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()
PATH = "/api/employment-registry/v1/flexible-employment-registrations/{application_id}"


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


Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Employment(BaseModel):
    """The form; any field may be missing."""

    model_config = ConfigDict(extra="forbid")
    employment_type: EmploymentType | None = None
    started_on: date | None = None
    work_place: Annotated[str, Field(pattern=r"^44(\d{2}|\d{4}|\d{7})$")] | None = None
    address: Annotated[Text, Field(max_length=200)] | None = None
    occupation: Annotated[Text, Field(max_length=60)] | None = None
    monthly_income: Annotated[Decimal, Field(ge=0, le=9_999_999, decimal_places=2)] | None = None
    contact_phone: Annotated[str, AfterValidator(check_mobile_number)] | None = None


class Saving(BaseModel):
    model_config = ConfigDict(extra="forbid")
    employment: Employment


class Note(BaseModel):
    model_config = ConfigDict(extra="forbid")
    note: Annotated[str, Field(max_length=500)] | None = None


class Person(BaseModel):
    name: str
    document_kind: str
    document_number: str
    born_on: str
    sex: str


class EmploymentShown(BaseModel):
    employment_type: str | None
    started_on: date | None
    work_place: str | None
    address: str | None
    occupation: str | None
    monthly_income: str | None
    contact_phone: str | None


class Shown(BaseModel):
    """One's own application in full."""

    id: str
    number: str | None
    kind: Literal["registration", "change"]
    state: str
    state_label: str
    region: str | None
    person: Person
    submitted_at: datetime | None
    decided_at: datetime | None
    due_on: date | None
    open_moves: list[str]
    version: int
    created_at: datetime
    updated_at: datetime
    record_id: str | None
    employment: EmploymentShown
    decision_reason: str | None
    fields_to_correct: list[str]


@app.exception_handler(duty.Refused)
async def refuse(_: Request, refused: duty.Refused) -> JSONResponse:
    return JSONResponse({"code": refused.code}, refused.status)


def account(authorization: Annotated[str, Header()]) -> str:
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
        await db.execute(select(func.pg_notify("outbox", "")))
        return keep(kept, filing)


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
    row = insert(Serial).values(name=duty.serial_name(region), day=today, last=1)
    more = row.on_conflict_do_update(index_elements=["name", "day"], set_={"last": Serial.last + 1})
    return int(await db.scalar(more.returning(Serial.last)) or 0)


async def next_sequence(db: AsyncSession, event: dict[str, Any]) -> tuple[int, datetime | None]:
    names = ("matter", "stream", "subject")
    row = insert(Sequence).values(
        **{name: event[name] for name in names}, last=1, last_time=event["time"]
    )
    more = row.on_conflict_do_update(
        index_elements=names,
        set_={
            "last": Sequence.last + 1,
            "previous_time": Sequence.last_time,
            "last_time": func.greatest(Sequence.last_time, row.excluded.last_time),
        },
    )
    found = (await db.execute(more.returning(Sequence.last, Sequence.previous_time))).one()
    return found.last, found.previous_time
