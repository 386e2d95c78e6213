"""A service of its own per test, a clock that stands still, and people and officers who call it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from employment_registry.app import create_app
from employment_registry.checks.rules import System
from employment_registry.flexible_employment.rules import WORKFLOW
from employment_registry.handlers import SUBSCRIPTIONS
from employment_registry.jobs import JOBS
from employment_registry.life_events import planning
from employment_registry.life_events.planning import Told
from employment_registry.life_events.rules import Happening
from employment_registry.policy_kinds import KINDS
from employment_registry.settings import Settings
from outside.app import create_app as create_simulators
from servicekit import history, migrations
from servicekit.clock import shanghai_date
from servicekit.db import new_id
from servicekit.inbox import Envelope
from servicekit.jobs import JobContext
from servicekit.personal import DocumentNumber
from servicekit.teamwork import roster
from servicekit.teamwork.rules import KnownOfficer
from servicekit.testing.client import ApiClient
from servicekit.testing.clock import FixedClock
from servicekit.testing.issuer import Issuer, serve
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture
from servicekit.testing.serving import served
from servicekit.testing.settings import sample_settings
from servicekit.testing.standing import Ground, Standing, stood  # noqa: F401 - a fixture
from servicekit.web.app import ServiceApp

SERVICE = "employment-registry"
BEGINNING = datetime(2026, 9, 29, 2, 0, tzinfo=UTC)
SECRET = "a-secret-shared-with-the-registers"
PREFIX = "/api/employment-registry/v1"
OWN = "flexible-employment-registrations"
REVIEWS = "flexible-employment-reviews"
FORM = {
    "employment_type": "platform",
    "started_on": "2026-09-01",
    "work_place": "440106003",
    "address": "五山路1号",
    "occupation": "网约配送员",
    "monthly_income": "4500.00",
}
UNEMPLOYMENT = {
    "cause": "graduated",
    "unemployed_on": "2026-09-15",
    "service_place": "440106003",
    "address": "五山路1号",
    "wishes": ["job"],
}
TABLES = {
    "applications": "flexible_employment_application",
    "records": "flexible_employment_record",
    "history": "application_history",
    "outbox": "outbox",
    "numbers": "serial",
    "looks": "access_record",
    "keys": "idempotency_key",
}


# The events worker's hand at one job, in a process that may be killed.
WORKER = """
import json, sys, threading
from datetime import datetime
from employment_registry.app import create_app
from employment_registry.jobs import JOBS
from employment_registry.settings import Settings
from servicekit.inbox import Envelope
from servicekit.jobs import JobContext
from servicekit.testing.clock import FixedClock
from servicekit.testing.settings import sample_settings
given = json.loads(sys.argv[1])
clock, name = FixedClock(datetime.fromisoformat(given.pop("now"))), given.pop("job")
app = create_app(sample_settings(Settings, "EMPLOYMENT_REGISTRY", **given), clock=clock)
work = next(job.work for job in JOBS if job.name == name)
work(JobContext("employment-registry", app.database, clock, app.settings, threading.Event()))
"""
SHARED = (
    "database_url",
    "storage_url",
    "social_security_url",
    "social_security_secret",
)


class Caller:
    """Somebody with a token, or nobody; a fresh token for every call, as the gateway has it."""

    def __init__(self, desk: Desk, claims: dict[str, Any] | None) -> None:
        self.desk, self.claims = desk, claims

    @property
    def client(self) -> ApiClient:
        token = None if self.claims is None else self.desk.issuer.token(**self.claims)
        return self.desk.client.as_(token)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(path, **query)

    def post(self, path: str, body: Any = None, **how: Any) -> Any:
        return self.client.post(path, body, **how)

    def patch(self, path: str, body: Any, **how: Any) -> Any:
        return self.client.patch(path, body, **how)

    def done(self, answer: Any, expect: int = 200) -> Any:
        assert answer.status_code == expect, answer.text
        return answer.json


class Applicant(Caller):
    """A natural person with an account."""

    number: str
    phone: str

    def opens(
        self,
        kind: str = "registration",
        *,
        copy_of: str | None = None,
        expect: int = 201,
        **form: Any,
    ) -> Any:
        body = {"kind": kind, "employment": form}
        if copy_of is not None:
            body["copy_of"] = copy_of
        return self.done(self.post(OWN, body), expect)

    def tries_to_save(self, application: Any, **form: Any) -> Any:
        path = f"{OWN}/{application['id']}"
        return self.patch(path, {"employment": form}, version=application["version"])

    def saves(self, application: Any, **form: Any) -> Any:
        return self.done(self.tries_to_save(application, **form))

    def tries_to(self, move: str, application: Any, body: Any = None, **how: Any) -> Any:
        return self.post(f"{OWN}/{application['id']}/{move}", body, **how)

    def submits(self, application: Any) -> Any:
        return self.done(self.tries_to("submit", application))

    def withdraws(self, application: Any) -> Any:
        return self.done(self.tries_to("withdraw", application, {}))

    def cancels(self, application: Any, *, reason: str) -> Any:
        return self.done(self.tries_to("cancel", application, {"reason": reason}))

    def deletes(self, application: Any) -> Any:
        return self.client.delete(f"{OWN}/{application['id']}")

    def shows(self, application: Any) -> Any:
        return self.done(self.get(f"{OWN}/{application['id']}"))

    def lists(self, **filters: str) -> Any:
        return self.done(self.get(OWN, **filters))["items"]

    def history(self, application: Any) -> Any:
        return self.done(self.get(f"{OWN}/{application['id']}/history"))

    def opens_unemployment(self, *, expect: int = 201, **form: Any) -> Any:
        body = {"unemployment": UNEMPLOYMENT | form}
        return self.done(self.post("unemployment-registrations", body), expect)

    def files_unemployment(self, **form: Any) -> Any:
        draft = self.opens_unemployment(**form)
        return self.done(self.post(f"unemployment-registrations/{draft['id']}/submit", {}))

    def told(self, happening: Happening, on: date, reference: str = "1") -> Told:
        """What a register says of them."""
        return Told(reference, DocumentNumber(self.number), happening, on)

    def record(self) -> Any:
        answer = self.get("flexible-employment-records/current")
        return None if answer.status_code == 404 else self.done(answer)

    def records(self) -> Any:
        return self.done(self.get("flexible-employment-records"))["items"]


class Officer(Caller):
    """An officer of a region."""

    def queue(self, **filters: str) -> Any:
        return self.done(self.get(REVIEWS, **({"state": "submitted"} | filters)))["items"]

    def tries_to(self, move: str, application: Any, body: Any = None, **how: Any) -> Any:
        return self.post(f"{REVIEWS}/{application['id']}/{move}", body, **how)

    def shows(self, application: Any) -> Any:
        return self.done(self.get(f"{REVIEWS}/{application['id']}"))

    def claims_it(self, application: Any) -> Any:
        return self.done(self.tries_to("claim", application))

    def approves(self, application: Any) -> Any:
        return self.done(self.tries_to("approve", application, {}))

    def returns(self, application: Any, **decision: Any) -> Any:
        return self.done(self.tries_to("return", application, decision))

    def rejects(self, application: Any, **decision: Any) -> Any:
        return self.done(self.tries_to("reject", application, decision))


class Desk:
    """The service under test, and everybody who comes to it."""

    nothing = dict.fromkeys(TABLES, 0)
    form = FORM

    def __init__(self, app: ServiceApp, clock: FixedClock, issuer: Issuer) -> None:
        self.app, self.clock, self.issuer = app, clock, issuer
        self.client = ApiClient(app, prefix=f"{PREFIX}/")
        self._serial = count(1)

    def person(
        self,
        *,
        level: int = 2,
        born: str = "1990-01-01",
        sex: str = "male",
        number: str | None = None,
        name: str | None = None,
        phone: str | None = None,
        document: str = "resident-card",
    ) -> Applicant:
        """Somebody with an account; nobody looks like somebody else unless a test says so."""
        account, serial = new_id(), next(self._serial)
        order = f"{serial * 2 + (sex == 'male'):03d}"
        base = f"440106{born.replace('-', '')}{order}"
        applicant = Applicant(self, {"kind": "person", "sub": account, "level": level})
        applicant.number = with_check_digit(base)
        applicant.phone = phone or f"138{serial:04d}0000"
        self.issuer.know(
            account,
            name=name or ("林小满" if serial == 1 else f"林小{chr(0x4E00 + serial)}"),
            birthdate=born,
            gender=sex,
            document_type=document,
            document_number=number or applicant.number,
            phone_number=applicant.phone,
        )
        return applicant

    def officer(self, region: str, *, business: str = WORKFLOW.name) -> Officer:
        claims = {"kind": "officer", "sub": new_id(), "region": region}
        self.knows(claims["sub"], region, business)
        return Officer(self, claims | {"roles": ["reviewer"], "businesses": [business]})

    def admin(self, region: str = "44") -> Officer:
        claims = {"kind": "officer", "sub": new_id(), "region": region}
        return Officer(self, claims | {"roles": ["admin"], "businesses": []})

    def knows(self, officer_id: str, region: str, business: str, *, active: bool = True) -> None:
        """As identity announces it."""
        businesses, roles = frozenset({business}), frozenset({"reviewer"})
        with self.app.database.transaction() as db:
            officer = KnownOfficer(officer_id, region, businesses, roles, active)
            roster.keep(db, officer, now=self.clock.now())

    def unit(self) -> Caller:
        return Caller(self, {"kind": "unit", "sub": new_id(), "acting": new_id()})

    def visitor(self) -> Caller:
        return Caller(self, None)

    def registered(self) -> tuple[Applicant, Officer, Any]:
        lin, officer = self.person(), self.officer("440106")
        filed = lin.submits(lin.opens(**FORM))
        officer.approves(filed)
        return lin, officer, lin.shows(filed)

    def unemployed(self, lin: Applicant, *, place: str = "440106003") -> Any:
        """An approved registration; the registers are asked first where there are any."""
        filed = lin.files_unemployment(service_place=place)
        if not self.app.settings.outside_off:
            self.asks_outside()
        officer = self.officer(place[:6], business="employment-registry.unemployment")
        officer.done(officer.post(f"unemployment-reviews/{filed['id']}/approve", {}))
        return filed

    def brought_to(self, state: str) -> tuple[Applicant, Any]:
        lin, officer = self.person(), self.officer("440106")
        application = lin.opens(**FORM)
        if state != "draft":
            lin.submits(application)
        if state == "returned":
            officer.returns(application, reason="请补充")
        if state == "rejected":
            officer.rejects(application, reason="不符")
        if state == "withdrawn":
            lin.withdraws(application)
        return lin, lin.shows(application)

    def masked(self, applicant: Applicant) -> str:
        return DocumentNumber(applicant.number).mask()

    def set(self, moment: str) -> None:
        self.clock.advance(datetime.fromisoformat(moment) - self.clock.now())

    def today(self) -> date:
        return shanghai_date(self.clock.now())

    @contextmanager
    def identity_down(self) -> Iterator[None]:
        self.issuer.down = True
        yield
        self.issuer.down = False

    def counts(self) -> dict[str, int]:
        with self.app.database.reading() as db:
            return {
                name: db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
                for name, table in TABLES.items()
            }

    def rows(self, table: str) -> list[Any]:
        """In the order of their ids, which is that of their making."""
        with self.app.database.reading() as db:
            return list(db.execute(text(f"SELECT * FROM {table} ORDER BY 1")))

    def events(self) -> list[str]:
        with self.app.database.reading() as db:
            return list(db.scalars(text("SELECT type FROM outbox ORDER BY position")))

    def everything_told(self) -> str:
        return json.dumps([str(row) for row in self.rows("outbox")], ensure_ascii=False)

    def everything_stored(self) -> str:
        kept = [str(row) for table in TABLES.values() for row in self.rows(table)]
        return json.dumps(kept, ensure_ascii=False)

    def known_by_another(self) -> Applicant:
        """Another account and document, under which something was filed that came to nothing."""
        twin = self.person()
        self.officer("440106").rejects(twin.submits(twin.opens(**FORM)), reason="不符")
        return twin

    def merges(self, ended: Applicant, stays: Applicant) -> None:
        """As identity tells it, twice."""
        account = ended.claims["sub"]
        heard = Envelope(
            id=new_id(),
            source="identity",
            type="identity.account.cancelled.v1",
            stream="fact",
            subject=account,
            time=self.clock.now(),
            sequence=1,
            data={"account_id": account, "kind": "person", "merged_into": stays.claims["sub"]},
        )
        for _ in range(2):
            with self.app.database.transaction() as db:
                SUBSCRIPTIONS.begin(db, self.clock.now())
                SUBSCRIPTIONS.deliver(db, heard, self.clock.now())

    def tells(self, source: str, *events: Told) -> None:
        """As a register or the calendar says it."""
        now = self.clock.now()
        with self.app.database.transaction() as db:
            people = planning.hear(db, source, events, now=now)
        for person in people:
            with self.app.database.transaction() as db:
                planning.plan(db, person, now=now)

    def job(self, name: str) -> None:
        """Run one job of the events worker, once."""
        work = next(job.work for job in JOBS if job.name == name)
        stop = threading.Event()
        work(JobContext(SERVICE, self.app.database, self.clock, self.app.settings, stop))

    def worker(self, job: str, **settings: Any) -> subprocess.Popen[bytes]:
        """Run it in a process of its own, at this moment."""
        known = {name: getattr(self.app.settings, name) for name in SHARED}
        given = {"job": job, "now": self.clock.now().isoformat()} | known | settings
        return subprocess.Popen([sys.executable, "-c", WORKER, json.dumps(given)])

    def asks_outside(self) -> None:
        for system in System:
            self.job(f"ask-{system}")

    def history_is_whole(self) -> bool:
        with self.app.database.reading() as db:
            return history.verify(db) == []


class Outside:
    """The registers, and what a test lets happen to them and in them."""

    def __init__(self, app: Any, url: str) -> None:
        self._app, self.url = app, url

    def fails(self, *systems: System) -> None:
        for system in systems or System:
            self._app.behaviours[system].change(latency=0, error_rate=1, next_answer="")

    def heals(self) -> None:
        for system in System:
            self._app.behaviours[system].change(latency=0, error_rate=0, next_answer="")

    def answers_next(self, system: System, preset: str) -> None:
        self._app.behaviours[system].change(latency=0, error_rate=0, next_answer=preset)

    def slows(self, system: System, seconds: float) -> None:
        self._app.behaviours[system].change(latency=seconds, error_rate=0, next_answer="")

    def counts_on(self, system: System, number: int) -> None:
        """The next change in its list is the one after this."""
        self._app.registers[system].changes._last = number

    def says(self, system: System, answer: dict[str, Any] | None) -> None:
        """Well signed, whatever it says; None is its own word again."""
        register = self._app.registers[system]
        if answer is None:
            del register.says
        else:
            register.says = lambda name, number: answer

    def asked(self, system: System, number: str) -> int:
        return self._app.registers[system].asked.count(number)

    def reports(
        self, system: System, kind: str, number: str, on: str = "2026-09-01", **how: str
    ) -> None:
        self._app.registers[system].report(kind, number, on, **how)


def with_check_digit(base: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(base, weights, strict=True))
    return base + "10X98765432"[total % 11]


@pytest.fixture(scope="session")
def policy() -> dict[str, Any]:
    """What holds of each kind on the day of the tests, as the first migration put it in."""
    first = files("employment_registry") / "migrations" / "first_policies.json"
    rows = json.loads(first.read_text("utf-8"))
    rows.sort(key=lambda row: row["in_force_from"])
    return {row["kind"]: KINDS[row["kind"]].read(row["value"]) for row in rows}


@pytest.fixture(scope="session")
def ages(policy: dict[str, Any]) -> Any:
    """From when and until when people work."""
    return policy["working-age"]


@pytest.fixture(scope="session")
def template(postgres: TestPostgres) -> str:  # noqa: F811
    """The name under which the service's migrated database is cloned."""
    postgres.template_for(SERVICE, lambda url: migrations.upgrade(url, "employment_registry"))
    return SERVICE


@contextmanager
def opened(postgres: TestPostgres, template: str, **settings: Any) -> Iterator[Desk]:  # noqa: F811
    clock = FixedClock(BEGINNING)
    with serve(Issuer(clock)) as issuer, postgres.fresh_database(template) as url:
        known = {"database_url": url, "identity_url": issuer.url} | settings
        app = create_app(sample_settings(Settings, "EMPLOYMENT_REGISTRY", **known), clock=clock)
        yield Desk(app, clock, issuer)
        app.database.close()


@pytest.fixture
def desk_class() -> type[Desk]:
    """For tests that set the service up in their own way."""
    return Desk


@dataclass(frozen=True)
class Stood:
    """The service as it stands between tests, and what stands around it."""

    app: ServiceApp
    clock: FixedClock
    issuer: Issuer
    folder: Path


def registry_without_registers(ground: Ground) -> Stood:
    """The registry beside an identity that is played; it asks no register."""
    clock = FixedClock(BEGINNING)
    issuer = ground.around.enter_context(serve(Issuer(clock)))
    settings = sample_settings(
        Settings,
        "EMPLOYMENT_REGISTRY",
        database_url=ground.url,
        identity_url=issuer.url,
        storage_url=f"file://{ground.folder}/files",
        outside_off=",".join(System),
    )
    return Stood(create_app(settings, clock=clock), clock, issuer, ground.folder)


@pytest.fixture(scope="session")
def standing(postgres: TestPostgres, template: str) -> Iterator[Standing[Stood]]:  # noqa: F811
    with Standing(postgres, template, registry_without_registers) as standing:
        yield standing


@pytest.fixture
def stored(stood: Stood) -> Path:  # noqa: F811
    """Where the service's files lie."""
    return stood.folder


@pytest.fixture
def desk(stood: Stood) -> Desk:  # noqa: F811
    """The service with an empty database, on 29 September 2026, ten o'clock in Guangzhou.

    Registers are asked where a test is about them (``checked``).
    """
    return Desk(stood.app, stood.clock, stood.issuer)


@pytest.fixture
def outside() -> Iterator[Outside]:
    """The registers of other authorities, played; nothing has happened to anybody yet."""
    app = create_simulators(secrets=dict.fromkeys(System, SECRET), silence=3.0)
    with served(app) as url:
        yield Outside(app, url)


@pytest.fixture
def checked(postgres: TestPostgres, template: str, outside: Outside) -> Iterator[Desk]:  # noqa: F811
    """The same service, which asks the registers."""
    names = [system.value.replace("-", "_") for system in System]
    urls = {f"{name}_url": f"{outside.url}/{name.replace('_', '-')}" for name in names}
    secrets = {f"{name}_secret": SECRET for name in names}
    with opened(postgres, template, outside_seconds=2.0, **urls, **secrets) as desk:
        yield desk
