"""以法人身份登录: the choice of a unit at login and later, with employer-auth played over HTTP."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, request
from joserfc import jwt
from joserfc.jwk import ECKey

from identity.accounts.model import Account, LoginName
from identity.accounts.rules import Kind, Standing
from identity.adapters.employer_auth import HttpEmployerAuth
from servicekit.client import Client
from servicekit.db import new_id
from servicekit.personal import MobileNumber
from servicekit.testing.serving import served
from servicekit.web.keys import RemoteKeys

BINDING = "01890a5d-ac96-774b-bcce-b302099a8051"


class Employer:
    """employer-auth as the seams describe it: three addresses."""

    def __init__(self, clock):
        self.key = ECKey.generate_key("P-256", {"kid": "ea-1", "use": "sig", "alg": "ES256"})
        self.clock = clock
        self.units = []
        self.asked = []
        self.refuses = False
        self.app = Flask("employer-auth")
        base = "/api/employer-auth/v1"
        self.app.get(f"{base}/acting-units")(self.list_units)
        self.app.post(f"{base}/mandates")(self.mandate)
        self.app.get(f"{base}/mandate-keys")(lambda: {"keys": [self.key.as_dict(private=False)]})

    def list_units(self):
        self.asked.append(request.headers["Authorization"].removeprefix("Bearer "))
        return {"items": self.units}

    def mandate(self):
        if self.refuses:
            return {"code": "binding-not-active"}, 409
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": "http://127.0.0.1:8080/employer-auth",
            "aud": "http://127.0.0.1:8080/identity",
            "sub": request.json["unit_id"],
            "may_act": {"sub": self.person},
            "binding": request.json["binding_id"],
            "bver": 1,
            "permissions": ["recruitment.jobs:view"],
            "iat": now,
            "exp": now + 60,
            "jti": new_id(),
        }
        header = {"alg": "ES256", "typ": "mandate+jwt", "kid": "ea-1"}
        return {"mandate": jwt.encode(header, claims, self.key, algorithms=["ES256"])}, 201


@pytest.fixture
def employer(world, clock):
    played = Employer(clock)
    own = world.app.extensions["identity"]
    with served(played.app) as played.url:
        client = Client(played.url, timeout=2, name="employer-auth")
        object.__setattr__(own, "employer_auth", HttpEmployerAuth(client))
        keys = RemoteKeys("/api/employer-auth/v1/mandate-keys", clock, client=client)
        object.__setattr__(own.provider.mandates, "keys", keys)
        yield played


@pytest.fixture
def person(world, employer):
    somebody = world.registers()
    employer.person = somebody.id
    with world.app.database.transaction() as db:
        db.get_one(Account, somebody.id).level = 2
    return somebody


@pytest.fixture
def unit(world, employer):
    now = world.clock.now()
    account = Account(
        id=new_id(),
        kind=Kind.UNIT,
        standing=Standing.ACTIVE,
        login_name=LoginName("unit_one"),
        login_name_index=LoginName("unit_one"),
        password_hash="x",
        password_changed_at=now,
        phone=MobileNumber("13700000001"),
        phone_index=MobileNumber("13700000001"),
        level=4,
        created_at=now,
        updated_at=now,
    )
    with world.app.database.transaction() as db:
        db.add(account)
    employer.units.append(
        {
            "unit_id": account.id,
            "binding_id": BINDING,
            "name": "广州示例科技有限公司",
            "uscc": "914403001922038216",
            "version": 1,
            "permissions": [],
            "via": None,
        }
    )
    return account.id


def said(text):
    import base64

    body = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def query(url):
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def hidden_of(page):
    found = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return {name: value.replace("&amp;", "&") for name, value in found.items()}


def begins(browser, **changes):
    """To the sign-in page of an authorization request."""
    return browser.authorize("v" * 43, **changes).location


def finish(browser, location, tell):
    answer = browser.get(location)
    assert answer.status_code == 302, answer.text
    tokens = browser.exchanges(tell.query(answer.location)["code"]).json
    return said(tokens["access_token"]), said(tokens["id_token"])


@pytest.mark.req("ID-41")
def test_ticking_the_box_leads_to_the_choice_and_the_token_names_both(
    world, tell, employer, person, unit
):
    browser = world.browser()
    login = begins(browser)
    page = browser.get(login)
    assert "以法人身份登录" in page.text
    chooses = browser.fills(
        login, login_name=person.login_name, password=person.password, as_unit="1"
    )
    asks = browser.get(chooses.location).location
    assert asks.startswith("/identity/units")
    page = browser.get(asks)
    assert "广州示例科技有限公司" in page.text
    assert "使用选中的法人账号登录" in page.text
    assert "<script" not in page.text
    picked = browser.fills(asks, unit=f"{unit}:{BINDING}", **{"as": "unit"})
    assert picked.status_code == 303, picked.text
    access, identity = finish(browser, picked.location, tell)
    assert access["sub"] == unit
    assert access["act"]["sub"] == person.id
    assert identity["sub"] == person.id


@pytest.mark.req("ID-41", "H1")
@pytest.mark.parametrize("way", ["sms", "passkey", "channel/social-card", "channel/province"])
def test_every_personal_login_offers_the_tick_and_keeps_it(
    world, employer, person, unit, simulators, way
):
    browser = world.browser()
    login = begins(browser)
    ways = browser.get(login)
    assert ways.text.count('name="as_unit" type="checkbox"') == 2
    assert f'formaction="/identity/login/{way}"' in ways.text
    assert f" {simulators.url};" in ways.headers["Content-Security-Policy"]  # the province's
    target = query(login)["return_to"]
    ticked = {"return_to": target, "as_unit": "1"}
    if way == "channel/province":
        browser.get(f"/identity/login/{way}", query_string=ticked)
        kept = browser.get("/identity/province/callback?error=access_denied")
        assert "as_unit%3D1" in kept.location or "as_unit%253D1" in kept.text
        return
    page = browser.get(f"/identity/login/{way}", query_string=ticked)
    if way == "channel/social-card":
        page = browser.get(page.location)
        assert "as_unit=1" in hidden_of(page)["return_to"]
        return
    assert page.text.count('value="1" checked>') == 2
    assert hidden_of(page)["return_to"] == target
    if way == "sms":
        sent = hidden_of(page) | {"phone": person.phone, "as_unit": "1"}
        world.clock.advance(minutes=2)
        assert browser.post("/identity/login/sms/code", sent).status_code == 200
        code = re.search(r"\d{6}", world.texts(person.phone)[0])[0]
        answer = browser.post("/identity/login/sms", sent | {"sms_code": code})
        assert browser.get(answer.location).location.startswith("/identity/units")


@pytest.mark.req("ID-41")
def test_a_unit_that_ticks_the_box_goes_in_as_itself(world, employer):
    unit = world.registers_unit()
    answer = world.browser().fills(
        "/identity/login", login_name=unit.login_name, password=unit.password, as_unit="1"
    )
    assert answer.location == "/identity/units"
    browser = world.browser().signs_in(unit)
    assert browser.get("/identity/units").location == "/identity/"


@pytest.mark.req("ID-41", "H2")
def test_who_is_bound_to_nobody_goes_in_as_himself(world, tell, employer, person):
    browser = world.browser()
    answer = browser.fills(
        begins(browser), login_name=person.login_name, password=person.password, as_unit="1"
    )
    asks = browser.get(answer.location).location
    on = browser.get(asks)
    assert on.status_code == 303
    access, _ = finish(browser, on.location, tell)
    assert access["sub"] == person.id


@pytest.mark.req("ID-41")
def test_switching_and_leaving_later_need_no_password(world, tell, employer, person, unit):
    browser = world.browser().signs_in(person)
    page = browser.get("/identity/units")
    assert "为选中的单位办理业务，点击此处登录" in page.text
    picked = browser.fills("/identity/units", unit=f"{unit}:{BINDING}", **{"as": "unit"})
    assert picked.location == "/sso/login?return_to=/"
    assert said(browser.tokens()["access_token"])["sub"] == unit
    again = browser.authorize(prompt="select_account").location
    assert again.startswith("/identity/units")
    left = browser.fills(again, **{"as": "person"})
    access, _ = finish(browser, left.location, tell)
    assert access["sub"] == person.id


@pytest.mark.req("ID-41")
def test_employer_auth_is_asked_with_the_persons_own_token(world, employer, person, unit):
    world.browser().signs_in(person).get("/identity/units")
    claims = said(employer.asked[0])
    assert (claims["sub"], claims["client_id"]) == (person.id, "identity")
    assert claims["exp"] - claims["iat"] == 300


@pytest.mark.req("ID-41")
def test_what_may_go_wrong_is_said_and_nothing_is_chosen(world, employer, person, unit):
    browser = world.browser().signs_in(person)
    none = browser.fills("/identity/units", **{"as": "unit", "unit": ""})
    assert (none.status_code, "请选择要代表的单位" in none.text) == (422, True)
    employer.refuses = True
    gone = browser.fills("/identity/units", unit=f"{unit}:{BINDING}", **{"as": "unit"})
    assert (gone.status_code, "授权已变更" in gone.text) == (409, True)
    stale = browser.post("/identity/units", {"unit": f"{unit}:{BINDING}", "as": "unit"})
    assert stale.status_code == 400
    employer.refuses = False
    employer.person = new_id()  # a mandate for somebody else
    wrong = browser.fills("/identity/units", unit=f"{unit}:{BINDING}", **{"as": "unit"})
    assert wrong.status_code == 409
    assert said(browser.tokens()["access_token"])["sub"] == person.id


@pytest.mark.req("ID-41")
def test_without_employer_auth_one_goes_on_as_oneself(world, tell, employer, person, settings):
    own = world.app.extensions["identity"]
    nowhere = Client("http://127.0.0.1:9", timeout=1, name="employer-auth")
    object.__setattr__(own, "employer_auth", HttpEmployerAuth(nowhere))
    browser = world.browser().signs_in(person)
    asks = browser.authorize(prompt="select_account").location
    page = browser.get(asks)
    assert page.status_code == 503
    assert "以个人身份继续" in page.text
    on = browser.post("/identity/units", hidden_of(page) | {"as": "person"})
    access, _ = finish(browser, on.location, tell)
    assert access["sub"] == person.id


@pytest.mark.req("ID-41")
def test_a_visitor_and_an_officer_choose_nothing(world, employer):
    assert world.browser().get("/identity/units").location.startswith("/identity/login")
    officer = world.browser().signs_in(world.officer("reviewer"), world.clock)
    assert officer.get("/identity/units").status_code == 303
