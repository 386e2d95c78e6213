"""A small service of the kit's own: papers, with every kind of field, route and caller."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Blueprint as Pages
from marshmallow import Schema, fields, validate
from sqlalchemy import Numeric, String, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from servicekit import migrations
from servicekit.applications import Actor, Application, advance
from servicekit.db import NOT_PERSONAL, standard_tables
from servicekit.errors import Invalid, NotFound, TooMany
from servicekit.facts import Facts
from servicekit.inbox import Subscriptions
from servicekit.jobs import Jobs
from servicekit.settings import ServiceSettings
from servicekit.testing.client import ApiClient
from servicekit.testing.clock import FixedClock
from servicekit.testing.issuer import Issuer, serve
from servicekit.testing.postgres import TestPostgres
from servicekit.testing.settings import sample_settings
from servicekit.web import versions
from servicekit.web.access import access, public, unkeyed
from servicekit.web.api import Blueprint, add_moves
from servicekit.web.app import Service, ServiceApp, build
from servicekit.web.paging import Page, PageArguments, page_of, page_schema
from servicekit.web.session import actor, keep_on_refusal, now, reading, transaction
from servicekit.workflow import Role, State, Workflow, move

PREFIX = "/api/paper-room/v1"
BUSINESS = "paper-room.papers"


class Base(DeclarativeBase):
    """Parent of the room's tables."""


standard_tables(Base)


class Paper(Application, Base):
    """An application of no business."""

    __tablename__ = "paper"

    title: Mapped[str] = mapped_column(String(80), unique=True, info=NOT_PERSONAL)
    pages: Mapped[int | None] = mapped_column(info=NOT_PERSONAL)
    price: Mapped[Decimal | None] = mapped_column(Numeric(9, 2), info=NOT_PERSONAL)
    due_on: Mapped[date | None] = mapped_column(info=NOT_PERSONAL)


WORKFLOW = Workflow(
    BUSINESS,
    State.DRAFT,
    move("submit", State.DRAFT, State.SUBMITTED, Role.APPLICANT),
    move("approve", State.SUBMITTED, State.APPROVED, Role.REVIEWER),
    move("expire", State.SUBMITTED, State.WITHDRAWN, Role.SYSTEM),
)


class Refused(Invalid):
    """A rule's refusal with a field."""

    code = "paper-refused"
    default_message = "稿件不符合要求"


class TagSchema(Schema):
    """A part of a paper."""

    word = fields.Str(required=True, validate=validate.Length(1, 5))


class PaperSchema(Schema):
    """What a form sends: one field of every kind."""

    title = fields.Str(required=True, validate=validate.Length(1, 20))
    pages = fields.Int(validate=validate.Range(1, 500))
    price = fields.Decimal(places=2, as_string=True)
    weight = fields.Float()
    urgent = fields.Bool()
    due_on = fields.Date()
    seen_at = fields.AwareDateTime()
    tags = fields.List(fields.Nested(TagSchema))
    main_tag = fields.Nested(TagSchema)


class EditSchema(Schema):
    """What may be changed of a paper."""

    pages = fields.Int(validate=validate.Range(1, 500))


class ShownSchema(Schema):
    """A paper as it is shown."""

    id = fields.Str()
    title = fields.Str()
    pages = fields.Int(allow_none=True)
    price = fields.Decimal(as_string=True, allow_none=True)
    due_on = fields.Date(allow_none=True)
    state = fields.Enum(State, by_value=True)
    created_at = fields.AwareDateTime()
    version = fields.Int()


papers = Blueprint("papers", __name__, url_prefix="/papers", description="稿件")
pages = Pages("pages", __name__, url_prefix="/pages")
own = access(Role.APPLICANT, level=2, kinds=("person",))
WRITTEN = (
    "paper",
    "idempotency_key",
    "outbox",
    "event_sequence",
    "inbox",
    "event_progress",
    "event_parked",
    "revocation",
)
COLUMNS = ("title", "pages", "price", "due_on")
EXAMPLE = {"title": "论就业", "pages": 12, "price": "9.90", "due_on": "2026-03-31"}


@papers.route("", methods=["POST"])
@papers.arguments(PaperSchema, example=EXAMPLE)
@papers.response(201, ShownSchema)
@own
def write(body: dict[str, Any]) -> Paper:
    """Write a paper (新增)."""
    with transaction() as db:
        values = {name: value for name, value in body.items() if name in COLUMNS}
        paper = Paper(applicant_id=actor().id, created_at=now(), updated_at=now(), **values)
        db.add(paper)
        db.flush()
        return versions.tag(paper)


@papers.route("")
@papers.arguments(PageArguments, location="query")
@papers.response(200, page_schema(ShownSchema))
@access(Role.APPLICANT, Role.REVIEWER)
def list_papers(page: Page) -> Any:
    """All papers, newest first (查询)."""
    with reading() as db:
        return page_of(db, select(Paper), page, (Paper.created_at, Paper.id))


@papers.route("/<id>")
@papers.response(200, ShownSchema)
@access(Role.APPLICANT, Role.REVIEWER)
def show(id: str) -> Paper:  # noqa: A002
    """One paper."""
    with reading() as db:
        return versions.tag(find(db, id))


@papers.route("/<id>", methods=["PATCH"])
@papers.arguments(EditSchema, example={"pages": 13})
@papers.response(200, ShownSchema)
@own
def edit(body: dict[str, Any], id: str) -> Paper:  # noqa: A002
    """Change a paper that was seen (修改)."""
    with transaction() as db:
        paper = versions.check(find(db, id))
        for name, value in body.items():
            setattr(paper, name, value)
        db.flush()
        return versions.tag(paper)


@papers.route("/refused", methods=["POST"])
@papers.response(204)
@own
def refuse() -> None:
    """Write, then refuse: nothing may remain."""
    with transaction() as db:
        add(db, "must not remain")
        raise Refused(extra={"limit": 3})


@papers.route("/counted", methods=["POST"])
@papers.response(204)
@own
def count() -> None:
    """Write, then refuse, and keep what was written."""
    with transaction() as db:
        add(db, f"try {len(db.scalars(select(Paper)).all())}")
        keep_on_refusal()
        raise TooMany(retry_after=7)


@papers.route("/caught", methods=["POST"])
@papers.response(200, ShownSchema)
@own
def catch() -> dict[str, str]:
    """Write, refuse inside, catch outside: nothing may remain."""
    try:
        with transaction() as db:
            add(db, "must not remain")
            raise Refused
    except Refused:
        return {"title": "caught"}


@papers.route("/broken")
@papers.response(204)
@public
def break_down() -> None:
    """A mistake of ours, with a number that nobody may read; 409 `late` would be none."""
    raise ZeroDivisionError("440106199001011234")


@papers.route("/units", methods=["POST"])
@papers.response(204)
@unkeyed
@access(Role.APPLICANT, kinds=("unit",))
def units_only() -> None:
    """For units; twice is harmless."""


@papers.route("/for-units", methods=["POST"])
@papers.response(204)
@unkeyed
@access(
    Role.APPLICANT,
    kinds=("unit",),
    level=2,
    unit_level=4,
    uscc=True,
    grants=f"{BUSINESS}:submit",
)
def for_units() -> None:
    """Business of a unit, done by a person."""


@papers.route("/alone", methods=["POST"])
@papers.response(204)
@unkeyed
@access(
    Role.APPLICANT,
    kinds=("unit",),
    unit_level=4,
    unit_account=True,
    grants=f"{BUSINESS}:submit",
)
def alone() -> None:
    """Business of a unit that its own account may do too."""


@papers.route("/scoped", methods=["POST"])
@papers.response(204)
@unkeyed
@access(Role.SYSTEM, scopes=("papers.write",))
def scoped() -> None:
    """For systems that were given the scope."""


@papers.route("/reviews")
@papers.response(200, ShownSchema)
@access(Role.WINDOW, Role.REVIEWER, business=BUSINESS)
def review() -> dict[str, str]:
    """Says the role that was found."""
    return {"title": actor().role.value}


@pages.route("/hello", methods=["GET", "POST"])
@public
def hello() -> str:
    """A page, not the API: no key, no JSON."""
    return f"<p>{actor().kind}</p>"


def find(db: Session, paper_id: str) -> Paper:
    """The paper, or a refusal."""
    found = db.get(Paper, paper_id)
    if found is None:
        raise NotFound
    return found


def add(db: Session, title: str) -> None:
    """Write a row in the request's transaction."""
    db.add(Paper(applicant_id=actor().id, title=title, created_at=now(), updated_at=now()))
    db.flush()


def make_move(
    db: Session, paper_id: str, name: str, *, actor: Actor, now: Any, note: str | None
) -> Paper:
    """Any move of the table."""
    paper = find(db, paper_id)
    advance(db, WORKFLOW, paper, name, actor=actor, now=now, note=note)
    return paper


add_moves(papers, WORKFLOW, make_move, ShownSchema, level=2, kinds=("person",))

MIGRATION = """
from alembic import op
from servicekit.migrations import create_revocations, create_standard_tables

revision, down_revision = "0001", None


def upgrade() -> None:
    create_standard_tables(op)
    create_revocations(op)
"""


@dataclass(frozen=True)
class PaperRoom:
    """The service, its callers and what stands in its database."""

    app: ServiceApp
    issuer: Issuer
    clock: FixedClock

    def person(self, **claims: Any) -> ApiClient:
        """A person of level two; each call of this makes another person."""
        return ApiClient(self.app, self.issuer.token(**claims), PREFIX)

    def officer(self, **claims: Any) -> ApiClient:
        """A reviewer of the room's business."""
        usual = {"roles": ["reviewer"], "businesses": [BUSINESS], "region": "4401"}
        return ApiClient(self.app, self.issuer.token("officer", **{**usual, **claims}), PREFIX)

    def visitor(self) -> ApiClient:
        """Somebody without a token."""
        return ApiClient(self.app, None, PREFIX)

    def titles(self) -> list[str]:
        """What is in the database."""
        with self.app.database.reading() as db:
            return sorted(db.scalars(select(Paper.title)))


def declare(*blueprints: Any) -> Service:
    """The room's declaration."""
    return Service(
        name="paper-room",
        title="稿件室",
        package="paper_room",
        base=Base,
        facts=Facts("paper-room"),
        subscriptions=Subscriptions("paper-room"),
        jobs=Jobs(),
        blueprints=blueprints,
        workflows=(WORKFLOW,),
    )


@pytest.fixture(scope="session")
def paper_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package the service's migrations are found by."""
    folder = tmp_path_factory.mktemp("room")
    versions_folder = folder / "paper_room" / "migrations" / "versions"
    versions_folder.mkdir(parents=True)
    (folder / "paper_room" / "__init__.py").touch()
    (versions_folder / "0001_first_tables.py").write_text(MIGRATION)
    sys.path.append(str(folder))
    yield folder / "paper_room"
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def paper_template(postgres: TestPostgres, paper_package: Path) -> str:
    """Under which name the migrated database is cloned."""

    def migrate(url: str) -> None:
        migrations.upgrade(url, "paper_room")
        app = build(declare(), sample_settings(ServiceSettings, "PAPER_ROOM", database_url=url))
        Base.metadata.tables["paper"].create(app.database.engine)
        app.database.close()

    postgres.template_for("paper-room", migrate)
    return "paper-room"


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """One issuer for the session; tests that change it make their own."""
    with serve(Issuer(FixedClock())) as listening:
        yield listening


@pytest.fixture(scope="session")
def paper_url(postgres: TestPostgres, paper_template: str) -> Iterator[str]:
    """One database for the session; each test finds it empty."""
    with postgres.fresh_database(paper_template) as url:
        yield url


@pytest.fixture
def make_room(paper_url: str, issuer: Issuer) -> Iterator[Callable[..., PaperRoom]]:
    """Makes a room with settings of a test's own."""
    made: list[ServiceApp] = []

    def make(**values: Any) -> PaperRoom:
        given = {"database_url": paper_url, "identity_url": issuer.url, **values}
        settings = sample_settings(ServiceSettings, "PAPER_ROOM", **given)
        clock = FixedClock()
        made.append(build(declare(papers, pages), settings, clock=clock))
        return PaperRoom(made[-1], issuer, clock)

    yield make
    for app in made:
        app.database.close()
    with psycopg.connect(paper_url) as connection:
        for table in WRITTEN:
            connection.execute(f"DELETE FROM {table}")


@pytest.fixture
def paper_room(make_room: Callable[..., PaperRoom]) -> PaperRoom:
    """The room as it usually is."""
    return make_room()
