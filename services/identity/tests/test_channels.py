"""Channels and logins by channel, walked in a browser with the simulated telephone beside it."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

PHONE_FORM = {"decision": "confirm"}
UNIT = "广州小满示例科技有限公司"
USCC = "91440101MA5EXAMP0G"


class Telephone:
    """The simulated telephone, and whatever else is outside."""

    def __init__(self, simulators):
        self.client = simulators.app.test_client()
        self.url = simulators.url

    def path(self, page):
        address = re.search(rf'href="({re.escape(self.url)}[^"]+)"[^>]*>打开模拟手机', page)[1]
        return address.removeprefix(self.url)

    def confirms(self, page, **form):
        path = self.path(page)
        assert self.client.get(path).status_code == 200
        number = re.search(r'class="confirm">(\d\d)<', page)[1]
        return self.client.post(path, data=PHONE_FORM | {"confirm": number} | form)


@pytest.fixture
def telephone(simulators):
    return Telephone(simulators)


@pytest.fixture
def person(world):
    return world.registers()


def begins(browser, channel, *, where="login/channel"):
    answer = browser.get(f"/identity/{where}/{channel}")
    assert answer.status_code == 303, answer.text
    return browser.get(answer.location)


def looks(world, browser, answer=None):
    world.clock.advance(seconds=3)
    return browser.get("/identity/proof")


def level_of(world, account_id):
    from identity.accounts.model import Account

    with world.app.database.reading() as db:
        return db.get(Account, account_id).level


@pytest.mark.req("ID-09", "ID-06")
def test_who_scans_with_the_social_card_is_signed_in_and_of_level_2(world, telephone, person):
    browser = world.browser()
    page = begins(browser, "social-card")
    assert "电子社保卡扫码登录" in page.text
    assert "<script" not in page.text
    assert looks(world, browser).status_code == 200
    who = {"name": person.name, "number": person.document_number, "phone": person.phone}
    assert telephone.confirms(page.text, **who).status_code == 200
    done = looks(world, browser)
    assert done.status_code == 303, done.text
    assert done.location.endswith("/identity/")
    assert level_of(world, person.id) == 2
    claims = browser.tokens()
    assert claims["access_token"]
    changed = [d for t, d in world.events() if t.endswith("level-changed.v1")]
    assert [(d["scale"], d["before"], d["level"]) for d in changed] == [("hrss", 1, 2)]


@pytest.mark.req("ID-09")
def test_the_code_is_bound_to_its_browser_and_to_the_number_beside_it(world, telephone, person):
    browser, thief = world.browser(), world.browser()
    page = begins(browser, "social-card")
    path = telephone.path(page.text)
    who = {"name": person.name, "number": person.document_number, "phone": person.phone}
    telephone.client.get(path)
    wrong = telephone.client.post(path, data=PHONE_FORM | who | {"confirm": "00"})
    assert wrong.status_code == 422
    assert telephone.confirms(page.text, **who).status_code == 200
    assert looks(world, thief).status_code == 404
    assert looks(world, browser).status_code == 303
    assert looks(world, browser).status_code in (404, 422)  # used once


@pytest.mark.req("ID-09")
@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"decision": "refuse"}, "您在手机上拒绝了本次请求"),
        ({"name": "林挂失", "number": "440106199001010012"}, "已挂失"),
        ({"name": "林小满", "number": "1"}, "没有可用的电子社保卡"),
    ],
)
def test_what_went_wrong_on_the_telephone_is_told(world, telephone, form, text):
    browser = world.browser()
    page = begins(browser, "social-card")
    telephone.confirms(page.text, **form)
    failed = looks(world, browser)
    assert failed.status_code == 422
    assert text in failed.text


@pytest.mark.req("ID-09")
def test_the_first_scan_opens_the_account_and_goes_on_in_place(world, telephone):
    browser = world.browser()
    who = {"name": "白谷雨", "number": "440106199202020023", "phone": "13800009999"}
    page = begins(browser, "social-card")
    telephone.confirms(page.text, **who)
    first = looks(world, browser)
    assert first.location.endswith("/identity/first-login")
    form = browser.get(first.location)
    assert "440***********0023" in form.text
    assert who["number"] not in form.text
    refused = browser.fills(first.location, login_name="1")
    assert refused.status_code == 422
    assert "请阅读并同意" in refused.text
    done = browser.fills(first.location, login_name="bai_guyu", agreed="yes")
    assert done.status_code == 303, done.text
    me = browser.api("GET", "/me", token=browser.tokens()["access_token"]).json
    assert (me["login_name"], me["level"]) == ("bai_guyu", 2)
    again = world.browser()
    page = begins(again, "social-card")
    telephone.confirms(page.text, **who)
    assert looks(world, again).location.endswith("/identity/")


@pytest.mark.req("ID-06")
def test_a_face_raises_to_level_3_and_the_request_goes_on(world, telephone, person):
    browser = world.browser().signs_in(person)
    page = begins(browser, "face", where="raise/channel")
    telephone.confirms(page.text, outcome="liveness")
    failed = looks(world, browser)
    assert "活体检测失败" in failed.text
    page = begins(browser, "face", where="raise/channel")
    telephone.confirms(page.text, outcome="pass")
    assert "三级" in looks(world, browser).text
    assert level_of(world, person.id) == 3


@pytest.mark.req("ID-06")
def test_somebody_elses_card_raises_nobody(world, telephone, person):
    browser = world.browser().signs_in(person)
    page = begins(browser, "social-card", where="raise/channel")
    telephone.confirms(page.text, name="白谷雨", number="440106199202020023")
    failed = looks(world, browser)
    assert "不一致" in failed.text
    assert level_of(world, person.id) == 1


@pytest.mark.req("ID-06", "ER-09")
def test_a_silent_system_keeps_the_challenge_and_is_told_when_the_tries_are_used_up(
    world, telephone, person, simulators
):
    browser = world.browser()
    page = begins(browser, "social-card")
    behaviour = simulators.app.behaviours["social-card"]
    behaviour.change(latency=0, error_rate=1, next_answer="")
    try:
        waiting = looks(world, browser)
        assert waiting.status_code == 200
        assert "正在重试" in waiting.text
        down = world.browser().get("/identity/login/channel/social-card")
        assert down.status_code == 503
        assert "外厅局接口异常，请联系业务部门!" in down.text
    finally:
        behaviour.change(latency=0, error_rate=0, next_answer="")
    adapter = world.app.extensions["identity"].channels.started["social-card"]
    adapter.outside._client._breaker.succeeded()
    who = {"name": person.name, "number": person.document_number, "phone": person.phone}
    telephone.confirms(page.text, **who)
    assert looks(world, browser).status_code == 303


@pytest.mark.req("ID-09")
def test_a_callback_needs_the_systems_signature(world):
    browser = world.browser()
    body = {"session": "x", "timestamp": 1, "signature": "0" * 64}
    answer = browser.client.post("/identity/callbacks/social-card", json=body)
    assert (answer.status_code, answer.json) == (202, {"status": "ignored"})
    assert browser.client.post("/identity/callbacks/nothing", json=body).status_code == 202


def province(world, browser, simulators, login, password="Abcd123!"):
    """Through the province's login page and back."""
    answer = browser.get("/identity/login/channel/province")
    assert answer.status_code == 303, answer.text
    outside = simulators.app.test_client()
    path = answer.location.removeprefix(simulators.url)
    form = {"login_name": login, "password": password, "decision": "allow"}
    sent = outside.post(path, data=form, base_url=simulators.url)
    assert sent.status_code == 302, sent.text
    back = browser.get(sent.location.removeprefix("http://127.0.0.1:8080"))
    return back if back.status_code != 303 else browser.get(back.location)


def province_account(simulators, world, **facts):
    world.serial += 1
    login = f"gd_{world.serial}_{id(world) % 10**8}"
    assert simulators.app.province.accounts.open(login, "Abcd123!", **facts)
    return login


@pytest.mark.req("ID-09", "ID-06")
def test_the_province_signs_a_person_in_and_proves_level_2(world, simulators, person):
    facts = {"kind": "person", "name": person.name, "number": person.document_number}
    login = province_account(simulators, world, **facts, phone=person.phone, level=4)
    browser = world.browser()
    done = province(world, browser, simulators, login)
    assert done.status_code == 303, done.text
    assert done.location.endswith("/identity/")
    assert level_of(world, person.id) == 2


@pytest.mark.req("ID-06")
def test_what_the_province_says_today_counts_today(world, simulators, person):
    facts = {"kind": "person", "name": person.name, "number": person.document_number}
    login = province_account(simulators, world, **facts, phone=person.phone, level=4)
    province(world, world.browser(), simulators, login)
    assert level_of(world, person.id) == 2
    account = simulators.app.province.accounts._by_login[login]
    account.level = 2
    province(world, world.browser(), simulators, login)
    assert level_of(world, person.id) == 1


@pytest.mark.req("ID-29")
@pytest.mark.parametrize("change", ["state", "iss", "code", "other-browser"])
def test_an_answer_of_the_province_that_does_not_fit_is_refused(world, simulators, person, change):
    browser = world.browser()
    answer = browser.get("/identity/login/channel/province")
    asked = {n: v[0] for n, v in parse_qs(urlsplit(answer.location).query).items()}
    assert asked["code_challenge_method"] == "S256"
    given = {"state": asked["state"], "iss": f"{simulators.url}/province", "code": "x"}
    if change != "other-browser":
        given[change] = "another"
    who = world.browser() if change == "other-browser" else browser
    answer = who.get("/identity/province/callback", query_string=given)
    failed = answer if answer.status_code != 303 else who.get(answer.location)
    assert failed.status_code in (404, 422)
    assert "__Host-identity=" not in str(failed.headers)


@pytest.mark.req("ID-09")
def test_who_turns_the_province_down_is_told_so(world, simulators):
    browser = world.browser()
    answer = browser.get("/identity/login/channel/province")
    asked = {n: v[0] for n, v in parse_qs(urlsplit(answer.location).query).items()}
    given = {
        "state": asked["state"],
        "iss": f"{simulators.url}/province",
        "error": "access_denied",
    }
    answer = browser.get("/identity/province/callback", query_string=given)
    assert "您取消了省统一身份认证登录" in browser.get(answer.location).text
