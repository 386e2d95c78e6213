"""The systems with a QR code: signed questions, a telephone that confirms by number."""

import json
import time
from collections.abc import Mapping
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from outside.app import DEFAULT_SECRETS, create_app
from outside.routes import scanning_systems
from outside.signed import seal, sign

SYSTEMS = ("social-card", "face", "licence")
SECRET = "a-shared-secret"
ASKED = {"kind": "person", "confirm": "47", "where": "浏览器"}
HOLDERS: Mapping[str, dict[str, str]] = {
    "social-card": {"name": "林小满", "number": "440106199001010012"},
    "face": {"outcome": "pass"},
    "licence": {
        "name": "广州小满示例科技有限公司",
        "number": "91440101MA5EXAMP0G",
        "role": "clerk",
    },
}


@pytest.fixture
def client() -> FlaskClient:
    secrets = dict.fromkeys(DEFAULT_SECRETS, SECRET)
    return create_app(secrets=secrets, silence=0.01).test_client()


def ask(client: FlaskClient, path: str, body: dict[str, str], secret: str = SECRET) -> TestResponse:
    stamp, nonce = str(int(time.time())), uuid4().hex
    signature = sign(secret, body, timestamp=stamp, nonce=nonce)
    headers = {"X-Timestamp": stamp, "X-Nonce": nonce, "X-Signature": signature}
    return client.post(path, json=body, headers=headers)


def started(client: FlaskClient, system: str, **more: str) -> tuple[str, str]:
    answer = ask(client, f"/{system}/sessions", ASKED | more)
    assert answer.status_code == 200, answer.text
    said = dict(answer.json)
    signature = said.pop("signature")
    assert seal(SECRET, said)["signature"] == signature
    return said["session"], said["qr"].removeprefix("http://localhost")


def result(client: FlaskClient, system: str, session: str) -> dict[str, str]:
    answer = ask(client, f"/{system}/results", {"session": session})
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


@pytest.mark.parametrize("system", SYSTEMS)
def test_who_confirms_with_the_right_number_is_told(client: FlaskClient, system: str) -> None:
    session, qr = started(client, system, name="林小满", number="440106199001010012")
    page = client.get(qr)
    assert "浏览器" in page.get_data(as_text=True)
    form = {"decision": "confirm", "confirm": "47", **HOLDERS[system]}
    assert client.post(qr, data=form).status_code == 200
    said = result(client, system, session)
    assert said["state"] == "confirmed"
    assert said["name"]
    assert client.post(qr, data=form).status_code == 422  # once


def test_three_wrong_numbers_and_the_code_is_worth_nothing(client: FlaskClient) -> None:
    session, qr = started(client, "social-card")
    wrong = {"decision": "confirm", "confirm": "48", **HOLDERS["social-card"]}
    assert [client.post(qr, data=wrong).status_code for _ in range(3)] == [422] * 3
    assert client.post(qr, data=wrong | {"confirm": "47"}).status_code == 422
    assert result(client, "social-card", session)["reason"] == "confirm-number"


@pytest.mark.parametrize(
    ("system", "form", "reason"),
    [
        ("social-card", {"decision": "refuse"}, "refused"),
        ("social-card", {"name": "林挂失", "number": "440106199001010012"}, "card-lost"),
        ("face", {"outcome": "liveness"}, "liveness"),
        ("face", {"outcome": "timeout"}, "timeout"),
        ("licence", {"matter": "其他"}, "matter-not-downloaded"),
        ("licence", {"role": "nobody"}, "no-role"),
        ("licence", {"number": "91440101MA5EXAMP0H", "name": "x"}, "no-licence"),
        ("licence", {"name": "吊销公司", "number": "91440101MA5EXAMP0G"}, "licence-revoked"),
    ],
)
def test_why_it_did_not_work(
    client: FlaskClient, system: str, form: dict[str, str], reason: str
) -> None:
    session, qr = started(client, system)
    client.post(qr, data={"decision": "confirm", "confirm": "47"} | form)
    said = result(client, system, session)
    assert (said["state"] in ("refused", "failed"), said["reason"]) == (True, reason)


def test_a_code_ends_and_questions_are_paced() -> None:
    now = [1000.0]
    system = scanning_systems(dict.fromkeys(DEFAULT_SECRETS, SECRET), clock=lambda: now[0])[
        "licence"
    ]

    def signed(body: dict[str, str]) -> dict[str, str]:
        stamp, nonce = str(int(time.time())), uuid4().hex
        signature = sign(SECRET, body, timestamp=stamp, nonce=nonce)
        return {"X-Timestamp": stamp, "X-Nonce": nonce, "X-Signature": signature}

    made = system.start(ASKED, signed(ASKED), address="http://x").body
    asked = {"session": str(made["session"])}  # type: ignore[index]
    assert system.result(asked, signed(asked)).status == 200
    assert system.result(asked, signed(asked)).status == 429
    now[0] += 301
    assert system.result(asked, signed(asked)).body["state"] == "expired"  # type: ignore[index]


@pytest.mark.parametrize(
    "path", ["/licence/sessions", "/face/results", "/legal-person-base/checks"]
)
def test_what_is_not_signed_is_refused(client: FlaskClient, path: str) -> None:
    body = {"certificate_number": "x", "name": "x"} if "base" in path else dict(ASKED)
    body = {"session": "x"} if "results" in path else body
    assert ask(client, path, body, secret="another").status_code == 401
    assert ask(client, path, {"more": "x"}).status_code == 400
    assert client.get("/licence/scan/unknown").status_code == 404


@pytest.mark.parametrize(
    ("number", "name", "legal", "expected"),
    [
        ("91440101MA5EXAMP0G", "广州小满示例科技有限公司", "林小满", True),
        ("91440101MA9EXAMP82", "广州谷雨示例科技有限公司", "白谷雨", True),
        ("91440101MA9EXAMP82", "广州谷雨示例科技有限公司", "林小满", False),
        ("91440101MA9EXAMP82", "广州谷雨科技有限公司", "白谷雨", False),
        ("91350100MA5EXAMP0F", "福州示例有限公司", "林小满", False),
        ("91440101MA5EXAMP0H", "广州小满示例科技有限公司", "林小满", False),
        ("91440101MA5EXAMP0G", "名称不一致公司", "林小满", False),
    ],
)
def test_the_base_knows_units_of_guangdong_to_the_letter(
    client: FlaskClient, number: str, name: str, legal: str, expected: bool
) -> None:
    asked = {"certificate_number": number, "name": name, "legal_representative": legal}
    answer = ask(client, "/legal-person-base/checks", asked)
    assert answer.json["agrees"] is expected


@pytest.mark.parametrize(
    ("name", "status"), [("繁忙公司", 503), ("超时公司", 504), ("乱码公司", 200)]
)
def test_the_bases_own_trouble(client: FlaskClient, name: str, status: int) -> None:
    asked = {"certificate_number": "91440101MA5EXAMP0G", "name": name}
    answer = ask(client, "/legal-person-base/checks", asked)
    assert answer.status_code == status
    if name == "乱码公司":
        with pytest.raises(ValueError, match="Unterminated"):
            json.loads(answer.data)
