"""The SMS gateway: taken once per reference, failures by the number's last four digits."""

import json

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from outside.app import create_app


@pytest.fixture
def client() -> FlaskClient:
    return create_app(silence=0.01).test_client()


def send(
    client: FlaskClient, to: str = "13900000000", reference: str = "r1", text: str = "验证码"
) -> TestResponse:
    return client.post("/sms/messages", json={"to": to, "text": text, "reference": reference})


def test_a_message_is_delivered_once_per_reference(client: FlaskClient) -> None:
    first, again = send(client), send(client)
    assert first.status_code == again.status_code == 202
    assert first.json == again.json
    assert first.json["state"] == "delivered"
    items = client.get("/sms/messages?to=13900000000").json["items"]
    assert [(i["to"], i["text"], i["reference"]) for i in items] == [
        ("13900000000", "验证码", "r1")
    ]
    assert send(client, text="另一条").status_code == 409


def test_newest_first_and_by_number(client: FlaskClient) -> None:
    for n in range(3):
        send(client, to=f"1390000010{n % 2}", reference=f"r{n}")
    assert [i["reference"] for i in client.get("/sms/messages").json["items"]] == ["r2", "r1", "r0"]
    found = client.get("/sms/messages?to=13900000100").json["items"]
    assert [i["reference"] for i in found] == ["r2", "r0"]


def test_the_store_is_bounded(client: FlaskClient) -> None:
    for n in range(1_005):
        send(client, reference=f"r{n}")
    app = client.application
    assert len(app.sms._messages) == 1_000
    assert len(client.get("/sms/messages").json["items"]) == 100


def test_0001_fails_twice_then_delivers(client: FlaskClient) -> None:
    answers = [send(client, to="13900000001", reference=f"r{n}") for n in range(3)]
    assert [a.status_code for a in answers] == [503, 503, 202]
    assert answers[0].headers["Retry-After"] == "1"
    assert answers[0].json["code"] == "temporarily-unavailable"


@pytest.mark.parametrize(
    ("to", "status", "code"),
    [("13900000002", 422, "number-refused"), ("13900000003", 504, "timeout")],
)
def test_refusing_numbers(client: FlaskClient, to: str, status: int, code: str) -> None:
    answer = send(client, to=to)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert client.get("/sms/messages").json["items"] == []


def test_0004_answers_with_half_an_object(client: FlaskClient) -> None:
    answer = send(client, to="13900000004")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(answer.data)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"to": "139", "text": "x", "reference": "r"}, "bad-number"),
        ({"to": 13900000000, "text": "x", "reference": "r"}, "bad-number"),
        ({"to": "13900000000", "text": "", "reference": "r"}, "bad-text"),
        ({"to": "13900000000", "text": "x" * 501, "reference": "r"}, "bad-text"),
        ({"to": "13900000000", "text": "x", "reference": ""}, "bad-reference"),
        ({"to": "13900000000", "text": "x"}, "bad-body"),
        ([], "bad-body"),
    ],
)
def test_bad_bodies(client: FlaskClient, body: object, code: str) -> None:
    answer = client.post("/sms/messages", json=body)
    assert (answer.status_code, answer.json["code"]) == (400, code)


def test_what_is_not_json_or_too_large_is_refused(client: FlaskClient) -> None:
    assert client.post("/sms/messages", data="x").status_code == 415
    broken = client.post("/sms/messages", data="{", content_type="application/json")
    assert broken.status_code == 400
    large = client.post("/sms/messages", data=b" " * 70_000, content_type="application/json")
    assert large.status_code == 413
    assert large.headers["X-Simulator"] == "1"


def test_the_page_escapes_and_needs_no_script(client: FlaskClient) -> None:
    send(client, text="<script>alert(1)</script>您的验证码")
    page = client.get("/sms")
    text = page.get_data(as_text=True)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "短信收件箱" in text
    assert "width=device-width" in text
    assert "您的验证码" not in client.get("/sms?to=13911111111").get_data(as_text=True)
