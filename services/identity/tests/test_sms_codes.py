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
    code = world.sms_code("13800000017", "change-phone")
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
def test_a_phone_waits_a_minute_and_has_ten_a_day(world):
    assert ask(world).status_code == 202
    soon = ask(world)
    assert (soon.status_code, soon.json["code"]) == (429, "too-many-sms-codes")
    assert 0 < int(soon.headers["Retry-After"]) <= 60
    for _ in range(9):
        world.clock.advance(seconds=61)
        assert ask(world).status_code == 202
    world.clock.advance(seconds=61)
    assert ask(world).status_code == 429
    world.clock.advance(hours=24)
    assert ask(world).status_code == 202


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
