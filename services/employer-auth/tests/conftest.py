"""A service of its own per test, a clock that stands still, and everybody who calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from employer_auth.app import create_app
from employer_auth.handlers import SUBSCRIPTIONS
from employer_auth.settings import Settings
from servicekit import history
from servicekit.db import new_id
from servicekit.inbox import Envelope
from servicekit.migrations import upgrade
from servicekit.testing.client import ApiClient
from servicekit.testing.clock import FixedClock
from servicekit.testing.issuer import Issuer, serve
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture
from servicekit.testing.settings import sample_settings
from servicekit.web.app import ServiceApp

SERVICE = "employer-auth"
PREFIX = "/api/employer-auth/v1"
USCC = "914403001922038216"


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

    def mandate(self, binding: Any, **choice: Any) -> Any:
        asked = {"unit_id": binding["unit_id"], "binding_id": binding["id"]} | choice
        return self.post("mandates", asked)


class Desk:
    """The service under test, and everybody who comes to it."""

    def __init__(self, app: ServiceApp, clock: FixedClock, issuer: Issuer) -> None:
        self.app, self.clock, self.issuer = app, clock, issuer
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
        person.number = "440106199001010012"
        if known:
            self.account("registered", account, kind="person")
            if level > 1:
                self.account("verified", account, level=level, channel="bank-card")
        return person

    def unit(
        self, *, name: str = "广州示例科技有限公司", region: str = "440106", level: int = 5
    ) -> Caller:
        account = new_id()
        self.hears(
            "identity.unit.registered.v1",
            account,
            unit_id=account,
            person_id=new_id(),
            certificate_type="uscc",
            certificate_number=USCC,
            name=name,
            region=region,
            level=level,
        )
        return Caller(self, {"kind": "unit", "sub": account, "level": level})

    def officer(self, region: str = "44", *, business: str = "employer-auth.binding") -> Caller:
        claims = {"kind": "officer", "sub": new_id(), "region": region}
        return Caller(self, claims | {"roles": ["reviewer"], "businesses": [business]})

    def system(self, scope: str) -> Caller:
        return Caller(self, {"kind": "system", "sub": "jiuye-gateway", "scope": scope})

    def visitor(self) -> Caller:
        return Caller(self, None)

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


@pytest.fixture
def make_app() -> Iterator[Callable[[str], ServiceApp]]:
    """Puts the service together over the database at an address."""
    made: list[ServiceApp] = []

    def make(database_url: str) -> ServiceApp:
        settings = sample_settings(Settings, "EMPLOYER_AUTH", database_url=database_url)
        made.append(create_app(settings))
        return made[-1]

    yield make
    for app in made:
        app.database.close()


@pytest.fixture
def app(
    postgres: TestPostgres,  # noqa: F811
    template: str,
    make_app: Callable[[str], ServiceApp],
) -> Iterator[ServiceApp]:
    """The service, migrated."""
    with postgres.fresh_database(template) as url:
        yield make_app(url)


@pytest.fixture
def desk(postgres: TestPostgres, template: str) -> Iterator[Desk]:  # noqa: F811
    """The service with an empty database, on 21 November 2026, ten o'clock in Guangzhou."""
    clock = FixedClock(datetime(2026, 11, 21, 2, 0, tzinfo=UTC))
    with serve(Issuer(clock)) as issuer, postgres.fresh_database(template) as url:
        settings = sample_settings(
            Settings, "EMPLOYER_AUTH", database_url=url, identity_url=issuer.url
        )
        app = create_app(settings, clock=clock)
        yield Desk(app, clock, issuer)
        app.database.close()
