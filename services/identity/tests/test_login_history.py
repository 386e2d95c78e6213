"""Login history (ID-08, ID-17): what happened at my account, and "this wasn't me"."""

import re
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from identity.login_history import rules
from identity.login_history.model import LoginEvent
from identity.login_history.rules import Way

ABROAD = {"X-Forwarded-For": "203.0.113.77"}


@pytest.fixture
def person(world):
    return world.registers()


def logs_in(browser, who, password=None, headers=ABROAD):
    page = browser.get("/identity/login")
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    typed = {"login_name": who.login_name, "password": password or who.password}
    return browser.post("/identity/login", hidden | typed, headers=headers)


def logins(world, token):
    return world.browser().api("GET", "/me/logins", token=token).json["items"]


@pytest.mark.req("ID-17")
def test_the_owner_sees_every_login_and_every_failure(world, person):
    home = world.browser().signs_in(person)
    logs_in(world.browser(), person, "Wrong2024x")
    seen = logins(world, home.tokens()["access_token"])
    assert [(e["way"], e["outcome"]) for e in seen] == [
        ("password", "wrong"),
        ("password", "signed-in"),
    ]
    assert seen[0]["address"] == "203.0.113.77"
    assert seen[1]["current"] is True
    other = world.token_of(world.registers())
    assert all(e["id"] not in {s["id"] for s in seen} for e in logins(world, other))
    with world.app.database.reading() as db:
        rows = db.connection().exec_driver_sql("SELECT e::text FROM login_event e").scalars()
        assert not any("203.0.113" in row for row in rows)


@pytest.mark.req("ID-08")
def test_a_login_from_elsewhere_is_told_once_per_place(world, person):
    def told():
        return len([t for t in world.texts(person.phone) if "新的地点" in t])

    assert logs_in(world.browser(), person, headers={}).status_code == 303  # the very first
    assert told() == 0
    stranger = world.browser()
    assert logs_in(stranger, person).status_code == 303
    assert told() == 1
    assert logs_in(stranger, person).status_code == 303  # a known device by now
    assert logs_in(world.browser(), person).status_code == 303  # a familiar place by now
    assert told() == 1
    far = {"X-Forwarded-For": "192.0.2.1"}
    assert logs_in(stranger, person, headers=far).status_code == 303  # a known device travels
    assert told() == 1


@pytest.mark.req("ID-17", "ID-43")
def test_this_was_not_me_ends_sessions_and_takes_the_password_its_force(world, person):
    home = world.browser().signs_in(person)
    token = home.tokens()["access_token"]
    thief = world.browser()
    logs_in(thief, person)
    stolen = thief.tokens()["access_token"]
    event = next(e for e in logins(world, token) if e["address"] == "203.0.113.77")
    own = next(e for e in logins(world, token) if e["current"])
    disown = f"/me/logins/{event['id']}/disown"
    foreign = world.token_of(world.registers())
    assert home.api("POST", disown, token=foreign).status_code == 404
    refused = home.api("POST", f"/me/logins/{own['id']}/disown", token=token)
    assert refused.json["code"] == "login-not-disownable"
    assert home.api("POST", disown, token=token).json["disowned_at"]
    assert home.api("GET", "/me", token=stolen).status_code == 401
    assert home.api("GET", "/me", token=token).status_code == 200
    assert any("退出" in text for text in world.texts(person.phone))
    # The thief still knows the password, but not what is sent to the phone.
    assert logs_in(thief, person).location == "/identity/phone-code"
    # From the owner's own session the password is replaced, and all is well again.
    change = {"current_password": person.password} | dict.fromkeys(
        ("password", "password_again"), "Hb2026rsW"
    )
    assert home.api("PUT", "/me/password", change, token=token).status_code == 204
    person.password = "Hb2026rsW"
    assert logs_in(world.browser(), person).location == "/identity/"


@pytest.mark.req("ID-08")
def test_the_owner_is_told_once_a_day_that_somebody_guesses(world, person):
    for turn in range(10):
        place = {"X-Forwarded-For": f"198.51.{turn}.7"}
        logs_in(world.browser(), person, "Wrong2024x", headers=place)
    for _ in range(2):
        world.job("tell-guessed")
    assert len([t for t in world.texts(person.phone) if "多次输错" in t]) == 1


@pytest.mark.req("ID-08")
def test_a_try_at_nobodys_name_leaves_the_same_row_for_a_day(world, person):
    nobody = SimpleNamespace(login_name="nobody_here", password="Wrong2024x")
    logs_in(world.browser(), nobody)
    with world.app.database.reading() as db:
        assert db.scalars(select(LoginEvent.account_id)).all() == [None]
    world.clock.advance(days=1, seconds=1)
    world.job("forget-old-tokens")
    with world.app.database.reading() as db:
        assert db.scalars(select(LoginEvent.id)).all() == []


@pytest.mark.req("ID-08")
def test_strangers_from_many_places_share_one_count_which_the_owner_is_not_in(world, person):
    home = world.browser().signs_in(person)
    answers = []
    for turn in range(42):
        place = {"X-Forwarded-For": f"198.51.{turn}.7"}
        answers.append(logs_in(world.browser(), person, "Wrong2024x", headers=place).status_code)
    assert answers == [401] * 40 + [429] * 2
    assert logs_in(home, person).status_code == 303


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("unknown", "unknown"),
    ],
)
def test_a_place_is_a_neighbourhood_of_addresses(address, place):
    assert rules.place_of(address) == place


def test_every_way_has_a_name_and_methods():
    assert all(way.label and rules.AMR_OF[way] for way in Way)
