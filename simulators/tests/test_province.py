"""The province's unified identity: rules for names and passwords, a real OpenID provider."""

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from outside.app import create_app
from outside.province_accounts import wrong_login_name, wrong_password

SECRET = "a-client-secret"
CALLBACK = "http://127.0.0.1:8080/identity/province/callback"
VERIFIER = "v" * 43


@pytest.fixture
def client() -> FlaskClient:
    return create_app(secrets={"province": SECRET}, silence=0.01).test_client()


@pytest.mark.req("C3")
@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("abc_12", True),
        ("12345a", True),
        ("abcdef", False),
        ("123456", False),
        ("abc12", False),
        ("abc-12", False),
        ("a1" * 11, False),
    ],
)
def test_login_names(name: str, good: bool) -> None:
    assert (wrong_login_name(name) == "") is good


@pytest.mark.req("C4")
@pytest.mark.parametrize(
    ("password", "good"),
    [("Abcd123!", True), ("abc123!@", True), ("abcd1234", False), ("Aa1!" * 5 + "x", False)],
)
def test_passwords(password: str, good: bool) -> None:
    assert (wrong_password(password) == "") is good


def asked(**changes: str) -> dict[str, str]:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    return {
        "response_type": "code",
        "client_id": "jiuye",
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": "s",
        "nonce": "n",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    } | changes


def log_in(client: FlaskClient, **form: str) -> TestResponse:
    form = {"login_name": "gd_unit04", "password": "Abcd123!"} | form
    return client.post("/province/authorize", query_string=asked(), data=form)


def token(client: FlaskClient, code: str, verifier: str = VERIFIER) -> TestResponse:
    basic = base64.b64encode(f"jiuye:{SECRET}".encode()).decode()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }
    headers = {"Authorization": f"Basic {basic}"}
    return client.post("/province/token", data=form, headers=headers)


def test_a_login_by_the_book(client: FlaskClient) -> None:
    metadata = client.get("/province/.well-known/openid-configuration").json
    assert client.get("/province/authorize", query_string=asked()).status_code == 200
    answer = log_in(client)
    given = {n: v[0] for n, v in parse_qs(urlsplit(answer.location).query).items()}
    assert (given["state"], given["iss"]) == ("s", metadata["issuer"])
    tokens = token(client, given["code"])
    assert tokens.status_code == 200, tokens.text
    keys = KeySet.import_key_set(client.get("/province/jwks.json").json)
    claims = jwt.decode(tokens.json["id_token"], keys, algorithms=["RS256"]).claims
    assert (claims["account_type"], claims["level"], claims["nonce"]) == ("corp", 4, "n")
    assert claims["acr"] == "urn:gd:trust:4"
    bearer = {"Authorization": f"Bearer {tokens.json['access_token']}"}
    person = client.get("/province/userinfo", headers=bearer).json
    assert person["sub"] == claims["sub"]
    assert person["id_number"] == "91440101MA5EXAMP0G"
    assert token(client, given["code"]).status_code == 400  # once
    assert client.get("/province/userinfo").status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/x"},
        {"client_id": "nobody"},
        {"code_challenge": ""},
        {"nonce": ""},
    ],
)
def test_what_the_client_may_not_ask(client: FlaskClient, changes: dict[str, str]) -> None:
    wanted = {name: value for name, value in asked(**changes).items() if value}
    sent = client.post(
        "/province/authorize",
        query_string=wanted,
        data={"login_name": "gd_lin01", "password": "Abcd123!"},
    )
    assert "code=" not in (sent.location or "")


def test_a_wrong_verifier_gets_nothing(client: FlaskClient) -> None:
    code = parse_qs(urlsplit(log_in(client).location).query)["code"][0]
    assert token(client, code, "w" * 43).status_code == 400


def test_five_failures_close_an_account(client: FlaskClient) -> None:
    assert [log_in(client, password="x").status_code for _ in range(5)] == [401] * 5
    assert log_in(client).status_code == 401


def test_registration_by_the_provinces_rules(client: FlaskClient) -> None:
    form = {
        "kind": "person",
        "login_name": "abc_12",
        "password": "Abcd123!",
        "name": "白谷雨",
        "number": "440106199202020023",
        "level": "3",
    }
    assert client.post("/province/register", data=form | {"password": "abc"}).status_code == 422
    assert client.post("/province/register", data=form).status_code == 303
    assert client.post("/province/register", data=form).status_code == 422
    assert log_in(client, login_name="ABC_12").status_code == 302


@pytest.mark.req("E9")
def test_a_unit_is_whole_when_the_applicants_face_was_seen(client: FlaskClient) -> None:
    unit = {
        "kind": "unit",
        "login_name": "gd_whole9",
        "password": "Abcd123!",
        "name": "广州立夏示例科技有限公司",
        "number": "914403001922038216",
        "level": "4",
    }
    page = client.post("/province/register", data=unit).location

    def claims() -> dict[str, Any]:
        code = parse_qs(urlsplit(log_in(client, login_name="gd_whole9").location).query)["code"][0]
        access = token(client, code).json["access_token"]
        told = client.get("/province/userinfo", headers={"Authorization": f"Bearer {access}"})
        return dict(told.json or {})

    def code_on(shown: str) -> str:
        found = re.search(r"<code>(\w+)</code>", shown)
        assert found is not None
        return found[1]

    def proves(code: str, name: str = "林小满") -> Any:
        sub = parse_qs(urlsplit(page).query)["sub"][0]
        face = {"sub": sub, "code": code, "name": name, "number": "440106199001010012"}
        return client.post("/province/applicant", data=face)

    shown = client.get(page).text
    assert "申请人指该法人账号的当前操作人，后续可通过账号信息管理页面变更" in shown
    assert "刷新小程序码" in shown
    assert (claims()["level"], claims()["applicant"]["name"]) == (2, "")
    fresh = code_on(client.get(page).text)
    assert proves(code_on(shown)).status_code == 422  # a newer code was asked for
    assert proves(fresh).status_code == 422  # and refusing made another
    assert proves(code_on(client.get(page).text)).status_code == 303
    assert (claims()["level"], claims()["applicant"]["name"]) == (4, "林小满")
    assert proves(code_on(client.get(page).text), "白谷雨").status_code == 303
    assert claims()["applicant"]["name"] == "白谷雨"
    assert client.get("/province/applicant?sub=nobody").status_code == 404


def test_the_assistants_page_signs_with_the_pin(client: FlaskClient) -> None:
    form = {
        "act": "issue",
        "unit": "广州小满示例科技有限公司",
        "uscc": "91440101MA5EXAMP0G",
        "algorithm": "sm2",
    }
    assert client.post("/ca/assistant", data=form | {"uscc": "x"}).status_code == 422
    assert client.post("/ca/assistant", data=form | {"algorithm": "x"}).status_code == 422
    page = client.post("/ca/assistant", data=form).get_data(as_text=True)
    chosen = page.split('<option value="leaf-')[1].split('"')[0]
    sign = {"act": "sign", "certificate": f"leaf-{chosen}", "challenge": "text", "pin": "0"}
    assert client.post("/ca/assistant", data=sign).status_code == 422
    signed = client.post("/ca/assistant", data=sign | {"pin": "123456"}).get_data(as_text=True)
    assert "-----BEGIN SIGNATURE-----" in signed
    assert client.post("/ca/assistant", data={"act": "revoke"}).status_code == 422
