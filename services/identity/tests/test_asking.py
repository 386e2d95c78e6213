"""What an authorization request asks of the person: prompts, age, levels, hints; asked once."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.accounts.model import Account
from identity.sign_in import asking
from identity.sign_in.asking import Present, Step

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def present(**changes):
    values = {
        "authenticated_at": NOW - timedelta(minutes=10),
        "acr": "urn:gdhrss:ial:2",
        "is_person": True,
        "is_hinted": True,
        "consented_at": NOW - timedelta(days=1),
        "needs_consent": False,
    } | changes
    return Present(**values)


def owed(asked, somebody, done=()):
    return asking.owed(asking.read(asked), somebody, done=frozenset(done), arrived_at=NOW)


@pytest.mark.req("ID-40", "ID-42")
@pytest.mark.parametrize(
    ("asked", "somebody", "done", "step"),
    [
        ({}, None, (), Step.LOGIN),
        ({}, present(), (), None),
        ({"prompt": "login"}, present(), (), Step.LOGIN),
        ({"prompt": "login"}, present(authenticated_at=NOW), (), None),
        ({"max_age": "600"}, present(), (), None),
        ({"max_age": "599"}, present(), (), Step.LOGIN),
        ({"max_age": "0"}, present(authenticated_at=NOW), (), None),
        ({}, present(is_hinted=False), (), Step.LOGIN),
        ({"prompt": "select_account"}, present(), (), Step.SELECT),
        ({"prompt": "select_account"}, present(), ("select",), None),
        ({"prompt": "select_account"}, present(is_person=False), (), None),
        ({"as_unit": "1"}, present(), (), Step.SELECT),
        ({"acr_values": "urn:gdhrss:ial:2"}, present(), (), None),
        ({"acr_values": "urn:gdhrss:ial:3"}, present(), (), Step.RAISE),
        ({"acr_values": "urn:gdhrss:ial:3"}, present(), ("raise",), None),
        ({"acr_values": "urn:gdhrss:ial:3 urn:gdhrss:ial:2"}, present(), (), None),
        ({}, present(needs_consent=True), (), None),
        ({}, present(needs_consent=True, consented_at=None), (), Step.CONSENT),
        ({"prompt": "consent"}, present(), (), Step.CONSENT),
        ({"prompt": "consent"}, present(consented_at=NOW), (), None),
        ({"prompt": "login consent"}, present(), (), Step.LOGIN),
    ],
)
def test_the_next_step(asked, somebody, done, step):
    assert owed(asked, somebody, done) is step


@pytest.mark.req("ID-42")
@pytest.mark.parametrize(
    ("acr", "wanted", "met"),
    [
        ("urn:gdhrss:ial:3", ["urn:gdhrss:ial:2"], True),
        ("urn:gdhrss:ial:1", ["urn:gdhrss:ial:2"], False),
        ("urn:gdprov:ial:5", ["urn:gdhrss:ial:2"], False),  # two scales, never compared
        ("urn:gdhrss:aal:2", ["urn:gdhrss:ial:2"], False),
        ("urn:gdhrss:aal:2", ["urn:gdhrss:aal:2"], True),
        ("urn:gdhrss:ial:2", ["urn:somebody:else", "urn:gdhrss:ial:1"], True),
    ],
)
def test_levels_of_one_scale_are_compared(acr, wanted, met):
    assert asking.meets(acr, wanted) is met


@pytest.fixture
def person(world):
    return world.registers()


@pytest.fixture
def browser(world, person):
    return world.browser().signs_in(person)


@pytest.mark.req("ID-40")
def test_a_login_is_asked_for_once_and_cannot_be_talked_out_of(world, person, browser, tell):
    for asked in ({"prompt": "login"}, {"max_age": "0"}):
        world.clock.advance(seconds=2)
        login = browser.authorize(**asked).location
        assert login.startswith("/identity/login")
        target = tell.query(login)["return_to"]
        assert browser.get(target).location.startswith("/identity/login")  # not logged in again
        world.clock.advance(seconds=2)
        back = browser.logs_in(person, login).location
        assert back == target
        assert "code" in tell.query(browser.get(back).location)
        world.clock.advance(seconds=2)
        forged = target.replace("arrived=1", "arrived=0")
        assert forged != target
        assert browser.get(forged).location.startswith("/identity/login")


@pytest.mark.req("ID-40")
def test_silent_questions_are_answered_silently(world, person, browser, tell):
    assert "code" in tell.query(browser.authorize(prompt="none").location)
    world.clock.advance(seconds=5)
    old = tell.query(browser.authorize(prompt="none", max_age="1").location)
    assert old["error"] == "login_required"
    nobody = world.browser().authorize(prompt="none")
    assert tell.query(nobody.location)["error"] == "login_required"


@pytest.mark.req("ID-40")
def test_a_hint_names_who_is_to_be_signed_in(world, person, browser, tell):
    mine = browser.tokens()["id_token"]
    other = world.browser().signs_in(world.registers()).tokens()["id_token"]
    same = tell.query(browser.authorize(prompt="none", id_token_hint=mine).location)
    assert "code" in same
    world.clock.advance(seconds=2)
    foreign = tell.query(browser.authorize(prompt="none", id_token_hint=other).location)
    assert foreign["error"] == "login_required"
    world.clock.advance(hours=1)  # an old hint is as good
    browser.signs_in(person)
    assert "code" in tell.query(browser.authorize(prompt="none", id_token_hint=mine).location)


@pytest.mark.req("ID-42")
def test_a_wish_for_a_level_is_given_up_and_a_demand_is_not(world, person, browser, tell):
    wish = {"acr_values": "urn:gdhrss:ial:2", "prompt": "none"}
    assert "code" in tell.query(browser.authorize(**wish).location)
    demand = '{"id_token":{"acr":{"essential":true,"values":["urn:gdhrss:ial:2"]}}}'
    refused = tell.query(browser.authorize(claims=demand, prompt="none").location)
    assert refused["error"] == "unmet_authentication_requirements"
    with world.app.database.transaction() as db:
        db.get_one(Account, person.id).level = 2
    assert "code" in tell.query(browser.authorize(claims=demand).location)


@pytest.mark.req("ID-40")
def test_a_request_by_post_is_a_request(browser, tell):
    asked = tell.query(browser.authorize(prompt="none", state="x").request.url)
    answer = browser.post("/identity/authorize", asked)
    assert answer.status_code == 303
    assert "code" in tell.query(browser.get(answer.location).location)


@pytest.mark.req("ID-40")
def test_discovery_says_what_holds(world):
    found = world.browser().get("/identity/.well-known/openid-configuration").json
    rules = {rule.rule for rule in world.app.url_map.iter_rules()}
    for name, address in found.items():
        if name.endswith(("_endpoint", "_uri")):
            assert address.removeprefix("http://127.0.0.1:8080") in rules, name
    assert set(found["id_token_signing_alg_values_supported"]) == {"RS256", "ES256"}
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert "none" not in found["dpop_signing_alg_values_supported"]
    kids = [key["kid"] for key in world.browser().get("/identity/jwks.json").json["keys"]]
    assert len(set(kids)) == len(kids) >= 2


@pytest.mark.req("ID-42")
def test_the_guided_raise_goes_between_a_request_and_its_code(world, person, browser, tell):
    asked = browser.authorize(acr_values="urn:gdhrss:ial:2")
    assert asked.location.startswith("/identity/raise?")
    page = browser.get(asked.location)
    assert page.status_code == 200
    back = tell.query(asked.location)["return_to"]
    given_up = browser.get(back)
    assert "code" in tell.query(given_up.location)  # a wish; the token says what holds
    demand = '{"id_token":{"acr":{"essential":true,"values":["urn:gdhrss:ial:2"]}}}'
    demanded = browser.authorize(claims=demand)
    assert demanded.location.startswith("/identity/raise?")
    back = tell.query(demanded.location)["return_to"]
    refused = tell.query(browser.get(back).location)
    assert refused["error"] == "unmet_authentication_requirements"
    with world.app.database.transaction() as db:
        db.get_one(Account, person.id).level = 2
    assert "code" in tell.query(browser.get(back).location)
