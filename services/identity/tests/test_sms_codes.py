"""SMS codes (ID-18): bound, single, limited, silent about who is known."""

import pytest


def ask(world, phone="13800000017", purpose="registration", address="198.51.100.7"):
    headers = {"X-Forwarded-For": address}
    body = {"phone": phone, "purpose": purpose}
    return world.browser().api("POST", "/sms-codes", body, headers=headers)


def registers_with(world, phone, code):
    form = world.form(phone=phone, sms_code=code)
    return world.browser().api("POST", "/registrations", form)


@pytest.mark.req("ID-18")
def test_the_answer_is_the_same_for_a_known_and_an_unknown_phone(world):
    person = world.registers()
    world.clock.advance(minutes=2)
    known, unknown = ask(world, person.phone), ask(world, "13911112222")
    assert known.status_code == unknown.status_code == 202
    assert known.json == unknown.json == {"expires_in": 300, "resend_after": 60}


@pytest.mark.req("ID-18")
def test_a_code_is_six_digits_and_kept_only_hashed(world):
    code = world.sms_code("13800000017", "registration")
    assert len(code) == 6
    with world.app.database.reading() as db:
        row = db.connection().exec_driver_sql("SELECT s::text FROM sms_code s").scalar_one()
    assert code not in row
    assert "13800000017" not in row


@pytest.mark.req("ID-18")
def test_a_code_is_bound_to_its_purpose_and_its_phone(world):
    code = world.sms_code("13800000017", "sign-in")
    assert registers_with(world, "13800000017", code).status_code == 422
    code = world.sms_code("13800000018", "registration")
    assert registers_with(world, "13800000019", code).status_code == 422
    assert registers_with(world, "13800000018", code).status_code == 201


@pytest.mark.req("ID-18")
def test_asking_again_makes_the_older_code_worthless(world):
    first = world.sms_code("13800000017", "registration")
    world.clock.advance(seconds=61)
    second = world.sms_code("13800000017", "registration")
    if first != second:
        assert registers_with(world, "13800000017", first).status_code == 422
    assert registers_with(world, "13800000017", second).status_code == 201


@pytest.mark.req("ID-18")
def test_after_five_wrong_tries_the_right_code_is_worthless_too(world):
    code = world.sms_code("13800000017", "registration")
    for step in range(1, 6):
        wrong = f"{(int(code) + step) % 1_000_000:06}"
        assert registers_with(world, "13800000017", wrong).status_code == 422
    assert registers_with(world, "13800000017", code).status_code == 422


@pytest.mark.req("ID-18")
def test_a_right_code_with_other_mistakes_is_not_used_up(world):
    code = world.sms_code("13800000017", "registration")
    for _ in range(7):
        form = world.form(phone="13800000017", sms_code=code, name="")
        assert world.browser().api("POST", "/registrations", form).status_code == 422
    assert registers_with(world, "13800000017", code).status_code == 201


@pytest.mark.req("ID-18")
def test_a_phone_waits_a_minute_and_has_five_a_day_from_one_place_and_ten_in_all(world):
    assert ask(world).status_code == 202
    soon = ask(world)
    assert (soon.status_code, soon.json["code"]) == (429, "too-many-sms-codes")
    assert 0 < int(soon.headers["Retry-After"]) <= 60
    for place in ("198.51.100.8", "203.0.113.9", "192.0.2.1"):
        for _ in range(5):
            world.clock.advance(minutes=20)
            ask(world, address=place)
    assert len(world.texts("13800000017")) == 10  # what a bombed telephone gets at the most
    world.clock.advance(minutes=20)
    assert ask(world, address="10.0.0.1").status_code == 429
    world.clock.advance(hours=24)
    assert ask(world).status_code == 202


@pytest.mark.req("ID-18")
def test_a_stranger_who_uses_up_a_number_leaves_the_owner_the_owners_own(world):
    person = world.registers()
    home = world.browser().signs_in(person)
    for turn in range(20):
        world.clock.advance(minutes=2)
        ask(world, person.phone, "sign-in", address=f"198.51.{turn}.7")
    body = {"phone": person.phone, "purpose": "sign-in"}
    assert world.browser().api("POST", "/sms-codes", body).status_code == 429
    assert home.api("POST", "/sms-codes", body).status_code == 202  # a browser it knows
    world.clock.advance(seconds=61)
    token = home.signs_in(person).tokens()["access_token"]
    own = {"phone": person.phone, "purpose": "change-phone"}
    assert world.browser().api("POST", "/sms-codes", own, token=token).status_code == 202
    # Another person's session has no share in it.
    other = world.token_of(world.registers())
    assert world.browser().api("POST", "/sms-codes", own, token=other).status_code == 429


@pytest.mark.req("ID-18")
def test_purposes_of_owners_are_not_for_visitors_and_bound_to_the_account(world, tell):
    person = world.registers()
    for purpose in ("bank-card-check", "change-phone"):
        refused = ask(world, person.phone, purpose)
        assert (refused.status_code, refused.json["code"]) == (401, "login-needed")
    for purpose in ("unit-registration", "own-phone"):
        refused = ask(world, person.phone, purpose)
        assert (refused.status_code, refused.json["code"]) == (403, "sms-purpose-not-for-asking")
    thief, victim = world.token_of(world.registers()), world.token_of(person)
    code = world.sms_code("13700000009", "bank-card-check", victim)
    body = {
        "card_number": tell.card("000"),
        "phone": "13700000009",
        "sms_code": code,
        "consent": "2026-01",
    }
    stolen = world.browser().api("POST", "/me/bank-card-checks", body, token=thief)
    assert {e["code"] for e in stolen.json["errors"]} == {"sms-code-wrong"}


@pytest.mark.req("ID-18")
def test_an_address_has_thirty_an_hour_and_does_not_use_up_a_phone(world):
    for number in range(30):
        assert ask(world, f"139000001{number:02}").status_code == 202
    assert ask(world, "13800000017").status_code == 429
    assert ask(world, "13800000017", address="203.0.113.9").status_code == 202


@pytest.mark.req("ID-18")
@pytest.mark.parametrize("body", [{"phone": "12345"}, {"phone": "13800000017", "purpose": "x"}])
def test_nonsense_is_refused_by_field(world, body):
    asked = {"purpose": "registration"} | body
    answer = world.browser().api("POST", "/sms-codes", asked)
    assert answer.status_code == 422
    assert answer.json["errors"]
    assert world.texts("13800000017") == []
