"""What admins do: find, look with a reason, lock, let in again, keep officers of their region."""

import pytest
from sqlalchemy import select

from identity.administration import actions
from identity.administration.rules import NotYours
from identity.handlers import SUBSCRIPTIONS
from identity.officers import queries
from identity.officers.rules import NoOfficer, OutsideRegion, check_keeps
from identity.sign_in.client_actions import check_admin
from identity.sign_in.client_rules import ProvinceOnly
from servicekit import history
from servicekit.applications import Actor
from servicekit.db import ACCESS_RECORD
from servicekit.inbox import Envelope
from servicekit.workflow import Role

WHY = {"reason": "本人电话申报账号被盗"}


@pytest.fixture
def admin(world):
    return world.token_of(world.officer("admin", region="44"))


def call(world, token, method, path, body=None):
    return world.browser().api(method, path, body, token=token)


def codes(answer):
    return {(wrong["field"], wrong["code"]) for wrong in answer.json["errors"]}


@pytest.mark.req("AL-04", "B4", "TAL-04")
def test_what_a_person_registered_is_the_persons_own(world):
    person, path = world.registers(), "/accounts/{}"
    others = [world.registers(), world.registers_unit(), world.officer("reviewer")]
    others.append(world.officer("admin", region="440106"))  # persons have no county
    for other in others:
        token = world.token_of(other)
        for method, more, body in (
            ("GET", "", None),
            ("POST", "/reveals", {"field": "phone", "reason": "好奇"}),
            ("POST", "/lock", {"reason": "好奇"}),
        ):
            answer = world.browser().api(method, path.format(person.id) + more, body, token=token)
            assert answer.status_code == 403, (other.login_name, more)
            assert person.phone not in answer.text
        own = world.browser().api("GET", "/me", token=token).json
        assert own["id"] == other.id != person.id


@pytest.mark.req("AL-04", "ID-05")
def test_an_account_is_found_by_one_thing_that_is_known_and_shown_masked(world, admin):
    person = world.registers()
    unit = world.registers_unit()
    for known in (
        {"login_name": person.login_name.upper()},
        {"document_number": person.document_number},
        {"phone": person.phone},
    ):
        found = call(world, admin, "POST", "/account-searches", known)
        assert [a["id"] for a in found.json["items"]] == [person.id], known
        clear = (person.document_number, person.phone, person.name, person.login_name)
        assert not [value for value in clear if value in found.text]
    asked = {"certificate_number": unit.certificate_number}
    found = call(world, admin, "POST", "/account-searches", asked).json["items"]
    assert [(a["id"], a["name"]) for a in found] == [(unit.id, unit.name)]
    both = {"phone": person.phone, "login_name": person.login_name}
    for wrong in ({}, both):
        refused = call(world, admin, "POST", "/account-searches", wrong)
        assert refused.json["code"] == "account-search-refused"
    nobody = call(world, admin, "POST", "/account-searches", {"phone": "13700000077"})
    assert nobody.json["items"] == []
    token = world.token_of(person)
    assert call(world, token, "POST", "/account-searches", known).status_code == 403


@pytest.mark.req("AL-04")
def test_a_clear_value_is_shown_for_a_reason_and_the_look_is_on_record(world, admin):
    person = world.registers()
    path = f"/accounts/{person.id}/reveals"
    look = {"field": "document_number", "reason": "核对迁移数据"}
    assert call(world, admin, "POST", path, look).json == {"value": person.document_number}
    empty = call(world, admin, "POST", path, {"field": "phone", "reason": " "})
    assert empty.json["code"] == "reason-required"
    legal = call(world, admin, "POST", path, look | {"field": "legal_phone"})
    assert legal.json["code"] == "value-not-there"
    with world.app.database.reading() as db:
        rows = db.execute(select(ACCESS_RECORD)).all()
    assert [(r.column, r.owner_id, r.reason) for r in rows] == [
        ("person.document_number", person.id, "核对迁移数据")
    ]


@pytest.mark.req("ID-43", "AL-03")
def test_lock_and_unlock_have_reasons_and_are_on_record(world, admin):
    person = world.registers()
    token = world.token_of(person)
    path = f"/accounts/{person.id}"
    for body in ({}, {"reason": ""}, {"reason": "x"}):
        assert call(world, admin, "POST", f"{path}/lock", body).status_code == 422
    assert call(world, admin, "POST", f"{path}/unlock", WHY).json["code"] == "account-not-locked"
    assert call(world, admin, "POST", f"{path}/lock", WHY).json["standing"] == "locked"
    assert call(world, token, "GET", "/me").status_code == 401
    assert call(world, admin, "POST", f"{path}/unlock", WHY).json["standing"] == "active"
    assert call(world, token, "GET", "/me").status_code == 401
    assert world.browser().logs_in(person).status_code == 303
    shown = call(world, admin, "GET", path).json
    assert [(d["move"], d["note"]) for d in shown["record"]] == [
        ("lock", WHY["reason"]),
        ("unlock", WHY["reason"]),
    ]
    assert [kind for kind, _ in world.events()][-1] == "identity.account.unlocked.v1"
    with world.app.database.reading() as db:
        assert history.verify(db) == []
        db.connection().exec_driver_sql("UPDATE application_history SET note = 'x'")
        assert history.verify(db) != []


@pytest.mark.req("ID-45")
def test_an_admin_of_a_city_keeps_that_city_and_below_only(world):
    city = world.officer("admin", region="4401")
    token = world.token_of(city)
    here, there = (
        world.officer("reviewer", region="440106"),
        world.officer("reviewer", region="440305"),
    )
    province = world.officer("admin", region="44")
    unit = world.registers_unit(region="440305")
    for other in (there, province, unit, world.registers()):
        refused = call(world, token, "POST", f"/accounts/{other.id}/lock", WHY)
        assert (refused.status_code, refused.json["code"]) == (403, "account-not-yours")
        assert call(world, token, "GET", f"/accounts/{other.id}").status_code == 403
    own = call(world, token, "POST", f"/accounts/{city.id}/lock", WHY)
    assert own.status_code == 403
    assert call(world, token, "POST", f"/accounts/{here.id}/lock", WHY).status_code == 200
    found = call(world, token, "POST", "/account-searches", {"login_name": there.login_name})
    assert found.json["items"] == []
    assert call(world, token, "GET", "/duplicates").json["items"] == []
    assert call(world, token, "GET", "/duplicate-resolutions").json["items"] == []
    duties = {
        "region": "440106",
        "businesses": ["employment-registry.flexible-employment"],
        "roles": ["reviewer"],
        "reason": "调岗",
    }
    assert call(world, token, "PATCH", f"/officers/{there.id}", duties).status_code == 404
    outside = call(world, token, "PATCH", f"/officers/{here.id}", duties | {"region": "440305"})
    assert outside.json["code"] == "region-not-yours"
    appointment = {
        "name": "陈审核",
        "login_name": "chen_nanshan",
        "phone": "13900000001",
        **{name: duties[name] for name in ("businesses", "roles")},
    }
    wrong = call(world, token, "POST", "/officers", appointment | {"region": "440305"})
    assert (wrong.status_code, wrong.json["code"]) == (403, "region-not-yours")
    assert (
        call(world, token, "POST", "/officers", appointment | {"region": "44"}).status_code == 403
    )
    right = call(world, token, "POST", "/officers", appointment | {"region": "440111"})
    assert right.status_code == 201


@pytest.mark.req("ID-45")
def test_changed_duties_end_the_sessions_that_said_otherwise(world, admin):
    officer = world.officer("reviewer", region="440106")
    token = world.token_of(officer)
    duties = {
        "region": "440305",
        "businesses": ["recruitment.jobs"],
        "roles": ["reviewer", "approver"],
        "reason": "调岗",
    }
    changed = call(world, admin, "PATCH", f"/officers/{officer.id}", duties)
    assert changed.status_code == 200, changed.text
    assert (changed.json["region"], changed.json["businesses"]) == ("440305", ["recruitment.jobs"])
    assert call(world, token, "GET", "/me").status_code == 401
    record = call(world, admin, "GET", f"/accounts/{officer.id}").json["record"]
    assert [d["move"] for d in record] == ["change-duties"]


@pytest.mark.req("ID-45")
def test_officers_work_in_businesses_there_are(world, admin):
    officer = world.officer("reviewer", region="440106")
    duties = {"region": "440106", "roles": ["reviewer"], "reason": "新业务"}
    new = {"businesses": ["recruitment.day-labour"]}
    path = f"/officers/{officer.id}"
    refused = call(world, admin, "PATCH", path, duties | new)
    assert codes(refused) == {("/businesses", "business-unknown")}
    with world.app.database.transaction() as db:
        SUBSCRIPTIONS.begin(db, world.clock.now())
        heard = Envelope(
            id="published-1",
            type="recruitment.business.published.v1",
            source="recruitment",
            stream="fact",
            subject="recruitment.day-labour",
            time=world.clock.now(),
            sequence=1,
            data={"code": "recruitment.day-labour", "title": "零工", "retired": False},
        )
        SUBSCRIPTIONS.deliver(db, heard, world.clock.now())
    assert call(world, admin, "PATCH", path, duties | new).status_code == 200
    listed = call(world, admin, "GET", "/businesses").json["items"]
    assert "recruitment.day-labour" in listed


@pytest.mark.req("ID-45")
def test_an_admin_of_no_region_is_nobodys_admin(world):
    nowhere = Actor(id="admin", role=Role.ADMIN, kind="officer", region=None)
    person, officer = world.registers(), world.officer("reviewer", region="440106")
    with world.app.database.transaction() as db:
        for account_id in (person.id, officer.id):
            with pytest.raises(NotYours):
                actions.find_covered(db, account_id, by=nowhere)
        with pytest.raises(NoOfficer):
            queries.find_officer(db, officer.id, region=None)
        assert db.scalars(queries.officers_of(None)).all() == []
    with pytest.raises(OutsideRegion):
        check_keeps(None, "440106")
    with pytest.raises(ProvinceOnly):
        check_admin(nowhere)
