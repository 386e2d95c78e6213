"""identity on a database of its own, with the simulators behind it, and a browser to walk with."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import secrets
import threading
import uuid
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import pyotp
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import select

from identity.accounts.actions import accept
from identity.accounts.model import Account
from identity.accounts.queries import find_by_login_name
from identity.app import create_app
from identity.handlers import SUBSCRIPTIONS
from identity.intake.actions import Report, take_in
from identity.jobs import JOBS
from identity.messages.model import Delivery
from identity.officers import actions as officers
from identity.officers.rules import Appointment
from identity.parts import KEY
from identity.settings import Settings
from identity.sign_in import client_actions, clients
from identity.sign_in.client_rules import Registration
from outside.app import DEFAULT_SECRETS as OUTSIDE
from outside.app import create_app as create_simulators
from servicekit import migrations
from servicekit.applications import Actor
from servicekit.inbox import Envelope
from servicekit.jobs import JobContext
from servicekit.testing.clock import FixedClock as Clock
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture
from servicekit.testing.serving import served
from servicekit.testing.standing import Ground, Standing, stood  # noqa: F401 - a fixture
from servicekit.vault import new_key
from servicekit.workflow import Role

PUBLIC = "http://127.0.0.1:8080"
CALLBACK = f"{PUBLIC}/sso/callback"
SECRET = "a-gateway-secret-for-tests-only"
EMPLOYER_AUTH_SECRET = "an-employer-auth-secret-for-tests"
BANK_SECRET = "a-bank-secret-for-tests-only-000"
KEYS = {"field_keys": f"k1:{new_key()}", "index_key": new_key(), "history_key": new_key()}
PASSWORD = "Gd2024rsT"
PARTNER_CALLBACK = "https://service.example/callback"
GOOD_CARD = "6222020000000000008"


def resident_number(first17: str) -> str:
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    total = sum(int(a) * b for a, b in zip(first17, weights, strict=True))
    return first17 + "10X98765432"[total % 11]


def uscc(serial: int) -> str:
    """A unit's credit code that is right, with its inner organisation code (GB 32100)."""
    digits = f"{serial:08}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(d) * w for d, w in zip(digits, weights, strict=True))
    code = f"91440106{digits}" + "0123456789X0"[11 - total % 11]
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(c) * pow(3, i, 31) for i, c in enumerate(code))
    return code + alphabet[(31 - total % 31) % 31]


def card(magic: str) -> str:
    """A card number that makes the simulated bank answer ``magic``, with its Luhn digit."""
    body = f"62220200000000000{magic}"[-18:]
    for digit in "0123456789":
        doubled = [int(c) * (1 + i % 2) for i, c in enumerate(reversed(body + digit))]
        if sum(sum(divmod(d, 10)) for d in doubled) % 10 == 0:
            return body + digit
    raise AssertionError


@pytest.fixture(scope="session")
def template(postgres: TestPostgres) -> str:  # noqa: F811
    postgres.template_for("identity", lambda url: migrations.upgrade(url, "identity"))
    return "identity"


@pytest.fixture(scope="session")
def simulators() -> Iterator[Any]:
    app = create_simulators(secrets=dict.fromkeys(OUTSIDE, BANK_SECRET), silence=0.2)
    with served(app) as url:
        yield SimpleNamespace(app=app, url=url)


def channel_settings(url: str) -> dict[str, Any]:
    """Every channel's simulator, and no pause between two tries."""
    systems = ("legal_person_base", "social_card", "face", "licence")
    urls = {f"{name}_url": f"{url}/{name.replace('_', '-')}" for name in systems}
    secrets = {f"{name}_secret": BANK_SECRET for name in (*systems, "province_client")}
    more = {"province_url": f"{url}/province", "net_bank_url": f"{url}/net-bank"}
    return urls | secrets | more | {"ca_url": f"{url}/ca", "outside_pause_seconds": 0.0}


@dataclasses.dataclass(frozen=True)
class Stood:
    """identity as it stands between tests."""

    app: Any
    clock: Clock
    settings: Settings


def identity_beside_simulators(simulators: Any, ground: Ground) -> Stood:
    """identity beside the outside systems, all of them played."""
    clock = Clock()
    settings = Settings(
        database_url=ground.url,
        bus_url=f"local://{ground.url}",
        public_url=PUBLIC,
        gateway_client_secret=SECRET,
        employer_auth_client_secret=EMPLOYER_AUTH_SECRET,
        bank_card_secret=BANK_SECRET,
        sms_url=f"{simulators.url}/sms",
        bank_card_url=f"{simulators.url}/bank-card",
        **channel_settings(simulators.url),
        outside_seconds=2.0,
        password_memory_kib=64,
        password_time_cost=1,
        storage_url=f"file://{ground.folder}/uploads",
        **KEYS,
    )
    return Stood(create_app(settings, clock=clock), clock, settings)


@pytest.fixture(scope="session")
def standing(postgres: TestPostgres, template: str, simulators: Any) -> Iterator[Standing[Stood]]:  # noqa: F811
    with Standing(postgres, template, partial(identity_beside_simulators, simulators)) as standing:
        yield standing


@pytest.fixture
def clock(stood: Stood) -> Clock:  # noqa: F811
    return stood.clock


@pytest.fixture
def settings(stood: Stood) -> Settings:  # noqa: F811
    return stood.settings


@pytest.fixture
def app(stood: Stood, settings: Settings, clock: Clock) -> Iterator[Any]:  # noqa: F811
    """The one that stands, or another where a test has settings of its own."""
    made = stood.app if settings is stood.settings else create_app(settings, clock=clock)
    with made.database.transaction() as db:
        clients.write_own(db, settings, now=clock.now())
    yield made
    if made is not stood.app:
        made.extensions[KEY].counts.database.close()
        made.database.close()


@dataclasses.dataclass
class World:
    """What a test does to identity and sees of it."""

    app: Any
    clock: Clock
    serial: int = 4  # the simulated SMS gateway fails for phones that end in 0001 to 0004

    def browser(self) -> Browser:
        return Browser(self.app)

    def job(self, name: str) -> None:
        """Run one job of the events worker, once."""
        work = next(job.work for job in JOBS if job.name == name)
        stop = threading.Event()
        work(JobContext("identity", self.app.database, self.clock, self.app.settings, stop))

    def hears(
        self,
        kind: str,
        data: dict[str, Any],
        *,
        subject: str,
        sequence: int = 1,
        stream: Literal["fact", "application"] = "fact",
    ) -> None:
        """An event of another service comes over the bus."""
        now = self.clock.now()
        envelope = Envelope(
            id=f"{kind}-{subject}-{sequence}",
            source=kind.partition(".")[0],
            type=kind,
            stream=stream,
            subject=subject,
            time=now,
            sequence=sequence,
            data=data,
        )
        with self.app.database.transaction() as db:
            SUBSCRIPTIONS.begin(db, now)
            SUBSCRIPTIONS.deliver(db, envelope, now)

    def texts(self, phone: str) -> list[str]:
        """Every SMS on its way to this phone, the newest first."""
        with self.app.database.reading() as db:
            rows = db.scalars(select(Delivery).order_by(Delivery.id.desc())).all()
        return [r.text.expose() for r in rows if r.text and r.phone.expose() == phone]

    def sms_code(self, phone: str, purpose: str, token: str | None = None) -> str:
        asked = {"phone": phone, "purpose": purpose}
        answer = self.browser().api("POST", "/sms-codes", asked, token=token)
        assert answer.status_code == 202, answer.text
        return re.search(r"\d{6}", self.texts(phone)[0])[0]

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything announced so far, in order."""
        from servicekit.db import OUTBOX

        with self.app.database.reading() as db:
            wanted = select(OUTBOX.c.type, OUTBOX.c.data).order_by(OUTBOX.c.position)
            return [(row.type, row.data) for row in db.execute(wanted)]

    def form(self, **changes: Any) -> dict[str, Any]:
        """A registration form that is right, but for the code."""
        self.serial += 1
        return {
            "name": "林小满",
            "document_type": "resident-card",
            "document_number": resident_number(f"44010619900101{self.serial:03}"),
            "login_name": f"lin_{self.serial:03}",
            "password": PASSWORD,
            "password_again": PASSWORD,
            "phone": f"1380000{self.serial:04}",
            "sms_code": "000000",
            "agreements": [
                {"name": "user-agreement", "version": "2026-01"},
                {"name": "privacy-policy", "version": "2026-01"},
            ],
        } | changes

    def registers(self, **changes: Any) -> SimpleNamespace:
        """Register somebody; a person to go on with."""
        form = self.form(**changes)
        form["sms_code"] = self.sms_code(form["phone"], "registration")
        answer = self.browser().api("POST", "/registrations", form)
        assert answer.status_code == 201, answer.text
        return SimpleNamespace(**form, id=answer.json["id"], form=form)

    def proves(self, person: SimpleNamespace, level: int = 2) -> SimpleNamespace:
        """Somebody proved who they are; how is another test's story."""
        with self.app.database.transaction() as db:
            db.get_one(Account, person.id).level = level
        return person

    def takes_in(self, person: SimpleNamespace, **changes: Any) -> SimpleNamespace:
        """A further account of the same person, from the systems before this one (ID-05)."""
        self.serial += 1
        row = {
            "login_name": f"old_{self.serial:03}",
            "name": person.name,
            "document_type": person.document_type,
            "document_number": person.document_number,
            "phone": f"1380000{self.serial:04}",
        } | changes
        report = Report()
        with self.app.database.transaction() as db:
            take_in(db, [(2, row)], report, now=self.clock.now())
            assert (report.taken, report.refused) == (1, [])
            made = find_by_login_name(db, row["login_name"])
            hasher = self.app.extensions[KEY].hasher
            accept(db, made, now=self.clock.now())
            made.password_hash, made.must_change_password = hasher.hash(PASSWORD), False
            return SimpleNamespace(**row, id=made.id, password=PASSWORD)

    def unit_form(self, **changes: Any) -> dict[str, Any]:
        """A unit's data that are right, but for ticket and code."""
        self.serial += 1
        return {
            "certificate_type": "uscc",
            "certificate_number": uscc(self.serial),
            "name": "广州示例科技有限公司",
            "region": "440106",
            "address": "天河区示例路 1 号",
            "legal_name": "陈大文",
            "legal_document_type": "resident-card",
            "legal_document_number": resident_number(f"44010619800101{self.serial:03}"),
            "legal_phone": f"1370000{self.serial:04}",
            "login_name": f"unit_{self.serial:03}",
            "password": PASSWORD,
            "password_again": PASSWORD,
            "sms_code": "000000",
            "agreements": self.form()["agreements"],
        } | changes

    def begins_unit(self, agent: SimpleNamespace) -> SimpleNamespace:
        """Step 1 of a unit's registration, and the code for step 2."""
        asked = {"login_name": agent.login_name, "document_number": agent.document_number}
        begun = self.browser().api("POST", "/unit-registrations", asked)
        assert begun.status_code == 201, begun.text
        path, ticket = f"/unit-registrations/{begun.json['id']}", begun.json["ticket"]
        sent = self.browser().api("POST", f"{path}/sms-code", {"ticket": ticket})
        assert sent.status_code == 202, sent.text
        code = re.search(r"\d{6}", self.texts(agent.phone)[0])[0]
        return SimpleNamespace(path=path, ticket=ticket, code=code)

    def registers_unit(
        self, agent: SimpleNamespace | None = None, **changes: Any
    ) -> SimpleNamespace:
        """Register a unit by a verified agent; a unit to go on with."""
        agent = agent or self.proves(self.registers())
        begun = self.begins_unit(agent)
        form = self.unit_form(**changes) | {"ticket": begun.ticket, "sms_code": begun.code}
        answer = self.browser().api("POST", f"{begun.path}/unit", form)
        assert answer.status_code == 201, answer.text
        return SimpleNamespace(**form, id=answer.json["id"], agent=agent)

    def officer(self, *roles: str, region: str = "440106", **more: Any) -> SimpleNamespace:
        """Appoint an officer from the command line's side."""
        self.serial += 1
        own = self.app.extensions[KEY]
        appointment = Appointment(
            "陈审核",
            more.get("login_name", f"officer_{self.serial:03}"),
            f"1390000{self.serial:04}",
            region,
            more.get("businesses", ("employment-registry.flexible-employment",)),
            roles,
        )
        with self.app.database.transaction() as db:
            row, made = officers.appoint(
                db,
                appointment,
                by=None,
                hasher=own.hasher,
                now=self.clock.now(),
                password="Kx7mPq2vLd9w",
            )
        return SimpleNamespace(
            id=row.account_id,
            login_name=appointment.login_name,
            password=made.password,
            totp=pyotp.TOTP(made.totp_secret),
        )

    def token_of(self, who: Any, scope: str = "openid profile real_name phone") -> str:
        """An access token, by the whole way."""
        return self.browser().signs_in(who, self.clock).tokens(scope=scope)["access_token"]


class Browser:
    """A browser at identity's door: cookies, forms, and an OAuth client when asked."""

    def __init__(self, app: Any) -> None:
        self.client = app.test_client()

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, base_url=PUBLIC, **more)

    def post(self, path: str, data: dict[str, str], **more: Any) -> Any:
        return self.client.post(path, base_url=PUBLIC, data=data, **more)

    def api(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any
    ) -> Any:
        headers = dict(more.pop("headers", {}))
        if method != "GET":
            headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        sent = {} if body is None else {"json": body}
        return self.client.open(
            f"/api/identity/v1{path}",
            method=method,
            base_url=PUBLIC,
            headers=headers,
            **sent,
            **more,
        )

    def fills(self, path: str, **values: str) -> Any:
        """Open a page, fill in its form, send it."""
        page = self.get(path)
        assert page.status_code == 200, (page.status_code, page.text)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        hidden = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)[1]
        return self.post(action, hidden | values)

    def logs_in(self, who: Any, path: str = "/identity/login", password: str | None = None) -> Any:
        return self.fills(path, login_name=who.login_name, password=password or who.password)

    def signs_in(self, who: Any, clock: Clock | None = None) -> Browser:
        answer = self.logs_in(who)
        if "/totp" in answer.location:
            code = who.totp.at(clock.now())
            answer = self.fills(answer.location, code=code)
        assert answer.status_code == 303, answer.text
        return self

    def authorize(self, verifier: str = "v" * 43, **changes: Any) -> Any:
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": "jiuye-gateway",
            "redirect_uri": CALLBACK,
            "scope": "openid profile real_name phone",
            "state": "a-state",
            "nonce": "a-nonce",
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        } | changes
        asked = {name: value for name, value in asked.items() if value is not None}
        return self.get(f"/identity/authorize?{urlencode(asked)}")

    def code(self, verifier: str = "v" * 43, **changes: Any) -> str:
        answer = self.authorize(verifier, **changes)
        assert answer.status_code == 302, answer.text
        return query(answer.location)["code"]

    def token(self, secret: str = SECRET, client_id: str = "jiuye-gateway", **form: Any) -> Any:
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        return self.post("/identity/token", form, headers={"Authorization": f"Basic {basic}"})

    def exchanges(self, code: str, verifier: str = "v" * 43, **changes: Any) -> Any:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": verifier,
        } | changes
        return self.token(**{name: value for name, value in form.items() if value is not None})

    def tokens(self, **changes: Any) -> dict[str, Any]:
        verifier = secrets.token_urlsafe(40)
        answer = self.exchanges(self.code(verifier, **changes), verifier)
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    def refreshes(self, token: str, **more: Any) -> Any:
        return self.token(grant_type="refresh_token", refresh_token=token, **more)


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
def world(app: Any, clock: Clock) -> World:
    return World(app, clock)


@pytest.fixture
def tell() -> SimpleNamespace:
    """Small things tests need by name."""
    return SimpleNamespace(
        query=query,
        resident_number=resident_number,
        uscc=uscc,
        card=card,
        PASSWORD=PASSWORD,
        CALLBACK=CALLBACK,
        PUBLIC=PUBLIC,
        SECRET=SECRET,
    )


class Partner:
    """Another system: its registration, its keys, and its way through every flow."""

    def __init__(self, world: World, **registration: Any) -> None:
        self.world = world
        self.signing = ECKey.generate_key("P-256", {"kid": "partner-1"}, private=True)
        self.key = ECKey.generate_key("P-256", private=True)
        self.nonce: str | None = None
        values = {
            "name": "广州市示例政务系统",
            "auth_method": "client_secret_basic",
            "redirect_uris": (PARTNER_CALLBACK,),
            "scopes": ("openid", "profile", "real_name", "phone"),
        } | registration
        if values["auth_method"] == "private_key_jwt":
            values.setdefault("jwks", {"keys": [self.signing.as_dict(private=False)]})
        admin = Actor(id="an-admin", role=Role.ADMIN, kind="officer", region="44")
        with world.app.database.transaction() as db:
            row, secret = client_actions.register(
                db, Registration(**values), by=admin, is_production=False, now=world.clock.now()
            )
            self.id, self.secret = row.client_id, secret or ""
        self.method = values["auth_method"]
        self.browser = world.browser()

    def assertion(self, *, key: Any = None, header: Any = None, **changes: Any) -> str:
        """private_key_jwt."""
        now = int(self.world.clock.now().timestamp())
        claims = {
            "iss": self.id,
            "sub": self.id,
            "aud": f"{PUBLIC}/identity",
            "iat": now,
            "exp": now + 60,
            "jti": str(uuid.uuid4()),
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        head = {"alg": "ES256", "kid": "partner-1"} | (header or {})
        return jwt.encode(head, claims, key or self.signing, algorithms=[head["alg"]])

    def proof(self, url: str, *, key: Any = None, header: Any = None, **changes: Any) -> str:
        """A DPoP proof of a POST, with the nonce of the last answer."""
        key = key or self.key
        claims = {
            "jti": str(uuid.uuid4()),
            "htm": "POST",
            "htu": url,
            "iat": int(self.world.clock.now().timestamp()),
            "nonce": self.nonce,
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
        return jwt.encode(head | (header or {}), claims, key, algorithms=["ES256"])

    def posts(self, path: str, *, dpop: Any = False, plain: bool = False, **form: Any) -> Any:
        """A POST to one of our endpoints, authenticated as registered; a nonce is fetched once."""
        headers, sent = {}, dict(form)
        if not plain:
            headers, sent = self.authenticated(form)
        url = f"{PUBLIC}/identity/{path}"
        if dpop:
            headers["DPoP"] = dpop if isinstance(dpop, str) else self.proof(url)
        answer = self.browser.post(f"/identity/{path}", sent, headers=headers)
        if dpop is True and answer.json.get("error") == "use_dpop_nonce":
            self.nonce = answer.headers["DPoP-Nonce"]
            return self.posts(path, dpop=True, plain=plain, **form)
        return answer

    def authenticated(self, form: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
        """Headers and form of this client."""
        if self.method == "client_secret_basic":
            basic = base64.b64encode(f"{self.id}:{self.secret}".encode()).decode()
            return {"Authorization": f"Basic {basic}"}, form
        if self.method == "client_secret_post":
            return {}, form | {"client_id": self.id, "client_secret": self.secret}
        if self.method == "private_key_jwt":
            kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            proof = {"client_assertion_type": kind, "client_assertion": self.assertion()}
            return {}, proof | form
        return {}, form | {"client_id": self.id}

    def asks(self, **changes: Any) -> dict[str, str]:
        """An authorization request."""
        digest = hashlib.sha256(b"v" * 43).digest()
        asked = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": PARTNER_CALLBACK,
            "scope": "openid profile",
            "state": "a-state",
            "nonce": "a-nonce",
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        } | changes
        return {name: value for name, value in asked.items() if value is not None}

    def goes(self, **asked: str) -> Any:
        """The browser opens an authorization request."""
        return self.browser.get(f"/identity/authorize?{urlencode(asked)}")

    def pushes(self, dpop: Any = False, **changes: Any) -> Any:
        """PAR."""
        asked = self.asks(**changes)
        if self.method != "none":
            asked.pop("client_id")
        return self.posts("par", dpop=dpop, **asked)

    def consents(self, answer: Any) -> Any:
        """Through the consent page, if the answer leads there."""
        if "/identity/consent" in answer.location:
            agreed = self.browser.fills(answer.location, decision="allow")
            answer = self.browser.get(agreed.location)
        return answer

    def code(self, **changes: Any) -> str:
        """A code, with consent; somebody is signed in at the browser."""
        answer = self.consents(self.goes(**self.asks(**changes)))
        return query(answer.location)["code"]

    def exchanges(self, code: str, **changes: Any) -> Any:
        """The code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": PARTNER_CALLBACK,
            "code_verifier": "v" * 43,
        } | changes
        return self.posts("token", **form)

    def userinfo(self, token: str, scheme: str = "Bearer", proof: str | None = None) -> Any:
        """What the token tells."""
        headers = {"Authorization": f"{scheme} {token}"}
        if proof is not None:
            headers["DPoP"] = proof
        return self.browser.get("/identity/userinfo", headers=headers)


@pytest.fixture
def partner(world: World) -> Any:
    """Another system of this test's world."""
    return lambda **registration: Partner(world, **registration)


@pytest.fixture(scope="module")
def shared(postgres: TestPostgres, template: str) -> Iterator[World]:  # noqa: F811
    """One application for a table of cases that leave nothing behind that others would see."""
    nowhere = "http://127.0.0.1:9"
    with postgres.fresh_database(template) as url:
        settings = Settings(
            database_url=url,
            bus_url=f"local://{url}",
            public_url=PUBLIC,
            gateway_client_secret=SECRET,
            employer_auth_client_secret=EMPLOYER_AUTH_SECRET,
            bank_card_secret=BANK_SECRET,
            sms_url=f"{nowhere}/sms",
            bank_card_url=f"{nowhere}/bank-card",
            **channel_settings(nowhere),
            password_memory_kib=64,
            password_time_cost=1,
            **KEYS,
        )
        clock = Clock()
        app = create_app(settings, clock=clock)
        with app.database.transaction() as db:
            clients.write_own(db, settings, now=clock.now())
        yield World(app, clock)
        app.extensions[KEY].counts.database.close()
        app.database.close()


@pytest.fixture(scope="module")
def shared_partner(shared: World) -> Any:
    """Other systems of the shared world."""
    return lambda **registration: Partner(shared, **registration)
