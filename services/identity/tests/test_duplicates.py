"""Two accounts of one person: found, compared, settled by two admins (ID-05)."""

import pytest
from sqlalchemy import update

from identity.accounts.model import Person
from identity.verification.model import Evidence

REASON = "迁移数据中同一人有两个账号，本人确认保留常用账号"


@pytest.fixture
def admins(world):
    return [world.token_of(world.officer("admin", region="44")) for _ in range(2)]


def twins(world):
    """The same document twice, as the old systems had it."""
    first = world.proves(world.registers())
    return first, world.takes_in(first)


def call(world, token, method, path, body=None):
    return world.browser().api(method, path, body, token=token)


def groups(world, token, by):
    items = call(world, token, "GET", f"/duplicates?by={by}").json["items"]
    return [[account["id"] for account in group["accounts"]] for group in items]


def propose(world, token, kept, given_up, way="cancel", reason=REASON):
    body = {"kept_id": kept.id, "given_up_id": given_up.id, "way": way, "reason": reason}
    return call(world, token, "POST", "/duplicate-resolutions", body)


@pytest.mark.req("ID-05", "AL-12")
def test_duplicates_stand_side_by_side_masked(world, admins):
    first, second = twins(world)
    passport = {
        "document_type": "passport",
        "document_number": "E12345678",
        "birth_date": "1990-01-01",
        "sex": "male",
    }
    third = world.registers(name="陈大文", phone="13700000001")
    world.clock.advance(minutes=1)
    fourth = world.registers(name="陈大文", phone="13700000001", **passport)
    assert groups(world, admins[0], "document") == [[first.id, second.id]]
    assert [third.id, fourth.id] in groups(world, admins[0], "phone")
    shown = call(world, admins[0], "GET", "/duplicates?by=document")
    assert first.document_number not in shown.text
    assert first.phone not in shown.text


@pytest.mark.req("AL-12")
def test_the_same_person_under_another_document_is_a_possible_duplicate(world, admins, tell):
    number = tell.resident_number("44010619880808101")
    card = world.registers(name="陈大文", document_number=number)
    permit = world.registers(
        name="陈大文",
        document_type="hk-macau-permit",
        document_number="H1234567801",
        birth_date="1988-08-08",
        sex="male",
    )
    assert groups(world, admins[0], "likeness") == [[card.id, permit.id]]
    with world.app.database.transaction() as db:
        db.execute(update(Person).values(likeness_index=None))
    assert groups(world, admins[0], "likeness") == []
    world.job("index-likeness")
    assert groups(world, admins[0], "likeness") == [[card.id, permit.id]]


@pytest.mark.req("ID-05")
def test_one_admin_proposes_another_confirms_and_the_person_may_register_a_unit(world, admins):
    first, second = twins(world)
    asked = {"login_name": first.login_name, "document_number": first.document_number}
    assert world.browser().api("POST", "/unit-registrations", asked).status_code == 409
    assert propose(world, admins[0], first, second, reason=" ").status_code == 422
    made = propose(world, admins[0], first, second)
    assert made.status_code == 201, made.text
    again = propose(world, admins[1], first, second)
    assert again.json["code"] == "resolution-under-way"
    path = f"/duplicate-resolutions/{made.json['id']}/confirm"
    alone = call(world, admins[0], "POST", path, {"note": None})
    assert (alone.status_code, alone.json["code"]) == (403, "same-admin")
    done = call(world, admins[1], "POST", path, {"note": "已核实"})
    assert done.json["outcome"] == "confirmed"
    assert call(world, admins[1], "POST", path, {}).json["code"] == "resolution-decided"
    assert world.browser().logs_in(second).status_code == 401
    told = {"account_id": second.id, "kind": "person"}
    assert ("identity.account.cancelled.v1", told) in world.events()
    assert world.browser().api("POST", "/unit-registrations", asked).status_code == 201
    record = call(world, admins[0], "GET", f"/accounts/{second.id}").json["record"]
    assert [(d["move"], d["after"], d["note"]) for d in record] == [("cancel", "cancelled", REASON)]
    listed = call(world, admins[0], "GET", "/duplicate-resolutions").json["items"]
    assert [r["outcome"] for r in listed] == ["confirmed"]


@pytest.mark.req("ID-05")
def test_merging_takes_over_what_was_proved(world, admins, tell):
    first, second = twins(world)
    token = world.token_of(second)
    code = world.sms_code(second.phone, "bank-card-check", token)
    check = {
        "card_number": tell.card("000"),
        "phone": second.phone,
        "sms_code": code,
        "consent": "2026-01",
    }
    proved = call(world, token, "POST", "/me/bank-card-checks", check)
    assert proved.status_code == 201, proved.text
    world.proves(first, level=1)
    made = propose(world, admins[0], first, second, way="merge")
    path = f"/duplicate-resolutions/{made.json['id']}/confirm"
    done = call(world, admins[1], "POST", path, {})
    assert done.status_code == 200, done.text
    assert call(world, world.token_of(first), "GET", "/me").json["level"] == 2
    told = {"account_id": second.id, "kind": "person", "merged_into": first.id}
    assert ("identity.account.cancelled.v1", told) in world.events()
    with world.app.database.reading() as db:
        assert {e.account_id for e in db.query(Evidence)} == {first.id}


@pytest.mark.req("ID-05")
def test_strangers_are_not_put_together(world, admins):
    first, other = world.registers(), world.registers(name="陈大文")
    unit = world.registers_unit()
    for given_up in (other, first, unit):
        assert propose(world, admins[0], first, given_up).json["code"] == "resolution-refused"
    world.clock.advance(minutes=1)
    housemate = world.registers(name="赵小寒", phone=other.phone)
    merged = propose(world, admins[0], other, housemate, way="merge")
    assert merged.json["code"] == "resolution-refused"
    made = propose(world, admins[0], other, housemate)
    path = f"/duplicate-resolutions/{made.json['id']}/refuse"
    assert call(world, admins[1], "POST", path, {"note": None}).status_code == 422
    refused = call(world, admins[1], "POST", path, {"note": "是两个人"})
    assert refused.json["outcome"] == "refused"
    assert world.browser().logs_in(housemate).status_code == 303
