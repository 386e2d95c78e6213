"""Forty at once: one registration of a number, one use of a code, one successor of a token."""

import pytest
from sqlalchemy import func, select

from identity.accounts.model import Account
from identity.sign_in.model import RefreshToken, SignInSession
from identity.units.model import Unit
from servicekit.testing.racing import answers_at_once

CROWD = 40


def count(world, table, *where):
    with world.app.database.reading() as db:
        return db.scalar(select(func.count()).select_from(table).where(*where))


def registration(world, form):
    browser = world.browser()
    return lambda: browser.api("POST", "/registrations", form)


@pytest.fixture
def settings(settings):
    """A connection for everybody: the race is about rows, not about waiting for the pool."""
    import dataclasses

    return dataclasses.replace(
        settings, database_pool=16, sms_codes_per_address_hour=1000, sign_ins_per_address=1000
    )


@pytest.mark.req("ID-04", "AL-06")
def test_one_number_registers_once_however_many_ask(world, tell):
    number = tell.resident_number("44010619900101999")
    forms = []
    for _ in range(CROWD):
        form = world.form(document_number=number)
        forms.append(form | {"sms_code": world.sms_code(form["phone"], "registration")})
    answers = answers_at_once(*[registration(world, form) for form in forms])
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 503}
    told = {a.json["detail"] for a in answers if a.status_code == 409}
    assert told == {"自然人证件号码已被使用"}
    assert count(world, Account) == 1


@pytest.mark.req("ID-02", "AL-06")
def test_one_login_name_registers_once_however_many_ask(world):
    forms = []
    for turn in range(CROWD):
        name = "lin_xiaoman" if turn % 2 else "LIN_xiaoman"
        form = world.form(login_name=name)
        forms.append(form | {"sms_code": world.sms_code(form["phone"], "registration")})
    answers = answers_at_once(*[registration(world, form) for form in forms])
    assert [a.status_code for a in answers].count(201) == 1
    assert count(world, Account) == 1


@pytest.mark.req("ID-18", "AL-06")
def test_one_sms_code_is_used_once_however_many_try(world):
    code = world.sms_code("13800000017", "registration")
    forms = [world.form(phone="13800000017", sms_code=code) for _ in range(CROWD)]
    answers = answers_at_once(*[registration(world, form) for form in forms])
    assert [a.status_code for a in answers].count(201) == 1
    assert {a.status_code for a in answers} <= {201, 422, 503}
    assert count(world, Account) == 1


@pytest.mark.req("ID-18")
def test_parallel_guesses_are_five_in_all(world):
    code = int(world.sms_code("13800000017", "registration"))
    own = world.app.extensions["identity"]
    from identity.sms_codes import actions
    from identity.sms_codes.model import SmsCode
    from identity.sms_codes.rules import Purpose

    def guess(number):
        return lambda: actions.check(
            own.counts,
            phone="13800000017",
            purpose=Purpose.REGISTRATION,
            code=f"{number % 1_000_000:06}",
            now=world.clock.now(),
        )

    answers_at_once(*[guess(code + 1 + turn) for turn in range(20)])
    with world.app.database.reading() as db:
        assert db.scalar(select(SmsCode.tries)) == 5
    assert guess(code)() is None


@pytest.mark.req("ID-40", "AL-06")
def test_one_refresh_token_has_one_successor_however_many_ask(world):
    browser = world.browser().signs_in(world.registers())
    token = browser.tokens()["refresh_token"]
    crowd = [world.browser() for _ in range(CROWD)]
    answers = answers_at_once(*[lambda b=b: b.refreshes(token) for b in crowd])
    given = {a.json["refresh_token"] for a in answers if a.status_code == 200}
    assert len(given) == 1
    assert {a.status_code for a in answers} <= {200, 503}
    assert count(world, RefreshToken) == 2
    assert count(world, RefreshToken, RefreshToken.used_at.is_(None)) == 1


@pytest.mark.req("ID-40", "AL-06")
def test_one_code_is_exchanged_once_however_many_try(world):
    browser = world.browser().signs_in(world.registers())
    code = browser.code()
    crowd = [world.browser() for _ in range(CROWD)]
    answers = answers_at_once(*[lambda b=b: b.exchanges(code) for b in crowd])
    assert [a.status_code for a in answers].count(200) == 1
    assert {a.status_code for a in answers} <= {200, 400, 503}
    winner = next(a.json for a in answers if a.status_code == 200)
    # A code that was used twice is a stolen code: even the winner's tokens end (ASVS 10.4.2).
    assert browser.refreshes(winner["refresh_token"]).json["error"] == "invalid_grant"


@pytest.mark.req("ID-45")
def test_one_totp_code_opens_one_session_however_many_try(world):
    officer = world.officer("reviewer")
    crowd = [world.browser() for _ in range(8)]
    for browser in crowd:
        assert browser.logs_in(officer).status_code == 303
    code = officer.totp.at(world.clock.now())
    answers = answers_at_once(*[lambda b=b: b.fills("/identity/totp", code=code) for b in crowd])
    opened = [a for a in answers if a.status_code == 303 and a.location == "/identity/"]
    assert len(opened) == 1


@pytest.mark.req("ID-40")
def test_many_first_comers_make_one_key(world):
    crowd = [world.browser() for _ in range(16)]
    answers = answers_at_once(*[lambda b=b: b.get("/identity/jwks.json") for b in crowd])
    kids = {frozenset(k["kid"] for k in a.json["keys"]) for a in answers if a.status_code == 200}
    assert len(kids) == 1
    assert len(next(iter(kids))) == 2


def completing(world, begun, form):
    browser = world.browser()
    body = form | {"ticket": begun.ticket, "sms_code": begun.code}
    return lambda: browser.api("POST", f"{begun.path}/unit", body)


@pytest.mark.req("ID-22", "AL-06")
def test_one_unit_number_registers_once_however_many_ask(world, tell):
    number = tell.uscc(4711)
    agents = [world.proves(world.registers()) for _ in range(8)]
    asking = []
    for turn in range(40):
        begun = world.begins_unit(agents[turn]) if turn < len(agents) else asking[turn % 8][0]
        asking.append((begun, world.unit_form(certificate_number=number)))
    answers = answers_at_once(*[completing(world, begun, form) for begun, form in asking])
    statuses = [answer.status_code for answer in answers]
    assert count(world, Unit) == 1
    # One agent wins; whoever sends that agent's ticket again is shown the same unit (AL-07).
    assert len({a.json["id"] for a in answers if a.status_code == 201}) == 1
    assert set(statuses) <= {201, 409, 503}
    told = {a.json["detail"] for a in answers if a.status_code == 409}
    assert told == {"单位证件号码已经被使用"}


@pytest.mark.req("ID-20", "AL-07")
def test_one_ticket_makes_one_unit_however_often_it_is_sent(world):
    begun = world.begins_unit(world.proves(world.registers()))
    forms = [world.unit_form() for _ in range(20)]
    answers = answers_at_once(*[completing(world, begun, form) for form in forms])
    assert count(world, Unit) == 1
    assert len({a.json["id"] for a in answers if a.status_code == 201}) == 1


@pytest.mark.req("ID-09", "ID-18", "AL-06")
def test_one_code_signs_in_once_however_many_try(world):
    person = world.registers()
    world.clock.advance(minutes=2)
    code = world.sms_code(person.phone, "sign-in")
    crowd = [world.browser() for _ in range(CROWD)]
    path = "/identity/login/sms"
    answers = answers_at_once(
        *[lambda b=b: b.fills(path, phone=person.phone, sms_code=code) for b in crowd]
    )
    assert [a.status_code for a in answers].count(303) == 1
    assert {a.status_code for a in answers} <= {303, 401, 503}
    assert count(world, SignInSession) == 1
