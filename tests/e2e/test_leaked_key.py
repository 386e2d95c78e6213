"""A signing key is withdrawn by one command, and what it signed is worth nothing (ID-43, ID-44)."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
import requests
from browser import Browser
from joserfc import jws
from room_settings import service_environment
from secret_folder import SecretFolder
from under_test import Running, seconds_until_refused

THEIRS = "/api/employment-registry/v1/flexible-employment-registrations"
SYSTEM = {
    "name": "令牌密钥泄露时的接入系统",
    "auth_method": "client_secret_basic",
    "grant_types": ["client_credentials"],
    "scopes": ["accounts.match"],
}
BOUND = 2.0  # seconds, ID-43


def withdraw(running: Running, kid: str) -> None:
    """As an operator does, with the environment of identity."""
    assert running.logs is not None
    secrets = SecretFolder(running.logs.parent / "secrets")
    urls = {
        name: (secrets.folder / file).read_text()
        for name, file in (("database_url", "identity-database-url"), ("bus_url", "bus-url"))
    }
    told = service_environment(
        "identity",
        secrets,
        **urls,
        public_url=running.gateway,
        identity_url=running.gateway,
        employer_auth_url=running.gateway,
        simulators_url=running.simulators,
        demo_file=running.logs.parent / "demo.json",
    )
    command = [sys.executable, "-m", "servicekit.launch", "withdraw-key", "identity", kid]
    reason = ["--reason", "案件 2026-17：密钥泄露"]
    subprocess.run([*command, *reason], env=os.environ | told, check=True, timeout=60)


def measure(running: Running, record: Callable[..., None]) -> None:
    """Asked at the gateway and in another service past it, until both refuse."""
    if running.logs is None:
        pytest.skip("an installation's keys are not ours to withdraw")
    life, admin = running.new_life(), Browser(running.gateway)
    life.log_in_officer(admin, "admin")
    made = admin.api("POST", "/api/identity/v1/clients", SYSTEM, expect=201).json
    who = made["client"]["client_id"], made["client_secret"]

    def token() -> str:
        asked = {"grant_type": "client_credentials", "scope": "accounts.match"}
        answer = requests.post(f"{running.gateway}/identity/token", asked, auth=who, timeout=10)
        return str(answer.json()["access_token"])

    def ask(where: str, text: str) -> int:
        head = {"Authorization": f"Bearer {text}"}
        with requests.get(where + THEIRS, headers=head, timeout=5) as answer:
            return answer.status_code

    for name, entrance in (("gateway", running.gateway), ("registry", running.registry)):
        former = token()
        assert ask(entrance, former) == 403  # good, but people do this for themselves
        withdraw(running, str(jws.extract_compact(former.encode()).headers()["kid"]))
        took = seconds_until_refused(lambda where=entrance, text=former: ask(where, text))
        record(f"seconds at the {name}", round(took, 3))
        assert took < BOUND
        # Once the gateway knows it too.
        assert seconds_until_refused(lambda text=former: ask(running.gateway, text)) < BOUND
        admin.api("GET", "/api/identity/v1/clients", expect=200)  # in silence, by another token
        assert ask(entrance, token()) == 403


@pytest.mark.slow
@pytest.mark.req("ID-43", "ID-44")
@pytest.mark.xdist_group("e2e-local")
def test_a_leaked_keys_tokens_are_out_within_two_seconds_over_the_local_bus(
    on_local_bus: Running, record_property: Callable[..., None]
) -> None:
    measure(on_local_bus, record_property)


@pytest.mark.slow
@pytest.mark.rabbitmq
@pytest.mark.req("ID-43", "ID-44")
@pytest.mark.xdist_group("e2e-rabbitmq")
def test_a_leaked_keys_tokens_are_out_within_two_seconds_over_rabbitmq(
    on_rabbitmq: Running, record_property: Callable[..., None]
) -> None:
    measure(on_rabbitmq, record_property)
