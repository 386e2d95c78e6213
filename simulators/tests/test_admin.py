"""The admin page: makes a system slow, unreliable, or wrong once."""

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from flask.testing import FlaskClient

from outside.app import create_app
from outside.behaviour import Behaviour

MESSAGE = {"to": "13900000000", "text": "x", "reference": "r"}


@pytest.fixture
def client() -> FlaskClient:
    return create_app(silence=0.01).test_client()


def change(client: FlaskClient, **form: str) -> int:
    return client.post("/admin/sms", data=form).status_code


@pytest.mark.parametrize(
    ("preset", "status"),
    [("temporary", 503), ("timeout", 504), ("server-error", 500), ("malformed", 200)],
)
def test_the_next_answer_is_given_once(client: FlaskClient, preset: str, status: int) -> None:
    assert change(client, next_answer=preset) == 303
    assert client.post("/sms/messages", json=MESSAGE).status_code == status
    assert client.post("/sms/messages", json=MESSAGE).status_code == 202


def test_error_rate_one_fails_always_and_only_its_system(client: FlaskClient) -> None:
    change(client, error_rate="1")
    assert client.post("/sms/messages", json=MESSAGE).status_code == 503
    assert client.post("/bank-card/checks", json={}).status_code == 400


def test_error_rate_is_a_chance() -> None:
    draws = iter([0.1, 0.9])
    behaviour = Behaviour("x", "x", error_rate=0.5, chance=lambda: next(draws))
    assert behaviour.intercept()[1] is not None
    assert behaviour.intercept()[1] is None


def test_latency_holds_the_answer_back(client: FlaskClient) -> None:
    change(client, latency="0.05")
    before = time.monotonic()
    client.post("/sms/messages", json=MESSAGE)
    assert time.monotonic() - before >= 0.05


@pytest.mark.parametrize(
    "form", [{"latency": "31"}, {"latency": "x"}, {"error_rate": "2"}, {"next_answer": "other"}]
)
def test_bad_settings_change_nothing(client: FlaskClient, form: dict[str, str]) -> None:
    assert change(client, **form) == 422
    assert client.post("/sms/messages", json=MESSAGE).status_code == 202


def test_a_foreign_page_cannot_change_it(client: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/admin/sms", data={}, headers=headers).status_code == 403
    assert client.post("/admin/other", data={}).status_code == 404


def test_the_page_labels_every_field(client: FlaskClient) -> None:
    page = client.get("/admin").get_data(as_text=True)
    fields = re.findall(r'<(?:input|select) id="([^"]+)"', page)
    assert len(fields) == 3 * 11
    assert all(f'<label for="{name}">' in page for name in fields)


@pytest.mark.slow
def test_it_runs_as_a_process_and_stops_in_silence() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "outside", "--port", str(port)])
    try:
        answer = _get(f"http://127.0.0.1:{port}/livez", time.monotonic() + 20)
        assert json.loads(answer) == {"status": "ok"}
    finally:
        process.terminate()
        assert process.wait(10) == 0


def _get(url: str, deadline: float) -> bytes:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                assert answer.headers["X-Simulator"] == "1"
                return answer.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
