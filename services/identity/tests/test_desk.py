"""The officers' pages: accounts, duplicates, officers, systems; without scripts, as the API."""

import re

import pytest
from sqlalchemy import select

from identity.accounts.model import Account
from identity.verification.levels import Found, add_evidence
from identity.verification.rules import Channel
from servicekit.db import ACCESS_RECORD

DESK = "/identity/desk"


@pytest.fixture
def admin(world):
    return world.browser().signs_in(world.officer("admin", region="44"), world.clock)


def sends(browser, path, *, at=None, **typed):
    """Send one of the forms of a page."""
    page = browser.get(at or path)
    token = re.search(r'name="form_token" value="(\w+)"', page.text)[1]
    return browser.post(path, {"form_token": token} | typed)


def said(page, status=200):
    assert page.status_code == status, page.text
    assert "<script" not in page.text
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    return page.text


@pytest.mark.req("ID-45")
def test_the_desk_shows_what_one_works_at_and_nobody_else_anything(world, admin):
    assert "账号管理" in said(admin.get(DESK))
    reviewer = world.officer("reviewer", businesses=("identity.person-recovery",))
    desk = world.browser().signs_in(reviewer, world.clock)
    shown = said(desk.get(DESK))
    assert ("个人账号找回审核" in shown, "账号管理" in shown, "单位账号" in shown) == (
        True,
        False,
        False,
    )
    for place in ("accounts", "officers", "clients", "duplicates", "unit-recoveries"):
        said(desk.get(f"{DESK}/{place}"), 403)
        assert world.browser().get(f"{DESK}/{place}").location.startswith("/identity/login?")
    person = world.browser().signs_in(world.registers())
    for place in ("", "/accounts", "/person-recoveries"):
        assert person.get(DESK + place).status_code == 403
    assert admin.post(f"{DESK}/accounts", {"by": "phone", "value": "1"}).status_code == 400
    answer = world.browser().logs_in(reviewer, f"/identity/login?return_to={DESK}")
    assert "return_to=%2Fidentity%2Fdesk" in answer.location


@pytest.mark.req("AL-04", "ID-43", "ID-45")
def test_an_account_is_found_looked_at_locked_and_let_in_again(world, admin):
    person = world.registers()
    proved = Found(Channel.BANK_CARD, "unionpay", "reference-1", b"answer")
    with world.app.database.transaction() as db:
        add_evidence(db, db.get_one(Account, person.id), proved, now=world.clock.now())
    token = world.token_of(person)
    found = said(sends(admin, f"{DESK}/accounts", by="phone", value=person.phone))
    assert person.phone not in found
    path = re.search(rf'href="({DESK}/accounts/[0-9a-f-]+)"', found)[1]
    said(sends(admin, f"{DESK}/accounts", by="phone", value=""), 422)
    shown = said(admin.get(path))
    assert "银联实名认证" in shown
    assert person.document_number not in shown
    why = {"reason": "本人电话核实"}
    refused = said(sends(admin, f"{path}/reveal", at=path, field="document_number"), 422)
    assert "请填写原因" in refused
    clear = said(sends(admin, f"{path}/reveal", at=path, field="document_number", **why))
    assert person.document_number in clear
    with world.app.database.reading() as db:
        assert [r.reason for r in db.execute(select(ACCESS_RECORD))] == ["本人电话核实"]
    assert "账号已锁定" in said(sends(admin, f"{path}/lock", at=path, **why))
    assert world.browser().api("GET", "/me", token=token).status_code == 401
    assert "已解除锁定" in said(sends(admin, f"{path}/unlock", at=path, **why))
    evidence = re.search(r"/evidence/([0-9a-f-]+)/revoke", admin.get(path).text)[1]
    said(sends(admin, f"{path}/evidence/{evidence}/revoke", at=path, **why))
    with world.app.database.reading() as db:
        assert db.get(Account, person.id).level == 1
    record = said(admin.get(path))
    assert [record.count(move) for move in ("撤销核验记录", "解除锁定</strong>")] == [1, 1]
    county = world.browser().signs_in(world.officer("admin", region="4401"), world.clock)
    assert "没有查询到" in said(sends(county, f"{DESK}/accounts", by="phone", value=person.phone))
    assert "不在您的管理范围内" in said(county.get(path), 403)


@pytest.mark.req("ID-05")
def test_one_admin_proposes_what_becomes_of_two_accounts_and_another_does_it(world, admin):
    first = world.registers()
    world.clock.advance(minutes=2)
    second = world.registers(phone=first.phone, name=first.name)
    path = f"{DESK}/duplicates"
    page = said(admin.get(f"{path}?by=phone"))
    assert page.count('name="kept_id"') == 2
    both = {"kept_id": first.id, "given_up_id": second.id, "way": "cancel"}
    looks = f"{path}?by=phone"
    assert "请填写原因" in said(sends(admin, path, at=looks, **both), 422)
    proposed = said(sends(admin, path, at=looks, **both, reason="本人申请只保留一个"))
    assert "须由另一名管理员确认" in proposed
    other = world.browser().signs_in(world.officer("admin", region="44"), world.clock)
    resolution = re.search(rf"{path}/([0-9a-f-]+)/confirm", said(other.get(path)))[1]
    own = sends(admin, f"{path}/{resolution}/confirm", at=looks, reason="核实")
    assert "须由另一名管理员确认" in said(own, 403)
    done = sends(other, f"{path}/{resolution}/confirm", at=path, reason="核实")
    assert "已办理" in said(done)
    with world.app.database.reading() as db:
        assert db.get(Account, second.id).standing == "cancelled"


@pytest.mark.req("ID-45")
def test_officers_are_appointed_and_given_other_duties(world, admin):
    path = f"{DESK}/officers"
    wrong = said(sends(admin, path, name="1", login_name="a", phone="1", region="99"), 422)
    for fault in ("name", "login_name", "phone", "region", "roles"):
        assert f'href="#{fault}"' in wrong
    form = {
        "name": "周审核",
        "login_name": "zhou_shenhe",
        "phone": "13900007777",
        "region": "440106",
        "roles": "reviewer",
        "businesses": "identity.person-recovery",
    }
    made = said(sends(admin, path, **form))
    assert "只显示这一次" in made
    assert "otpauth://totp/" in made
    assert "otpauth" not in said(admin.get(path))
    own = re.search(rf'href="({path}/[0-9a-f-]+)">周审核', admin.get(path).text)[1]
    form |= {"region": "440111", "reason": "调岗"}
    assert "职责已调整" in said(sends(admin, own, **form))
    assert "440111" in said(admin.get(path))
    assert "请填写原因" in said(sends(admin, own, **form | {"reason": ""}), 422)


@pytest.mark.req("ID-47")
def test_other_systems_are_registered_changed_and_stopped(world, admin):
    path = f"{DESK}/clients"
    wrong = said(sends(admin, path, name="示例系统", redirect_uris="http://x.example/"), 422)
    assert 'href="#redirect_uris"' in wrong
    assert "http://x.example/" in wrong
    form = {
        "name": "示例系统",
        "auth_method": "client_secret_basic",
        "id_token_alg": "RS256",
        "grant_types": ["authorization_code", "refresh_token"],
        "scopes": ["openid", "profile"],
        "redirect_uris": "https://a.example/cb\nhttps://a.example/cb2",
    }
    made = said(sends(admin, path, **form))
    secret = re.search(r'class="secret">([^<]+)<', made)[1]
    own = re.search(rf'href="({path}/[0-9a-f-]+)">示例系统', made)[1]
    assert secret not in said(admin.get(own))
    assert "https://a.example/cb2" in said(admin.get(own))
    changed = form | {"name": "示例系统二", "demands": "requires_par", "version": "1"}
    assert "已保存" in said(sends(admin, own, **changed))
    assert "已被他人修改" in said(sends(admin, own, **changed), 409)
    assert said(sends(admin, f"{own}/secret", at=own)).count('class="secret"') == 1
    assert "已停用" in said(sends(admin, f"{own}/suspend", at=own))
    assert "已恢复" in said(sends(admin, f"{own}/resume", at=own))
    record, moves = said(admin.get(own)), ("登记", "变更", "更换口令", "停用", "恢复")
    assert [record.count(f"<strong>{move}<") for move in moves] == [1] * 5
    said(sends(admin, f"{own}/nonsense", at=own), 404)
    county = world.browser().signs_in(world.officer("admin", region="4401"), world.clock)
    assert "省级管理员" in said(county.get(path), 403)
