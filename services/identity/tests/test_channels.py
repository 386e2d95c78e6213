"""Channels and logins by channel, walked in a browser with the simulated telephone beside it."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from identity.verification import challenges
from identity.verification.model import Challenge
from outside.signed import seal

BANK_SECRET = "a-bank-secret-for-tests-only-000"  # every simulator shares it
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


@pytest.mark.req("ID-09", "ID-06", "A3")
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


@pytest.mark.req("ID-09", "A3")
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
    asked = browser.get("/identity/raise/channel/face")
    assert "《人脸信息处理单独同意书》" in asked.text
    refused = browser.fills("/identity/raise/channel/face", consent="2025-01")
    assert (refused.status_code, "请阅读并单独同意" in refused.text) == (422, True)
    page = browser.get(browser.fills("/identity/raise/channel/face", consent="2026-01").location)
    telephone.confirms(page.text, outcome="liveness")
    failed = looks(world, browser)
    assert "活体检测失败" in failed.text
    page = begins(browser, "face", where="raise/channel")
    telephone.confirms(page.text, outcome="pass")
    assert "三级" in looks(world, browser).text
    assert level_of(world, person.id) == 3


@pytest.mark.req("ID-06", "ID-17")
def test_a_face_is_not_used_after_its_consent_was_taken_back(world, telephone, person):
    browser = world.browser().signs_in(person)
    page = browser.get(browser.fills("/identity/raise/channel/face", consent="2026-01").location)
    telephone.confirms(page.text, outcome="pass")
    token = browser.tokens()["access_token"]
    assert browser.api("DELETE", "/me/agreements/face", token=token).status_code == 200
    refused = looks(world, browser)
    assert (refused.status_code, "已撤回同意" in refused.text) == (422, True)
    assert level_of(world, person.id) == 1
    assert browser.get("/identity/raise/channel/face").status_code == 200  # it asks again


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


@pytest.mark.req("ID-09", "ID-06", "A3")
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


@pytest.mark.req("ID-42")
def test_a_client_that_asks_for_more_is_answered_after_the_raise(world, person, tell):
    browser = world.browser().signs_in(person)
    asked = browser.authorize(acr_values="urn:gdhrss:ial:2")
    assert "/identity/raise?" in asked.location
    page = browser.get(asked.location)
    assert "当前账号实名等级不足，请至少提升至二级实名后重试" in page.text
    for title in ("银联实名认证", "省统一身份认证", "电子社保卡", "办事大厅现场核验"):
        assert title in page.text
    address = re.search(r'href="(/identity/raise/bank-card[^"]*)"', page.text)[1]
    address = address.replace("&amp;", "&")
    form = browser.get(address)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form.text))
    hidden = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
    typed = hidden | {"card_number": tell.card("000"), "phone": "13877776666"}
    assert "《银行卡信息处理单独同意书》" in form.text
    typed |= {"consent": "2026-01"}
    coded = browser.post("/identity/raise/bank-card/code", typed)
    assert coded.status_code == 200, coded.text
    code = re.search(r"\d{6}", world.texts("13877776666")[0])[0]
    wrong = browser.post("/identity/raise/bank-card", typed | {"sms_code": "000000"})
    assert wrong.status_code == 422
    assert "13877776666" in wrong.text
    assert tell.card("000") in wrong.text
    done = browser.post("/identity/raise/bank-card", typed | {"sms_code": code})
    assert done.status_code == 303, done.text
    answer = browser.get(done.location)
    given = tell.query(answer.location)
    assert given["state"] == "a-state"
    tokens = browser.exchanges(given["code"]).json
    assert browser.api("GET", "/me", token=tokens["access_token"]).json["level"] == 2


@pytest.mark.req("ID-42")
def test_what_was_being_sent_is_kept_sealed_for_its_sender(world, person):
    token = world.token_of(person)
    wish = {"page": "/employment/flexible-employment", "content": '{"service_place": "440106"}'}
    browser = world.browser().signs_in(person)
    parked = browser.api("POST", "/me/parked-requests", wish, token=token)
    assert parked.status_code == 201, parked.text
    assert browser.get(f"{parked.json['raise_at']}&acr_values=urn:gdhrss:ial:2").status_code == 200
    path = f"/me/parked-requests/{parked.json['id']}"
    onward = browser.get(f"/identity/continue/{parked.json['id']}")
    assert onward.location == (
        "/sso/login?return_to=%2Femployment%2Fflexible-employment%3Fparked%3D" + parked.json["id"]
    )
    assert browser.api("GET", path, token=token).json["content"] == wish["content"]
    stranger = world.registers()
    assert browser.api("GET", path, token=world.token_of(stranger)).status_code == 404
    for page in ("//evil.example", "https://evil.example", "/a\\b", "/../x", "/a?b=c"):
        answer = browser.api("POST", "/me/parked-requests", wish | {"page": page}, token=token)
        assert answer.status_code == 422
    assert browser.api("DELETE", path, token=token).status_code == 204
    again = browser.api("POST", "/me/parked-requests", wish, token=token).json["id"]
    world.clock.advance(minutes=31)
    world.job("forget-challenges")
    gone = world.browser().signs_in(person).get(f"/identity/continue/{again}")
    assert gone.status_code == 404


@pytest.mark.req("ID-06", "ID-24")
def test_the_channels_of_an_account_are_listed(world, person):
    unit = world.registers_unit()
    own = world.browser().api("GET", "/me/channels", token=world.token_of(person)).json
    assert [c["channel"] for c in own["items"]] == [
        "bank-card", "province", "social-card", "face", "on-site",
    ]  # fmt: skip
    units = world.browser().api("GET", "/me/channels", token=world.token_of(unit)).json
    assert [(c["channel"], c["level"]) for c in units["items"]] == [
        ("legal-person-base", 3),
        ("business-licence", 4),
        ("net-bank-certificate", 4),
        ("ca-certificate", 5),
        ("on-site", 5),
    ]
    assert units["level_name"] == "二级"


@pytest.mark.req("ID-25", "ID-42", "D2")
def test_a_persons_session_is_told_that_the_unit_must_be_raised(world, person):
    browser = world.browser().signs_in(person)
    page = browser.get("/identity/raise?acr_values=urn:gdprov:ial:5")
    assert page.status_code == 403
    assert "单位用户最低实名等级为&#34;L3&#34;级" in page.text
    assert "单位账号登录" in page.text
    assert world.browser().get("/identity/raise").location.startswith("/identity/login")


@pytest.mark.req("ID-06")
def test_a_channel_that_is_off_is_nowhere_and_refused(settings, world, person):
    import dataclasses

    from identity.app import create_app

    off = dataclasses.replace(settings, channels_off=("face", "social-card"))
    app = create_app(off, clock=world.clock)
    browser = world.browser().signs_in(person)
    browser.client.application = app
    try:
        page = browser.get("/identity/raise?acr_values=urn:gdhrss:ial:2")
        assert "人脸识别" not in page.text
        assert "银联实名认证" in page.text
        refused = browser.get("/identity/login/channel/social-card")
        assert "该认证方式不适用" in refused.text
    finally:
        app.extensions["identity"].counts.database.close()
        app.database.close()


@pytest.mark.req("ID-09")
def test_a_signed_callback_makes_us_ask_and_only_that(world, telephone, person, tell):
    browser = world.browser()
    page = begins(browser, "social-card")
    with world.app.database.reading() as db:
        found = db.scalars(select(Challenge)).one()
        session = challenges.handle_of(found)["session"]
    lie = {"session": session, "state": "confirmed", "name": "x", "timestamp": int(time.time())}
    said = seal(BANK_SECRET, lie | {"reference": "r"})
    callback = "/identity/callbacks/social-card"
    assert browser.client.post(callback, json=said).json == {"status": "taken"}
    assert stage_of(world) == "waiting"  # the system itself says otherwise
    who = {"name": person.name, "number": person.document_number, "phone": person.phone}
    telephone.confirms(page.text, **who)
    world.clock.advance(seconds=3)
    assert browser.client.post(callback, json=said).json == {"status": "taken"}
    assert stage_of(world) == "proved"
    late = seal(BANK_SECRET, lie | {"reference": "r", "timestamp": int(time.time()) - 400})
    for wrong in (late, said | {"name": "y"}, {**said, "signature": "0"}):
        assert browser.client.post(callback, json=wrong).json == {"status": "ignored"}
    assert looks(world, browser).status_code == 303


def stage_of(world):
    with world.app.database.reading() as db:
        return db.scalars(select(Challenge)).one().stage


@pytest.mark.req("ID-09")
def test_a_proof_is_used_once_however_many_come_at_once(world, telephone, person):
    browser = world.browser()
    page = begins(browser, "social-card")
    who = {"name": person.name, "number": person.document_number, "phone": person.phone}
    telephone.confirms(page.text, **who)
    cookie = browser.client.get_cookie("__Host-identity-proof", domain="127.0.0.1").value
    world.clock.advance(seconds=3)
    doors = [world.browser() for _ in range(12)]
    for door in doors:
        door.client.set_cookie("__Host-identity-proof", cookie, domain="127.0.0.1")
    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(lambda door: door.get("/identity/proof"), doors))
    signed_in = [a for a in answers if "__Host-identity=" in str(a.headers)]
    assert len(signed_in) == 1


@pytest.mark.req("ID-24")
def test_an_admin_sees_which_system_is_away(world, simulators):
    token = world.token_of(world.officer("admin"))
    simulators.app.authorities.roots("net-bank")  # making keys takes a while, the first time
    behaviour = simulators.app.behaviours["ca"]
    behaviour.change(latency=0, error_rate=1, next_answer="")
    try:
        found = world.browser().api("GET", "/channel-health", token=token).json["items"]
    finally:
        behaviour.change(latency=0, error_rate=0, next_answer="")
    assert {c["channel"] for c in found if not c["answers"]} == {"ca-certificate"}
    assert len(found) == 7


@pytest.mark.req("ID-09")
def test_a_residence_permit_is_found_by_its_scan(world, telephone, tell):
    number = tell.resident_number("81000019900101001")
    person = world.registers(document_type="hmt-residence-permit", document_number=number)
    browser = world.browser()
    page = begins(browser, "social-card")
    telephone.confirms(page.text, name=person.name, number=number, phone=person.phone)
    assert looks(world, browser).location.endswith("/identity/")
    assert level_of(world, person.id) == 2
