"""Cancelling an account: thought over, stopped by what is open, and nothing is readable after."""

import pytest
from sqlalchemy import select

from identity.accounts.model import Account
from identity.cancellations import erasure
from identity.tables import Base
from servicekit import history
from servicekit.vault import Sealed


def ask(world, token, password="Gd2024rsT"):
    body = {"current_password": password}
    return world.browser().api("POST", "/me/cancellation", body, token=token)


def readable(world, account_id):
    """Every personal value of the account that still opens to something, by table."""
    found = set()
    with world.app.database.reading() as db:
        for table in Base.metadata.sorted_tables:
            owner = erasure._owner_of(table)
            sealed = [c for c in table.c if isinstance(c.type, Sealed)]
            if owner is None or not sealed:
                continue
            for row in db.execute(select(*sealed).where(owner == account_id)):
                if any(value is not None and value.expose() for value in row):
                    found.add(table.name)
    return found


@pytest.mark.req("ID-17", "ID-43")
def test_an_account_ends_after_seven_days_and_its_number_registers_again(world):
    person = world.proves(world.registers())
    token = world.token_of(person)
    assert ask(world, token, "Wrong2024x").status_code == 422
    asked = ask(world, token)
    assert asked.status_code == 201, asked.text
    assert ask(world, token).json["code"] == "cancellation-under-way"
    assert "7天后注销" in world.texts(person.phone)[0]
    world.job("carry-out-cancellations")
    assert world.browser().logs_in(person).status_code == 303
    world.clock.advance(days=7, seconds=1)
    world.job("carry-out-cancellations")
    ended = ("identity.account.cancelled.v1", {"account_id": person.id, "kind": "person"})
    assert world.events()[-1] == ended
    assert world.browser().logs_in(person).status_code == 401
    assert readable(world, person.id) <= set(erasure.KEPT)
    with world.app.database.reading() as db:
        account = db.get_one(Account, person.id)
        assert (str(account.standing), account.created_at.year) == ("cancelled", 2026)
        assert history.verify(db) == []
    again = world.registers(
        document_number=person.document_number, login_name=person.login_name, phone=person.phone
    )
    assert again.id != person.id


@pytest.mark.req("ID-17")
def test_the_owner_undoes_it(world):
    person = world.registers()
    token = world.token_of(person)
    other = world.token_of(person)
    ask(world, token)
    browser = world.browser()
    assert browser.api("GET", "/me", token=other).status_code == 401
    assert browser.api("GET", "/me/cancellation", token=token).status_code == 200
    assert browser.api("DELETE", "/me/cancellation", token=token).status_code == 200
    assert browser.api("DELETE", "/me/cancellation", token=token).status_code == 404
    world.clock.advance(days=8)
    world.job("carry-out-cancellations")
    assert world.browser().logs_in(person).status_code == 303


@pytest.mark.req("ID-17")
def test_the_page_says_what_it_means_asks_for_the_password_and_undoes_it(world):
    person = world.registers()
    place = "/identity/security/cancellation"
    assert world.browser().get(place).location.startswith("/identity/login")
    browser = world.browser().signs_in(person)
    assert place in browser.get("/identity/security").text
    wrong = browser.fills(place, current_password="Wrong2024x")
    assert wrong.status_code == 422
    assert "当前密码不正确" in wrong.text
    assert browser.fills(place, current_password=person.password).location == place
    assert "可以随时撤销" in browser.get(place).text
    assert browser.fills(place).location == place
    assert "申请注销账号" in browser.get(place).text
    assert browser.post(place, {"current_password": person.password}).status_code == 400


@pytest.mark.req("ID-17")
def test_open_applications_and_bindings_stand_against_it(world):
    person = world.registers()
    token = world.token_of(person)

    def moves(sequence, after):
        data = {
            "applicant_id": person.id,
            "number": "44010620261121000017",
            "business": "employment-registry.flexible-employment",
            "region": "440106",
            "move": "move",
            "before": "draft",
            "after": after,
        }
        kind = f"employment-registry.flexible-employment.{after}.v1"
        world.hears(kind, data, stream="application", sequence=sequence, subject="app-1")

    def binds(version, state):
        data = {"binding_id": "binding-1", "unit_id": "unit-1", "person_id": person.id}
        data |= {"version": version, "state": state}
        kind = "employer-auth.binding.revised.v1"
        world.hears(kind, data, sequence=version, subject="binding-1")

    moves(1, "submitted")
    binds(1, "active")
    refused = ask(world, token)
    assert (refused.status_code, refused.json["code"]) == (409, "account-still-tied")
    assert [(t["kind"], t["title"]) for t in refused.json["ties"]] == [
        ("application", "灵活就业登记"),
        ("binding", "单位与经办人员的绑定"),
    ]
    moves(2, "approved")
    binds(2, "ended")
    assert ask(world, token).status_code == 201
    binds(3, "active")
    world.clock.advance(days=8)
    world.job("carry-out-cancellations")
    assert "账号未注销" in world.texts(person.phone)[0]
    assert world.browser().logs_in(person).status_code == 303


@pytest.mark.req("ID-17", "ID-22")
def test_a_unit_ends_and_its_number_registers_again(world):
    unit = world.registers_unit()
    token = world.token_of(unit)
    assert ask(world, token).status_code == 201
    world.clock.advance(days=7, seconds=1)
    world.job("carry-out-cancellations")
    assert readable(world, unit.id) <= set(erasure.KEPT)
    again = world.registers_unit(unit.agent, certificate_number=unit.certificate_number)
    assert again.id != unit.id


@pytest.mark.req("ID-17")
def test_the_phone_of_the_last_sms_is_forgotten_once_it_has_gone(world):
    person = world.registers(phone="13800000017")
    ask(world, world.token_of(person))
    world.clock.advance(days=7, seconds=1)
    world.job("carry-out-cancellations")
    assert "个人信息已删除" in world.texts(person.phone)[0]
    world.job("send-sms")
    world.clock.advance(hours=1)
    world.job("carry-out-cancellations")
    assert readable(world, person.id) <= {"login_event"}


def test_every_personal_column_has_an_owner_or_a_reason():
    """A table added tomorrow is erased too, or it says here why not."""
    apart = {
        "idempotency_key",  # gone after a day
        "application_history",  # identity has no applications of its own
        "access_record",
        "duplicate_resolution",  # two ids and an admin's reason, kept as the record
        "signing_key",  # the provider's own keys
        "limit_window",
        "limit_failures",
    }
    personal = {t.name for t in Base.metadata.sorted_tables if erasure._emptied(t)}
    ownerless = {n for n in personal if erasure._owner_of(Base.metadata.tables[n]) is None}
    minutes = {"refresh_token", "authorization_code", "pushed_request"}  # sealed, soon gone
    assert ownerless <= apart | minutes
    assert erasure.KEPT.keys() <= personal | {"access_record"}
