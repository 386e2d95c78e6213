"""Changing the password (ID-10): by the present one, with every other session ended."""

import dataclasses

import pytest

from identity.accounts.model import Account
from identity.app import create_app
from identity.parts import KEY
from identity.passwords import actions

NEW = "Hb2026rsW"


@pytest.fixture
def person(world):
    return world.registers()


def changes(world, token, current, password=NEW, again=NEW):
    body = {"current_password": current, "password": password, "password_again": again}
    return world.browser().api("PUT", "/me/password", body, token=token)


@pytest.mark.req("ID-10", "I5")
def test_the_owner_changes_the_password_and_other_sessions_end(world, person):
    here, there = world.token_of(person), world.token_of(person)
    assert changes(world, here, person.password).status_code == 204
    assert world.browser().api("GET", "/me", token=here).status_code == 200
    assert world.browser().api("GET", "/me", token=there).status_code == 401
    assert world.browser().logs_in(person).status_code == 401
    assert world.browser().logs_in(person, password=NEW).status_code == 303
    assert any("密码已修改" in text for text in world.texts(person.phone))


@pytest.mark.req("ID-10", "ID-03")
@pytest.mark.parametrize(
    ("current", "password", "again", "wrong"),
    [
        ("Other2024x", NEW, NEW, "current-password-wrong"),
        (None, NEW, "Hb2026rsX", "password-differs"),
        (None, None, None, "password-same"),
        (None, "qwer", "qwer", None),
    ],
)
def test_a_wrong_change_is_refused_by_field(world, person, current, password, again, wrong):
    token = world.token_of(person)
    password, again = password or person.password, again or person.password
    answer = changes(world, token, current or person.password, password, again)
    assert (answer.status_code, answer.json["code"]) == (422, "new-password-refused")
    assert wrong is None or wrong in {e["code"] for e in answer.json["errors"]}
    assert world.browser().logs_in(person).status_code == 303


@pytest.mark.req("ID-10")
def test_a_stolen_session_cannot_guess_the_password(world, person):
    token = world.token_of(person)
    answers = [changes(world, token, "Wrong2024x").status_code for _ in range(5)]
    assert answers == [422, 422, 422, 422, 429]


@pytest.mark.req("ID-10")
def test_an_officer_changes_the_own_password_too(world):
    officer = world.officer("reviewer")
    assert changes(world, world.token_of(officer), officer.password).status_code == 204


@pytest.mark.req("ID-14")
def test_a_one_time_password_is_good_for_a_day_and_must_be_changed(world, person):
    def gives():
        own = world.app.extensions[KEY]
        with world.app.database.transaction() as db:
            account = db.get_one(Account, person.id)
            return actions.give_one_time(db, account, hasher=own.hasher, now=world.clock.now())

    person.password = gives()
    browser = world.browser()
    assert browser.logs_in(person).location == "/identity/new-password"
    both = {"password": NEW, "password_again": NEW}
    assert browser.fills("/identity/new-password", **both).status_code == 303
    assert world.browser().logs_in(person, password=NEW).location == "/identity/"
    person.password = gives()
    world.clock.advance(hours=24)
    assert world.browser().logs_in(person).status_code == 401


@pytest.mark.req("ID-03")
def test_an_old_password_is_replaced_where_a_setting_asks_for_it(world, person, settings, clock):
    aged = create_app(dataclasses.replace(settings, password_max_age_days=90), clock=clock)
    world.clock.advance(days=91)
    assert world.browser().logs_in(person).location == "/identity/"  # off: nobody is asked
    browser = world.browser()
    browser.client = aged.test_client()
    assert browser.logs_in(person).location == "/identity/new-password"
    both = {"password": NEW, "password_again": NEW}
    assert browser.fills("/identity/new-password", **both).location == "/identity/"
    aged.extensions[KEY].counts.database.close()
    aged.database.close()
