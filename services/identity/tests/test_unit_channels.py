"""A unit's channels: certificates of RSA and SM2, licence, legal-person base, desk, province."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from identity.accounts.model import Account
from servicekit.testing.clock import FixedClock

CERTIFICATES = [("net-bank-certificate", "net-bank", "rsa", 4)] + [
    ("ca-certificate", "ca", algorithm, 5) for algorithm in ("rsa", "sm2")
]


@pytest.fixture
def unit(world):
    return world.registers_unit()


@pytest.fixture
def authorities(simulators):
    made = simulators.app.authorities
    for name in ("net-bank", "ca"):
        made.roots(name)  # making keys takes a while, the first time
    return made


def level_of(world, account_id):
    with world.app.database.reading() as db:
        return db.get(Account, account_id).level


def text_of(page):
    return re.search(r'<textarea id="text"[^>]*>([^<]+)</textarea>', page.text)[1]


def begins(browser, channel, *, where="login/channel"):
    answer = browser.get(f"/identity/{where}/{channel}")
    assert answer.status_code == 303, answer.text
    return browser.get(answer.location)


def signs(browser, authorities, authority, algorithm, unit, page, *, text=None, days=365):
    issued = authorities.issue(authority, algorithm, unit.name, unit.certificate_number, days=days)
    signed = authorities.sign(authority, issued.id, text or text_of(page))
    return issued, browser.fills("/identity/proof", signed=signed)


@pytest.mark.req("ID-24", "ID-30", "D4")
@pytest.mark.parametrize(("channel", "authority", "algorithm", "level"), CERTIFICATES)
def test_a_certificate_raises_a_unit_and_signs_it_in(
    world, unit, authorities, channel, authority, algorithm, level
):
    browser = world.browser().signs_in(unit)
    page = begins(browser, channel, where="raise/channel")
    assert len(text_of(page).rpartition("|")[2]) == 32  # 128 bits
    _, done = signs(browser, authorities, authority, algorithm, unit, page)
    assert done.status_code == 200, done.text
    assert "核验成功" in done.text
    assert level_of(world, unit.id) == level
    again = world.browser()
    _, entered = signs(again, authorities, authority, algorithm, unit, begins(again, channel))
    assert entered.status_code == 303
    assert entered.location.endswith("/identity/")
    token = again.tokens()["access_token"]
    assert again.api("GET", "/unit", token=token).json["province_level"] == level


def cards(page):
    """Each channel of the raise page: its mark, and what may be pressed."""
    told = {}
    for item in re.findall(r"<li>\s*<h3>.*?</li>", page.text, re.DOTALL):
        title, mark = re.findall(r"<h3>([^<]+)</h3>.*?class=\"mark\">([^<]+)<", item, re.DOTALL)[0]
        pressed = re.search(r"<a [^>]*>([^<]+)", item)
        told[title] = (mark, pressed[1] if pressed else "")
    return told


@pytest.mark.req("ID-24", "D5", "D6")
def test_the_page_shows_level_and_way_and_what_may_be_pressed(world, unit, authorities):
    browser = world.browser().signs_in(unit)
    page = browser.get("/identity/raise?acr_values=urn:gdprov:ial:3")
    facts = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page.text)
    assert facts == [("当前等级", "二级"), ("核验方式", "未核验"), ("需要达到", "三级（L1）")]
    assert set(cards(page).values()) == {("未核验", "核验升级"), ("未核验", "")}  # the desk
    signing = begins(browser, "net-bank-certificate", where="raise/channel")
    for words in ("未安装CA助手", "知道了", "PIN", "数字证书核验"):
        assert words in signing.text
    _, done = signs(browser, authorities, "net-bank", "rsa", unit, signing)
    assert "四级（L2）" in done.text
    page = browser.get("/identity/raise?acr_values=urn:gdprov:ial:3")
    name = "企业/单位网银证书核验"
    assert ("当前等级", "四级（L2）") in re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page.text)
    assert f"<dt>核验方式</dt><dd>{name}</dd>" in page.text
    assert cards(page)[name] == ("已核验", "修改信息")
    assert 'href="/identity/unit">修改信息' in page.text


@pytest.mark.req("ID-24")
@pytest.mark.parametrize("algorithm", ["rsa", "sm2"])
def test_what_a_certificate_must_not_be(world, unit, authorities, algorithm):
    browser = world.browser().signs_in(unit)
    channel = world.app.extensions["identity"].channels.started["ca-certificate"]
    page = begins(browser, "ca-certificate", where="raise/channel")
    _, answer = signs(browser, authorities, "ca", algorithm, unit, page, text="another text")
    assert "签名验证不通过" in answer.text
    _, answer = signs(browser, authorities, "net-bank", "rsa", unit, page)
    assert "不是受信任的机构签发" in answer.text
    issued, _ = signs(browser, authorities, "ca", algorithm, unit, page, text="another text")
    authorities.revoke("ca", issued.id)
    channel.issuers.forget()
    signed = authorities.sign("ca", issued.id, text_of(page))
    assert "已被吊销" in browser.fills("/identity/proof", signed=signed).text
    assert level_of(world, unit.id) == 2


@pytest.mark.req("ID-24")
def test_another_units_certificate_raises_nobody(world, unit, authorities):
    browser = world.browser().signs_in(unit)
    page = begins(browser, "ca-certificate", where="raise/channel")
    other = SimpleNamespace(name="广州他人有限公司", certificate_number="91440101MA9EXAMP82")
    _, answer = signs(browser, authorities, "ca", "sm2", other, page)
    assert "不一致" in answer.text
    assert level_of(world, unit.id) == 2


@pytest.mark.req("ID-24")
@pytest.mark.parametrize(
    "signed", ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "证"]
)
def test_what_is_no_signature_is_told_and_five_tries_are_all(world, unit, signed):
    browser = world.browser().signs_in(unit)
    begins(browser, "ca-certificate", where="raise/channel")
    answers = [browser.fills("/identity/proof", signed=signed) for _ in range(5)]
    assert {a.status_code for a in answers} == {422}
    assert "签名结果不完整" in answers[0].text
    over = browser.fills("/identity/proof", signed=signed)
    assert "已结束" in over.text


@pytest.mark.req("ID-24")
def test_an_expired_certificate_and_a_missing_list_prove_nothing(
    world, unit, authorities, simulators
):
    from identity.adapters.proofing import Failed, Wish
    from servicekit.errors import OutsideFailed

    channel = world.app.extensions["identity"].channels.started["ca-certificate"]
    late = FixedClock(datetime.now(UTC) + timedelta(days=400))
    there = type(channel)(channel.provider, channel.issuers, channel.origin, late)
    now = datetime.now(UTC)
    handle = channel.start(Wish("unit"), now=now).handle
    issued = authorities.issue("ca", "rsa", unit.name, unit.certificate_number)
    given = {"signed": authorities.sign("ca", issued.id, handle["text"])}
    outcome = there.advance(handle, given, now=now)
    assert isinstance(outcome, Failed)
    assert outcome.code == "chain"
    channel.issuers.forget()
    behaviour = simulators.app.behaviours["ca"]
    behaviour.change(latency=0, error_rate=1, next_answer="")
    try:
        with pytest.raises(OutsideFailed):
            channel.advance(handle, given, now=now)
    finally:
        behaviour.change(latency=0, error_rate=0, next_answer="")
        channel.issuers.client._breaker.succeeded()


@pytest.mark.req("ID-24", "ID-43")
def test_when_the_certificate_ends_the_level_falls_and_is_announced(world, unit, authorities):
    world.clock.advance(datetime.now(UTC) - world.clock.now())  # certificates live by the wall
    browser = world.browser().signs_in(unit)
    page = begins(browser, "ca-certificate", where="raise/channel")
    _, done = signs(browser, authorities, "ca", "rsa", unit, page, days=30)
    assert level_of(world, unit.id) == 5, done.text
    world.clock.advance(days=40)
    world.job("lapse-evidence")
    assert level_of(world, unit.id) == 2
    changed = [d for t, d in world.events() if t.endswith("level-changed.v1")]
    assert [(d["before"], d["level"]) for d in changed if d["account_id"] == unit.id] == [
        (2, 5),
        (5, 2),
    ]
    assert "二级" in world.texts(unit.agent.phone)[0]
    before = len(world.events())
    world.job("lapse-evidence")
    assert len(world.events()) == before


@pytest.mark.req("ID-24", "ID-30", "D4", "D7")
def test_the_licence_signs_a_unit_in_and_proves_level_4(world, unit, simulators):
    browser = world.browser()
    page = begins(browser, "business-licence")
    assert "电子政务-市场监管-政务服务网" in page.text
    outside = simulators.app.test_client()
    path = re.search(r'href="([^"]+)"[^>]*>打开模拟手机', page.text)[1].removeprefix(simulators.url)
    outside.get(path)
    form = {
        "decision": "confirm",
        "confirm": re.search(r'class="confirm">(\d\d)<', page.text)[1],
        "name": unit.name,
        "number": unit.certificate_number,
        "role": "clerk",
    }
    assert outside.post(path, data=form).status_code == 200
    world.clock.advance(seconds=3)
    assert browser.get("/identity/proof").location.endswith("/identity/")
    assert level_of(world, unit.id) == 4


@pytest.mark.req("ID-24", "D7")
def test_a_licence_downloaded_for_something_else_does_not_count(world, unit, simulators):
    browser = world.browser()
    page = begins(browser, "business-licence")
    outside = simulators.app.test_client()
    path = re.search(r'href="([^"]+)"[^>]*>打开模拟手机', page.text)[1].removeprefix(simulators.url)
    outside.get(path)
    number = re.search(r'class="confirm">(\d\d)<', page.text)[1]
    outside.post(path, data={"decision": "confirm", "confirm": number, "matter": "其他"})
    world.clock.advance(seconds=3)
    assert "电子政务-市场监管-政务服务网" in browser.get("/identity/proof").text


@pytest.mark.req("ID-24", "D4")
def test_the_legal_person_base_proves_level_3_or_says_the_one_sentence(world):
    good = world.registers_unit()
    browser = world.browser().signs_in(good)
    page = browser.get("/identity/raise")
    assert "法人基础库核验" in page.text
    assert "三级（L1）" in page.text
    done = browser.fills("/identity/raise/legal-person-base")
    assert "核验成功" in done.text, done.text
    assert level_of(world, good.id) == 3
    bad = world.registers_unit(name="名称不一致有限公司")
    browser = world.browser().signs_in(bad)
    refused = browser.fills("/identity/raise/legal-person-base")
    assert refused.status_code == 422
    assert (
        "本次核验不成功，请确认您输入的单位名称和统一社会信用代码与登记管理部门签发的完全一致"
        in refused.text
    )
    assert level_of(world, bad.id) == 2


@pytest.mark.req("ID-24", "ER-09")
def test_a_base_that_is_away_says_so_and_takes_nothing(world):
    unit = world.registers_unit(name="繁忙有限公司")
    browser = world.browser().signs_in(unit)
    refused = browser.fills("/identity/raise/legal-person-base")
    assert refused.status_code == 503
    assert "外厅局接口异常，请联系业务部门!" in refused.text


@pytest.mark.req("ID-24", "ID-06")
def test_an_officer_records_a_unit_at_the_desk(world, unit):
    officer = world.officer("window")
    token = world.token_of(officer)
    seen = {
        "kind": "unit",
        "name": unit.name,
        "number": unit.certificate_number,
        "materials": ["business-licence", "authorisation-letter", "agent-identity-document"],
    }
    path = "/on-site-verifications"
    less = world.browser().api("POST", path, seen | {"materials": []}, token=token)
    assert (less.status_code, less.json["code"]) == (409, "on-site-materials-missing")
    other = world.browser().api("POST", path, seen | {"name": "别的单位"}, token=token)
    assert (other.status_code, other.json["code"]) == (404, "on-site-account-not-found")
    away = world.token_of(world.officer("window", region="440305"))
    far = world.browser().api("POST", path, seen, token=away)
    assert (far.status_code, far.json["code"]) == (403, "on-site-other-region")
    done = world.browser().api("POST", path, seen, token=token)
    assert (done.status_code, done.json["level"]) == (201, 5)
    assert level_of(world, unit.id) == 5


@pytest.mark.req("ID-06")
def test_an_officer_records_a_person_and_an_admin_takes_it_back(world):
    person = world.registers()
    token = world.token_of(world.officer("window"))
    seen = {
        "kind": "person",
        "name": person.name,
        "number": person.document_number,
        "materials": ["identity-document"],
    }
    done = world.browser().api("POST", "/on-site-verifications", seen, token=token)
    assert done.json["level"] == 3, done.text
    assert level_of(world, person.id) == 3
    assert world.browser().api("POST", "/on-site-verifications", seen).status_code == 401
    reviewer = world.token_of(world.officer("reviewer"))
    assert (
        world.browser().api("POST", "/on-site-verifications", seen, token=reviewer).status_code
        == 403
    )
    path = f"/accounts/{person.id}/evidence/{done.json['id']}/revocation"
    county = world.token_of(world.officer("admin"))
    refused = world.browser().api("POST", path, {"reason": "材料系伪造"}, token=county)
    assert refused.json["code"] == "account-not-yours"
    admin = world.token_of(world.officer("admin", region="44"))
    back = world.browser().api("POST", path, {"reason": "材料系伪造"}, token=admin)
    assert back.json["level"] == 1, back.text
    assert back.json["items"][0]["revoked_at"]
    twice = world.browser().api("POST", path, {"reason": "材料系伪造"}, token=admin)
    assert (twice.status_code, twice.json["code"]) == (404, "evidence-not-found")
    told = world.browser().api("GET", f"/accounts/{person.id}", token=admin).json["record"]
    assert [(d["move"], d["note"]) for d in told] == [("revoke-evidence", "材料系伪造")]


@pytest.mark.req("A6", "ID-06", "PRT-03")
def test_who_cannot_register_on_line_gets_an_account_at_the_desk(world):
    form = world.form()
    visitor = {
        name: form[name]
        for name in ("name", "document_type", "document_number", "login_name", "phone")
    } | {"materials": ["identity-document"], "sms_code": "000000"}
    token = world.token_of(world.officer("window"))

    def registers(**changes):
        body = visitor | changes
        return world.browser().api("POST", "/on-site-registrations", body, token=token)

    wrong = registers(login_name="1")
    assert wrong.status_code == 422
    assert {each["field"] for each in wrong.json["errors"]} == {"/login_name", "/sms_code"}
    assert registers(materials=[]).json["code"] == "on-site-materials-missing"
    assert registers(name="陈审核").json["code"] == "on-site-own-account"
    code = {"sms_code": world.sms_code(form["phone"], "registration")}
    reviewer = world.token_of(world.officer("reviewer"))
    path = "/on-site-registrations"
    assert world.browser().api("POST", path, visitor | code, token=reviewer).status_code == 403
    done = registers(**code)
    assert (done.status_code, done.json["level"]) == (201, 3), done.text
    assert registers(**code).status_code == 422  # a code is good once
    again = {"sms_code": world.sms_code("13800009998", "registration"), "phone": "13800009998"}
    assert registers(**again, login_name="other_name").json["code"] == "person-id-taken"
    password = re.search(r"一次性密码(\w+)", world.texts(form["phone"])[0])[1]
    assert password not in done.text
    browser, who = (
        world.browser(),
        SimpleNamespace(login_name=form["login_name"], password=password),
    )
    assert browser.logs_in(who).location == "/identity/new-password"
    new = dict.fromkeys(("password", "password_again"), form["password"])
    assert browser.fills("/identity/new-password", **new).location == "/identity/agreements"
    owed = browser.get("/identity/agreements").text
    assert "《用户服务协议》" in owed
    assert browser.fills("/identity/agreements", agreed="yes").location == "/identity/"
    me = browser.api("GET", "/me", token=browser.tokens()["access_token"]).json
    assert (me["login_name"], me["level"]) == (form["login_name"], 3)


def province_login(world, browser, simulators, number, name, level):
    world.serial += 1
    login = f"gd_unit_{world.serial}_{id(world) % 10**6}"
    accounts = simulators.app.province.accounts
    facts = {"kind": "unit", "name": name, "number": number, "phone": ""}
    if not accounts.open(login, "Abcd123!", level=level, **facts):
        raise AssertionError
    return login, province(browser, simulators, login)


def province(browser, simulators, login):
    answer = browser.get("/identity/login/channel/province")
    path = answer.location.removeprefix(simulators.url)
    form = {"login_name": login, "password": "Abcd123!"}
    sent = simulators.app.test_client().post(path, data=form, base_url=simulators.url)
    back = browser.get(sent.location.removeprefix("http://127.0.0.1:8080"))
    return browser.get(back.location)


@pytest.mark.req("ID-29", "ID-30", "E10", "REF-03")
def test_a_unit_unknown_here_is_initialised_in_place_and_goes_straight_through_next_time(
    world, simulators
):
    agent = world.proves(world.registers())
    form = world.unit_form()
    number, name = form["certificate_number"], form["name"]
    browser = world.browser()
    login, first = province_login(world, browser, simulators, number, name, 4)
    assert first.location.endswith("/identity/first-unit"), first.text
    wrong = browser.fills(first.location, login_name="nobody", document_number="1")
    assert wrong.status_code == 422
    assert 'value="nobody"' in wrong.text
    agent_data = {"login_name": agent.login_name, "document_number": agent.document_number}
    second = browser.fills(first.location, **agent_data)
    assert second.status_code == 303, second.text
    page = browser.get(second.location)
    assert name in page.text
    typed = {
        key: str(form[key])
        for key in (
            "region", "address", "legal_name", "legal_document_type", "legal_document_number",
            "legal_phone", "login_name", "password", "password_again",
        )
    }  # fmt: skip
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    coded = browser.post("/identity/first-unit/code", hidden | typed)
    assert coded.status_code == 200, coded.text
    assert form["address"] in coded.text
    code = re.search(r"\d{6}", world.texts(agent.phone)[0])[0]
    refused = browser.post("/identity/first-unit/data", hidden | typed | {"sms_code": code})
    assert refused.status_code == 422
    assert form["address"] in refused.text
    whole = hidden | typed | {"sms_code": code, "agreed": "yes"}
    done = browser.post("/identity/first-unit/data", whole)
    assert done.status_code == 303, done.text
    assert done.location.endswith("/identity/")
    again = browser.post("/identity/first-unit/data", whole)
    assert again.status_code in (404, 422)  # used; the unit is there once
    shown = browser.api("GET", "/unit", token=browser.tokens()["access_token"]).json
    assert (shown["certificate_number"], shown["province_level"]) == (number, 4)
    assert province(world.browser(), simulators, login).location.endswith("/identity/")


@pytest.mark.req("ID-25", "ID-29", "D2")
def test_a_unit_below_l2_at_the_province_is_led_to_the_raise(world, unit, simulators):
    browser = world.browser()
    number, name = unit.certificate_number, unit.name
    _, answer = province_login(world, browser, simulators, number, name, 3)
    assert "/identity/raise?acr_values=urn%3Agdprov%3Aial%3A4" in answer.location
    page = browser.get(answer.location)
    assert "当前省统一身份认证用户实名等级不足" in page.text
    assert "&#34;L2&#34;" in page.text
    assert "电子营业执照核验" in page.text
    assert "法人基础库核验" not in page.text
