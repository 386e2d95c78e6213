"""Sign in by SMS code (ID-09): the code shows who holds the phone; nothing is told before."""

import re

import pytest

from identity.accounts.model import Account


def form_of(browser, path):
    page = browser.get(path)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


def asks(browser, phone):
    hidden = form_of(browser, "/identity/login/sms")
    return browser.post("/identity/login/sms/code", hidden | {"phone": phone})


def enters(browser, phone, code, **more):
    hidden = form_of(browser, "/identity/login/sms")
    return browser.post("/identity/login/sms", hidden | {"phone": phone, "sms_code": code} | more)


def code_for(world, phone):
    return re.search(r"\d{6}", world.texts(phone)[0])[0]


def shape(page):
    text = re.sub(r'name="form_token" value="\w+"', "", page.text)
    return page.status_code, re.sub(r'name="phone" type="tel" value="[^"]*"', "", text)


@pytest.mark.req("ID-09", "ID-18")
def test_a_person_signs_in_by_code_and_it_is_used_up(world):
    person, browser = world.registers(), world.browser()
    assert asks(browser, person.phone).status_code == 200
    code = code_for(world, person.phone)
    wrong = enters(browser, person.phone, f"{(int(code) + 1) % 1_000_000:06}")
    assert wrong.status_code == 401
    assert enters(browser, person.phone, code).location == "/identity/"
    token = browser.tokens()["access_token"]
    seen = browser.api("GET", "/me/logins", token=token).json["items"]
    assert [(e["way"], e["outcome"]) for e in seen] == [
        ("sms-code", "signed-in"),
        ("sms-code", "wrong"),
    ]
    assert enters(world.browser(), person.phone, code).status_code == 401


@pytest.mark.req("ID-09", "ID-18")
def test_known_and_unknown_phones_are_answered_alike_until_the_code_is_right(world):
    known, unknown = world.registers().phone, "13911112222"
    world.clock.advance(minutes=2)
    browser = world.browser()
    assert shape(asks(browser, known)) == shape(asks(browser, unknown))
    for phone in (known, unknown):
        code = code_for(world, phone)
        wrong = enters(browser, phone, f"{(int(code) + 1) % 1_000_000:06}")
        assert shape(wrong)[0] == 401
    told = enters(browser, unknown, code_for(world, unknown))
    assert "尚未注册" in told.text


@pytest.mark.req("ID-09")
def test_one_phone_with_two_accounts_chooses_one(world):
    first = world.registers()
    world.clock.advance(minutes=2)
    second = world.registers(phone=first.phone)
    world.clock.advance(minutes=2)
    browser = world.browser()
    asks(browser, first.phone)
    code = code_for(world, first.phone)
    page = enters(browser, first.phone, code)
    assert page.status_code == 401
    assert first.login_name in page.text
    assert second.login_name in page.text
    assert enters(browser, first.phone, code, account="another").status_code == 401
    assert enters(browser, first.phone, code, account=second.id).status_code == 303
    token = browser.tokens()["access_token"]
    assert browser.api("GET", "/me", token=token).json["id"] == second.id


@pytest.mark.req("ID-09")
def test_a_locked_account_is_told_only_to_who_holds_the_phone(world):
    person, browser = world.registers(), world.browser()
    world.clock.advance(minutes=2)
    with world.app.database.transaction() as db:
        db.get_one(Account, person.id).standing = "locked"
    asks(browser, person.phone)
    answer = enters(browser, person.phone, code_for(world, person.phone))
    assert (answer.status_code, "已被锁定" in answer.text) == (403, True)


@pytest.mark.req("ID-08", "ID-09")
def test_the_password_lane_that_strangers_closed_does_not_close_this_one(world):
    person = world.registers()
    world.clock.advance(minutes=2)
    for _ in range(6):
        world.browser().logs_in(person, password="Wrong2024x")
    assert world.browser().logs_in(person).status_code == 429
    browser = world.browser()
    asks(browser, person.phone)
    assert enters(browser, person.phone, code_for(world, person.phone)).status_code == 303


@pytest.mark.req("ID-17")
def test_a_distrusted_password_is_replaced_after_a_code_to_the_phone(world):
    person = world.registers()
    home, thief = world.browser().signs_in(person), world.browser().signs_in(person)
    token = home.tokens()["access_token"]
    items = home.api("GET", "/me/logins", token=token).json["items"]
    stranger = next(e for e in items if not e["current"])
    home.api("POST", f"/me/logins/{stranger['id']}/disown", token=token)
    assert thief.logs_in(person).location == "/identity/phone-code"
    hidden = form_of(thief, "/identity/phone-code")
    sent = thief.post("/identity/phone-code/send", hidden)
    assert sent.status_code == 200
    assert person.phone[-4:] not in sent.text
    assert thief.fills("/identity/phone-code", sms_code="").status_code == 401
    code = code_for(world, person.phone)
    assert thief.fills("/identity/phone-code", sms_code=code).location == "/identity/new-password"
    both = dict.fromkeys(("password", "password_again"), "Hb2026rsW")
    assert thief.fills("/identity/new-password", **both).location == "/identity/"
    assert world.browser().logs_in(person, password="Hb2026rsW").location == "/identity/"
