"""The pages: one answer for every wrong login, growing waits, forms of ours, two factors."""

import dataclasses
import re
import time

import pytest

from identity.app import create_app
from identity.sign_in import rules


def shape(page):
    """The page without its form token and what was typed."""
    text = re.sub(r'name="form_token" value="\w+"', "", page.text)
    return page.status_code, re.sub(r'name="login_name" type="text" value="[^"]*"', "", text)


@pytest.fixture
def person(world):
    return world.registers()


@pytest.mark.req("ID-08", "I6")
def test_an_unknown_name_and_a_wrong_password_are_answered_alike(world, person):
    wrong = world.browser().logs_in(person, password="Wrong2024x")
    person.login_name = "nobody_here"
    unknown = world.browser().logs_in(person)
    assert "用户名或密码错误" in wrong.text
    assert wrong.status_code == 401
    assert shape(wrong) == shape(unknown)
    for way_out in ("/identity/register", "/identity/recovery"):
        assert f'href="{way_out}"' in wrong.text


@pytest.mark.req("ID-08")
def test_both_take_the_time_of_one_hash(world, person):
    own = world.app.extensions["identity"]
    stored = own.hasher.hash("Wrong2024x")

    def seconds(known):
        started = time.process_time()
        for _ in range(20):
            own.hasher.verify(known, "Other2024x")
        return time.process_time() - started

    seconds(None)
    with_account = min(seconds(stored) for _ in range(3))
    without = min(seconds(None) for _ in range(3))
    assert 0.4 < with_account / without < 2.5


@pytest.mark.req("ID-08")
def test_failures_slow_down_and_a_success_forgets_them(world, person):
    for _ in range(3):
        assert world.browser().logs_in(person, password="Wrong2024x").status_code == 401
    fourth = world.browser().logs_in(person, password="Wrong2024x")
    assert fourth.status_code == 401
    closed = world.browser().logs_in(person)
    assert closed.status_code == 429
    assert closed.headers["Retry-After"] == "1"
    waits = []
    for _ in range(12):
        answer = world.browser().logs_in(person, password="Wrong2024x")
        wait = int(answer.headers.get("Retry-After", "0"))
        waits.append(wait)
        world.clock.advance(seconds=wait)
    assert max(waits) <= 900
    assert sorted(filter(None, waits)) == [w for w in waits if w]
    assert len({w for w in waits if w}) > 3
    world.clock.advance(minutes=15)
    assert world.browser().logs_in(person).status_code == 303
    assert world.browser().logs_in(person, password="Wrong2024x").status_code == 401
    assert world.browser().logs_in(person).status_code == 303


@pytest.mark.req("ID-08")
def test_a_name_nobody_has_slows_down_just_so(world, person):
    person.login_name = "nobody_here"
    answers = [world.browser().logs_in(person).status_code for _ in range(6)]
    assert answers == [401, 401, 401, 401, 429, 429]


@pytest.mark.req("ID-08")
def test_a_stranger_cannot_keep_the_owner_out(world, person):
    home = world.browser().signs_in(person)
    for _ in range(5):
        world.browser().logs_in(person, password="Wrong2024x")
    assert world.browser().logs_in(person).status_code == 429
    assert home.logs_in(person).status_code == 303
    other = world.registers()
    for _ in range(5):
        world.browser().logs_in(other, password="Wrong2024x")
    assert home.logs_in(other).status_code == 429  # known for one account, not for another


@pytest.mark.req("ID-08")
def test_a_known_device_slows_down_too(world, person):
    home = world.browser().signs_in(person)
    answers = [home.logs_in(person, password="Wrong2024x").status_code for _ in range(6)]
    assert answers == [401, 401, 401, 401, 429, 429]


@pytest.mark.req("ID-08")
def test_an_address_has_its_own_allowance(world, person, settings, clock):
    app = create_app(dataclasses.replace(settings, sign_ins_per_address=3), clock=clock)
    answers = []
    for number in range(5):
        person.login_name = f"nobody_{number}"
        browser = world.browser()
        browser.client = app.test_client()
        answers.append(browser.logs_in(person).status_code)
    assert answers == [401, 401, 401, 429, 429]
    app.extensions["identity"].counts.database.close()
    app.database.close()


@pytest.mark.req("ID-40")
def test_login_names_are_found_in_any_case(world, person):
    person.login_name = person.login_name.upper()
    assert world.browser().logs_in(person).status_code == 303


def test_the_home_page_says_whether_one_is_signed_in(world, person):
    browser = world.browser()
    assert "请先登录" in browser.get("/identity/").text
    landed = browser.logs_in(person)
    assert landed.headers["Location"] == "/identity/"
    home = browser.get(landed.headers["Location"])
    assert "您已登录" in home.text
    assert "实名等级：1 级" in home.text
    assert person.login_name not in home.text


def section(page, title):
    """What stands below a heading."""
    return re.split(r"<h2[ >]", page.text.split(f"<h2>{title}</h2>")[1])[0]


@pytest.mark.req("A1", "A2", "A4", "PRT-03")
def test_the_login_offers_both_systems_to_persons_and_to_units(world):
    page = world.browser().get("/identity/login")
    assert "个人办理业务需使用个人账户登录。" in page.text
    persons, units, trouble = (section(page, t) for t in ("个人登录", "单位登录", "遇到问题"))
    for each in (persons, units):
        assert "人社统一认证账号密码登录" in each
        assert "广东省统一身份认证登录" in each
    assert "粤省事扫码" in persons
    assert "电子社保卡扫码登录" in persons
    ways = re.findall(r'href="/identity/login/channel/([\w-]+)"', units)
    assert ways == ["business-licence", "net-bank-certificate", "ca-certificate", "province"]
    assert "无需注册，微信扫码 使用电子营业执照直接登录" in units
    for way in (*ways, "social-card"):
        begun = world.browser().get(f"/identity/login/channel/{way}")
        assert begun.status_code == 303, way
        assert begun.location.endswith("/proof") is (way != "province")
    for path in re.findall(r'href="(/identity/re[\w-]+)"', trouble):
        assert world.browser().get(path).status_code == 200
    assert "请先自行注册获取账号" in world.browser().get("/identity/").text


@pytest.mark.parametrize("path", ["login", "totp", "new-password", "logout", "register"])
def test_a_form_that_is_not_ours_is_refused(world, person, path):
    browser = world.browser()
    form = {"login_name": person.login_name, "password": person.password}
    answer = browser.post(f"/identity/{path}", form)
    assert answer.status_code == (200 if path == "logout" else 400)
    assert not [c for c in answer.headers.getlist("Set-Cookie") if "__Host-identity=" in c]


def test_a_form_token_of_another_browser_and_another_origin_are_refused(world, person):
    foreign = world.browser().get("/identity/login").text
    token = re.search(r'name="form_token" value="(\w+)"', foreign)[1]
    browser = world.browser()
    own = re.search(r'name="form_token" value="(\w+)"', browser.get("/identity/login").text)[1]
    form = {"login_name": person.login_name, "password": person.password}
    assert browser.post("/identity/login", form | {"form_token": token}).status_code == 400
    evil = {"Origin": "https://evil.example"}
    own_form = form | {"form_token": own}
    assert browser.post("/identity/login", own_form, headers=evil).status_code == 400
    same = {"Origin": "http://127.0.0.1:8080"}
    assert browser.post("/identity/login", own_form, headers=same).status_code == 303


def test_letters_from_anywhere_are_refused_like_any_other(world, person):
    browser = world.browser()
    browser.get("/identity/login")
    form = {"form_token": "令牌", "login_name": person.login_name, "password": "密码"}
    assert browser.post("/identity/login", form).status_code == 400
    browser.client.set_cookie("__Host-identity-device", "device.é", domain="127.0.0.1", path="/")
    browser.client.set_cookie("__Host-identity", "会话", domain="127.0.0.1", path="/")
    browser.client.set_cookie("__Host-identity-step", "会话", domain="127.0.0.1", path="/")
    assert browser.fills("/identity/login", login_name="张三", password="密码").status_code == 401
    assert browser.fills("/identity/totp", code="１２３４５６").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/identity/authorize?x",
        "/\\evil.example",
        "/identity/authorize",
        "/identity/authorize@evil.example?x",
        "/identity/authorize?x\nSet-Cookie: a=b",
        "/sso/login?x",
        "javascript:alert(1)",
        "",
    ],
)
def test_nobody_is_sent_elsewhere_after_the_login(path):
    assert rules.check_return_to(path, "/identity/authorize") is None


@pytest.mark.parametrize("path", ["login", "register", "logout"])
def test_pages_allow_no_script_no_frame_and_no_cache(world, path):
    page = world.browser().get(f"/identity/{path}")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in page.text
    assert "style=" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert '<html lang="zh-CN">' in page.text
    for field in re.findall(r'<(?:input|select) [^>]*id="(\w+)"', page.text):
        assert f'for="{field}"' in page.text, field


def test_cookies_are_closed_to_scripts_and_other_hosts(world, person):
    answer = world.browser().logs_in(person)
    cookie = next(
        c for c in answer.headers.getlist("Set-Cookie") if c.startswith("__Host-identity=")
    )
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_a_login_begins_a_new_session_and_ends_the_browsers_old_one(world, person):
    browser = world.browser().signs_in(person)
    refresh = browser.tokens()["refresh_token"]
    browser.signs_in(person)
    assert browser.refreshes(refresh).json["error"] == "invalid_grant"
    assert browser.authorize().status_code == 302


@pytest.mark.req("ID-17", "ID-43")
def test_the_owner_ends_all_other_sessions_with_one_button(world, person):
    first, second, here = (world.browser().signs_in(person) for _ in range(3))
    tokens = first.tokens()
    page = here.get("/identity/security")
    assert page.text.count('/end"') == 2
    token = re.search(r'name="form_token" value="(\w+)"', page.text)[1]
    path = "/identity/security/sessions/end-others"
    assert here.post(path, {"form_token": "no"}).location.startswith("/identity/login")
    done = here.post(path, {"form_token": token})
    assert "其他设备上的登录已全部退出" in here.get(done.location).text
    assert here.authorize().status_code == 302
    for other in (first, second):
        assert other.authorize().location.startswith("/identity/login")
    assert first.refreshes(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert "退出其他全部登录" not in here.get("/identity/security").text


@pytest.mark.req("ID-45")
def test_a_password_alone_opens_nothing_for_an_officer(world):
    officer = world.officer("reviewer")
    browser = world.browser()
    answer = browser.logs_in(officer)
    assert answer.location == "/identity/totp"
    assert browser.authorize().location.startswith("/identity/login")


@pytest.mark.req("ID-45")
def test_a_code_is_used_once_and_for_one_minute_around(world):
    officer = world.officer("reviewer")
    code = officer.totp.at(world.clock.now())
    first, second = world.browser(), world.browser()
    assert first.logs_in(officer).status_code == 303
    assert first.fills("/identity/totp", code=code).status_code == 303
    second.logs_in(officer)
    replayed = second.fills("/identity/totp", code=code)
    assert replayed.status_code == 401
    assert "已使用" in replayed.text
    world.clock.advance(minutes=2)
    assert second.fills("/identity/totp", code=code).status_code == 401
    fresh = officer.totp.at(world.clock.now())
    assert second.fills("/identity/totp", code=fresh).status_code == 303


@pytest.mark.req("ID-45")
def test_five_wrong_codes_send_back_to_the_password(world):
    officer = world.officer("reviewer")
    browser = world.browser()
    browser.logs_in(officer)
    right = officer.totp.at(world.clock.now())
    for _ in range(5):
        assert browser.fills("/identity/totp", code="000000").status_code == 401
    assert browser.fills("/identity/totp", code=right).status_code in (401, 429)
    browser.logs_in(officer)
    assert browser.fills("/identity/totp", code="000000").status_code == 401
    assert browser.fills("/identity/totp", code=right).status_code == 429
    world.clock.advance(minutes=4)
    fresh = officer.totp.at(world.clock.now())
    assert browser.fills("/identity/totp", code=fresh).status_code == 303


@pytest.mark.req("ID-45")
def test_the_second_step_is_forgotten_after_five_minutes(world):
    officer = world.officer("reviewer")
    browser = world.browser()
    browser.logs_in(officer)
    world.clock.advance(minutes=5)
    code = officer.totp.at(world.clock.now())
    assert browser.fills("/identity/totp", code=code).status_code == 401
    assert world.browser().get("/identity/totp").location == "/identity/login"


@pytest.mark.req("ID-01", "B1")
def test_a_person_registers_on_the_page_without_scripts(world, tell):
    browser = world.browser()
    form = world.form() | {"agreed": "yes"}
    agreements = form.pop("agreements")
    assert agreements
    page = browser.get("/identity/register")
    token = re.search(r'name="form_token" value="(\w+)"', page.text)[1]
    asked = browser.post("/identity/register/code", form | {"form_token": token})
    assert "验证码已发送" in asked.text
    assert form["password"] not in asked.text
    assert f'value="{form["name"]}"' in asked.text
    code = re.search(r"\d{6}", world.texts(form["phone"])[0])[0]
    bad = browser.post(
        "/identity/register", form | {"form_token": token, "sms_code": code, "name": ""}
    )
    assert bad.status_code == 422
    assert 'href="#name"' in bad.text
    done = browser.post("/identity/register", form | {"form_token": token, "sms_code": code})
    assert done.status_code == 201
    assert "请牢记注册的登录账号和密码" in done.text


@pytest.mark.req("A6", "B1", "B3", "REF-12", "REF-13")
def test_the_registration_says_beforehand_what_it_is_for(world):
    for path in ("register", "register-unit"):
        page = world.browser().get(f"/identity/{path}").text
        assert "注册账号时，需要通过手机接收短信验证" in page
        assert "前往就近的办事大厅现场核验注册账号" in page
        assert 'href="tel:12345"' in page
    assert "注册法人账号只能办理法人事项" in page
    browser = world.browser()
    page = browser.get("/identity/register").text
    assert "注册个人账号只能办理个人事项" in page
    assert "务必使用本人真实有效的信息进行注册" in page
    read = re.findall(r'href="(/identity/agreements/[\w-]+)"[^>]*>(《[^<]+》)</a>', page)
    assert [title for _, title in read] == ["《用户服务协议》", "《隐私政策》"]
    assert all(browser.get(path).status_code == 200 for path, _ in read)
    starred = re.findall(r'<label for="(\w+)">[^<]+<span class="star"', page)
    assert starred == re.findall(r'<(?:input|select) id="(\w+)"[^>]* required', page)
    assert set(starred) == {
        "name", "document_type", "document_number", "phone", "sms_code", "login_name",
        "password", "password_again",
    }  # fmt: skip
    form = world.form()
    form["sms_code"] = world.sms_code(form["phone"], "registration")
    typed = form | {"agreements": ""}
    refused = browser.fills("/identity/register", **typed)
    assert refused.status_code == 422
    assert re.findall(r'href="#(\w+)"', refused.text)[1:] == ["agreed"]
    assert browser.fills("/identity/register", **typed, agreed="yes").status_code == 201
    number = {"document_number": form["document_number"]}
    twice = world.form(**number) | {"agreements": "", "agreed": "yes"}
    twice["sms_code"] = world.sms_code(twice["phone"], "registration")
    taken = browser.fills("/identity/register", **twice)
    assert "证件号已存在" in taken.text
    assert "自然人证件号码已被使用" in taken.text


@pytest.mark.req("ID-01")
def test_the_page_names_every_wrong_field(world):
    browser = world.browser()
    page = browser.get("/identity/register")
    token = re.search(r'name="form_token" value="(\w+)"', page.text)[1]
    bad = browser.post("/identity/register", {"form_token": token, "document_type": "passport"})
    named = set(re.findall(r'href="#(\w+)"', bad.text)) - {"main"}
    assert named == {
        "name",
        "document_number",
        "birth_date",
        "sex",
        "phone",
        "sms_code",
        "login_name",
        "password",
        "agreed",
    }
