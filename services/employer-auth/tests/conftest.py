"""A service of its own per test, a clock that stands still, and everybody who calls it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import text

from employer_auth.app import create_app
from employer_auth.handlers import SUBSCRIPTIONS
from employer_auth.jobs import JOBS
from employer_auth.settings import Settings
from servicekit import history
from servicekit.db import new_id
from servicekit.inbox import Envelope
from servicekit.jobs import JobContext
from servicekit.migrations import upgrade
from servicekit.testing.client import ApiClient
from servicekit.testing.clock import FixedClock
from servicekit.testing.issuer import Issuer
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture
from servicekit.testing.settings import sample_settings
from servicekit.testing.standing import Ground, Standing, stood  # noqa: F401 - a fixture
from servicekit.web.app import ServiceApp

SERVICE = "employer-auth"
PREFIX = "/api/employer-auth/v1"
USCC = "914403001922038216"


class Identity:
    """identity as far as this service asks it, over HTTP: keys, our token, who a person is."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.people: dict[tuple[str, str, str], tuple[str, int]] = {}
        self.down = self.crowded = False
        self.asked = 0
        self.notices: dict[str, dict[str, Any]] = {}  # by Idempotency-Key
        # what was told before anybody listened: number and state by subject
        self.snapshots: dict[str, dict[str, tuple[int, Any]]] = {"accounts": {}, "units": {}}
        self.snapshots_asked = 0

    def get(self, path: str) -> tuple[int, Any]:
        place = path.partition("?")[0]
        if place == "/identity/jwks.json":
            return 200, self.issuer.jwks()
        if self.down or not place.startswith("/api/identity/v1/snapshots/"):
            return (503 if self.down else 404), {}
        self.snapshots_asked += 1
        told = self.snapshots[place.rpartition("/")[2]].items()
        items = [{"subject": s, "sequence": n, "state": state} for s, (n, state) in sorted(told)]
        return 200, {"items": items, "next": None}

    def post(self, path: str, authorization: str, body: bytes, key: str) -> tuple[int, Any]:
        if self.down:
            return 503, {}
        if path == "/identity/token":
            scope = "accounts.match notices"
            token = self.issuer.token("system", sub="jiuye-employer-auth", scope=scope)
            return 200, {"access_token": token, "expires_in": 300, "token_type": "Bearer"}
        assert authorization.startswith("Bearer ")
        if path == "/api/identity/v1/notices":
            said = json.loads(body)
            self.notices[key] = said
            return 202, {"id": key}
        assert path == "/api/identity/v1/person-matches"
        self.asked += 1
        if self.crowded:
            return 429, {"code": "too-many-matches"}
        said = json.loads(body)
        found = self.people.get((said["login_name"], said["name"], said["document_number"]))
        if found is None:
            return 404, {"code": "person-not-matched"}
        return 200, {"account_id": found[0], "level": found[1]}


@contextmanager
def listening(identity: Identity) -> Iterator[str]:
    """Answer on a free port of this machine; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(*identity.get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            authorization = self.headers.get("Authorization", "")
            key = self.headers.get("Idempotency-Key", "")
            self._answer(*identity.post(self.path, authorization, body, key))

        def _answer(self, status: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Caller:
    """Somebody with a token, or nobody; a fresh token for every call, as the gateway has it."""

    def __init__(self, desk: Desk, claims: dict[str, Any] | None) -> None:
        self.desk, self.claims = desk, claims

    @property
    def id(self) -> str:
        assert self.claims is not None
        return str(self.claims["sub"])

    @property
    def client(self) -> ApiClient:
        token = None if self.claims is None else self.desk.issuer.token(**self.claims)
        return self.desk.client.as_(token)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, **query)

    def post(self, path: str, body: Any = None, **how: Any) -> Any:
        return self.client.post(path, body, **how)

    def put(self, path: str, body: Any = None, **how: Any) -> Any:
        return self.client.put(path, body, **how)

    def patch(self, path: str, body: Any, **how: Any) -> Any:
        return self.client.patch(path, body, **how)

    def delete(self, path: str, **how: Any) -> Any:
        return self.client.delete(path, **how)

    def done(self, answer: Any, expect: int = 200) -> Any:
        assert answer.status_code == expect, answer.text
        return answer.json

    def refused(self, answer: Any, expect: int, code: str) -> Any:
        assert (answer.status_code, answer.json["code"]) == (expect, code), answer.text
        return answer.json


class Person(Caller):
    """A natural person with an account."""

    login_name: str
    name: str
    number: str

    def units(self) -> Any:
        return self.done(self.get("acting-units"))["items"]

    def accepts(self, binding: Any) -> Any:
        return self.done(self.post(f"parent-accounts/{binding['id']}/accept", {}))

    def tries_to(self, move: str, binding: Any, **how: Any) -> Any:
        return self.post(f"parent-accounts/{binding['id']}/{move}", {}, **how)

    def parents(self, **filters: Any) -> Any:
        return self.done(self.get("parent-accounts", **filters))["items"]

    def mandate(self, binding: Any, **choice: Any) -> Any:
        asked = {"unit_id": binding["unit_id"], "binding_id": binding["id"]} | choice
        return self.post("mandates", asked)


class Unit(Caller):
    """A unit's own account, or somebody who acts for it."""

    def asks_for(self, person: Person, **other: Any) -> Any:
        body = {
            "login_name": person.login_name,
            "name": person.name,
            "document_number": person.number,
        }
        return self.post("sub-accounts", body | other)

    def invites(self, person: Person, **other: Any) -> Any:
        return self.done(self.asks_for(person, **other), 201)

    def tries_to(self, move: str, binding: Any, **how: Any) -> Any:
        return self.post(f"sub-accounts/{binding['id']}/{move}", {}, **how)

    def agents(self, **filters: Any) -> Any:
        return self.done(self.get("sub-accounts", **filters))["items"]

    def shows(self, binding: Any) -> Any:
        return self.done(self.get(f"sub-accounts/{binding['id']}"))

    def tries_to_grant(self, binding: Any, business: str, *actions: str, **terms: Any) -> Any:
        wish = {"actions": list(actions), "valid_until": "2027-11-20"} | terms
        return self.put(f"sub-accounts/{binding['id']}/grants/{business}", wish)

    def grants(self, binding: Any, business: str, *actions: str, **terms: Any) -> Any:
        return self.done(self.tries_to_grant(binding, business, *actions, **terms))

    def withdraws(self, binding: Any, business: str) -> Any:
        return self.done(self.delete(f"sub-accounts/{binding['id']}/grants/{business}"))

    def history(self, binding: Any) -> Any:
        return self.done(self.get(f"sub-accounts/{binding['id']}/history"))


class Agent(Unit):
    """A person who acts for a unit; each token names the binding as it is at that moment."""

    def __init__(self, desk: Desk, claims: dict[str, Any], *, fixed: bool = False) -> None:
        super().__init__(desk, claims)
        if fixed:
            self._name_binding()
        self.fixed = fixed

    @property
    def client(self) -> ApiClient:
        if not self.fixed:
            self._name_binding()
        return super().client

    def _name_binding(self) -> None:
        assert self.claims is not None
        found = self.desk.rows(
            "SELECT id, version FROM binding WHERE unit_id = :unit AND person_id = :person "
            "ORDER BY created_at DESC LIMIT 1",
            unit=self.claims["sub"],
            person=self.claims["acting"],
        )
        self.claims |= {"binding": found[0].id, "bver": found[0].version}


class Desk:
    """The service under test, and everybody who comes to it."""

    def __init__(self, app: ServiceApp, clock: FixedClock, identity: Identity) -> None:
        self.app, self.clock, self.identity = app, clock, identity
        self.issuer = identity.issuer
        self.client = ApiClient(app, prefix=f"{PREFIX}/")
        self._serial = count(1)
        self._told: dict[tuple[str, str, str, str], int] = {}

    def hears(self, event: str, subject: str, /, *, stream: str = "fact", **data: Any) -> None:
        """An event reaches the service, as its worker would bring it."""
        source, matter, _, _ = event.split(".")
        key = (source, matter, stream, subject)
        self._told[key] = self._told.get(key, 0) + 1
        envelope = Envelope(
            id=new_id(),
            type=event,
            source=source,
            stream=stream,
            subject=subject,
            time=self.clock.now(),
            sequence=self._told[key],
            data=data,
        )
        with self.app.database.transaction() as db:
            SUBSCRIPTIONS.deliver(db, envelope, self.clock.now())

    def account(self, fact: str, account: str, **data: Any) -> None:
        self.hears(f"identity.account.{fact}.v1", account, account_id=account, **data)

    def person(self, *, level: int = 2, known: bool = True) -> Person:
        account, serial = new_id(), next(self._serial)
        person = Person(self, {"kind": "person", "sub": account, "level": level})
        person.login_name, person.name = f"linxiaoman_{serial}", "林小满"
        person.number = f"4401061990010{serial:05d}"
        self.identity.people[person.login_name, person.name, person.number] = (account, level)
        if known:
            self.account("registered", account, kind="person")
            if level > 1:
                self.account("verified", account, level=level, channel="bank-card")
        return person

    def unit(
        self,
        *,
        name: str = "广州示例科技有限公司",
        region: str = "440106",
        level: int = 5,
        uscc: str = USCC,
    ) -> Unit:
        account = new_id()
        self.hears(
            "identity.unit.registered.v1",
            account,
            unit_id=account,
            person_id=new_id(),
            certificate_type="uscc",
            certificate_number=uscc,
            name=name,
            region=region,
            level=level,
        )
        return self.unit_of(account, level=level)

    def unit_of(self, account: str, *, level: int = 5) -> Unit:
        """A unit by its own account, whether or not anybody here has heard of it."""
        return Unit(self, {"kind": "unit", "sub": account, "level": level})

    def agent(self, unit: Unit, person: Person, *permissions: str, fixed: bool = False) -> Agent:
        """The person acting for the unit; ``fixed`` keeps the binding's version of now."""
        acting = {"acting": person.id, "permissions": permissions}
        return Agent(self, unit.claims | acting, fixed=fixed)

    def bound(self) -> tuple[Unit, Person, Any]:
        """A unit, a person bound to it, and the binding."""
        unit, person = self.unit(), self.person()
        binding = person.accepts(unit.invites(person))
        return unit, person, binding

    def offers(self, code: str, **how: Any) -> None:
        """A service publishes a business."""
        service = code.partition(".")[0]
        usual = {"title": code, "actions": ["view", "draft", "submit", "withdraw", "sign"]}
        usual |= {"person_level": 2, "unit_level": 2, "unit_account": False, "retired": False}
        self.hears(f"{service}.business.published.v1", code, code=code, **usual | how)

    def works(self, job: str) -> None:
        """The worker does one of its jobs."""
        found = next(each for each in JOBS if each.name == job)
        context = JobContext(
            SERVICE, self.app.database, self.clock, self.app.settings, threading.Event()
        )
        found.work(context)

    def officer(self, region: str = "44", *, business: str = "employer-auth.binding") -> Caller:
        claims = {"kind": "officer", "sub": new_id(), "region": region}
        return Caller(self, claims | {"roles": ["reviewer"], "businesses": [business]})

    def system(self, scope: str) -> Caller:
        return Caller(self, {"kind": "system", "sub": "jiuye-gateway", "scope": scope})

    def visitor(self) -> Caller:
        return Caller(self, None)

    def claims(self, mandate: str) -> dict[str, Any]:
        """What a mandate says, checked with the public keys."""
        public = KeySet.import_key_set(self.visitor().get("mandate-keys").json)
        return jwt.decode(mandate, public, algorithms=["ES256"]).claims

    def run(self, statement: str) -> None:
        with self.app.database.transaction() as db:
            db.execute(text(statement))

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.app.database.reading() as db:
            return list(db.execute(text(query), values))

    def events(self, matter: str | None = None) -> list[tuple[str, dict[str, Any]]]:
        """What was announced, oldest first: the type without service and version, and the data."""
        rows = self.rows("SELECT type, data FROM outbox ORDER BY position")
        told = [
            (row.type.removeprefix("employer-auth.").rpartition(".v")[0], row.data) for row in rows
        ]
        return [(kind, data) for kind, data in told if matter is None or kind.startswith(matter)]

    def history_is_whole(self) -> bool:
        with self.app.database.reading() as db:
            return history.verify(db) == []


@pytest.fixture(scope="session")
def template(postgres: TestPostgres) -> str:  # noqa: F811
    """The name under which the service's migrated database is cloned."""
    postgres.template_for(SERVICE, lambda url: upgrade(url, "employer_auth"))
    return SERVICE


@dataclass(frozen=True)
class Stood:
    """The service as it stands between tests, and what stands around it."""

    app: ServiceApp
    clock: FixedClock
    identity: Identity


def employer_auth_beside_identity(ground: Ground) -> Stood:
    """The service beside an identity that is played."""
    clock = FixedClock(datetime(2026, 11, 21, 2, 0, tzinfo=UTC))
    identity = Identity(Issuer(clock))
    settings = sample_settings(
        Settings,
        "EMPLOYER_AUTH",
        database_url=ground.url,
        identity_url=ground.around.enter_context(listening(identity)),
        storage_url=f"file://{ground.folder}/uploads",
    )
    return Stood(create_app(settings, clock=clock), clock, identity)


@pytest.fixture(scope="session")
def standing(postgres: TestPostgres, template: str) -> Iterator[Standing[Stood]]:  # noqa: F811
    with Standing(postgres, template, employer_auth_beside_identity) as standing:
        yield standing


@pytest.fixture
def desk(stood: Stood) -> Desk:  # noqa: F811
    """The service with an empty database, on 21 November 2026, ten o'clock in Guangzhou."""
    return Desk(stood.app, stood.clock, stood.identity)
