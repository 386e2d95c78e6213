"""Another system is suspended, and its tokens are worth nothing within two seconds (ID-43)."""

from collections.abc import Callable

import pytest
import requests
from browser import Browser
from under_test import Running, seconds_until_refused

CLIENTS = "/api/identity/v1/clients"
THEIRS = "/api/employment-registry/v1/flexible-employment-registrations"
SYSTEM = {
    "name": "待停用的接入系统",
    "auth_method": "client_secret_basic",
    "grant_types": ["client_credentials"],
    "scopes": ["accounts.match"],
}
BOUND = 2.0  # seconds, ID-43


def measure(running: Running, record: Callable[..., None]) -> None:
    """Asked at the gateway and in another service past it, until both refuse."""
    life, admin = running.new_life(), Browser(running.gateway)
    life.log_in_officer(admin, "admin")
    for name, entrance in (("gateway", running.gateway), ("registry", running.registry)):
        made = admin.api("POST", CLIENTS, SYSTEM, expect=201).json
        client, secret = made["client"]["client_id"], made["client_secret"]
        asked = {"grant_type": "client_credentials", "scope": "accounts.match"}
        token = requests.post(
            f"{running.gateway}/identity/token", data=asked, auth=(client, secret), timeout=10
        ).json()["access_token"]
        head = {"Authorization": f"Bearer {token}"}

        def ask(where: str = entrance + THEIRS, head: dict[str, str] = head) -> int:
            with requests.get(where, headers=head, timeout=5) as answer:
                return answer.status_code

        assert ask() == 403  # good, but people do this for themselves
        admin.api("POST", f"{CLIENTS}/{client}/suspend", {}, expect=200)
        took = seconds_until_refused(ask)
        record(f"seconds at the {name}", round(took, 3))
        assert took < BOUND


@pytest.mark.slow
@pytest.mark.req("ID-43", "ID-47")
@pytest.mark.xdist_group("e2e-local")
def test_a_suspended_system_is_out_within_two_seconds_over_the_local_bus(
    on_local_bus: Running, record_property: Callable[..., None]
) -> None:
    measure(on_local_bus, record_property)


@pytest.mark.slow
@pytest.mark.rabbitmq
@pytest.mark.req("ID-43", "ID-47")
@pytest.mark.xdist_group("e2e-rabbitmq")
def test_a_suspended_system_is_out_within_two_seconds_over_rabbitmq(
    on_rabbitmq: Running, record_property: Callable[..., None]
) -> None:
    measure(on_rabbitmq, record_property)
