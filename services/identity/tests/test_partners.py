"""Other systems' clients: registration, consent, pseudonyms, PAR, DPoP, keys, introspection."""

import base64
import hashlib
import json

import pytest
from joserfc.jwk import ECKey

from identity.accounts.model import Account
from identity.sign_in.model import RefreshToken


def said(text):
    body = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


@pytest.fixture
def person(world):
    return world.registers()


def signed_in(system, person):
    system.browser.signs_in(person)
    return system


REGISTRATION = {
    "name": "广州市示例政务系统",
    "auth_method": "client_secret_basic",
    "redirect_uris": ["https://service.example/callback"],
    "scopes": ["openid", "profile"],
    "grant_types": ["authorization_code", "refresh_token"],
}


@pytest.mark.req("ID-47")
def test_an_admin_registers_changes_rotates_suspends_and_all_of_it_is_on_record(world):
    admin = world.token_of(world.officer("admin", region="44"))
    browser = world.browser()
    made = browser.api("POST", "/clients", REGISTRATION, token=admin)
    assert made.status_code == 201, made.text
    client, secret = made.json["client"], made.json["client_secret"]
    assert client["sector"] == "service.example"
    path = f"/clients/{client['client_id']}"
    assert secret not in browser.api("GET", path, token=admin).text
    tag = {"If-Match": made.headers["ETag"]}
    changed = REGISTRATION | {"name": "改名的系统", "requires_par": True}
    answer = browser.api("PUT", path, changed, token=admin, headers=tag)
    assert (answer.status_code, answer.json["requires_par"]) == (200, True)
    stale = browser.api("PUT", path, changed, token=admin, headers=tag)
    assert stale.status_code == 412
    rotated = browser.api("POST", f"{path}/secret", token=admin).json
    own = {"grant_type": "refresh_token", "refresh_token": "x"}
    for word, error in (
        (secret, "invalid_grant"),
        (rotated["client_secret"], "invalid_grant"),
        ("wrong", "invalid_client"),
    ):
        assert browser.token(word, client["client_id"], **own).json["error"] == error
    world.clock.advance(hours=24)
    assert browser.token(secret, client["client_id"], **own).json["error"] == "invalid_client"
    admin = world.token_of(world.officer("admin", region="44"))
    assert browser.api("POST", f"{path}/suspend", token=admin).status_code == 200
    word = rotated["client_secret"]
    assert browser.token(word, client["client_id"], **own).json["error"] == "invalid_client"
    assert browser.api("POST", f"{path}/resume", token=admin).json["suspended_at"] is None
    history = browser.api("GET", f"{path}/history", token=admin).json["items"]
    assert [entry["change"] for entry in history] == [
        "resumed",
        "suspended",
        "secret-rotated",
        "changed",
        "registered",
    ]
    assert word not in json.dumps(history)
    listed = browser.api("GET", "/clients", token=admin).json["items"]
    assert [each["client_id"] for each in listed] == [client["client_id"]]


@pytest.mark.req("ID-47")
def test_clients_are_the_province_admins_business(world):
    person = world.token_of(world.registers())
    city = world.token_of(world.officer("admin", region="4401"))
    province = world.token_of(world.officer("admin", region="44"))
    browser = world.browser()
    assert browser.api("POST", "/clients", REGISTRATION, token=person).status_code == 403
    refused = browser.api("POST", "/clients", REGISTRATION, token=city)
    assert refused.json["code"] == "province-admin-required"
    assert browser.api("GET", "/clients", token=city).status_code == 403
    assert browser.api("GET", "/clients/jiuye-gateway", token=province).status_code == 404


@pytest.mark.req("ID-47")
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"redirect_uris": ["http://service.example/callback"]}, "/redirect_uris/0"),
        ({"redirect_uris": ["https://service.example/callback#x"]}, "/redirect_uris/0"),
        ({"redirect_uris": ["https://*.example/callback"]}, "/redirect_uris/0"),
        ({"redirect_uris": ["https://user@service.example/callback"]}, "/redirect_uris/0"),
        ({"redirect_uris": ["https://service.example/a/../callback"]}, "/redirect_uris/0"),
        ({"redirect_uris": ["example.app:/callback"]}, "/redirect_uris/0"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "/redirect_uris/0"),
        ({"redirect_uris": ["http://localhost/callback"]}, "/redirect_uris/0"),
        ({"redirect_uris": []}, "/redirect_uris"),
        ({"redirect_uris": ["https://a.example/c", "https://b.example/c"]}, "/sector"),
        ({"backchannel_logout_uri": "http://service.example/out"}, "/backchannel_logout_uri"),
        ({"scopes": ["openid", "everything"]}, "/scopes"),
        ({"scopes": ["profile"]}, "/scopes"),
        ({"scopes": ["openid", "notices"]}, "/scopes"),
        ({"grant_types": ["password"]}, "/grant_types"),
        ({"grant_types": ["implicit"]}, "/grant_types"),
        ({"grant_types": ["refresh_token"]}, "/grant_types"),
        (
            {
                "auth_method": "none",
                "grant_types": ["authorization_code", "client_credentials"],
            },
            "/grant_types",
        ),
        ({"auth_method": "private_key_jwt"}, "/jwks"),
        ({"auth_method": "private_key_jwt", "jwks": {"keys": []}}, "/jwks"),
        (
            {"auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "oct", "k": "AA"}]}},
            "/jwks",
        ),
    ],
)
def test_what_is_wrong_with_a_registration_is_named(shared, changes, field):
    if not hasattr(shared, "admin"):
        shared.admin = shared.token_of(shared.officer("admin", region="44"))
    answer = shared.browser().api("POST", "/clients", REGISTRATION | changes, token=shared.admin)
    assert answer.status_code == 422, answer.text
    assert field in {each["field"] for each in answer.json["errors"]}


@pytest.mark.req("ID-47")
def test_private_keys_are_not_taken_for_public_ones(shared):
    if not hasattr(shared, "admin"):
        shared.admin = shared.token_of(shared.officer("admin", region="44"))
    key = ECKey.generate_key("P-256", {"kid": "x"}, private=True).as_dict(private=True)
    sent = REGISTRATION | {"auth_method": "private_key_jwt", "jwks": {"keys": [key]}}
    answer = shared.browser().api("POST", "/clients", sent, token=shared.admin)
    assert answer.status_code == 422


@pytest.mark.req("ID-47")
def test_a_person_consents_once_and_takes_it_back(world, person, partner, tell):
    system = signed_in(partner(), person)
    asked = system.goes(**system.asks(scope="openid real_name"))
    assert asked.location.startswith("/identity/consent")
    page = system.browser.get(asked.location)
    assert "广州市示例政务系统" in page.text
    assert "证件号码" in page.text
    assert "<script" not in page.text
    system.browser.fills(asked.location, decision="allow")
    assert "code" in tell.query(system.goes(**system.asks(scope="openid real_name")).location)
    assert "code" in tell.query(system.goes(**system.asks(scope="openid")).location)
    more = system.goes(**system.asks(scope="openid phone"))
    assert more.location.startswith("/identity/consent")
    tokens = system.exchanges(system.code(scope="openid real_name")).json
    token = world.token_of(person)
    listed = system.browser.api("GET", "/me/consents", token=token).json["items"]
    assert [each["client_id"] for each in listed] == [system.id]
    assert "广州市示例政务系统" in system.browser.get("/identity/consents").text
    system.browser.fills("/identity/consents")
    assert "没有同意任何其他系统" in system.browser.get("/identity/consents").text
    again = system.posts("token", grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert again.json["error"] == "invalid_grant"
    assert system.goes(**system.asks()).location.startswith("/identity/consent")


@pytest.mark.req("ID-47")
def test_a_no_and_a_silent_question_go_back_to_the_system(world, person, partner, tell):
    system = signed_in(partner(), person)
    silent = tell.query(system.goes(**system.asks(prompt="none")).location)
    assert silent["error"] == "consent_required"
    refused = system.browser.fills(system.goes(**system.asks()).location, decision="deny")
    answer = tell.query(system.browser.get(refused.location).location)
    assert (answer["error"], answer["state"]) == ("access_denied", "a-state")
    system.code()
    world.clock.advance(seconds=1)
    asked = system.goes(**system.asks(prompt="consent"))
    assert asked.location.startswith("/identity/consent")
    assert "code" in tell.query(system.consents(asked).location)


@pytest.mark.req("ID-47")
def test_two_systems_find_nothing_in_common(world, person, partner):
    one = signed_in(partner(), person)
    two = partner(
        redirect_uris=("https://service.example/callback", "https://other.example/callback"),
        sector="other.example",
    )
    two.browser = one.browser
    known = []
    for system in (one, two):
        tokens = system.exchanges(system.code()).json
        identity, access = said(tokens["id_token"]), said(tokens["access_token"])
        told = system.userinfo(tokens["access_token"]).json
        assert identity["sub"] == access["sub"] == told["sub"]
        assert access["aud"] == "http://127.0.0.1:8080/identity"
        assert person.id not in json.dumps([identity, access, told])
        refused = system.browser.api("GET", "/me", token=tokens["access_token"])
        assert refused.status_code == 401
        known.append({identity["sub"], identity["sid"]})
    assert known[0] & known[1] == set()
    again = said(one.exchanges(one.code()).json["id_token"])
    assert again["sub"] in known[0]


@pytest.mark.req("ID-47")
def test_verified_claims_say_what_was_proved(world, partner, tell):
    person = world.registers()
    system = signed_in(partner(), person)
    first = system.exchanges(system.code(scope="openid real_name")).json
    told = system.userinfo(first["access_token"])
    assert "verified_claims" not in told.json
    token = world.token_of(person)
    code = world.sms_code(person.phone, "bank-card-check", token)
    card = {
        "card_number": tell.card("000"),
        "phone": person.phone,
        "sms_code": code,
        "consent": "2026-01",
    }
    proof = world.browser().api("POST", "/me/bank-card-checks", card, token=token)
    assert proof.status_code == 201, proof.text
    tokens = system.exchanges(system.code(scope="openid real_name")).json
    verified = system.userinfo(tokens["access_token"]).json["verified_claims"]
    assert verified["verification"]["trust_framework"] == "cn_hrss"
    assert verified["verification"]["assurance_level"] == "ial2"
    assert verified["claims"]["document_number"] == person.document_number
    checked = verified["verification"]["evidence"][0]["check_details"][0]
    assert checked["txn"] == proof.json["reference"]
    plain = system.exchanges(system.code(scope="openid profile")).json["access_token"]
    assert "verified_claims" not in system.userinfo(plain).json


@pytest.mark.req("ID-47")
def test_a_pushed_request_is_fetched_once(world, person, partner, tell):
    system = signed_in(partner(requires_par=True), person)
    direct = tell.query(system.goes(**system.asks()).location)
    assert direct["error"] == "invalid_request"
    pushed = system.pushes(login_hint=person.login_name)
    assert (pushed.status_code, pushed.json["expires_in"]) == (201, 90)
    asked = {"client_id": system.id, "request_uri": pushed.json["request_uri"]}
    answer = system.consents(system.goes(**asked))
    code = tell.query(answer.location)["code"]
    assert system.exchanges(code).status_code == 200
    assert system.goes(**asked).status_code == 400
    late = system.pushes().json["request_uri"]
    world.clock.advance(seconds=90)
    assert system.goes(client_id=system.id, request_uri=late).status_code == 400


@pytest.mark.req("ID-47")
def test_a_login_goes_between_a_pushed_request_and_its_code(world, person, partner, tell):
    system = partner(requires_par=True)
    uri = system.pushes(prompt="login", login_hint=person.login_name).json["request_uri"]
    login = system.goes(client_id=system.id, request_uri=uri).location
    assert login.startswith("/identity/login")
    page = system.browser.get(login)
    assert "form-action 'self' https://service.example" in page.headers["Content-Security-Policy"]
    assert f'value="{person.login_name}"' in page.text
    assert person.login_name not in login  # a pushed hint is in no address
    back = system.browser.logs_in(person, login).location
    answer = system.consents(system.browser.get(back))
    assert "code" in tell.query(answer.location)


@pytest.mark.req("ID-47")
def test_a_key_instead_of_a_secret(world, person, partner):
    system = signed_in(partner(auth_method="private_key_jwt"), person)
    code = system.code()
    assert system.exchanges(code).status_code == 200
    once = system.assertion()
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = {"client_assertion_type": kind, "client_assertion": once, "token": "x"}
    assert system.posts("revoke", plain=True, **form).status_code == 200
    assert system.posts("revoke", plain=True, **form).json["error"] == "invalid_client"


@pytest.mark.req("ID-47")
def test_tokens_bound_to_a_key_need_its_proof(world, person, partner):
    system = signed_in(partner(auth_method="none", requires_dpop=True), person)
    code = system.code()
    assert system.exchanges(code).json["error"] == "invalid_dpop_proof"
    tokens = system.exchanges(code, dpop=True)
    assert tokens.status_code == 200, tokens.text
    assert tokens.json["token_type"] == "DPoP"
    assert tokens.headers["DPoP-Nonce"]
    access = tokens.json["access_token"]
    assert said(access)["cnf"] == {"jkt": system.key.thumbprint()}
    url = "http://127.0.0.1:8080/identity/userinfo"
    ath = base64.urlsafe_b64encode(hashlib.sha256(access.encode()).digest()).decode().rstrip("=")
    proof = system.proof(url, htm="GET", ath=ath)
    assert system.userinfo(access, "DPoP", proof).status_code == 200
    other = ECKey.generate_key("P-256", private=True)
    for scheme, bad in (
        ("DPoP", proof),  # used
        ("Bearer", system.proof(url, htm="GET", ath=ath)),
        ("DPoP", None),
        ("DPoP", system.proof(url, htm="GET", ath=ath, key=other)),
        ("DPoP", system.proof(url, htm="GET")),
        ("DPoP", system.proof(url, ath=ath)),
        ("DPoP", system.proof(url + "x", htm="GET", ath=ath)),
    ):
        assert system.userinfo(access, scheme, bad).status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens.json["refresh_token"]}
    mine, system.key = system.key, other
    assert system.posts("token", dpop=True, **refresh).json["error"] == "invalid_grant"
    system.key = mine
    assert system.posts("token", dpop=True, **refresh).status_code == 200


@pytest.mark.req("ID-47")
def test_a_code_promised_to_a_key_is_for_that_key(world, person, partner, tell):
    system = signed_in(partner(auth_method="none"), person)
    code = system.code(dpop_jkt=system.key.thumbprint())
    assert system.exchanges(code).json["error"] == "invalid_grant"
    uri = system.pushes(dpop=True).json["request_uri"]
    asked = system.goes(client_id=system.id, request_uri=uri)
    bound = tell.query(asked.location)["code"]
    assert system.exchanges(bound).json["error"] == "invalid_grant"
    assert system.exchanges(bound, dpop=True).status_code == 200


@pytest.mark.req("ID-40")
def test_a_token_is_described_to_its_client_and_to_resource_servers_alone(world, person, partner):
    system = signed_in(partner(), person)
    watcher = partner(introspects=True, grant_types=("client_credentials",), redirect_uris=())
    stranger = partner()
    tokens = system.exchanges(system.code()).json
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert system.posts("introspect", token=token).json["active"] is True
        assert stranger.posts("introspect", token=token).json == {"active": False}
    seen = watcher.posts("introspect", token=tokens["access_token"]).json
    assert (seen["active"], seen["client_id"]) == (True, system.id)
    assert watcher.posts("introspect", token=tokens["refresh_token"]).json == {"active": False}
    assert system.posts("introspect", token="nothing").json == {"active": False}
    assert system.posts("introspect").json["error"] == "invalid_request"
    ours = world.token_of(person)
    assert system.posts("introspect", token=ours).json == {"active": False}
    assert watcher.posts("introspect", token=ours).json["sub"] == person.id
    assert system.posts("revoke", token=tokens["access_token"]).status_code == 200
    assert system.posts("introspect", token=tokens["access_token"]).json == {"active": False}
    assert system.userinfo(tokens["access_token"]).status_code == 401
    still = system.posts("introspect", token=tokens["refresh_token"]).json
    assert still["active"] is True  # another system signs nobody out
    system.posts("revoke", token=tokens["refresh_token"])
    assert system.posts("introspect", token=tokens["refresh_token"]).json == {"active": False}


@pytest.mark.req("ID-40", "ID-43")
def test_an_ended_session_ends_other_systems_tokens_too(world, person, partner):
    system = signed_in(partner(), person)
    tokens = system.exchanges(system.code()).json
    hint = system.browser.signs_in(person).tokens()["id_token"]
    system.browser.get(f"/identity/logout?id_token_hint={hint}")
    tokens = tokens["access_token"], tokens["refresh_token"]
    assert [system.posts("introspect", token=t).json["active"] for t in tokens] == [False, False]
    assert system.userinfo(tokens[0]).status_code == 401


@pytest.mark.req("ID-40")
def test_a_native_program_may_listen_on_any_port_of_its_own_machine(world, person, partner, tell):
    system = partner(
        auth_method="none", redirect_uris=("http://127.0.0.1/back",), sector="app.example"
    )
    signed_in(system, person)
    for port in ("", ":1234", ":65000"):
        uri = f"http://127.0.0.1{port}/back"
        answer = system.consents(system.goes(**system.asks(redirect_uri=uri)))
        assert answer.location.startswith(f"{uri}?code=")
    for uri in (
        "http://127.0.0.1:1234/other",
        "http://localhost:1234/back",
        "https://127.0.0.1:1234/back",
        "http://127.0.0.1.example/back",
        "http://127.0.0.1:1234/back?x=1",
    ):
        assert system.goes(**system.asks(redirect_uri=uri)).status_code == 400


@pytest.mark.req("ID-40")
def test_id_tokens_are_signed_as_the_client_registered(world, person, partner):
    for algorithm in ("RS256", "ES256"):
        system = signed_in(partner(id_token_alg=algorithm), person)
        text = system.exchanges(system.code()).json["id_token"]
        head = json.loads(base64.urlsafe_b64decode(text.split(".")[0] + "=="))
        assert head["alg"] == algorithm
        assert head["kid"]


@pytest.mark.req("ID-43", "ID-47")
def test_a_suspended_system_gets_nothing(world, person, partner):
    system = signed_in(partner(), person)
    tokens = system.exchanges(system.code()).json
    admin = world.token_of(world.officer("admin", region="44"))
    world.browser().api("POST", f"/clients/{system.id}/suspend", token=admin)
    assert system.userinfo(tokens["access_token"]).status_code == 401
    assert system.goes(**system.asks()).status_code == 400
    assert ("identity.client.suspended.v1", {"client_id": system.id}) in world.events()
    gateway = world.browser().token(grant_type="client_credentials", scope="revocations").json
    listed = world.browser().client.get(
        "/api/identity/v1/revocations",
        query_string={"since": world.clock.now().isoformat()},
        headers={"Authorization": f"Bearer {gateway['access_token']}"},
    )
    assert system.id in {each["account_id"] for each in listed.json["accounts"]}
    with world.app.database.reading() as db:
        assert db.query(RefreshToken).filter_by(client_id=system.id, revoked_at=None).count() == 0
        assert db.get(Account, person.id) is not None
