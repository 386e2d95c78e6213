"""Acting for a unit: mandates redeemed once, refused for every reason, renewed while they hold."""

from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import func, select

from identity.accounts.actions import accept
from identity.accounts.model import Account, LoginName
from identity.accounts.rules import Kind, Standing
from identity.handlers import SUBSCRIPTIONS
from identity.sign_in.client_model import UsedTokenId
from servicekit import revocations
from servicekit.db import new_id
from servicekit.inbox import Envelope
from servicekit.personal import MobileNumber
from servicekit.testing.racing import answers_at_once

JWT = "urn:ietf:params:oauth:token-type:jwt"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
KEY = ECKey.generate_key("P-256", {"kid": "ea-1", "use": "sig", "alg": "ES256"}, private=True)


class Keys:
    """employer-auth's keys, without the way to it."""

    def find(self, kid):
        """The one key."""
        return KEY if kid == "ea-1" else None


@pytest.fixture
def signed(world, monkeypatch):
    own = world.app.extensions["identity"].provider
    object.__setattr__(own.mandates, "keys", Keys())
    return own


def unit_account(world, level=4, standing=Standing.ACTIVE):
    world.serial += 1
    now = world.clock.now()
    account = Account(
        id=new_id(),
        kind=Kind.UNIT,
        standing=standing,
        login_name=LoginName(f"unit_{world.serial:03}"),
        login_name_index=LoginName(f"unit_{world.serial:03}"),
        password_hash=world.app.extensions["identity"].hasher.hash("Unit2024rsT"),
        password_changed_at=now,
        phone=MobileNumber(f"1370000{world.serial:04}"),
        phone_index=MobileNumber(f"1370000{world.serial:04}"),
        level=level,
        created_at=now,
        updated_at=now,
    )
    with world.app.database.transaction() as db:
        db.add(account)
        db.flush()
        accept(db, account, now=now)
    return account.id


@pytest.fixture
def unit(world):
    return unit_account(world)


@pytest.fixture
def person(world):
    somebody = world.registers()
    with world.app.database.transaction() as db:
        db.get_one(Account, somebody.id).level = 2
    return somebody


@pytest.fixture
def browser(world, person):
    return world.browser().signs_in(person)


def mandate(world, person, unit, *, key=KEY, header=None, **changes):
    now = int(world.clock.now().timestamp())
    claims = {
        "iss": "http://127.0.0.1:8080/employer-auth",
        "aud": "http://127.0.0.1:8080/identity",
        "sub": unit,
        "may_act": {"sub": person.id},
        "binding": "01890a5d-ac96-774b-bcce-b302099a8051",
        "bver": 3,
        "permissions": ["recruitment.jobs:submit"],
        "iat": now,
        "exp": now + 60,
        "jti": new_id(),
    } | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    head = {"alg": "ES256", "typ": "mandate+jwt", "kid": "ea-1"} | (header or {})
    return jwt.encode(head, claims, key, algorithms=["ES256"])


def exchange(browser, actor, text, **changes):
    form = {
        "grant_type": EXCHANGE,
        "subject_token": text,
        "subject_token_type": JWT,
        "actor_token": actor,
        "actor_token_type": ACCESS,
    } | changes
    return browser.token(**{name: value for name, value in form.items() if value is not None})


def told(world, version, state="active"):
    envelope = Envelope(
        id=new_id(),
        type="employer-auth.binding.revised.v1",
        source="employer-auth",
        stream="fact",
        subject="01890a5d-ac96-774b-bcce-b302099a8051",
        sequence=told.sequence,
        preceded_at=None,
        time=world.clock.now(),
        data={
            "binding_id": "01890a5d-ac96-774b-bcce-b302099a8051",
            "version": version,
            "state": state,
        },
    )
    told.sequence += 1
    with world.app.database.transaction() as db:
        SUBSCRIPTIONS.deliver(db, envelope, world.clock.now())


@pytest.fixture(autouse=True)
def first():
    told.sequence = 1


def claims_of(text):
    import base64
    import json

    body = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


@pytest.mark.req("ID-41", "EA-13")
def test_the_token_says_where_a_business_is_granted(world, signed, browser, person, unit):
    actor = browser.tokens()["access_token"]
    regions = {"recruitment.jobs": "4403"}
    first = exchange(browser, actor, mandate(world, person, unit, regions=regions)).json
    renewed = browser.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json
    for answer in (first, renewed):
        assert claims_of(answer["access_token"])["regions"] == regions
        known = world.app.verifier.verify(answer["access_token"]).actor
        assert known.may_in("recruitment.jobs", "440305")
        assert not known.may_in("recruitment.jobs", "440106")
        assert known.may_in("recruitment.fairs", "440106")
    malformed = exchange(browser, actor, mandate(world, person, unit, regions=["4403"]))
    assert (malformed.status_code, malformed.json["error"]) == (400, "invalid_request")


@pytest.mark.req("ID-41")
def test_a_person_acts_for_a_unit_and_the_token_names_both(world, signed, browser, person, unit):
    actor = browser.tokens()["access_token"]
    answer = exchange(browser, actor, mandate(world, person, unit))
    assert answer.status_code == 200, answer.text
    assert answer.json["issued_token_type"] == ACCESS
    said = claims_of(answer.json["access_token"])
    assert (said["sub"], said["sub_type"]) == (unit, "unit")
    assert said["act"] == {"sub": person.id, "acr": "urn:gdhrss:ial:2"}
    assert said["acr"] == "urn:gdprov:ial:4"
    assert (said["binding"], said["bver"]) == ("01890a5d-ac96-774b-bcce-b302099a8051", 3)
    assert said["permissions"] == ["recruitment.jobs:submit"]
    assert said["sid"] == claims_of(actor)["sid"]
    known = world.app.verifier.verify(answer.json["access_token"])
    assert (known.actor.id, known.actor.person_id) == (unit, person.id)
    bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
    assert browser.get("/identity/userinfo", headers=bearer).json["sub"] == person.id


@pytest.mark.req("ID-41")
def test_a_chain_names_the_agency_too_and_is_no_deeper(world, signed, browser, person, unit):
    agency = unit_account(world)
    actor = browser.tokens()["access_token"]
    answer = exchange(browser, actor, mandate(world, person, unit, via=agency))
    said = claims_of(answer.json["access_token"])
    assert said["act"] == {"sub": person.id, "acr": "urn:gdhrss:ial:2", "act": {"sub": agency}}
    deeper = mandate(world, person, unit, may_act={"sub": person.id, "may_act": {"sub": "x"}})
    assert exchange(browser, actor, deeper).json["error"] == "invalid_request"
    gone = mandate(world, person, unit, via=new_id())
    assert exchange(browser, actor, gone).json["error"] == "invalid_request"


@pytest.mark.req("ID-41")
def test_a_mandate_whose_key_leaked_is_refused(world, signed, browser, person, unit):
    actor, good = browser.tokens()["access_token"], mandate(world, person, unit)
    world.app.revocations.note(revocations.KEY, "ea-1", at=world.clock.now())
    answer = exchange(browser, actor, good)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.req("ID-41")
def test_what_is_wrong_with_a_mandate_is_refused(world, signed, browser, person, unit):
    actor = browser.tokens()["access_token"]
    now = int(world.clock.now().timestamp())
    other = ECKey.generate_key("P-256", {"kid": "ea-1"}, private=True)
    for text in (
        mandate(world, person, unit, iss="http://127.0.0.1:8080/identity"),
        mandate(world, person, unit, aud="urn:jiuye:api"),
        mandate(world, person, unit, aud=["http://127.0.0.1:8080/identity", "x"]),
        mandate(world, person, unit, exp=now),
        mandate(world, person, unit, iat=now - 300, exp=now + 300),
        mandate(world, person, unit, iat=now + 30, exp=now + 60),
        mandate(world, person, unit, exp=None),
        mandate(world, person, unit, jti=None),
        mandate(world, person, unit, binding=None),
        mandate(world, person, unit, bver="3"),
        mandate(world, person, unit, permissions="everything"),
        mandate(world, person, unit, may_act=None),
        mandate(world, person, unit, may_act={"sub": new_id()}),
        mandate(world, person, unit, act={"sub": "x"}),
        mandate(world, person, person.id),
        mandate(world, person, new_id()),
        mandate(world, person, unit_account(world, standing=Standing.LOCKED)),
        mandate(world, person, unit, key=other),
        mandate(world, person, unit, header={"kid": "other"}),
        mandate(world, person, unit, header={"typ": "JWT"}),
        mandate(world, person, unit, header={"typ": "at+jwt"}),
        mandate(world, person, unit, header={"jku": "https://example.com/keys"}),
        "a.b.c",
        "",
    ):
        answer = exchange(browser, actor, text)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request"), text
    with world.app.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(UsedTokenId)) == 0


@pytest.mark.req("ID-41")
def test_who_may_not_be_the_actor(world, signed, browser, person, unit):
    actor = browser.tokens()["access_token"]
    acting = exchange(browser, actor, mandate(world, person, unit)).json["access_token"]
    weak = world.registers()
    stranger = world.token_of(weak)
    system = browser.token(
        client_id="jiuye-employer-auth",
        secret="an-employer-auth-secret-for-tests",
        grant_type="client_credentials",
    ).json["access_token"]
    for token, text in (
        (acting, mandate(world, person, unit)),  # chained
        (stranger, mandate(world, person, unit)),  # another person
        (stranger, mandate(world, weak, unit)),  # not real-name verified
        (system, mandate(world, person, unit)),
        (browser.tokens()["id_token"], mandate(world, person, unit)),
        ("nothing", mandate(world, person, unit)),
    ):
        answer = exchange(browser, token, text)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
    browser.get(f"/identity/logout?id_token_hint={browser.tokens()['id_token']}")
    answer = exchange(browser, actor, mandate(world, person, unit))
    assert answer.json["error"] == "invalid_request"


@pytest.mark.req("ID-41")
def test_the_form_of_an_exchange(world, signed, browser, person, unit):
    actor = browser.tokens()["access_token"]
    for changes, error in (
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": ACCESS}, "invalid_request"),
        ({"actor_token": None}, "invalid_request"),
        ({"actor_token_type": JWT}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"resource": "https://example.com/"}, "invalid_target"),
        ({"audience": "somebody-else"}, "invalid_target"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"secret": "wrong"}, "invalid_client"),
        (
            {"client_id": "jiuye-employer-auth", "secret": "an-employer-auth-secret-for-tests"},
            "unauthorized_client",
        ),
    ):
        answer = exchange(browser, actor, mandate(world, person, unit), **changes)
        assert answer.json["error"] == error, changes


@pytest.mark.req("ID-41")
def test_a_mandate_is_redeemed_once(world, signed, browser, person, unit):
    actor = browser.tokens()["access_token"]
    text = mandate(world, person, unit)
    assert exchange(browser, actor, text).status_code == 200
    assert exchange(browser, actor, text).json["error"] == "invalid_request"


@pytest.mark.req("ID-41", "ID-43")
@pytest.mark.parametrize(("version", "state"), [(4, "active"), (4, "suspended"), (3, "ended")])
def test_a_changed_binding_ends_the_chain(world, signed, browser, person, unit, version, state):
    actor = browser.tokens()["access_token"]
    told(world, 3)
    chain = exchange(browser, actor, mandate(world, person, unit)).json["refresh_token"]
    renewed = browser.refreshes(chain)
    assert renewed.status_code == 200
    assert claims_of(renewed.json["access_token"])["sub"] == unit
    assert claims_of(renewed.json["id_token"])["sub"] == person.id
    told(world, version, state)
    refused = browser.refreshes(renewed.json["refresh_token"])
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
    assert exchange(browser, actor, mandate(world, person, unit)).status_code == 400
    fresh = exchange(browser, actor, mandate(world, person, unit, bver=version + 1))
    assert fresh.status_code == 200


@pytest.mark.req("ID-41")
def test_older_news_changes_nothing(world, signed, browser, person, unit):
    told(world, 3)
    told(world, 2, "suspended")
    actor = browser.tokens()["access_token"]
    assert exchange(browser, actor, mandate(world, person, unit)).status_code == 200


@pytest.mark.req("ID-41", "ID-43")
def test_a_closed_unit_a_fallen_level_or_an_ended_session_ends_the_chain(
    world, signed, browser, person, unit
):
    for change in ("unit", "person", "session"):
        tokens = browser.tokens()
        with world.app.database.transaction() as db:
            db.get_one(Account, unit).standing = Standing.ACTIVE
            db.get_one(Account, person.id).level = 2
        made = exchange(browser, tokens["access_token"], mandate(world, person, unit))
        chain = made.json["refresh_token"]
        with world.app.database.transaction() as db:
            if change == "unit":
                db.get_one(Account, unit).standing = Standing.LOCKED
            if change == "person":
                db.get_one(Account, person.id).level = 1
        if change == "session":
            browser.get(f"/identity/logout?id_token_hint={tokens['id_token']}")
        assert browser.refreshes(chain).json["error"] == "invalid_grant"


@pytest.mark.req("ID-41")
def test_leaving_and_switching_need_no_new_password(world, signed, browser, person, unit):
    tokens = browser.tokens()
    other = unit_account(world)
    for each in (unit, other):
        answer = exchange(browser, tokens["access_token"], mandate(world, person, each))
        assert claims_of(answer.json["access_token"])["sub"] == each
    back = browser.refreshes(tokens["refresh_token"])  # the person's own chain goes on
    assert claims_of(back.json["access_token"])["sub"] == person.id
    assert browser.authorize().status_code == 302


@pytest.mark.req("ID-41")
def test_a_units_own_login_acts_for_nobody(world, signed):
    unit_account(world)
    who = SimpleNamespace(login_name=f"unit_{world.serial:03}", password="Unit2024rsT")
    tokens = world.browser().signs_in(who).tokens(scope="openid")
    said = claims_of(tokens["access_token"])
    assert (said["sub_type"], said["acr"]) == ("unit", "urn:gdprov:ial:4")
    assert "act" not in said
    assert claims_of(tokens["id_token"])["sub"] == said["sub"]


@pytest.mark.req("ID-41", "AL-06")
def test_of_forty_at_once_one_redeems_the_mandate(world, signed, browser, person, unit):
    actor = browser.tokens()["access_token"]
    text = mandate(world, person, unit)
    browsers = [world.browser() for _ in range(40)]
    answers = answers_at_once(*[partial(exchange, each, actor, text) for each in browsers])
    assert [a.status_code for a in answers].count(200) == 1
    assert {a.status_code for a in answers} <= {200, 400, 503}


def test_used_identifiers_are_forgotten_when_they_can_no_longer_come(
    world, signed, browser, person, unit
):
    actor = browser.tokens()["access_token"]
    assert exchange(browser, actor, mandate(world, person, unit)).status_code == 200
    world.clock.advance(seconds=timedelta(minutes=2).total_seconds())
    world.job("forget-old-tokens")
    with world.app.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(UsedTokenId)) == 0


@pytest.mark.req("ID-17", "ID-41")
def test_who_acts_sees_and_ends_the_persons_own_sessions(world, signed, browser, person, unit):
    actor = browser.tokens()["access_token"]
    acting = exchange(browser, actor, mandate(world, person, unit)).json["access_token"]
    listed = browser.api("GET", "/me/sessions", token=acting)
    assert [each["current"] for each in listed.json["items"]] == [True]
    assert browser.api("GET", "/me/consents", token=acting).json == {"items": []}
    own = listed.json["items"][0]["id"]
    assert browser.api("DELETE", f"/me/sessions/{own}", token=acting).status_code == 204
    assert browser.api("GET", "/me/sessions", token=acting).status_code == 401
