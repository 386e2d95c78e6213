"""What only the finished services can tell: access marks, personal marks, facts, one process."""

import base64
import importlib
import json
import secrets
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import (
    ClauseElement,
    Column,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from servicekit import settings
from servicekit.facts import application_facts
from servicekit.web.access import mark_of
from servicekit.web.app import ServiceApp

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts" / "events"
KEYS = (PrimaryKeyConstraint, UniqueConstraint)
ENTRIES = {entry.name: entry for entry in entry_points(group="suite.services")}


def made_up(variable: str) -> str:
    """A value for a required setting; nothing is connected to."""
    if variable.endswith("_URL"):
        return "postgresql://nobody@127.0.0.1:1/nothing"
    random = base64.b64encode(secrets.token_bytes(32)).decode()
    return f"k1:{random}" if variable.endswith("_KEYS") else random


def make(name: str) -> ServiceApp:
    """One service, put together without a database."""
    module = ENTRIES[name].value.split(".", 1)[0]
    prefix = name.replace("-", "_").upper()
    cls = importlib.import_module(f"{module}.settings").Settings
    environ = {variable: made_up(variable) for variable in settings.secret_names(cls, prefix)}
    app: ServiceApp = ENTRIES[name].load()(settings.load(cls, prefix, environ))
    return app


@pytest.fixture(scope="module")
def apps() -> Iterator[dict[str, ServiceApp]]:
    """All services, in this one process."""
    made = {name: make(name) for name in ENTRIES}
    yield made
    for app in made.values():
        app.database.close()


def unmarked_routes(app: Flask) -> list[str]:
    """Routes where nobody said who may use them."""
    rules = app.url_map.iter_rules()
    return [str(rule) for rule in rules if mark_of(app.view_functions[rule.endpoint]) is None]


def unmarked_columns(metadata: MetaData) -> list[str]:
    """Columns that do not say whether they hold personal data."""
    columns = (column for table in metadata.tables.values() for column in table.columns)
    return [str(column) for column in columns if not isinstance(column.info.get("personal"), bool)]


def repeated_indexes(metadata: MetaData) -> list[str]:
    """Indexes that begin another one of their table, and so are written and never needed."""
    found = []
    for table in metadata.tables.values():
        whole = [index for index in table.indexes if not _is_partial(index)]
        keys = [columns_of(index.expressions) for index in whole]
        keys += [columns_of(key.columns) for key in table.constraints if isinstance(key, KEYS)]
        for index, own in zip(whole, keys, strict=False):
            longer = (key for key in keys if key != own and key[: len(own)] == own)
            if not index.unique and (keys.count(own) > 1 or any(longer)):
                found.append(str(index.name))
    return sorted(found)


def columns_of(key: Iterable[ClauseElement]) -> tuple[str, ...]:
    """What an index or constraint is over, in order."""
    return tuple(str(each) for each in key)


def _is_partial(index: Index) -> bool:
    return index.dialect_options["postgresql"]["where"] is not None


def fact_types(app: ServiceApp) -> set[str]:
    """The types of everything a service announces."""
    types = {fact.type for fact in app.service.facts}
    for workflow in app.service.workflows:
        types |= {fact.type for fact in application_facts(workflow)}
    return types


def missing_contracts(types: set[str], folder: Path) -> list[str]:
    """Facts whose schema is not committed."""
    files = {kind: folder / kind.split(".", 1)[0] for kind in types}
    return sorted(k for k, f in files.items() if not (f / f"{k.split('.', 1)[1]}.json").exists())


def unknown_facts(app: ServiceApp, known: set[str]) -> list[str]:
    """Subscriptions to what nobody announces."""
    businesses = {kind.rsplit(".", 2)[0] for kind in known}
    wrong = []
    for heard in app.service.subscriptions:
        if heard.event_type is not None and heard.event_type not in known:
            wrong.append(heard.event_type)
        if heard.business not in (None, "*") and heard.business not in businesses:
            wrong.append(heard.business)
    return wrong


def test_every_route_says_who_may_use_it(apps: dict[str, ServiceApp]) -> None:
    assert {name: found for name, app in apps.items() if (found := unmarked_routes(app))} == {}


def test_a_route_without_a_mark_is_found() -> None:
    app = Flask("nothing")
    app.add_url_rule("/open", view_func=lambda: "")
    assert "/open" in unmarked_routes(app)


def test_every_column_says_whether_it_is_personal(apps: dict[str, ServiceApp]) -> None:
    marks = {name: unmarked_columns(app.service.base.metadata) for name, app in apps.items()}
    assert {name: columns for name, columns in marks.items() if columns} == {}


def test_a_column_without_a_mark_is_found() -> None:
    metadata = MetaData()
    Table("person", metadata, Column("name", String), Column("id", String, info={"personal": 0}))
    assert unmarked_columns(metadata) == ["person.name", "person.id"]


def test_no_index_begins_another(apps: dict[str, ServiceApp]) -> None:
    repeated = {name: repeated_indexes(app.service.base.metadata) for name, app in apps.items()}
    assert {name: indexes for name, indexes in repeated.items() if indexes} == {}


def test_an_index_that_begins_another_is_found() -> None:
    metadata = MetaData()
    table = Table(
        "person", metadata, Column("id", String, primary_key=True), Column("name", String)
    )
    Index("by_name", table.c.name)
    Index("by_name_and_id", table.c.name, table.c.id)
    Index("by_id_where", table.c.id, postgresql_where=table.c.name == "林")
    assert repeated_indexes(metadata) == ["by_name"]


def test_every_service_is_what_its_entry_point_says(apps: dict[str, ServiceApp]) -> None:
    for name, app in apps.items():
        service = app.service
        assert service.name == name
        assert service.package == ENTRIES[name].value.split(".", 1)[0]
        assert {service.facts.service, service.subscriptions.service} == {name}
        assert all(workflow.name.startswith(f"{name}.") for workflow in service.workflows)


def test_every_announced_fact_has_a_contract(apps: dict[str, ServiceApp]) -> None:
    announced = set().union(*(fact_types(app) for app in apps.values()))
    assert missing_contracts(announced, CONTRACTS) == []


def test_a_fact_without_a_contract_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "identity"
    folder.mkdir()
    (folder / "account.verified.v1.json").write_text(json.dumps({}), "utf-8")
    types = {"identity.account.verified.v1", "identity.account.closed.v1"}
    assert missing_contracts(types, tmp_path) == ["identity.account.closed.v1"]


def test_every_subscription_names_a_fact_that_exists(apps: dict[str, ServiceApp]) -> None:
    known = set().union(*(fact_types(app) for app in apps.values()))
    assert {name: wrong for name, app in apps.items() if (wrong := unknown_facts(app, known))} == {}


def test_services_share_a_process(apps: dict[str, ServiceApp]) -> None:
    """Two services may have tables of one name; none sees the other's engine or Base."""
    databases = {id(app.database.engine) for app in apps.values()}
    bases = {id(app.service.base.metadata) for app in apps.values()}
    assert len(databases) == len(bases) == len(apps)


def test_an_officer_can_be_appointed_to_every_business_there_is(
    apps: dict[str, ServiceApp],
) -> None:
    """identity refuses businesses it does not know: a new matter is listed there too (ID-45)."""
    place = ROOT / "services/identity/identity/officers/businesses.json"
    known = set(json.loads(place.read_text("utf-8")))
    asked = {workflow.name for app in apps.values() for workflow in app.service.workflows}
    for app in apps.values():
        marks = (mark_of(view) for view in app.view_functions.values())
        asked |= {mark.business for mark in marks if mark is not None and mark.business}
    assert asked <= known, f"add to {place.relative_to(ROOT)}: {sorted(asked - known)}"
