"""A little room of the kit's own: one matter called paper, with a sealed number."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from servicekit import logs
from servicekit.applications import Actor, Application
from servicekit.db import (
    PERSONAL,
    Database,
    sqlalchemy_url,
    standard_tables,
)
from servicekit.migrations import create_standard_tables
from servicekit.personal import ResidentNumber
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture
from servicekit.vault import BlindIndex, Sealed, Vault, new_key
from servicekit.workflow import Role, State, Workflow, move


class Base(DeclarativeBase):
    """Parent of the kit room's tables."""


standard_tables(Base)


class Paper(Application, Base):
    """An application with one personal column."""

    __tablename__ = "paper"

    resident_number: Mapped[ResidentNumber | None] = mapped_column(
        Sealed(ResidentNumber, "paper.resident_number"), info=PERSONAL
    )
    resident_index: Mapped[bytes | None] = mapped_column(
        BlindIndex("paper.resident_number"), unique=True, info=PERSONAL
    )


WORKFLOW = Workflow(
    "kit.paper",
    State.DRAFT,
    move("save", (State.DRAFT, State.RETURNED), State.DRAFT, Role.APPLICANT),
    move("submit", (State.DRAFT, State.RETURNED), State.SUBMITTED, Role.APPLICANT),
    move("withdraw", State.SUBMITTED, State.DRAFT, Role.APPLICANT),
    move("approve", State.SUBMITTED, State.APPROVED, Role.REVIEWER),
    move("return", State.SUBMITTED, State.RETURNED, Role.REVIEWER),
    move("reject", State.SUBMITTED, State.REJECTED, Role.REVIEWER),
    move("cancel", State.APPROVED, State.CANCELLED, Role.APPLICANT),
)


@dataclass(frozen=True)
class Room:
    """What the tests of the kit work with."""

    paper: type[Paper] = Paper
    base: type[Base] = Base
    workflow: Workflow[State] = WORKFLOW
    now: datetime = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)

    def actor(self, role: Role = Role.APPLICANT) -> Actor:
        """Somebody in this role."""
        kind = "person" if role is Role.APPLICANT else "officer"
        return Actor(id=f"{role}-1", role=role, kind=kind, person_id=f"{role}-1", session_id="s-1")

    def draft(self) -> Paper:
        """A paper that nobody has submitted yet."""
        return Paper(applicant_id="applicant-1", created_at=self.now, updated_at=self.now)


@pytest.fixture
def written_log() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The log as it is written, line by line; afterwards logging is as it was."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.unbind_all()  # what the last request of another test bound
    logs.configure("kit", "debug", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.unbind_all()
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault(f"k1:{new_key()}", new_key())


@pytest.fixture(scope="session")
def kit_template(postgres: TestPostgres) -> str:  # noqa: F811
    def migrate(url: str) -> None:
        engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
        with engine.begin() as connection:
            create_standard_tables(SimpleNamespace(get_bind=lambda: connection))
            Base.metadata.create_all(connection)

    return postgres.template_for("kit", migrate)


@pytest.fixture
def database_url(postgres: TestPostgres, kit_template: str) -> Iterator[str]:  # noqa: F811
    with postgres.fresh_database("kit") as url:
        yield url


@pytest.fixture
def database(database_url: str, vault: Vault) -> Iterator[Database]:
    database = Database(database_url, vault=vault, application_name="kit-tests")
    yield database
    database.close()
