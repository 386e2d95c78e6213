"""The three pages of a unit's registration, walked without a script."""

import re

import pytest

FIRST = "/identity/register-unit"
SECOND = "/identity/register-unit/data"


def begins(world, agent=None):
    agent = agent or world.proves(world.registers())
    browser = world.browser()
    asked = {"login_name": agent.login_name, "document_number": agent.document_number}
    answer = browser.fills(FIRST, **asked)
    assert answer.status_code == 303, answer.text
    assert answer.location == SECOND
    return browser, agent


def press(browser, button, values):
    """Press another button of the form on the second page."""
    page = browser.get(SECOND)
    token = re.search(r'name="form_token" value="([^"]*)"', page.text)[1]
    return browser.post(f"/identity/register-unit/{button}", {"form_token": token, **values})


def filled(world, **changes):
    form = world.unit_form(**changes)
    del form["agreements"]
    return {**form, "agreed": "yes"}


@pytest.mark.req("ID-20", "ID-21")
def test_a_unit_is_registered_page_by_page_and_nothing_is_typed_twice(world):
    browser, agent = begins(world)
    values = filled(world, certificate_number="91350100M000100Y44", region="", sms_code="")
    refused = browser.fills(SECOND, **values)
    assert refused.status_code == 422
    assert "校验不通过" in refused.text
    assert 'href="#region"' in refused.text
    assert values["legal_name"] in refused.text
    assert values["password"] not in refused.text
    sent = press(browser, "code", values)
    assert "验证码已发送" in sent.text
    code = re.search(r"\d{6}", world.texts(agent.phone)[0])[0]
    # The browser may be closed and opened again: what was typed stands there still.
    again = browser.get(SECOND).text
    assert values["address"] in again
    assert 'value="uscc" selected' in again
    right = filled(world) | {"sms_code": code}
    done = browser.fills(SECOND, **right)
    assert done.status_code == 201, done.text
    assert "第 3 步，共 3 步" in done.text
    assert right["certificate_number"] in done.text
    assert "注册" in browser.get(SECOND).text


@pytest.mark.req("ID-21", "E3")
def test_every_field_of_a_unit_is_starred_and_needed(world):
    browser, _ = begins(world)
    page = browser.get(SECOND).text
    labels = dict(re.findall(r'<label for="(\w+)">([^<]+)<span class="star"', page))
    assert labels == {
        "certificate_type": "证件类型（推荐统一社会信用代码）",
        "certificate_number": "证件号码",
        "name": "单位名称（全称）",
        "region": "单位所在地",
        "address": "详细地址",
        "legal_name": "法定代表人姓名",
        "legal_document_type": "法定代表人证件类型",
        "legal_document_number": "法定代表人证件号码",
        "legal_phone": "法定代表人手机号码",
        "sms_code": "短信验证码",
        "login_name": "用户名",
        "password": "密码",
        "password_again": "确认密码",
    }
    first = re.findall(r'<select id="(\w+)"[^>]*>\s*<option value="[^"]*">([^<]+)</option>', page)
    assert ("certificate_type", "统一社会信用代码") in first
    assert ("legal_document_type", "居民身份证（户口簿）") in first
    refused = browser.fills(SECOND)
    named = set(re.findall(r'<li><a href="#(\w+)"', refused.text))
    chosen = {"certificate_type", "legal_document_type"}  # there is no way to choose nothing
    assert named >= {"certificate_type", "legal_document_type"}
    kinds = {"certificate_type": "uscc", "legal_document_type": "resident-card"}
    named = set(re.findall(r'<li><a href="#(\w+)"', browser.fills(SECOND, **kinds).text))
    assert named == labels.keys() - chosen - {"password_again"} | {"agreed"}


@pytest.mark.req("ID-22", "E6", "E7", "REF-12")
def test_the_form_tells_whether_a_number_is_in_use_and_the_way_to_the_password(world):
    unit = world.registers_unit()
    browser, _ = begins(world)
    taken = press(browser, "number", filled(world, certificate_number=unit.certificate_number))
    assert taken.status_code == 409
    assert "单位证件号码已经被使用" in taken.text
    assert "证件号已存在" in taken.text
    assert 'href="/identity/recovery' in taken.text
    free = press(browser, "number", filled(world))
    assert "尚未注册" in free.text


@pytest.mark.req("ID-20", "ID-05", "D1")
def test_step_one_tells_the_ways_out(world):
    low = world.registers()
    asked = {"login_name": low.login_name, "document_number": low.document_number}
    page = world.browser().fills(FIRST, **asked)
    assert page.status_code == 422
    assert "当前账号实名等级不足，请至少提升至二级实名后重试" in page.text
    assert "银联实名认证" in page.text
    wrong = world.browser().fills(FIRST, login_name="nobody", document_number="1")
    assert "实名个人登录账号或实名个人证件号码有误" in wrong.text
    assert 'value="nobody"' in wrong.text


@pytest.mark.req("ID-20")
def test_without_a_ticket_one_begins_at_the_beginning(world):
    lost = world.browser().get(SECOND)
    assert lost.status_code == 404
    assert "单位注册已超时" in lost.text
    browser, _ = begins(world)
    world.clock.advance(hours=3)
    assert browser.fills(SECOND.replace("/data", ""), login_name="x", document_number="y")
    assert browser.get(SECOND).status_code == 404
    forged = browser.post(SECOND, {"form_token": "forged"})
    assert forged.status_code == 400


@pytest.mark.req("ID-27", "ID-28", "J1", "J2")
def test_a_verified_unit_updates_its_name_on_its_own_page(world):
    path, new = "/identity/unit", "广州示例科技股份有限公司"
    unit = world.registers_unit()
    assert world.browser().get(path).location == "/identity/login?return_to=%2Fidentity%2Funit"
    person = world.browser().signs_in(unit.agent).get(path)
    assert (person.status_code, "请使用单位账号登录" in person.text) == (403, True)
    browser = world.browser().signs_in(unit)
    page = browser.get(path)
    assert "请重新注册单位账户" in page.text
    assert "请先完成" in page.text
    assert "<form" not in page.text
    world.proves(unit, level=3)
    assert f'value="{unit.name}"' in browser.get(path).text
    refused = browser.fills(path, name="广州不一致有限公司", legal_name="赵小寒")
    assert refused.status_code == 422
    named = re.findall(r'<li><a href="#(\w+)"', refused.text)
    assert named == ["legal_document_number", "legal_phone"]
    assert 'value="赵小寒"' in refused.text
    assert "完全一致" in browser.fills(path, name="广州不一致有限公司").text
    assert browser.fills(path, name="广州繁忙有限公司").status_code == 503
    assert browser.fills(path).status_code == 422  # nothing is different
    assert browser.post(path, {"name": new}).status_code == 400
    done = browser.fills(path, name=new)
    assert done.status_code == 303, done.text
    assert f"<dd>{new}</dd>" in browser.get(done.location).text
    again = world.browser().logs_in(unit, f"/identity/login?return_to={path}")
    assert again.location == path
