"""Officers (ID-45): appointed by an admin, two factors from the start, a password of their own."""

import json

import pyotp
import pytest
from sqlalchemy import text

from identity import __main__ as command
from identity import officer_news
from identity.app import create_app
from identity.seed import seed

APPOINTMENT = {
    "name": "陈审核",
    "login_name": "chen_tianhe",
    "phone": "13900000001",
    "region": "440106",
    "businesses": ["employment-registry.flexible-employment"],
    "roles": ["reviewer"],
}


@pytest.fixture
def admin_token(world):
    return world.token_of(world.officer("admin", region="44"))


def appoint(world, token, **changes):
    return world.browser().api("POST", "/officers", APPOINTMENT | changes, token=token)


@pytest.mark.req("ID-45")
def test_an_admin_appoints_and_the_officer_chooses_a_password_first(world, admin_token):
    made = appoint(world, admin_token)
    assert made.status_code == 201, made.text
    totp = pyotp.parse_uri(made.json["totp_uri"])
    browser = world.browser()
    who = type("Who", (), {"login_name": "chen_tianhe", "password": made.json["password"]})
    assert browser.logs_in(who).location == "/identity/totp"
    answer = browser.fills("/identity/totp", code=totp.at(world.clock.now()))
    assert answer.location == "/identity/new-password"
    assert browser.authorize().location.startswith("/identity/login")
    weak = {"password": "qwer", "password_again": "other"}
    assert browser.fills("/identity/new-password", **weak).status_code == 422
    same = {"password": who.password, "password_again": who.password}
    assert "不能与原密码相同" in browser.fills("/identity/new-password", **same).text
    good = {"password": "Gd2024rsT", "password_again": "Gd2024rsT"}
    assert browser.fills("/identity/new-password", **good).status_code == 303
    assert browser.authorize().status_code == 302
    old = world.browser().logs_in(who)
    assert old.status_code == 401


@pytest.mark.req("ID-45")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"region": "4401061"}, "/region"),
        ({"roles": []}, "/roles"),
        ({"roles": ["applicant"]}, "/roles"),
        ({"businesses": []}, "/businesses"),
        ({"businesses": ["Nonsense"]}, "/businesses"),
        ({"phone": "1"}, "/phone"),
        ({"login_name": "1"}, "/login_name"),
        ({"name": "x"}, "/name"),
    ],
)
def test_a_wrong_appointment_is_refused_by_field(world, admin_token, changes, field):
    answer = appoint(world, admin_token, **changes)
    assert answer.status_code == 422
    assert {wrong["field"] for wrong in answer.json["errors"]} == {field}


@pytest.mark.req("ID-45")
def test_only_admins_appoint_and_see_officers(world, admin_token):
    person = world.token_of(world.registers())
    reviewer = world.token_of(world.officer("reviewer"))
    for token, status in ((person, 403), (reviewer, 403), (None, 401)):
        assert appoint(world, token).status_code == status
        listed = world.browser().api("GET", "/officers", token=token)
        assert listed.status_code == status


@pytest.mark.req("ID-45")
def test_an_admin_sees_the_officers_of_the_own_region(world, admin_token):
    world.officer("reviewer", region="440106")
    world.officer("reviewer", region="440305")
    listed = world.browser().api("GET", "/officers", token=admin_token).json
    assert listed["total"] == 3
    district = world.token_of(world.officer("admin", region="4401"))
    listed = world.browser().api("GET", "/officers", token=district).json
    assert {o["region"] for o in listed["items"]} == {"440106", "4401"}


@pytest.mark.req("ID-45")
def test_two_appointments_of_one_login_name_meet(world, admin_token):
    assert appoint(world, admin_token).status_code == 201
    again = appoint(world, admin_token, login_name="CHEN_tianhe")
    assert (again.status_code, again.json["detail"]) == (409, "用户名已被使用")


@pytest.mark.req("ID-45")
def test_the_first_admin_comes_from_the_command_line(world, monkeypatch, capsys):
    monkeypatch.setattr(command, "create_app", lambda: world.app)
    asked = ["create-admin", "--login-name", "wang_admin", "--name", "王管理", "--phone"]
    assert command.main([*asked, "13900000009"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("otpauth://totp/") == 1
    assert command.main([*asked, "13900000009"]) == 1
    assert "用户名已被使用" in capsys.readouterr().err
    assert command.main([*asked, "1"]) == 1


def test_the_command_line_names_missing_settings(monkeypatch, capsys):
    monkeypatch.delenv("IDENTITY_DATABASE_URL", raising=False)
    asked = ["create-admin", "--login-name", "wang_admin", "--name", "王管理", "--phone", "1"]
    assert command.main(asked) == 2
    assert "IDENTITY_DATABASE_URL is missing" in capsys.readouterr().err


@pytest.mark.req("ID-45")
def test_a_region_that_does_not_exist_is_refused(world, admin_token):
    for region in ("99", "449999", "110101"):
        answer = appoint(world, admin_token, region=region)
        assert [(e["field"], e["code"]) for e in answer.json["errors"]] == [
            ("/region", "region-unknown")
        ]
    assert appoint(world, admin_token, region="440106001").status_code == 201


@pytest.mark.req("ID-45")
def test_the_seed_makes_the_demo_accounts_once_and_tells_nobody_else(
    world, settings, clock, tmp_path
):
    import dataclasses

    path = tmp_path / "var" / "demo.json"
    app = create_app(dataclasses.replace(settings, demo_file=str(path)), clock=clock)
    seed(app)
    told = json.loads(path.read_text())
    assert path.stat().st_mode & 0o077 == 0
    assert set(told["officers"]) == {
        "admin",
        "reviewer_tianhe",
        "reviewer_nanshan",
        "agency_tianhe",
        "approver_tianhe",
    }
    seed(app)
    assert json.loads(path.read_text()) == told
    known = told["officers"]["reviewer_nanshan"]
    who = type("Who", (), {"login_name": known["login_name"], "password": known["password"]})
    browser = world.browser()
    assert browser.logs_in(who).location == "/identity/totp"
    code = pyotp.TOTP(known["totp_secret"]).at(clock.now())
    assert browser.fills("/identity/totp", code=code).status_code == 303
    unit = type("Who", (), told["units"]["unit"])
    shown = world.browser().api("GET", "/unit", token=world.token_of(unit)).json
    assert (shown["verified"], shown["province_level"]) == (True, 5)
    agent = type("Who", (), told["persons"]["agent"])
    assert world.browser().api("GET", "/me", token=world.token_of(agent)).json["level"] == 3
    path.unlink()
    with pytest.raises(RuntimeError):
        seed(app)
    app.extensions["identity"].counts.database.close()
    app.database.close()


def known(world):
    return [data for kind, data in world.events() if kind == "identity.officer.changed.v1"]


@pytest.mark.req("ID-45", "AL-10")
def test_others_hear_which_officers_there_are_and_nothing_personal(world, admin_token):
    officer_id = appoint(world, admin_token).json["officer"]["id"]
    duties = {"region": "4401", "businesses": APPOINTMENT["businesses"], "roles": ["reviewer"]}
    api = world.browser().api
    changed = api(
        "PATCH", f"/officers/{officer_id}", duties | {"reason": "轮岗"}, token=admin_token
    )
    assert changed.status_code == 200, changed.text
    for verb in ("lock", "unlock"):
        done = api("POST", f"/accounts/{officer_id}/{verb}", {"reason": "核查"}, token=admin_token)
        assert done.status_code == 200, done.text
    told = [fact for fact in known(world) if fact["officer_id"] == officer_id]
    assert [(fact["region"], fact["is_active"]) for fact in told] == [
        ("440106", True),
        ("4401", True),
        ("4401", False),
        ("4401", True),
    ]
    assert all(set(fact) == set(told[0]) for fact in told)
    assert "name" not in told[0]


@pytest.mark.req("ID-45")
def test_officers_of_before_are_announced_once(world, admin_token):
    appoint(world, admin_token)
    with world.app.database.transaction() as db:
        db.execute(text("UPDATE officer SET announced_at = NULL"))
    before = len(known(world))
    for told in (2, 0):
        with world.app.database.transaction() as db:
            assert officer_news.announce_former(db, now=world.clock.now()) == told
    assert len(known(world)) == before + 2


@pytest.mark.req("AL-10", "ID-45")
def test_an_officer_finds_the_colleagues_one_may_ask(world, admin_token):
    business = APPOINTMENT["businesses"][0]
    me = world.officer("reviewer", region="440106")
    for login, region, active in (
        ("chen_tianhe", "440106", True),
        ("chen_city", "4401", True),
        ("chen_nanshan", "440305", True),
        ("chen_gone", "440106", False),
    ):
        made = appoint(world, admin_token, login_name=login, region=region)
        if not active:
            path = f"/accounts/{made.json['officer']['id']}/lock"
            world.browser().api("POST", path, {"reason": "离职"}, token=admin_token)
    token = world.token_of(me)
    asked = f"/colleagues?business={business}&region=440106003"
    found = world.browser().api("GET", asked, token=token)
    assert found.status_code == 200, found.text
    assert sorted(each["region"] for each in found.json["items"]) == ["4401", "440106"]
    assert {each["name"] for each in found.json["items"]} == {"陈审核"}
    assert set(found.json["items"][0]) == {"id", "name", "region"}
    other = "/colleagues?business=recruitment.jobs&region=440106003"
    assert world.browser().api("GET", other, token=token).json["code"] == "other-business"
