"""The bank-card check: signed, fresh, and speaking by the digits of the card."""

import json
import time
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from outside.app import create_app
from outside.bank_card import passes_luhn
from outside.signed import sign

SECRET = "a-shared-secret"
PERSON = {"name": "林小满", "document_number": "440106199001010012", "phone": "13900000000"}


def card(magic: str) -> str:
    """A valid card number whose two digits before the last are `magic`."""
    return next(
        number for c in "0123456789" if passes_luhn(number := f"6222020000000000{magic}{c}")
    )


@pytest.fixture
def client() -> FlaskClient:
    return create_app(bank_card_secret=SECRET, silence=0.01).test_client()


def check(client: FlaskClient, number: str, **changes: str) -> TestResponse:
    body = {**PERSON, "card_number": number}
    stamp = changes.get("timestamp", str(int(time.time())))
    nonce = changes.get("nonce", uuid4().hex)
    secret = changes.get("secret", SECRET)
    signature = changes.get("signature", sign(secret, body, timestamp=stamp, nonce=nonce))
    headers = {"X-Timestamp": stamp, "X-Nonce": nonce, "X-Signature": signature}
    return client.post("/bank-card/checks", json=body, headers=headers)


@pytest.mark.parametrize(
    ("magic", "code", "message"),
    [
        ("00", "0", "一致"),
        ("77", "0", "一致"),
        ("01", "1", "不一致"),
        ("02", "2", "无效卡号"),
        ("03", "3", "卡状态异常"),
        ("05", "5", "受限制的卡"),
        ("09", "9", "失败"),
    ],
)
def test_verdicts(client: FlaskClient, magic: str, code: str, message: str) -> None:
    answer = check(client, card(magic))
    assert answer.status_code == 200
    assert (answer.json["code"], answer.json["message"]) == (code, message)
    assert answer.json["reference"]
    assert answer.headers["X-Simulator"] == "1"


@pytest.mark.parametrize("number", ["6222020000000000001", "62220200", "abcd", "1" * 40])
def test_a_number_that_fails_luhn_is_invalid(client: FlaskClient, number: str) -> None:
    assert check(client, number).json["code"] == "2"


@pytest.mark.parametrize(("magic", "status"), [("53", 503), ("54", 504)])
def test_outages(client: FlaskClient, magic: str, status: int) -> None:
    assert check(client, card(magic)).status_code == status


def test_half_an_answer(client: FlaskClient) -> None:
    answer = check(client, card("55"))
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(answer.data)


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "0" * 64},
        {"signature": "签"},
        {"secret": "another"},
        {"timestamp": "1000000000"},
        {"timestamp": "soon"},
        {"timestamp": "１７"},
        {"nonce": "n" * 65},
    ],
)
def test_what_is_not_signed_now_is_refused(client: FlaskClient, changes: dict[str, str]) -> None:
    changes = {name: value.encode().decode("latin-1") for name, value in changes.items()}
    answer = check(client, card("00"), **changes)
    assert (answer.status_code, answer.json["code"]) == (401, "bad-signature")


def test_a_nonce_counts_once(client: FlaskClient) -> None:
    assert check(client, card("00"), nonce="once").status_code == 200
    assert check(client, card("00"), nonce="once").status_code == 401


@pytest.mark.parametrize(
    "body",
    [[], {}, {**PERSON}, {**PERSON, "card_number": "1", "more": "1"}, {**PERSON, "card_number": 1}],
)
def test_bad_bodies(client: FlaskClient, body: object) -> None:
    answer = client.post("/bank-card/checks", json=body)
    assert (answer.status_code, answer.json["code"]) == (400, "bad-body")
