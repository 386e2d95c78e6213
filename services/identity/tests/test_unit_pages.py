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


@pytest.mark.req("ID-22", "E6")
def test_the_form_tells_whether_a_number_is_in_use_and_the_way_to_the_password(world):
    unit = world.registers_unit()
    browser, _ = begins(world)
    taken = press(browser, "number", filled(world, certificate_number=unit.certificate_number))
    assert taken.status_code == 409
    assert "单位证件号码已经被使用" in taken.text
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
