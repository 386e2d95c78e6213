"""The registers of persons: signed, in pace, speaking by the name and by what was reported."""

import time
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from outside.app import Outside, create_app
from outside.registers import PER_MINUTE
from outside.signed import sign

SECRET = "a-shared-secret"
NUMBER = "440106199001010012"
SINCE = "2026-01-01"


@pytest.fixture
def app() -> Outside:
    secrets = {"population-register": SECRET, "social-security": SECRET}
    return create_app(secrets=secrets, silence=0.01)


@pytest.fixture
def client(app: Outside) -> FlaskClient:
    return app.test_client()


def ask(client: FlaskClient, path: str, secret: str = SECRET, **body: str) -> TestResponse:
    stamp, nonce = str(int(time.time())), uuid4().hex
    signature = sign(secret, body, timestamp=stamp, nonce=nonce)
    headers = {"X-Timestamp": stamp, "X-Nonce": nonce, "X-Signature": signature}
    return client.post(path, json=body, headers=headers)


def check(client: FlaskClient, register: str, name: str) -> TestResponse:
    return ask(client, f"/{register}/checks", name=name, document_number=NUMBER)


@pytest.mark.parametrize(
    ("register", "name", "said"),
    [
        ("population-register", "林小满", {"agrees": True, "alive": True, "hukou": "440106"}),
        ("population-register", "林不一致", {"agrees": False}),
        ("population-register", "林已故", {"agrees": True, "alive": False, "hukou": "440106"}),
        ("population-register", "林外省", {"agrees": True, "alive": True, "hukou": "430102"}),
        ("social-security", "林小满", {"employed": False, "since": None, "pensioner": False}),
        (
            "social-security",
            "林参保",
            {"employed": True, "since": "2026-01-01", "pensioner": False},
        ),
        ("social-security", "林退休", {"employed": False, "since": None, "pensioner": True}),
    ],
)
def test_what_the_name_makes_them_say(
    client: FlaskClient, register: str, name: str, said: dict[str, object]
) -> None:
    answer = check(client, register, name).json
    assert {k: v for k, v in answer.items() if k not in {"reference", "nonce", "signature"}} == said


@pytest.mark.parametrize(("name", "status"), [("林繁忙", 503), ("林超时", 504), ("林乱码", 200)])
def test_outages(client: FlaskClient, name: str, status: int) -> None:
    assert check(client, "social-security", name).status_code == status


def test_strangers_and_those_in_a_hurry_are_refused(client: FlaskClient) -> None:
    path = "/population-register/checks"
    stranger = ask(client, path, "another", name="林小满", document_number=NUMBER)
    assert stranger.status_code == 401
    answers = [check(client, "population-register", "林小满") for _ in range(PER_MINUTE + 1)]
    assert (answers[-2].status_code, answers[-1].status_code) == (200, 429)


def test_what_is_reported_is_told_once_in_order_and_counts_in_checks(client: FlaskClient) -> None:
    for kind, day in (("enrolled", "2026-09-01"), ("left", "2026-09-20")):
        form = {"document_number": NUMBER, "kind": kind, "on": day}
        assert client.post("/social-security", data=form).status_code == 303
        employed = check(client, "social-security", "林小满").json["employed"]
        assert employed is (kind == "enrolled")
    told = ask(client, "/social-security/changes", after="0").json
    assert [(c["number"], c["kind"]) for c in told["changes"]] == [(1, "enrolled"), (2, "left")]
    assert {c["document_kind"] for c in told["changes"]} == {"resident-card"}
    assert told["more"] is False
    assert ask(client, "/social-security/changes", after="2").json["changes"] == []
    assert ask(client, "/social-security/changes", after="x").status_code == 400
    assert "用人单位停保" in client.get("/social-security").text
    wrong = {"document_number": NUMBER, "kind": "died", "on": "2026-09-01"}
    assert client.post("/social-security", data=wrong).status_code == 422
    wrong |= {"kind": "left", "document_kind": "library-card"}
    assert client.post("/social-security", data=wrong).status_code == 422
