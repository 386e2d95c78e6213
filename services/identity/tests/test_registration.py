"""Registering a person through the API: every refusal, all wrong fields at once, one winner."""

import pytest
from sqlalchemy import func, select

from identity.accounts.model import Account, Person


def register(world, form):
    return world.browser().api("POST", "/registrations", form)


def with_code(world, **changes):
    form = world.form(**changes)
    return form | {"sms_code": world.sms_code(form["phone"], "registration")}


def fields(answer):
    return {(wrong["field"], wrong["code"]) for wrong in answer.json["errors"]}


def count(world, table):
    with world.app.database.reading() as db:
        return db.scalar(select(func.count()).select_from(table))


@pytest.mark.req("ID-01", "B1")
def test_a_person_registers_with_level_1_and_it_is_announced(world):
    answer = register(world, with_code(world))
    assert answer.status_code == 201
    assert answer.json["level"] == 1
    assert answer.json["person"]["name"] == "林**"
    event = ("identity.account.registered.v1", {"account_id": answer.json["id"], "kind": "person"})
    assert world.events() == [event]


@pytest.mark.req("ID-01", "ID-02", "ID-03", "ID-18", "C5")
def test_everything_wrong_is_named_at_once_and_nothing_is_written(world, tell):
    form = world.form(
        name="林",
        document_number="440106199001010011",
        login_name="1x",
        password="qwer",
        password_again="qwert",
        phone="12345",
        agreements=[],
    )
    answer = register(world, form)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert {field for field, _ in fields(answer)} == {
        "/name",
        "/document_number",
        "/login_name",
        "/password",
        "/password_again",
        "/phone",
        "/sms_code",
        "/agreements",
    }
    assert count(world, Account) == 0
    assert "qwer" not in answer.text


@pytest.mark.req("ID-01", "AL-01")
def test_missing_and_unknown_fields_are_named_together_with_wrong_ones(world):
    form = world.form(document_number="440106199001010011", login_name="1x", level=3)
    del form["phone"]
    answer = register(world, form)
    assert answer.status_code == 422
    assert {field for field, _ in fields(answer)} == {
        "/phone",
        "/level",
        "/document_number",
        "/login_name",
    }
    kindless = world.form(document_number="440106199001010011", document_type="no-such")
    assert {field for field, _ in fields(register(world, kindless))} == {"/document_type"}
    assert count(world, Account) == 0


@pytest.mark.req("ID-01")
def test_blank_fields_are_named_together_with_wrong_ones(world):
    blank = ("name", "login_name", "password", "password_again", "phone", "sms_code")
    form = world.form(document_number="440106199001010011", **dict.fromkeys(blank, ""))
    answer = register(world, form)
    assert answer.status_code == 422
    named = {field for field, _ in fields(answer)}
    assert named == {"/document_number", "/name", "/login_name", "/password", "/phone", "/sms_code"}
    assert count(world, Account) == 0


@pytest.mark.req("ID-01")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"document_number": "440106199001010011"}, ("/document_number", "identifier-check-digit")),
        ({"document_type": "passport"}, ("/birth_date", "required")),
        ({"password": "Abcd123!", "password_again": "Abcd123!"}, ("/password", "password-run")),
        ({"agreements": []}, ("/agreements", "agreement-not-accepted")),
    ],
)
def test_one_wrong_field_with_a_right_code(world, changes, expected):
    answer = register(world, with_code(world, **changes))
    assert answer.status_code == 422
    assert expected in fields(answer)


@pytest.mark.req("ID-01")
def test_a_birth_date_that_has_not_come_is_refused(world, tell):
    number = tell.resident_number("44010620990101001")
    answer = register(world, with_code(world, document_number=number))
    assert fields(answer) == {("/document_number", "identifier-birth-date")}


@pytest.mark.req("ID-01")
def test_other_documents_register_too(world):
    document = {
        "document_type": "hk-macau-permit",
        "document_number": "H1234567801",
        "birth_date": "1988-08-08",
        "sex": "female",
    }
    assert register(world, with_code(world, **document)).status_code == 201
    reissued = document | {"document_number": "H1234567802"}
    answer = register(world, with_code(world, **reissued))
    assert answer.status_code == 409
    assert answer.json["detail"] == "自然人证件号码已被使用"


@pytest.mark.req("ID-02", "ID-04", "B2", "B7", "C5")
def test_taken_names_and_numbers_are_told_word_for_word_and_both_at_once(world):
    first = with_code(world)
    assert register(world, first).status_code == 201
    same_name = register(world, with_code(world, login_name=first["login_name"].upper()))
    assert (same_name.status_code, same_name.json["detail"]) == (409, "用户名已被使用")
    number = {"document_number": first["document_number"]}
    same_number = register(world, with_code(world, **number))
    assert (same_number.status_code, same_number.json["detail"]) == (
        409,
        "自然人证件号码已被使用",
    )
    assert same_number.json["recovery"] == "/identity/recovery"
    both = register(world, with_code(world, login_name=first["login_name"], **number))
    assert {field for field, _ in fields(both)} == {"/login_name", "/document_number"}
    assert count(world, Account) == count(world, Person) == 1


@pytest.mark.req("ID-04", "TAL-02")
def test_one_document_is_one_person_however_its_number_is_written(world, tell):
    all_numbers = (tell.resident_number(f"44052419880101{serial:03}") for serial in range(1, 99))
    number = next(each for each in all_numbers if each.endswith("X"))
    assert register(world, with_code(world, document_number=number)).status_code == 201
    small = register(world, with_code(world, document_number=number.lower()))
    assert (small.status_code, small.json["detail"]) == (409, "自然人证件号码已被使用")
    # Fifteen digits, without the century, are no number any more since 2013.
    old = register(world, with_code(world, document_number=number[:6] + number[8:17]))
    assert fields(old) == {("/document_number", "identifier-form")}
    assert count(world, Person) == 1


@pytest.mark.req("ID-02", "ID-04")
def test_what_is_taken_is_told_to_one_phone_ten_times_an_hour(world):
    taken = with_code(world)
    register(world, taken)
    form = with_code(world, document_number=taken["document_number"])
    for _ in range(10):
        assert register(world, form).status_code == 409
    refused = register(world, form)
    assert (refused.status_code, refused.json["code"]) == (429, "too-many-registrations")
    assert int(refused.headers["Retry-After"]) > 3000
    names = form | {
        "login_name": taken["login_name"],
        "document_number": world.form()["document_number"],
    }
    assert register(world, names).status_code == 429
    # What is free is free still, and another phone is another person.
    other = with_code(world, login_name=taken["login_name"])
    assert register(world, other).status_code == 409
    assert (
        register(world, world.form(phone=form["phone"], sms_code=form["sms_code"])).status_code
        == 201
    )


@pytest.mark.req("ID-04")
def test_only_who_holds_the_phone_learns_that_a_number_is_taken(world):
    first = with_code(world)
    register(world, first)
    known = register(world, world.form(document_number=first["document_number"]))
    unknown = register(world, world.form())
    assert known.status_code == unknown.status_code == 422
    assert fields(known) == fields(unknown) == {("/sms_code", "sms-code-wrong")}


@pytest.mark.req("ID-18")
def test_a_wrong_an_expired_and_a_used_code_are_refused(world):
    form = with_code(world)
    wrong = f"{(int(form['sms_code']) + 1) % 1_000_000:06}"
    assert fields(register(world, form | {"sms_code": wrong})) == {("/sms_code", "sms-code-wrong")}
    world.clock.advance(minutes=5)
    assert fields(register(world, form)) == {("/sms_code", "sms-code-wrong")}
    form["sms_code"] = world.sms_code(form["phone"], "registration")
    assert register(world, form).status_code == 201
    other = world.form(phone=form["phone"], sms_code=form["sms_code"])
    assert fields(register(world, other)) == {("/sms_code", "sms-code-wrong")}


@pytest.mark.req("AL-07")
def test_the_same_key_gives_the_same_answer_and_another_body_is_refused(world):
    form = with_code(world)
    browser, headers = world.browser(), {"Idempotency-Key": "registration-one"}
    first = browser.api("POST", "/registrations", form, headers=headers)
    again = browser.api("POST", "/registrations", form, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    other = browser.api("POST", "/registrations", form | {"name": "林小寒"}, headers=headers)
    assert (other.status_code, other.json["code"]) == (422, "idempotency-key-reused")
    assert count(world, Account) == 1


@pytest.mark.req("AL-08")
def test_bodies_that_are_no_registration(world):
    browser = world.browser()
    unknown = browser.api("POST", "/registrations", world.form(level=3))
    assert ("/level", "unknown-field") in fields(unknown)
    headers = {"Idempotency-Key": "not-json", "Content-Type": "application/json"}
    path = "/api/identity/v1/registrations"
    assert browser.client.post(path, data=b"{", headers=headers).json["code"] == "not-json"
    huge = browser.client.post(path, data=b" " * 10_000_000, headers=headers)
    assert (huge.status_code, huge.json["code"]) == (413, "body-too-large")


@pytest.mark.req("ID-17", "B2", "TAL-03")
def test_the_owner_changes_phone_and_email_and_the_old_phone_is_told(world):
    person = world.registers()
    token = world.token_of(person)
    browser = world.browser()
    me = browser.api("GET", "/me", token=token)
    codes = {
        "old_sms_code": world.sms_code(person.phone, "change-phone", token),
        "sms_code": world.sms_code("13700000009", "change-phone", token),
        "email_sms_code": world.sms_code(person.phone, "change-email", token),
    }
    change = {"phone": "13700000009", "email": "lin@example.com", **codes}
    stale = browser.api("PATCH", "/me", change, token=token)
    assert stale.status_code == 428
    seen = {"If-Match": me.headers["ETag"]}
    changed = browser.api("PATCH", "/me", change, token=token, headers=seen)
    assert changed.status_code == 200, changed.text
    assert changed.json["phone"] == "137****0009"
    assert "手机号码已更换" in world.texts(person.phone)[0]
    any_version = {"headers": {"If-Match": "*"}, "token": token}
    bare = browser.api("PATCH", "/me", {"email": "thief@example.com"}, **any_version)
    assert fields(bare) == {("/email_sms_code", "sms-code-wrong")}
    again = browser.api("PATCH", "/me", {"email": None}, token=token, headers=seen)
    assert again.status_code == 412
    fixed = browser.api("PATCH", "/me", {"login_name": "other_name"}, **any_version)
    assert fields(fixed) == {("/login_name", "one-number-registers-once")}
    number = {"document_number": "440106199001010012", "phone": "13700000009"}
    fixed = browser.api("PATCH", "/me", number, **any_version)
    assert fixed.json["detail"] == (
        "一个身份证号码只能注册一次，成功注册后身份证号码和用户名将不能修改。"
    )


@pytest.mark.req("ID-17", "ID-18")
def test_a_new_phone_needs_a_code_sent_to_it_and_one_to_the_old(world):
    person = world.registers()
    token = world.token_of(person)
    old = world.sms_code(person.phone, "change-phone", token)
    new = world.sms_code("13700000009", "change-phone", token)

    def change(**codes):
        body = {"phone": "13700000009", **codes}
        return world.browser().api("PATCH", "/me", body, token=token, headers={"If-Match": "*"})

    wrong = {("/old_sms_code", "sms-code-wrong"), ("/sms_code", "sms-code-wrong")}
    assert fields(change()) == wrong
    assert fields(change(old_sms_code=new, sms_code=old)) == wrong
    assert fields(change(sms_code=new)) == {("/old_sms_code", "sms-code-wrong")}
    assert fields(change(old_sms_code=old)) == {("/sms_code", "sms-code-wrong")}
    assert change(old_sms_code=old, sms_code=new).status_code == 200


@pytest.mark.req("AL-04")
def test_nothing_personal_lies_in_the_tables_in_clear(world):
    person = world.registers()
    world.token_of(person)
    secrets = [person.document_number, person.phone, person.name, person.login_name]
    with world.app.database.reading() as db:
        from identity.tables import Base

        for table in Base.metadata.sorted_tables:
            rows = db.connection().exec_driver_sql(f'SELECT t::text FROM "{table.name}" t')
            kept = "\n".join(row[0] for row in rows)
            found = [s for s in secrets if s in kept or s.encode().hex() in kept]
            assert not found, table.name
