"""Something is taken back, and the old token is worth nothing everywhere (ID-43).

Measured from the answer to who takes it back, which follows the commit, to the first refusal: at
the gateway and in another service that is asked past the gateway, over both buses.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import agency
import pytest
import requests
from browser import Browser
from life import Life
from signing_in import log_in
from under_test import Running, seconds_until_refused

from servicekit.testing.clock import FixedClock
from servicekit.testing.issuer import LIFE_SECONDS, Issuer, serve
from servicekit.testing.postgres import TestPostgres, postgres  # noqa: F401 - a fixture
from servicekit.testing.settings import sample_settings

OURS = "/api/employer-auth/v1"
THEIRS = "/api/employment-registry/v1/flexible-employment-registrations"
MESSAGES = "/api/identity/v1/me/messages"
ACCOUNTS = "/api/identity/v1/accounts"
WHY = {"reason": "端到端测试：收回"}
BOUND = 2.0  # seconds, ID-43
PATIENCE = 20.0
POLL = 0.1
BUSINESS = "employer-auth.unit"
ENTRUSTED = "employment-registry.staff-registration"


@dataclass
class Acting:
    """A person who acts for the demo unit, and what is asked with their token."""

    unit: Browser
    binding: dict[str, Any]
    token: str
    gateway: str
    registry: str
    life: Life | None = None

    def at_the_gateway(self) -> int:
        """What the gateway says to the token; 200 while it is good."""
        return self._asked(self.gateway + MESSAGES)

    def at_the_registry(self) -> int:
        """The same of another service, past the gateway; 403 while the token is good."""
        return self._asked(self.registry + THEIRS)

    def _asked(self, url: str) -> int:
        head = {"Authorization": f"Bearer {self.token}"}
        with requests.get(url, headers=head, timeout=5) as answer:
            return answer.status_code


def demo(running: Running) -> dict[str, Any]:
    """The demo accounts; only a suite of our own tells them."""
    if running.logs is None:
        pytest.skip("an installation does not tell its secrets")
    facts = json.loads((running.logs.parent / "run.json").read_text())
    found: dict[str, Any] = json.loads(Path(facts["demo_file"]).read_text())
    return found


def bound(running: Running, *, somebody_new: bool) -> Iterator[Acting]:
    """A person bound to the demo unit, with management, acting.

    Args:
        somebody_new: whose account may be lost afterwards; else the demo agent.
    """
    accounts = demo(running)
    known, agent = accounts["units"]["unit"], accounts["persons"]["agent"]
    unit, person, life = Browser(running.gateway), Browser(running.gateway), None
    log_in(unit, known["login_name"], known["password"])
    if somebody_new:
        life = running.new_life()
        life.registers()
        life.logs_in()
        life.rises_to_level_2()
        person, agent = life.citizen, vars(life.person)
    else:
        log_in(person, agent["login_name"], agent["password"])
    asked = {name: agent[name] for name in ("login_name", "name", "document_number")}
    invited = invite(unit, asked)
    path = f"{OURS}/parent-accounts/{invited['id']}/accept"
    binding = person.api("POST", path, {}, expect=200).json
    ends = (date.today() + timedelta(days=30)).isoformat()  # noqa: DTZ011
    wish = {"actions": ["manage"], "valid_until": ends}
    grant = f"{OURS}/sub-accounts/{binding['id']}/grants/{BUSINESS}"
    unit.api("PUT", grant, wish, expect=200)
    token = acting_token(running, person, binding)
    yield Acting(unit, binding, token, running.gateway, running.registry, life)
    unit.api("POST", f"{OURS}/sub-accounts/{binding['id']}/release", {})


def invite(unit: Browser, asked: dict[str, str]) -> dict[str, Any]:
    """As soon as employer-auth has heard of the unit: the suite has just started."""
    deadline = time.monotonic() + PATIENCE
    answer = unit.api("POST", f"{OURS}/sub-accounts", asked)
    while answer.code == "unit-not-known-yet" and time.monotonic() < deadline:
        time.sleep(POLL)
        answer = unit.api("POST", f"{OURS}/sub-accounts", asked)
    assert answer.status == 201, answer.text
    return dict(answer.json)


def acting_token(running: Running, person: Browser, binding: dict[str, Any]) -> str:
    """As the gateway gets it: a code, the person's token, a mandate, the exchange (RFC 8693)."""
    assert running.logs is not None
    folder = running.logs.parent / "secrets"
    secret = (folder / "jiuye-gateway-client-secret").read_text().strip()
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    callback = f"{running.gateway}/sso/callback"
    query = {
        "client_id": "jiuye-gateway",
        "redirect_uri": callback,
        "response_type": "code",
        "scope": "openid profile",
        "state": "s",
        "nonce": "n",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    answer = person.api("GET", f"/identity/authorize?{urlencode(query)}")
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def redeem(**form: str) -> str:
        got = requests.post(
            f"{running.gateway}/identity/token",
            data=form,
            auth=("jiuye-gateway", secret),
            timeout=10,
        )
        assert got.status_code == 200, got.text
        return str(got.json()["access_token"])

    own = redeem(
        grant_type="authorization_code", code=code, redirect_uri=callback, code_verifier=verifier
    )
    choice = {"unit_id": binding["unit_id"], "binding_id": binding["id"]}
    mandate = person.api("POST", f"{OURS}/mandates", choice, expect=201).json["mandate"]
    kind = "urn:ietf:params:oauth:token-type"
    return redeem(
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=mandate,
        subject_token_type=f"{kind}:jwt",
        actor_token=own,
        actor_token_type=f"{kind}:access_token",
    )


def releases(acting: Acting) -> Callable[[], object]:
    """解除绑定."""
    path = f"{OURS}/sub-accounts/{acting.binding['id']}/release"
    return lambda: acting.unit.api("POST", path, {}, expect=200)


def withdraws(acting: Acting) -> Callable[[], object]:
    """The unit takes the business back."""
    path = f"{OURS}/sub-accounts/{acting.binding['id']}/grants/{BUSINESS}"
    return lambda: acting.unit.api("DELETE", path, expect=200)


def locks(life: Life) -> Callable[[], object]:
    """The province's admin locks the person's account."""
    admin = Browser(life.gateway)
    life.log_in_officer(admin, "admin")
    return lambda: admin.api("POST", f"{ACCOUNTS}/{life.account_id}/lock", WHY, expect=200)


def takes_the_level(life: Life) -> Callable[[], object]:
    """The admin takes back what proved the person, who falls below 二级."""
    admin = Browser(life.gateway)
    life.log_in_officer(admin, "admin")
    evidence = f"{ACCOUNTS}/{life.account_id}/evidence"
    (proof,) = admin.api("GET", evidence, expect=200).json["items"]
    return lambda: admin.api("POST", f"{evidence}/{proof['id']}/revocation", WHY)


BY_UNIT = {"release": releases, "withdraw": withdraws}
BY_ADMIN = {"lock": locks, "level": takes_the_level}


def measure(running: Running, take_back: str, place: str, record: Callable[..., None]) -> None:
    for acting in bound(running, somebody_new=take_back in BY_ADMIN):
        take = BY_ADMIN[take_back](acting.life) if acting.life else BY_UNIT[take_back](acting)
        ask = getattr(acting, place)
        assert ask() in {200, 403}  # good, whether or not it may do just this
        take()
        took = seconds_until_refused(ask)
        record("seconds", round(took, 3))
        assert took < BOUND


TABLE = [
    ("release", "at_the_gateway"),
    ("withdraw", "at_the_registry"),
    ("lock", "at_the_gateway"),
    ("level", "at_the_registry"),
]


@pytest.mark.slow
@pytest.mark.req("ID-43", "EA-05", "EA-06")
@pytest.mark.xdist_group("e2e-local")
@pytest.mark.parametrize(("take_back", "place"), TABLE)
def test_it_is_in_force_within_two_seconds_over_the_local_bus(
    on_local_bus: Running, take_back: str, place: str, record_property: Callable[..., None]
) -> None:
    measure(on_local_bus, take_back, place, record_property)


@pytest.mark.slow
@pytest.mark.rabbitmq
@pytest.mark.req("ID-43", "EA-05", "EA-06")
@pytest.mark.xdist_group("e2e-rabbitmq")
@pytest.mark.parametrize(("take_back", "place"), TABLE)
def test_it_is_in_force_within_two_seconds_over_rabbitmq(
    on_rabbitmq: Running, take_back: str, place: str, record_property: Callable[..., None]
) -> None:
    measure(on_rabbitmq, take_back, place, record_property)


@pytest.mark.slow
@pytest.mark.req("EA-13", "ID-41", "ID-43")
@pytest.mark.xdist_group("e2e-local")
def test_a_chain_is_as_long_as_its_links(on_local_bus: Running) -> None:
    """The demo unit entrusts an agency, whose agent acts; when the agent leaves, it is over."""
    client = Browser(on_local_bus.gateway)
    known = demo(on_local_bus)["units"]["unit"]
    log_in(client, known["login_name"], known["password"])
    life = on_local_bus.new_life()
    life.registers()
    life.logs_in()
    life.rises_to_level_2()
    office, uscc = agency.registers(life)
    asked = {name: getattr(life.person, name) for name in ("login_name", "name", "document_number")}
    own = invite(office, asked)
    life.citizen.api("POST", f"{OURS}/parent-accounts/{own['id']}/accept", {}, expect=200)
    ends = (date.today() + timedelta(days=30)).isoformat()  # noqa: DTZ011
    wish = {"business": ENTRUSTED, "actions": ["view"], "valid_until": ends}
    offer = {"agency_uscc": uscc, "businesses": [wish]}
    given = client.api("POST", f"{OURS}/entrustments", offer, expect=201).json
    received = f"{OURS}/received-entrustments/{given['id']}"
    office.api("POST", f"{received}/accept", {}, expect=200)
    named = {"binding_id": own["id"], "businesses": [wish]}
    link = office.api("POST", f"{received}/agents", named, expect=201).json
    token = acting_token(on_local_bus, life.citizen, link)
    said = agency.claims_of(token)
    assert said["sub"] == given["unit"]["unit_id"]
    assert said["act"]["sub"] == life.account_id
    assert said["act"]["act"] == {"sub": given["agency"]["unit_id"]}
    assert said["permissions"] == [f"{ENTRUSTED}:view"]
    acting = Acting(office, link, token, on_local_bus.gateway, "", life)
    assert acting.at_the_gateway() == 200
    office.api("POST", f"{OURS}/sub-accounts/{own['id']}/release", {}, expect=200)
    assert seconds_until_refused(acting.at_the_gateway) < BOUND
    client.api("POST", f"{OURS}/entrustments/{given['id']}/end", {}, expect=200)


@pytest.mark.req("ID-43")
def test_with_the_bus_down_the_tokens_own_end_is_the_bound(postgres: TestPostgres) -> None:  # noqa: F811
    """Nobody tells the registry anything; the token is worth nothing after 300 seconds."""
    from employment_registry.app import create_app
    from employment_registry.settings import Settings
    from servicekit.migrations import upgrade

    clock = FixedClock(datetime(2026, 11, 21, 2, 0, tzinfo=UTC))
    postgres.template_for("in-force", lambda url: upgrade(url, "employment_registry"))
    with serve(Issuer(clock)) as issuer, postgres.fresh_database("in-force") as url:
        app = create_app(
            sample_settings(
                Settings, "EMPLOYMENT_REGISTRY", database_url=url, identity_url=issuer.url
            ),
            clock=clock,
        )
        token = issuer.token("unit", acting="person-1", permissions=["recruitment.jobs:view"])

        def asked() -> int:
            head = {"Authorization": f"Bearer {token}"}
            return int(app.test_client().get(THEIRS, headers=head).status_code)

        assert asked() == 403  # good, but people do this for themselves
        clock.advance(seconds=LIFE_SECONDS - 1)
        assert asked() == 403
        clock.advance(seconds=1)
        assert asked() == 401
        assert LIFE_SECONDS == 300
        app.database.close()
