"""Officers (ID-45): appointed by an admin, two factors from the start, a password of their own."""

import json

import pyotp
import pytest

from identity import __main__ as command
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
