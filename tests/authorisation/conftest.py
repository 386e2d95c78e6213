"""Who may do what: every operation is asked by everybody, about everybody's things."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import io
import itertools
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from servicekit import launch, migrations
from servicekit.columns import new_id
from servicekit.testing.client import ApiClient
from servicekit.testing.clock import FixedClock
from servicekit.testing.issuer import Issuer, serve
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture
from servicekit.testing.settings import sample_settings
from servicekit.web import openapi
from servicekit.web.access import Mark

HERE = Path(__file__).parent
SERVICES = sorted(launch.services())
METHODS = ("get", "post", "put", "patch", "delete")
HOME, ELSEWHERE = "440106", "440305"
OFFICERS = ("window", "reviewer", "approver", "admin")
CALLERS = (
    "visitor",
    "person",
    "other_person",
    "agent",
    "agent_without_grant",
    "other_agent",
    "unit",
    "other_unit",
    "officer",
    "officer_elsewhere",
    "system",
    "other_system",
)
# The things of a row belong to the person, the unit and the officer's region.
OWNERS = frozenset({"person", "agent", "unit", "officer", "system"})
STRANGERS = tuple(caller for caller in CALLERS if caller not in OWNERS)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)
# An id is recognised in an answer by its own text, and there is no shorter one.
INTERNAL = HTTPStatus.INTERNAL_SERVER_ERROR
ID = re.compile(r"^[0-9a-f-]{36}$")


@dataclass(frozen=True)
class Operation:
    """One operation of the API's document, with what its view says about who may use it."""

    method: str
    path: str
    mark: Mark
    described: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As it stands in a row."""
        return f"{self.method.upper()} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """The names in the path."""
        return re.findall(r"\{([^}]+)\}", self.path)


@dataclass
class People:
    """Those whose things are asked for, anew for every question."""

    person: str = field(default_factory=new_id)
    other_person: str = field(default_factory=new_id)
    agent: str = field(default_factory=new_id)
    unit: str = field(default_factory=new_id)
    other_unit: str = field(default_factory=new_id)
    officer: str = field(default_factory=new_id)
    officer_elsewhere: str = field(default_factory=new_id)


@dataclass
class Desk:
    """A service that answers, and everybody who may come to it."""

    app: Any
    issuer: Issuer
    clock: FixedClock
    scene: ModuleType | None
    prefix: str
    people: People = field(default_factory=People)
    home: str = HOME  # the officer's region; the province where work is the province's alone
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def serial(self) -> int:
        """A number nobody had yet."""
        return next(self._count)

    @cached_property
    def operations(self) -> list[Operation]:
        """Everything the service's own document describes."""
        return operations_of(self.app)

    def token(self, caller: str, mark: Mark) -> str | None:
        """What the caller shows: as much as the operation asks for, and nothing of others'."""
        if caller == "visitor":
            return None
        claims = self._claims(caller, mark)
        kind = claims.pop("kind")
        return self.issuer.token(kind, **claims)

    def _claims(self, caller: str, mark: Mark) -> dict[str, Any]:
        who = self.people
        granted = [mark.grants] if mark.grants else []
        officer = {
            "kind": "officer",
            "sub": who.officer,
            "roles": OFFICERS,
            "businesses": [mark.business] if mark.business else [],
        }
        acting = {"kind": "unit", "level": 5, "acting": who.agent}
        claims: dict[str, dict[str, Any]] = {
            "person": {"kind": "person", "sub": who.person, "level": 3},
            "other_person": {"kind": "person", "sub": who.other_person, "level": 3},
            "agent": {**acting, "sub": who.unit, "permissions": granted},
            "agent_without_grant": {**acting, "sub": who.unit, "permissions": ["none:view"]},
            "other_agent": {**acting, "sub": who.other_unit, "permissions": granted},
            "unit": {"kind": "unit", "sub": who.unit, "level": 5},
            "other_unit": {"kind": "unit", "sub": who.other_unit, "level": 5},
            "officer": {**officer, "region": self.home},
            "officer_elsewhere": {**officer, "sub": who.officer_elsewhere, "region": ELSEWHERE},
            "system": {"kind": "system", "sub": "system-1", "scope": " ".join(mark.scopes)},
            "other_system": {"kind": "system", "sub": "system-2", "scope": "nothing"},
        }
        return claims[caller]

    def client(self, caller: str, mark: Mark) -> ApiClient:
        """The caller, at the service's door."""
        return ApiClient(self.app, self.token(caller, mark))

    def arrange(self, operation: Operation) -> dict[str, str]:
        """Make new people, and the things of theirs that the path names."""
        self.people, self.home = People(), HOME
        known: dict[str, str] = {}
        if self.scene is not None:
            known = self.scene.arrange(self, operation.path.removeprefix(self.prefix)) or {}
        return known

    def ask(self, operation: Operation, caller: str, values: Mapping[str, str]) -> Any:
        """One request; ids nobody has where the scene has none."""
        names = {name: values.get(name) or new_id() for name in operation.parameters}
        how: dict[str, Any] = {"headers": {"If-Match": '"1"'}, "query_string": asked(operation)}
        body, files = example(operation)
        if files:
            how["data"] = files()
        client = self.client(caller, operation.mark)
        return client.call(operation.method.upper(), operation.path.format(**names), body, **how)


def example(operation: Operation) -> tuple[Any, Callable[[], Any] | None]:
    """What the API's document shows as a body, or the bytes of a picture."""
    content = operation.described.get("requestBody", {}).get("content", {})
    if not content:
        return None, None
    if "multipart/form-data" in content:
        shown = content["multipart/form-data"]
        known = {n: str(v) for n, v in (shown.get("example") or {}).items() if n != "file"}
        return None, lambda: {**known, "file": (io.BytesIO(PIXEL), "pixel.png")}
    if "application/json" not in content:
        return None, lambda: PIXEL
    shown = content["application/json"]
    if "examples" in shown:
        return next(iter(shown["examples"].values()))["value"], None
    return shown.get("example"), None


def asked(operation: Operation) -> dict[str, str]:
    """The query that must be there, with the first value each parameter may have."""
    needed = [
        one
        for one in operation.described.get("parameters", [])
        if one.get("in") == "query" and one.get("required")
    ]
    return {one["name"]: str(first_value(one)) for one in needed}


def first_value(parameter: Mapping[str, Any]) -> Any:
    """An example of a parameter, or the first word of its list."""
    schema = parameter.get("schema", {})
    return parameter.get("example", schema.get("example", [*schema.get("enum", []), "1"][0]))


def outcome(answer: Any) -> str:
    """What counts: refused for who it is, not found, or let through to the rules."""
    return str(answer.status_code) if answer.status_code in (401, 403, 404) else "ok"


@cache
def scene_of(service: str) -> ModuleType | None:
    """How the things of a service are made; None for a service that has none yet."""
    path = HERE / "scenes" / f"{service.replace('-', '_')}.py"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(f"scene_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """Who signs everybody's tokens."""
    with serve(Issuer(FixedClock())) as listening:
        yield listening


@pytest.fixture(scope="module")
def desk_of(
    postgres: TestPostgres,  # noqa: F811 - the fixture
    issuer: Issuer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Desk]]:
    """Starts a service on a database of its own; once per module."""
    open_desks: dict[str, Desk] = {}
    closing: list[Any] = []

    def start(service: str) -> Desk:
        if service in open_desks:
            return open_desks[service]
        package = service.replace("-", "_")
        postgres.template_for(service, lambda url: migrations.upgrade(url, package))
        database = postgres.fresh_database(service)
        closing.append(database)
        settings_class = importlib.import_module(f"{package}.settings").Settings
        scene = scene_of(service)
        folder = tmp_path_factory.mktemp(package)
        given = {"database_url": database.__enter__(), "identity_url": issuer.url}
        given |= {} if scene is None else getattr(scene, "SETTINGS", lambda _: {})(folder)
        clock = FixedClock(issuer.clock.now())
        settings = sample_settings(settings_class, package.upper(), **given)
        app = importlib.import_module(f"{package}.app").create_app(settings, clock=clock)
        app.verifier.keys = _Keys(issuer)
        app.verifier.revoked = lambda claims: False
        desk = Desk(app, issuer, clock, scene, f"/api/{service}/v1")
        open_desks[service] = desk
        return desk

    yield start
    for desk in open_desks.values():
        getattr(desk.scene, "close", lambda app: None)(desk.app)
        desk.app.database.close()
    for database in closing:
        database.__exit__(None, None, None)


class _Keys:
    """The issuer's own key, for identity too, which else trusts nobody but itself."""

    def __init__(self, issuer: Issuer) -> None:
        self._key = issuer.key

    def find(self, kid: str) -> Any:
        return self._key if kid == self._key.thumbprint() else None


def operations_of(app: Any) -> list[Operation]:
    """Everything the service's own document describes."""
    document = openapi.document(app)
    views = {
        (rule.rule, method.lower()): app.marks[rule.endpoint]
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if rule.endpoint in app.marks
    }
    plain = {
        (re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", path), method): mark
        for (path, method), mark in views.items()
    }
    return [
        Operation(method, path, plain[path, method], described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if method in METHODS
    ]


@dataclass(frozen=True)
class Row:
    """What is expected of one operation."""

    cells: Mapping[str, str]
    missing: str
    shared: bool


def rows_of(service: str) -> dict[str, Row]:
    """The table of a service as it is committed."""
    path = HERE / "rows" / f"{service}.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file, skipinitialspace=True))
    return {
        line["operation"].strip(): Row(
            {caller: line[caller].strip() for caller in CALLERS},
            line["missing"].strip(),
            line["shared"].strip() == "shared",
        )
        for line in lines
    }


@pytest.fixture(scope="session")
def matrix() -> ModuleType:
    """This file's words, for the tests beside it."""
    return sys.modules[__name__]


def observe(desk: Desk, operation: Operation) -> tuple[Row, list[str]]:
    """Ask everybody, strangers first: what they were told, and which strangers saw whose ids."""
    values = desk.arrange(operation)
    cells: dict[str, str] = {}
    leaks: list[str] = []
    missing = "-"
    for caller in (*STRANGERS, *(c for c in CALLERS if c in OWNERS)):
        answer = desk.ask(operation, caller, values)
        assert answer.status_code != INTERNAL, f"{operation.name} by {caller}: {answer.text}"
        cells[caller] = outcome(answer)
        of_the_unit = caller == "agent_without_grant" and operation.mark.acting
        stranger = caller in STRANGERS and not of_the_unit
        if stranger and shows(answer.text, values, desk.people):
            leaks.append(caller)
        if cells[caller] != "ok":
            continue
        if operation.parameters and missing == "-":
            missing = outcome(desk.ask(operation, caller, {}))
        if operation.method != "get" and answer.status_code < HTTPStatus.MULTIPLE_CHOICES:
            values = desk.arrange(operation)  # the next one finds things as they were
    shared = bool(operation.parameters) and any(cells[c] == "ok" for c in STRANGERS)
    return Row(cells, missing, shared), leaks


def shows(text: str, values: Mapping[str, str], people: People) -> bool:
    """Does an answer hold an id of somebody else's things?"""
    owned = {value for value in values.values() if ID.match(value)}
    return any(each in text for each in owned | {people.person, people.unit})


def written(operation: str, row: Row) -> str:
    """A row as it stands in the file."""
    cells = [operation, *(row.cells[c] for c in CALLERS), row.missing]
    return ",".join([*cells, "shared" if row.shared else "owned"])
