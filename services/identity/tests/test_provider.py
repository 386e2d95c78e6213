"""The OpenID provider: what it promises, and what it refuses (ID-40; RFC 9700, OpenID Core)."""

import base64
import json

import pytest

from identity.sign_in.model import SignInSession


def claims(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def header(token):
    first = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))


def error(answer):
    return answer.status_code, answer.json["error"]


@pytest.fixture
def person(world):
    return world.registers()


@pytest.fixture
def browser(world, person):
    return world.browser().signs_in(person)


def ended(world):
    return [data for kind, data in world.events() if kind == "identity.session.ended.v1"]


@pytest.mark.req("ID-40")
def test_discovery_names_what_there_is(world, tell):
    found = world.browser().get("/identity/.well-known/openid-configuration").json
    issuer = f"{tell.PUBLIC}/identity"
    assert found["issuer"] == issuer
    assert found["jwks_uri"] == f"{issuer}/jwks.json"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert found["authorization_response_iss_parameter_supported"] is True


@pytest.mark.req("ID-40", "ID-44")
def test_every_token_names_a_published_key_and_no_private_part_is_published(world, browser):
    tokens = browser.tokens()
    keys = world.browser().get("/identity/jwks.json").json["keys"]
    kids = {key["kid"] for key in keys}
    assert len(kids) == 2  # the active and the next one
    assert header(tokens["access_token"])["kid"] in kids
    assert header(tokens["id_token"])["kid"] in kids
    assert not any("d" in key for key in keys)


@pytest.mark.req("ID-40")
def test_an_access_token_says_who_how_well_and_for_whom(world, person, browser, tell):
    token = browser.tokens()["access_token"]
    assert header(token)["typ"] == "at+jwt"
    assert header(token)["alg"] == "ES256"
    said = claims(token)
    now = int(world.clock.now().timestamp())
    assert said["sub"] == person.id
    assert said | {"jti": "", "sid": ""} == {
        "iss": f"{tell.PUBLIC}/identity",
        "aud": "urn:jiuye:api",
        "client_id": "jiuye-gateway",
        "scope": "openid profile real_name phone",
        "sub": person.id,
        "sub_type": "person",
        "acr": "urn:gdhrss:ial:1",
        "amr": ["pwd"],
        "auth_time": now,
        "iat": now,
        "exp": now + 300,
        "jti": "",
        "sid": "",
    }
    assert person.document_number not in json.dumps(said)


@pytest.mark.req("ID-40")
def test_an_id_token_is_for_the_client_and_holds_the_nonce_and_no_personal_data(browser, person):
    said = claims(browser.tokens(nonce="a-nonce-of-mine")["id_token"])
    assert said["aud"] == "jiuye-gateway"
    assert said["nonce"] == "a-nonce-of-mine"
    assert {"sub", "sid", "auth_time", "acr", "amr", "at_hash"} <= set(said)
    assert not {"name", "phone_number", "document_number"} & set(said)


@pytest.mark.req("ID-45")
def test_an_officers_token_says_region_businesses_and_roles(world):
    officer = world.officer("reviewer", region="440305")
    said = claims(world.token_of(officer))
    assert said["sub_type"] == "officer"
    assert said["acr"] == "urn:gdhrss:aal:2"
    assert said["amr"] == ["pwd", "otp"]
    assert said["region"] == "440305"
    assert said["roles"] == ["reviewer"]
    assert said["businesses"] == ["employment-registry.flexible-employment"]


@pytest.mark.req("ID-40")
@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", set()),
        ("openid profile", {"name", "birthdate", "gender"}),
        ("openid phone", {"phone_number", "phone_number_verified"}),
        (
            "openid real_name",
            {"name", "birthdate", "gender", "document_type", "document_number"},
        ),
    ],
)
def test_userinfo_says_what_the_scopes_allow(world, person, browser, scope, names):
    token = browser.tokens(scope=scope)["access_token"]
    answer = browser.get("/identity/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert set(answer.json) == names | {"sub", "acr"}
    assert answer.json["sub"] == person.id
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.req("ID-40")
def test_the_answer_names_the_issuer_and_gives_the_state_back(browser, tell):
    answer = browser.authorize(state="some state&more")
    assert answer.location.startswith(tell.CALLBACK)
    said = tell.query(answer.location)
    assert said["state"] == "some state&more"
    assert said["iss"] == f"{tell.PUBLIC}/identity"


# Refused at the authorization endpoint; where the client is sure, it is told by redirect.
@pytest.mark.req("ID-40")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"nonce": "n" * 401}, "invalid_request"),
    ],
)
def test_a_bad_authorization_request_is_told_to_the_client(browser, tell, changes, told):
    answer = browser.authorize(**changes)
    assert answer.status_code == 302
    assert answer.location.startswith(tell.CALLBACK)
    said = tell.query(answer.location)
    assert said["error"] == told
    assert said["state"] == "a-state"
    assert said["iss"]
    assert "code" not in said


@pytest.mark.req("ID-40")
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/sso/callback"},
        {"redirect_uri": "http://127.0.0.1:8080/sso/callback/"},
        {"redirect_uri": "http://127.0.0.1:8080/sso/callback?x=1"},
        {"redirect_uri": "http://127.0.0.1:8080/sso/callback#x"},
        {"redirect_uri": "http://127.0.0.1:8080/sso/../sso/callback"},
        {"redirect_uri": "http://127.0.0.1:8080@evil.example/sso/callback"},
        {"redirect_uri": "HTTP://127.0.0.1:8080/sso/callback"},
        {"redirect_uri": "http://localhost:8080/sso/callback"},
    ],
)
def test_an_unsure_client_is_not_redirected_to(browser, changes):
    answer = browser.authorize(**changes)
    assert answer.status_code == 400
    assert answer.location is None
    assert "无法继续登录" in answer.text


@pytest.mark.req("ID-40")
def test_parameters_given_twice_are_refused(browser, tell):
    asked = browser.authorize().request.query_string.decode()
    answer = browser.get(f"/identity/authorize?{asked}&state=other")
    assert answer.status_code == 400


@pytest.mark.req("ID-40")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:8080/other"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"code": "nothing-like-it"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
    ],
)
def test_a_bad_exchange_is_refused_and_does_not_use_the_code_up(browser, changes, expected):
    code = browser.code()
    answer = browser.exchanges(**({"code": code} | changes))
    assert error(answer) == (400, expected)
    assert "no-store" in answer.headers["Cache-Control"]
    assert browser.exchanges(code).status_code == 200


@pytest.mark.req("ID-40")
@pytest.mark.parametrize("secret", ["", "wrong-secret", "a-gateway-secret-for-tests-onlY"])
def test_a_client_without_its_secret_gets_nothing(browser, secret):
    form = {"grant_type": "authorization_code", "code": browser.code()}
    answer = browser.token(secret=secret, **form)
    assert error(answer) == (401, "invalid_client")
    assert "Basic" in answer.headers["WWW-Authenticate"]


@pytest.mark.req("ID-40")
def test_a_client_may_not_say_its_secret_in_the_address(browser, tell):
    code = browser.code()
    path = f"/identity/token?client_id=jiuye-gateway&client_secret={tell.SECRET}"
    answer = browser.post(path, {"grant_type": "authorization_code", "code": code})
    assert answer.status_code in (400, 401)


@pytest.mark.req("ID-40")
def test_a_code_lives_a_minute(world, browser):
    code = browser.code()
    world.clock.advance(seconds=60)
    assert error(browser.exchanges(code)) == (400, "invalid_grant")


@pytest.mark.req("ID-40", "ID-43")
@pytest.mark.parametrize("later", [0, 3600 * 5])
def test_a_code_used_twice_ends_everything_the_first_use_gave(world, browser, later):
    code = browser.code()
    tokens = browser.exchanges(code).json
    for _ in range(later // 1200):  # the session lives on
        world.clock.advance(seconds=1200)
        assert browser.authorize().status_code == 302
    assert error(browser.exchanges(code)) == (400, "invalid_grant")
    assert error(browser.refreshes(tokens["refresh_token"])) == (400, "invalid_grant")
    said = claims(tokens["access_token"])
    assert ended(world) == [{"session_id": said["sid"], "account_id": said["sub"]}]
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert browser.get("/identity/userinfo", headers=bearer).status_code == 401


@pytest.mark.req("ID-40")
def test_a_thief_without_the_verifier_does_not_end_the_owners_login(world, browser):
    code = browser.code()
    browser.exchanges(code, "w" * 43)
    assert browser.exchanges(code).status_code == 200
    browser.exchanges(code, "w" * 43)
    assert ended(world) == []


@pytest.mark.req("ID-40")
def test_without_a_session_the_login_page_comes_first_and_leads_back(world, person, tell):
    browser = world.browser()
    answer = browser.authorize()
    assert answer.status_code == 303
    assert answer.location.startswith("/identity/login?return_to=%2Fidentity%2Fauthorize")
    back = browser.logs_in(person, answer.location)
    assert back.status_code == 303
    assert "code" in tell.query(browser.get(back.location).location)


@pytest.mark.req("ID-40")
def test_prompt_none_never_shows_a_page(world, browser, tell):
    stranger = world.browser().authorize(prompt="none")
    assert tell.query(stranger.location)["error"] == "login_required"
    assert "code" in tell.query(browser.authorize(prompt="none").location)
    world.clock.advance(minutes=5)
    answer = browser.authorize(prompt="none", max_age="60")
    assert tell.query(answer.location)["error"] == "login_required"


@pytest.mark.req("ID-40")
@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "60"}])
def test_a_fresh_login_is_asked_for_once(world, person, browser, tell, asked):
    before = claims(browser.tokens()["id_token"])["auth_time"]
    world.clock.advance(minutes=5)
    answer = browser.authorize(**asked)
    assert answer.location.startswith("/identity/login")
    back = browser.logs_in(person, answer.location)
    code = tell.query(browser.get(back.location).location)["code"]
    after = claims(browser.exchanges(code).json["id_token"])["auth_time"]
    assert after == before + 300


@pytest.mark.req("ID-40", "ID-43")
def test_logout_with_the_id_token_ends_the_session_and_goes_where_the_client_said(
    world, browser, tell
):
    tokens = browser.tokens()
    path = "/identity/logout?" + "&".join(
        (
            f"id_token_hint={tokens['id_token']}",
            f"post_logout_redirect_uri={tell.PUBLIC}/",
            "state=bye",
        )
    )
    answer = browser.get(path)
    assert answer.status_code == 302
    assert answer.location == f"{tell.PUBLIC}/?state=bye"
    assert len(ended(world)) == 1
    assert browser.authorize().location.startswith("/identity/login")
    assert error(browser.refreshes(tokens["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.req("ID-40")
def test_logout_goes_nowhere_else_and_asks_when_nobody_vouches(world, browser, tell):
    hint = browser.tokens()["id_token"]
    asked = browser.get("/identity/logout")
    assert "确定要退出登录吗" in asked.text
    assert ended(world) == []
    elsewhere = (
        f"/identity/logout?id_token_hint={hint}&post_logout_redirect_uri=https://evil.example/"
    )
    answer = browser.get(elsewhere)
    assert answer.status_code == 200
    assert "您已安全退出" in answer.text
    confirmed = world.browser()
    assert "您已安全退出" in confirmed.fills("/identity/logout").text


@pytest.mark.req("ID-40")
@pytest.mark.parametrize("damage", ["x", "", "."])
def test_logout_with_a_forged_hint_is_refused(world, browser, damage):
    hint = browser.tokens()["id_token"]
    head, body, signature = hint.split(".")
    forged = f"{head}.{body}.{signature[:-6]}{damage * 6}"
    answer = browser.get(f"/identity/logout?id_token_hint={forged}")
    assert answer.status_code == 400
    assert ended(world) == []


@pytest.mark.req("ID-40")
def test_a_hint_of_somebody_else_does_not_end_ones_own_session(world, browser):
    other = world.registers()
    hint = world.browser().signs_in(other).tokens()["id_token"]
    browser.get(f"/identity/logout?id_token_hint={hint}")
    assert browser.authorize().status_code == 302


@pytest.mark.req("ID-40", "ID-43")
def test_revoking_a_refresh_token_ends_its_family_and_an_access_token_its_session(world, browser):
    tokens = browser.tokens()
    refresh, access = tokens["refresh_token"], tokens["access_token"]
    assert revoke(browser, refresh).status_code == 200
    assert error(browser.refreshes(refresh)) == (400, "invalid_grant")
    assert ended(world) == []
    assert revoke(browser, access).status_code == 200
    assert len(ended(world)) == 1
    assert revoke(browser, "nothing").status_code == 200


@pytest.mark.req("ID-43")
def test_a_session_ends_after_thirty_idle_minutes_and_after_twelve_hours(world, browser):
    tokens = browser.tokens()
    refresh = tokens["refresh_token"]
    for _ in range(29):
        world.clock.advance(minutes=24)
        answer = browser.refreshes(refresh)
        assert answer.status_code == 200
        refresh = answer.json["refresh_token"]
    world.clock.advance(minutes=24)  # the twelfth hour
    assert error(browser.refreshes(refresh)) == (400, "invalid_grant")
    assert browser.authorize().location.startswith("/identity/login")


@pytest.mark.req("ID-43")
def test_thirty_idle_minutes_end_it(world, browser):
    refresh = browser.tokens()["refresh_token"]
    world.clock.advance(minutes=30)
    assert error(browser.refreshes(refresh)) == (400, "invalid_grant")


@pytest.mark.req("ID-44")
def test_keys_turn_without_a_logout(world, browser):
    first = browser.tokens()
    world.clock.advance(minutes=20)
    world.job("turn-keys")
    assert header(browser.tokens()["access_token"])["kid"] == header(first["access_token"])["kid"]
    world.clock.advance(days=31)
    fresh = world.browser().signs_in(world.registers())
    old = fresh.tokens()["access_token"]
    world.job("turn-keys")
    world.clock.advance(seconds=31)
    new = fresh.tokens()["access_token"]
    assert header(new)["kid"] != header(old)["kid"]
    for token in (old, new):
        assert fresh.api("GET", "/me", token=token).status_code == 200
    kids = {key["kid"] for key in fresh.get("/identity/jwks.json").json["keys"]}
    assert {header(old)["kid"], header(new)["kid"]} < kids
    world.clock.advance(hours=25)
    world.job("turn-keys")
    world.clock.advance(seconds=31)
    kids = {key["kid"] for key in fresh.get("/identity/jwks.json").json["keys"]}
    assert header(old)["kid"] not in kids


@pytest.mark.req("ID-17", "ID-43")
def test_the_owner_sees_sessions_and_ends_them(world, person, browser):
    here, there = browser, world.browser().signs_in(person)
    token, other = here.tokens()["access_token"], there.tokens()["access_token"]
    listed = here.api("GET", "/me/sessions", token=token).json["items"]
    assert [s["current"] for s in listed].count(True) == 1
    assert len(listed) == 2
    far = next(s["id"] for s in listed if not s["current"])
    assert here.api("DELETE", f"/me/sessions/{far}", token=token).status_code == 204
    assert here.api("GET", "/me", token=other).status_code == 401
    assert here.api("GET", "/me", token=token).status_code == 200
    stranger = world.registers()
    foreign = world.token_of(stranger)
    mine = claims(token)["sid"]
    assert here.api("DELETE", f"/me/sessions/{mine}", token=foreign).status_code == 404
    third = world.browser().signs_in(person)
    assert here.api("DELETE", "/me/sessions", token=token).status_code == 204
    assert third.authorize().location.startswith("/identity/login")


@pytest.mark.req("ID-43")
def test_a_locked_account_is_out_everywhere_at_once(world, person, browser):
    tokens = browser.tokens()
    admin = world.officer("admin", region="44")
    lock = f"/accounts/{person.id}/lock"
    why = {"reason": "本人申报账号被盗"}
    assert browser.api("POST", lock, why, token=tokens["access_token"]).status_code == 403
    locked = browser.api("POST", lock, why, token=world.token_of(admin))
    assert locked.json == {"id": person.id, "standing": "locked"}
    assert browser.api("GET", "/me", token=tokens["access_token"]).status_code == 401
    assert error(browser.refreshes(tokens["refresh_token"])) == (400, "invalid_grant")
    assert ("identity.account.locked.v1", {"account_id": person.id}) in world.events()
    assert "该账号已被锁定" in world.browser().logs_in(person).text
    second = world.token_of(admin2(world))
    assert browser.api("POST", lock, why, token=second).status_code == 409


def admin2(world):
    return world.officer("admin", region="44", login_name="second_admin")


def revoke(browser, token):
    import base64 as b64

    basic = b64.b64encode(b"jiuye-gateway:a-gateway-secret-for-tests-only").decode()
    headers = {"Authorization": f"Basic {basic}"}
    return browser.post("/identity/revoke", {"token": token}, headers=headers)


def test_a_session_keeps_device_and_address_sealed(world, browser):
    with world.app.database.reading() as db:
        session = db.query(SignInSession).one()
        assert session.device.expose()
        assert str(session.device) == "***"
